/** The rules of deletion: grace, finalizers, and when an object is really gone. Pure. */
import type { DeleteOptions, ServedResource } from '../contract.ts'
import { notSupported } from '../../machinery/field.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { Definition } from '../crd/definition.ts'
import { terminatingDefinition } from '../crd/status.ts'
import { timestamp } from './core.ts'
import { dependentsOf } from './facts.ts'

const NAMESPACES = 'core/namespaces/'
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions/'
const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/** Whether a change takes away the last thing that kept a deleted object. */
export function isFinished(object: KubeObject, old: KubeObject): boolean {
  if (old.metadata.deletionTimestamp === undefined) return false
  if ((object.metadata.finalizers ?? []).length > 0) return false
  if ((old.metadata.deletionGracePeriodSeconds ?? 0) !== 0) return false
  return !isNamespace(object) || (object['spec']?.finalizers ?? []).length === 0
}

const isNamespace = (object: KubeObject): boolean => object.kind === 'Namespace' && object.apiVersion === 'v1'

/** @throws StatusError 422 */
export function checkDeleteOptions(options: DeleteOptions): void {
  const policy = options.propagationPolicy
  if (policy === undefined || ['Orphan', 'Background', 'Foreground'].includes(policy)) return
  throw errors.invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
    notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan']),
  ])
}

/** @throws StatusError 409 when the stored object is not the one that is meant */
export function checkPreconditions(
  served: ServedResource,
  meta: ObjectMeta,
  revision: number,
  options: DeleteOptions,
): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  if (served.prefix === DEFINITIONS || served.prefix === NAMESPACES) {
    checkContainer(served, meta, revision, { uid, resourceVersion })
    return
  }
  // Upstream names the kind here where it otherwise names the resource. Events of both groups are one there.
  const group = served.prefix === 'core/events/' ? '' : served.info.group
  const kind = { group, resource: served.info.kind }
  if (uid !== undefined && uid !== meta.uid) {
    throw errors.conflict(
      kind,
      meta.name ?? '',
      `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== String(revision)) {
    throw errors.conflict(
      kind,
      meta.name ?? '',
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${revision}). The object might have been modified`,
    )
  }
}

/** Namespaces and definitions have a deletion of their own, with its own words. */
function checkContainer(
  { prefix, info: { group, resource } }: ServedResource,
  meta: ObjectMeta,
  revision: number,
  { uid, resourceVersion }: { readonly uid: string | undefined; readonly resourceVersion: string | undefined },
): void {
  for (const [what, asked, own] of [
    ['UID', uid, meta.uid],
    ['ResourceVersion', resourceVersion, String(revision)],
  ] as const) {
    if (asked === undefined || asked === own) continue
    const why = `${prefix === NAMESPACES ? 'Precondition' : 'precondition'} failed: ${what} in precondition: ${asked}, ${what} in object meta: ${own}`
    throw errors.conflict({ group, resource }, meta.name ?? '', why)
  }
}

/** What a delete does. `keep`: nothing, it is on its way already. */
export type Deletion =
  | { readonly type: 'keep' }
  | { readonly type: 'mark'; readonly object: KubeObject }
  | { readonly type: 'remove'; readonly object: KubeObject }

/** Decides what becomes of an object. `object` is shared and left alone. */
export function decideDeletion(
  served: ServedResource,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): Deletion {
  if (served.prefix === 'core/namespaces/') return decideNamespace(object, options, now)
  if (served.prefix === DEFINITIONS && object.metadata.deletionTimestamp === undefined) {
    return { type: 'mark', object: terminatingDefinition(object as Definition, timestamp(now)) }
  }
  const isPod = served.prefix === 'core/pods/'
  const finalizers = finalizersFor(object.metadata, options, dependentsOf(served))
  const grace = isPod ? decideGrace(object, options, now) : undefined
  if (grace === 'pending') return sameFinalizers(finalizers, object) ? { type: 'keep' } : mark(object, { finalizers })
  if (grace !== undefined) {
    const marked = { ...grace, finalizers }
    const immediate = finalizers.length === 0 && grace.deletionGracePeriodSeconds === 0
    return immediate ? { ...mark(object, marked), type: 'remove' } : mark(object, marked)
  }
  if (finalizers.length === 0) return { type: 'remove', object }
  if (object.metadata.deletionTimestamp !== undefined && sameFinalizers(finalizers, object)) return { type: 'keep' }
  const first = object.metadata.deletionTimestamp === undefined
  return mark(object, {
    deletionTimestamp: object.metadata.deletionTimestamp ?? timestamp(now),
    deletionGracePeriodSeconds: 0,
    finalizers,
    ...generationAfter(object, first),
  })
}

