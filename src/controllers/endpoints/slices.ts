/** Which EndpointSlices a service should have, and the fewest writes that lead there. Pure. */
import type { KubeObject } from '../../machinery/object.ts'
import { controllerReference, sameValue } from '../meta.ts'
import type { Pod, Service } from '../objects.ts'
import {
  addressTypes,
  type AddressType,
  type Endpoint,
  type EndpointPort,
  endpointOf,
  isEndpoint,
  labelsFrom,
  portsOf,
} from './endpoint.ts'

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const MANAGER = 'endpointslice-controller.k8s.io'
/** Endpoints in one slice at most. */
export const MAX_ENDPOINTS = 100

export interface EndpointSlice extends KubeObject {
  addressType: string
  ports?: EndpointPort[] | null
  endpoints?: Endpoint[] | null
}

export interface SliceChanges {
  readonly create: EndpointSlice[]
  readonly update: EndpointSlice[]
  readonly delete: EndpointSlice[]
}

/**
 * Changes from the existing slices to what service and pods ask for. Endpoints stay in the slice in which they are;
 * a service without endpoints keeps one empty slice.
 */
export function sliceChanges(
  service: Service,
  pods: readonly Pod[],
  existing: readonly EndpointSlice[],
  zoneOf: (nodeName: string) => string | undefined,
): SliceChanges {
  const changes: SliceChanges = { create: [], update: [], delete: [] }
  const types = addressTypes(service)
  for (const slice of existing) if (!types.some((type) => type === slice.addressType)) changes.delete.push(slice)
  for (const type of types) {
    const own = existing.filter(({ addressType }) => addressType === type)
    changeType(service, desiredGroups(service, pods, type, zoneOf), own, type, changes)
  }
  return changes
}

interface Group {
  readonly ports: EndpointPort[]
  readonly endpoints: Map<string, Endpoint>
}

/** Endpoints by their ports: named target ports may differ from pod to pod. */
function desiredGroups(
  service: Service,
  pods: readonly Pod[],
  type: AddressType,
  zoneOf: (nodeName: string) => string | undefined,
): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const pod of pods) {
    if (!isEndpoint(pod, true)) continue
    const zone = pod.spec.nodeName === undefined ? undefined : zoneOf(pod.spec.nodeName)
    const endpoint = endpointOf(service, pod, type, zone)
    if (endpoint === undefined) continue
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    let group = groups.get(key)
    if (group === undefined) {
      group = { ports, endpoints: new Map() }
      groups.set(key, group)
    }
    group.endpoints.set(endpointKey(endpoint), endpoint)
  }
  return groups
}

function changeType(
  service: Service,
  groups: ReadonlyMap<string, Group>,
  existing: readonly EndpointSlice[],
  type: AddressType,
  changes: SliceChanges,
): void {
  const unwanted: EndpointSlice[] = []
  const byPorts = new Map<string, EndpointSlice[]>()
  for (const slice of existing) {
    const key = portsKey(slice.ports ?? [])
    if (!isOwned(slice, service) || !groups.has(key)) unwanted.push(slice)
    else byPorts.set(key, [...(byPorts.get(key) ?? []), slice])
  }
  for (const [key, group] of groups) changeGroup(service, group, byPorts.get(key) ?? [], type, changes)
  if (groups.size === 0) {
    const placeholder = newSlice(service, type, [], [])
    const kept = unwanted.find((slice) => isOwned(slice, service) && isEmpty(slice))
    if (kept === undefined) changes.create.push(placeholder)
    else if (!sameLabels(kept, placeholder)) changes.update.push(relabelled(kept, placeholder))
    if (kept !== undefined) unwanted.splice(unwanted.indexOf(kept), 1)
  }
  changes.delete.push(...unwanted)
}

function changeGroup(
  service: Service,
  { ports, endpoints }: Group,
  existing: readonly EndpointSlice[],
  type: AddressType,
  changes: SliceChanges,
): void {
  const missing = new Map(endpoints)
  const labels = newSlice(service, type, ports, [])
  const kept = existing.map((slice) => {
    let changed = !sameLabels(slice, labels)
    const stay: Endpoint[] = []
    for (const endpoint of slice.endpoints ?? []) {
      const wanted = missing.get(endpointKey(endpoint))
      if (wanted === undefined) {
        changed = true
        continue
      }
      missing.delete(endpointKey(endpoint))
      if (!sameValue(wanted, endpoint)) changed = true
      stay.push(wanted)
    }
    return { slice, stay, changed }
  })
  const rest = [...missing.values()]
  // Slices that are written anyway are filled first, then the others, the fullest first.
  const order = kept.toSorted((a, b) => Number(b.changed) - Number(a.changed) || b.stay.length - a.stay.length)
  for (const one of order) {
    const room = MAX_ENDPOINTS - one.stay.length
    if (rest.length === 0 || room <= 0) continue
    if (!one.changed && rest.length > room) continue
    one.stay.push(...rest.splice(0, room))
    one.changed = true
  }
  for (const { slice, stay, changed } of kept) {
    if (stay.length === 0) changes.delete.push(slice)
    else if (changed) changes.update.push(relabelled({ ...slice, endpoints: stay }, labels))
  }
  while (rest.length > 0) changes.create.push(newSlice(service, type, ports, rest.splice(0, MAX_ENDPOINTS)))
}

function newSlice(
  service: Service,
  addressType: AddressType,
  ports: EndpointPort[],
  endpoints: Endpoint[],
): EndpointSlice {
  const name = service.metadata.name!
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace: service.metadata.namespace!,
      labels: labelsFrom(service, { [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER }),
      ownerReferences: [controllerReference('v1', 'Service', service)],
    },
    addressType,
    endpoints,
    ports,
  }
}

function sameLabels(slice: EndpointSlice, planned: EndpointSlice): boolean {
  return sameValue(slice.metadata.labels, planned.metadata.labels)
}

function relabelled(slice: EndpointSlice, planned: EndpointSlice): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, labels: planned.metadata.labels! } }
}

function isEmpty(slice: EndpointSlice): boolean {
  return (slice.endpoints ?? []).length === 0 && (slice.ports ?? []).length === 0
}

function isOwned(slice: EndpointSlice, service: Service): boolean {
  return slice.metadata.ownerReferences?.some(({ uid }) => uid === service.metadata.uid) === true
}

function endpointKey(endpoint: Endpoint): string {
  return `${endpoint.targetRef?.uid ?? ''}/${endpoint.addresses.join(',')}`
}

function portsKey(ports: readonly EndpointPort[]): string {
  const keys = ports.map((one) => JSON.stringify([one.name ?? '', one.protocol, one.port, one.appProtocol ?? null]))
  return keys.toSorted().join()
}
