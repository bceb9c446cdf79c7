/** The objects that a service account token is bound to, looked up when it is used. */
import { metaOf, objectOf } from '../contract.ts'
import type { ObjectMeta } from '../../machinery/object.ts'
import type { Range } from '../../store/contract.ts'

/** What a token needs of an object. Each function answers undefined when there is no such object. */
export interface BoundObjects {
  serviceAccount(namespace: string, name: string): ObjectMeta | undefined
  pod(namespace: string, name: string): BoundPod | undefined
  secret(namespace: string, name: string): ObjectMeta | undefined
  node(name: string): ObjectMeta | undefined
}

export interface BoundPod {
  readonly metadata: ObjectMeta
  readonly serviceAccountName: string
  /** '' while the pod has no node. */
  readonly nodeName: string
}

/** Looks them up in a range, as committed. */
export function boundObjects(range: Range): BoundObjects {
  const meta = (key: string): ObjectMeta | undefined => {
    const entry = range.get(key)
    return entry === undefined ? undefined : metaOf(entry)
  }
  return {
    serviceAccount: (namespace, name) => meta(`core/serviceaccounts/${namespace}/${name}`),
    secret: (namespace, name) => meta(`core/secrets/${namespace}/${name}`),
    node: (name) => meta(`core/nodes//${name}`),
    pod: (namespace, name) => {
      const entry = range.get(`core/pods/${namespace}/${name}`)
      if (entry === undefined) return undefined
      const { metadata, ...pod } = objectOf(entry)
      const spec = (pod['spec'] ?? {}) as { serviceAccountName?: string; nodeName?: string }
      return { metadata, serviceAccountName: spec.serviceAccountName ?? '', nodeName: spec.nodeName ?? '' }
    },
  }
}
