/**
 * Kubernetes objects as plain JSON.
 *
 * Invariant: an object that has been handed to a store, a cache or a watcher is
 * never mutated. Whoever wants to change one copies the path it changes.
 */

/** Labels and annotations: `__proto__` is an ordinary key, so read with `Object.hasOwn` or `get` helpers. */
export type StringMap = { [key: string]: string }

/** metav1.OwnerReference */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** metav1.ObjectMeta. Times are RFC 3339 strings in UTC with seconds. */
export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: StringMap
  annotations?: StringMap
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: unknown[]
  selfLink?: string
}

/** Any Kubernetes object; what lies beside `metadata` depends on the kind. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
  // oxlint-disable-next-line typescript/no-explicit-any -- the shape is the type table's business
  [field: string]: any
}

/** The list envelope of any kind. */
export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string
  kind: string
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: T[]
}

/** What names a kind. `group` is `''` for core. */
export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

/** What names a resource (the plural in a URL). `group` is `''` for core. */
export interface GroupVersionResource {
  group: string
  version: string
  resource: string
}

/** `v1`, `apps/v1` */
export function apiVersionOf(gv: { group: string; version: string }): string {
  return gv.group === '' ? gv.version : `${gv.group}/${gv.version}`
}

/** The reverse of {@link apiVersionOf}; more than one slash gives `undefined`. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } | undefined {
  const parts = apiVersion.split('/')
  if (parts.length === 1 && parts[0] !== '') return { group: '', version: parts[0]! }
  if (parts.length === 2 && parts[0] !== '' && parts[1] !== '') return { group: parts[0]!, version: parts[1]! }
  return undefined
}
