/** From a service and its pods to endpoints. Pure. */
import type { StringMap } from '../../machinery/object.ts'
import type { Container, Pod, Service, ServicePort } from '../objects.ts'
import { isReady } from '../pods.ts'

export type AddressType = 'IPv4' | 'IPv6'

export interface EndpointPort {
  name: string
  port: number
  protocol: string
  appProtocol?: string
}

export interface Endpoint {
  addresses: string[]
  conditions: { ready: boolean; serving: boolean; terminating: boolean }
  hostname?: string
  nodeName?: string
  targetRef: { kind: 'Pod'; namespace: string; name: string; uid: string }
  zone?: string
}

export const HEADLESS = 'service.kubernetes.io/headless'

export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None' || service.spec.clusterIP === undefined || service.spec.clusterIP === ''
}

/** Whether endpoints of this service come from its selector. */
export function selectsPods(service: Service): boolean {
  return service.spec.type !== 'ExternalName' && service.spec.selector !== undefined
}

/** The labels of a service with others in place of those that only controllers set. */
export function labelsFrom(service: Service, own: StringMap): StringMap {
  const out: StringMap = { ...service.metadata.labels, ...own }
  if (isHeadless(service)) out[HEADLESS] = ''
  else delete out[HEADLESS]
  return out
}

/** Whether a pod of a service is one of its endpoints at all: it has an address and will run on. */
export function isEndpoint(pod: Pod, withTerminating: boolean): boolean {
  const { phase } = pod.status ?? {}
  if (phase === 'Failed' || phase === 'Succeeded') return false
  if (addressesOf(pod).length === 0) return false
  return withTerminating || pod.metadata.deletionTimestamp === undefined
}

export function addressesOf(pod: Pod): string[] {
  const { podIPs, podIP } = pod.status ?? {}
  if (podIPs !== undefined && podIPs.length > 0) return podIPs.map(({ ip }) => ip)
  return podIP === undefined || podIP === '' ? [] : [podIP]
}

export function addressTypeOf(ip: string): AddressType {
  return ip.includes(':') ? 'IPv6' : 'IPv4'
}

/** The address types that a service has endpoints of. */
export function addressTypes(service: Service): AddressType[] {
  const { ipFamilies, clusterIP } = service.spec
  const families = (ipFamilies ?? []).filter((family) => family === 'IPv4' || family === 'IPv6')
  if (families.length > 0) return families
  return [clusterIP === undefined || clusterIP === 'None' ? 'IPv4' : addressTypeOf(clusterIP)]
}

/** The endpoint of one address type; `undefined` when the pod has no such address. */
export function endpointOf(
  service: Service,
  pod: Pod,
  type: AddressType,
  zone: string | undefined,
): Endpoint | undefined {
  const addresses = addressesOf(pod).filter((ip) => addressTypeOf(ip) === type)
  if (addresses.length === 0) return undefined
  const serving = isReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hasHostname(service, pod) ? { hostname: pod.spec.hostname! } : {}),
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace!,
      name: pod.metadata.name!,
      uid: pod.metadata.uid!,
    },
    ...(zone === undefined || zone === '' ? {} : { zone }),
  }
}

/** Pods of a headless service that ask for it have a name of their own in DNS. */
export function hasHostname(service: Service, pod: Pod): boolean {
  return pod.spec.hostname !== undefined && pod.spec.hostname !== '' && pod.spec.subdomain === service.metadata.name
}

/** The service's ports as this pod has them. Ports that the pod lacks are left out. */
export function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const found = findPort(pod, port)
    if (found === undefined) return []
    const out: EndpointPort = { name: port.name ?? '', port: found, protocol: port.protocol ?? 'TCP' }
    if (port.appProtocol !== undefined) out.appProtocol = port.appProtocol
    return [out]
  })
}

/** A target port is a number, or the name of a port of one of the pod's containers (sidecars included). */
export function findPort(pod: Pod, { port, targetPort, protocol }: ServicePort): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port
  if (typeof targetPort === 'number') return targetPort
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...sidecars] satisfies Container[]) {
    for (const one of container.ports ?? []) {
      if (one.name === targetPort && (one.protocol ?? 'TCP') === (protocol ?? 'TCP')) return one.containerPort
    }
  }
  return undefined
}
