/** The labels and annotations by which host objects are recognised: written and read here only. */
import { createHash } from 'node:crypto'
import type { KubeObject, StringMap } from '../machinery/object.ts'
import type { Tenant } from './contract.ts'

const DOMAIN = 'tenantry.dev'

export const labels = {
  /** On every host object that a syncer made; informers select by it. */
  managedBy: `${DOMAIN}/managed-by`,
  /** The VirtualCluster's uid. */
  cluster: `${DOMAIN}/cluster-uid`,
} as const

export const annotations = {
  cluster: `${DOMAIN}/cluster`,
  namespace: `${DOMAIN}/namespace`,
  name: `${DOMAIN}/name`,
  uid: `${DOMAIN}/uid`,
  /** Hash of what was last applied. */
  applied: `${DOMAIN}/applied`,
  /** Keys of the tenant's labels and annotations on the host object, so that they can be taken away again. */
  managedLabels: `${DOMAIN}/managed-labels`,
  managedAnnotations: `${DOMAIN}/managed-annotations`,
  owner: `${DOMAIN}/owner`,
  /** On a tenant's Node that shows a node of the host. */
  view: `${DOMAIN}/view`,
} as const

export const MANAGER = 'tenantry'

/** Selects every host object of any tenant. */
export const MANAGED_SELECTOR = `${labels.managedBy}=${MANAGER}`

/** Whose a host object is. */
export interface Identity {
  readonly tenant: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** Reads the identity of a host object; `undefined` when it is not ours. */
export function identityOf(host: KubeObject): Identity | undefined {
  const { labels: l, annotations: a } = host.metadata
  if (l === undefined || a === undefined || l[labels.managedBy] !== MANAGER) return undefined
  const tenant = l[labels.cluster]
  const name = a[annotations.name]
  const uid = a[annotations.uid]
  if (tenant === undefined || name === undefined || uid === undefined) return undefined
  return { tenant, namespace: a[annotations.namespace] ?? '', name, uid }
}

/** Keys of a tenant that never reach the host: ours, and tool bookkeeping that only costs bytes. */
function private_(key: string): boolean {
  const slash = key.indexOf('/')
  const domain = slash < 0 ? '' : key.slice(0, slash)
  return (
    domain === DOMAIN ||
    domain.endsWith(`.${DOMAIN}`) ||
    domain === 'vcluster.loft.sh' ||
    key === 'kubectl.kubernetes.io/last-applied-configuration'
  )
}

/** A tenant's labels or annotations without the keys that belong to the host. */
export function publicKeys(map: StringMap | undefined): StringMap {
  const out: StringMap = Object.create(null) as StringMap
  if (map === undefined) return out
  for (const key of Object.keys(map)) if (!private_(key)) out[key] = map[key]!
  return out
}

/** Adds the syncer's metadata to a translated object, in place. `source` is the tenant object. */
export function stamp(desired: KubeObject, source: KubeObject, tenant: Tenant, extraLabels: StringMap): KubeObject {
  const ownLabels = publicKeys(desired.metadata.labels)
  const ownAnnotations = publicKeys(desired.metadata.annotations)
  const meta = desired.metadata
  meta.labels = { ...ownLabels, ...extraLabels, [labels.managedBy]: MANAGER, [labels.cluster]: tenant.uid }
  const marks: StringMap = {
    [annotations.cluster]: `${tenant.namespace}/${tenant.name}`,
    [annotations.name]: source.metadata.name!,
    [annotations.uid]: source.metadata.uid!,
  }
  if (source.metadata.namespace !== undefined) marks[annotations.namespace] = source.metadata.namespace
  const controller = source.metadata.ownerReferences?.find((o) => o.controller === true)
  if (controller !== undefined) marks[annotations.owner] = `${controller.kind}/${controller.name}`
  const labelKeys = Object.keys(ownLabels).sort().join(',')
  const annotationKeys = Object.keys(ownAnnotations).sort().join(',')
  if (labelKeys !== '') marks[annotations.managedLabels] = labelKeys
  if (annotationKeys !== '') marks[annotations.managedAnnotations] = annotationKeys
  meta.annotations = { ...ownAnnotations, ...marks }
  meta.annotations[annotations.applied] = digest(desired)
  return desired
}

/** A short hash of a translated object: equal hashes mean that nothing has to be written. */
function digest(object: KubeObject): string {
  return createHash('sha256').update(JSON.stringify(object)).digest('base64url').slice(0, 22)
}

/**
 * The metadata part of a merge patch that makes `host` carry what `desired` has: changed keys, and null for keys that
 * were the tenant's and are gone. Keys that the host's own controllers added stay. `undefined`: nothing to write.
 */
export function metadataChange(desired: KubeObject, host: KubeObject): Record<string, unknown> | undefined {
  const change = {
    labels: keysChange(
      desired.metadata.labels ?? {},
      host.metadata.labels ?? {},
      host.metadata.annotations?.[annotations.managedLabels],
    ),
    annotations: keysChange(
      desired.metadata.annotations ?? {},
      host.metadata.annotations ?? {},
      host.metadata.annotations?.[annotations.managedAnnotations],
    ),
  }
  return Object.keys(change.labels).length + Object.keys(change.annotations).length === 0 ? undefined : change
}

function keysChange(desired: StringMap, actual: StringMap, managed: string | undefined): Record<string, string | null> {
  const out: Record<string, string | null> = Object.create(null) as Record<string, string | null>
  for (const key of Object.keys(desired)) if (actual[key] !== desired[key]) out[key] = desired[key]!
  for (const key of managed?.split(',') ?? []) {
    if (key !== '' && !Object.hasOwn(desired, key) && Object.hasOwn(actual, key)) out[key] = null
  }
  for (const key of [annotations.managedLabels, annotations.managedAnnotations, annotations.owner]) {
    if (Object.hasOwn(actual, key) && !Object.hasOwn(desired, key)) out[key] = null
  }
  return out
}
