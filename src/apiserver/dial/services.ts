/** Where a cluster's own Services answer, from what its range holds. */
import { isIP } from 'node:net'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { Range } from '../../store/contract.ts'
import { objectOf } from '../contract.ts'
import type { Address, ServiceResolver } from './contract.ts'

/** What is asked of a cluster's state. */
export interface ServiceSource {
  service(namespace: string, name: string): KubeObject | undefined
  /** EndpointSlices of the namespace. */
  slices(namespace: string): readonly KubeObject[]
}

interface Port {
  readonly name?: string
  readonly port?: number
}

interface Endpoint {
  readonly addresses?: readonly string[]
  readonly conditions?: { readonly ready?: boolean }
  readonly targetRef?: { readonly namespace?: string; readonly name?: string }
}

/** A ready endpoint of a Service's port. */
export interface Ready extends Address {
  readonly slice: KubeObject
  /** What stands behind it, if it says so. */
  readonly targetRef: Endpoint['targetRef']
}

const SERVICE_NAME = 'kubernetes.io/service-name'

/**
 * A ready endpoint of the Service's port, any of them (k8s.io/apiserver/pkg/util/proxy, ResolveEndpoint); for
 * ExternalName its name and the asked port.
 *
 * @param random a number in [0, 1)
 */
export function endpointResolver(source: ServiceSource, random: () => number): ServiceResolver {
  return {
    resolve(namespace, name, port) {
      const service = source.service(namespace, name)
      if (service === undefined) throw errors.notFound({ group: '', resource: 'service' }, name)
      const spec = (service['spec'] ?? {}) as { type?: string; externalName?: string; ports?: Port[] }
      if (spec.type === 'ExternalName') return { host: spec.externalName ?? '', port }
      const found = spec.ports?.find((each) => each.port === port)
      if (found === undefined) {
        throw errors.serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
      }
      const { ipFamilies } = spec as { ipFamilies?: readonly string[] }
      const ready = readyAddresses(source.slices(namespace), name, found.name ?? '', ipFamilies?.[0])
      if (ready.length === 0) {
        throw errors.serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
      }
      return ready[Math.floor(random() * ready.length)]!
    },
  }
}

/** Those of the preferred family, if there are any. */
function readyAddresses(
  slices: readonly KubeObject[],
  service: string,
  portName: string,
  family: string | undefined,
): readonly Address[] {
  const preferred: Address[] = []
  const others: Address[] = []
  for (const { slice, host, port } of readyEndpoints(slices, service, portName)) {
    const list = family === undefined || slice['addressType'] === family ? preferred : others
    list.push({ host, port })
  }
  return preferred.length > 0 ? preferred : others
}

/** The ready endpoints of a Service's port, by the port's name. */
export function* readyEndpoints(slices: readonly KubeObject[], service: string, portName: string): Iterable<Ready> {
  for (const slice of slices) {
    if (slice.metadata.labels?.[SERVICE_NAME] !== service) continue
    const port = (slice['ports'] as Port[] | undefined)?.find((each) => (each.name ?? '') === portName)?.port
    if (port === undefined) continue
    for (const { addresses, conditions, targetRef } of (slice['endpoints'] ?? []) as Endpoint[]) {
      const [host] = addresses ?? []
      // An endpoint is an address and no name: what would be looked up is for ExternalName alone.
      if (host !== undefined && conditions?.ready !== false && isIP(host) !== 0) yield { slice, host, port, targetRef }
    }
  }
}

/** Services and EndpointSlices of a range. */
export function rangeServices(range: Range): ServiceSource {
  return {
    service(namespace, name) {
      if (namespace.includes('/') || name.includes('/')) return undefined
      const entry = range.get(`core/services/${namespace}/${name}`)
      return entry === undefined ? undefined : objectOf(entry)
    },
    slices: (namespace) => range.list(`discovery.k8s.io/endpointslices/${namespace}/`).entries.map(objectOf),
  }
}