function mark(object: KubeObject, meta: Partial<ObjectMeta>): { readonly type: 'mark'; readonly object: KubeObject } {
  const metadata: ObjectMeta = { ...object.metadata, ...meta }
  if (metadata.finalizers?.length === 0) delete metadata.finalizers
  return { type: 'mark', object: { ...object, metadata } }
}

const sameFinalizers = (finalizers: readonly string[], { metadata }: KubeObject): boolean =>
  finalizers.length === (metadata.finalizers ?? []).length &&
  finalizers.every((finalizer) => metadata.finalizers!.includes(finalizer))

/** The first deletion counts as a change of what the object is to be. */
function generationAfter({ metadata }: KubeObject, first: boolean): Partial<ObjectMeta> {
  const { generation } = metadata
  return first && generation !== undefined && generation > 0 ? { generation: generation + 1 } : {}
}

/** The finalizers with those of the garbage collector as the options want them. */
function finalizersFor(
  meta: ObjectMeta,
  options: DeleteOptions,
  dependents: ReturnType<typeof dependentsOf>,
): string[] {
  const before = meta.finalizers ?? []
  if (dependents === 'none') return before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND)
  const policy = options.propagationPolicy
  const byDefault = dependents === 'orphan' && !before.includes(FOREGROUND)
  const orphan = policy === undefined ? before.includes(ORPHAN) || byDefault : policy === 'Orphan'
  const foreground = policy === undefined ? before.includes(FOREGROUND) : policy === 'Foreground'
  const out = before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND)
  if (orphan) out.push(ORPHAN)
  if (foreground) out.push(FOREGROUND)
  return out
}

type Grace = { deletionTimestamp: string; deletionGracePeriodSeconds: number; generation?: number }

/** The grace of a pod; `pending` when a deletion with no longer grace is under way. */
function decideGrace(pod: KubeObject, options: DeleteOptions, now: number): Grace | 'pending' {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  const asked =
    options.gracePeriodSeconds === undefined
      ? undefined
      : options.gracePeriodSeconds < 0
        ? 1
        : options.gracePeriodSeconds
  if (deletionTimestamp !== undefined) {
    if (deletionGracePeriodSeconds === undefined) return { deletionTimestamp, deletionGracePeriodSeconds: 0 }
    if (asked === undefined || asked >= deletionGracePeriodSeconds) {
      // Somebody waits for a finalizer, or for the kubelet.
      return 'pending'
    }
    const end = Date.parse(deletionTimestamp) - (deletionGracePeriodSeconds - asked) * 1000
    return { deletionTimestamp: timestamp(end), deletionGracePeriodSeconds: asked }
  }
  const unplaced = (pod['spec']?.nodeName ?? '') === ''
  const phase = pod['status']?.phase
  const over = phase === 'Succeeded' || phase === 'Failed'
  const wanted = asked ?? (pod['spec']?.terminationGracePeriodSeconds as number | undefined) ?? 0
  const period = unplaced || over ? 0 : wanted < 0 ? 1 : wanted
  return {
    deletionTimestamp: timestamp(now + period * 1000),
    deletionGracePeriodSeconds: period,
    ...generationAfter(pod, true),
  }
}

/** A namespace ends in two steps: it is marked, and goes when its content and both lists of finalizers are gone. */
function decideNamespace(object: KubeObject, options: DeleteOptions, now: number): Deletion {
  if (object.metadata.deletionTimestamp === undefined) {
    const finalizers = finalizersFor(object.metadata, options, 'delete')
    const marked = mark(object, { deletionTimestamp: timestamp(now), finalizers })
    return { type: 'mark', object: { ...marked.object, status: { ...object['status'], phase: 'Terminating' } } }
  }
  if ((object['spec']?.finalizers ?? []).length > 0 || (object.metadata.finalizers ?? []).length > 0) {
    return { type: 'keep' }
  }
  return { type: 'remove', object }
}
