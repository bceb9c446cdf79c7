/** EndpointSlices that say what an Endpoints object says that somebody wrote by hand. Pure. */
import { isIP } from 'node:net'
import type { KubeObject } from '../../machinery/object.ts'
import { annotation, controllerReference, label, sameValue } from '../meta.ts'

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const MANAGER = 'endpointslicemirroring-controller.k8s.io'
/** Addresses of one subset that are mirrored at most. */
const MOST = 1000
const UNMIRRORED = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
])

interface Address {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef?: object
}

export interface Endpoints extends KubeObject {
  subsets?: {
    addresses?: Address[]
    notReadyAddresses?: Address[]
    ports?: { name?: string; port: number; protocol?: string; appProtocol?: string }[]
  }[]
}

interface Endpoint {
  addresses: string[]
  conditions: { ready: boolean }
  hostname?: string
  nodeName?: string
  targetRef?: object
}

export interface MirrorSlice extends KubeObject {
  addressType: string
  endpoints?: Endpoint[] | null
  ports?: { name?: string; port?: number; protocol?: string; appProtocol?: string }[] | null
}

export interface MirrorChanges {
  readonly create: MirrorSlice[]
  readonly update: MirrorSlice[]
  readonly delete: MirrorSlice[]
}

/** Leader election locks of old, and what says so itself, are not mirrored. */
export function isMirrored(endpoints: Endpoints): boolean {
  if (label(endpoints, 'endpointslice.kubernetes.io/skip-mirror') === 'true') return false
  return annotation(endpoints, 'control-plane.alpha.kubernetes.io/leader') === undefined
}

/** From the slices that there are to those that there should be; `endpoints` absent: to none. */
export function mirrorChanges(endpoints: Endpoints | undefined, existing: readonly MirrorSlice[]): MirrorChanges {
  const changes: MirrorChanges = { create: [], update: [], delete: [] }
  const left = new Set(existing)
  for (const wanted of endpoints === undefined ? [] : slicesOf(endpoints)) {
    const alike = [...left].find((slice) => keyOf(slice) === keyOf(wanted))
    if (alike === undefined) {
      changes.create.push(wanted)
      continue
    }
    left.delete(alike)
    const { labels, annotations, ownerReferences } = wanted.metadata
    const same =
      sameValue(alike.endpoints, wanted.endpoints) &&
      sameValue(alike.metadata.labels, labels) &&
      sameValue(alike.metadata.annotations ?? {}, annotations ?? {}) &&
      sameValue(alike.metadata.ownerReferences, ownerReferences)
    if (same) continue
    const metadata = { ...alike.metadata, ...wanted.metadata }
    delete metadata.generateName
    if (annotations === undefined) delete metadata.annotations
    changes.update.push({ ...alike, metadata, endpoints: wanted.endpoints! })
  }
  changes.delete.push(...left)
  return changes
}

/** What may not change in a slice, and what tells slices of one object apart. */
function keyOf({ addressType, ports }: MirrorSlice): string {
  const keys = (ports ?? []).map((one) => JSON.stringify([one.name ?? '', one.port, one.protocol, one.appProtocol]))
  return `${addressType} ${keys.toSorted().join()}`
}

function slicesOf(endpoints: Endpoints): MirrorSlice[] {
  const out = new Map<string, MirrorSlice>()
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    const all = [
      ...addresses.map((address) => [address, true] as const),
      ...notReadyAddresses.map((address) => [address, false] as const),
    ]
    for (const [address, ready] of all.slice(0, MOST)) {
      const version = isIP(address.ip)
      if (version === 0) continue
      const empty = newSlice(endpoints, `IPv${version}`, ports)
      const key = keyOf(empty)
      const slice = out.get(key) ?? empty
      out.set(key, slice)
      if (slice.endpoints!.length < MOST) slice.endpoints!.push(endpointOf(address, ready))
    }
  }
  return [...out.values()]
}

function endpointOf({ ip, hostname, nodeName, targetRef }: Address, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...((hostname ?? '') === '' ? {} : { hostname: hostname! }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  }
}

function newSlice(
  endpoints: Endpoints,
  addressType: string,
  ports: NonNullable<NonNullable<Endpoints['subsets']>[number]['ports']>,
): MirrorSlice {
  const name = endpoints.metadata.name!
  const notes = Object.entries(endpoints.metadata.annotations ?? {}).filter(([key]) => !UNMIRRORED.has(key))
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace: endpoints.metadata.namespace!,
      labels: { ...endpoints.metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER },
      ...(notes.length === 0 ? {} : { annotations: Object.fromEntries(notes) }),
      ownerReferences: [controllerReference('v1', 'Endpoints', endpoints)],
    },
    addressType,
    endpoints: [],
    ports: ports.map(({ name: portName = '', port, protocol = 'TCP', appProtocol }) => ({
      name: portName,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
  }
}
