/** The older form of endpoints: subsets of addresses that share their ports. Pure. */
import type { Pod, Service } from '../objects.ts'
import { isReady } from '../pods.ts'
import {
  addressesOf,
  addressTypeOf,
  addressTypes,
  type EndpointPort,
  hasHostname,
  isEndpoint,
  portsOf,
} from './endpoint.ts'

/** Addresses that an Endpoints object holds at most. */
export const CAPACITY = 1000

export interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef: { kind: 'Pod'; namespace: string; name: string; uid: string }
}

export interface Subset {
  addresses?: EndpointAddress[]
  notReadyAddresses?: EndpointAddress[]
  ports?: EndpointPort[]
}

/** The subsets in a stable order, and whether some addresses had no room. Ready addresses are kept first. */
export function subsetsOf(service: Service, pods: readonly Pod[]): { subsets: Subset[]; truncated: boolean } {
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>()
  const publishAll = service.spec.publishNotReadyAddresses === true
  const headlessWithoutPorts = (service.spec.ports ?? []).length === 0 && service.spec.clusterIP === 'None'
  let count = 0
  for (const ready of [true, false]) {
    for (const pod of pods) {
      if (!isEndpoint(pod, publishAll) || (publishAll || isReady(pod)) !== ready) continue
      const address = addressOf(service, pod)
      const ports = portsOf(service, pod)
      if (address === undefined || (ports.length === 0 && !headlessWithoutPorts)) continue
      if (++count > CAPACITY) continue
      const key = JSON.stringify(ports)
      const group = groups.get(key) ?? { ports, ready: [], notReady: [] }
      groups.set(key, group)
      ;(ready ? group.ready : group.notReady).push(address)
    }
  }
  const subsets = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]): Subset => ({
      ...(ready.length === 0 ? {} : { addresses: ready.toSorted(byAddress) }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady.toSorted(byAddress) }),
      ...(ports.length === 0 ? {} : { ports: ports.map((port) => withoutEmptyName(port)) }),
    }))
  return { subsets, truncated: count > CAPACITY }
}

/** One address, of the service's first family. */
function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const [family] = addressTypes(service)
  const ip = addressesOf(pod).find((one) => addressTypeOf(one) === family)
  if (ip === undefined) return undefined
  return {
    ip,
    ...(hasHostname(service, pod) ? { hostname: pod.spec.hostname! } : {}),
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace!,
      name: pod.metadata.name!,
      uid: pod.metadata.uid!,
    },
  }
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1
  return a.targetRef.uid < b.targetRef.uid ? -1 : 1
}

/** Here an empty name is no name; in EndpointSlices it is written. */
function withoutEmptyName(port: EndpointPort): EndpointPort {
  if (port.name !== '') return port
  const { name: _, ...rest } = port
  return rest as EndpointPort
}
