/** delete: marks an object, or removes it when nothing keeps it. */
import type { Call, DeleteOptions, Stored, Target } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Entry } from '../../store/contract.ts'
import { RevisionMismatch } from '../../store/contract.ts'
import { errors } from '../../machinery/status.ts'
import { stateOf } from './cluster-state.ts'
import { shown, stored, viewed, workingVersion } from './convert.ts'
import type { Core } from './core.ts'
import { committed, groupResource, outside, warn } from './core.ts'
import { checkDeleteOptions, checkPreconditions, decideDeletion } from './deletion.ts'
import { answersDeleted } from './facts.ts'
import { holdsMany, loaded } from '../large/many.ts'
import { keyOf } from './key.ts'
import { makeTexts, encoder, ordered, orderedMeta, reencoder, synthetic } from './stored.ts'

/** Deletes without a resourceVersion are tried again when somebody writes in between. */
const ATTEMPTS = 5
const ORPHANS =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

export interface Deleted {
  /** Still there. */
  readonly pending?: Stored
  /** Gone. `last` is its last state, of kinds that answer with it. */
  readonly deleted?: { name: string; uid: string; last?: Stored }
}

/** @throws StatusError 403, 404, 409, 422 */
export async function deleteObject(
  core: Core,
  call: Call,
  target: Target,
  options: DeleteOptions,
  admission: 'of the object' | 'of a collection' | 'done' = 'of the object',
): Promise<Deleted> {
  checkDeleteOptions(options)
  if (options.propagationPolicy === undefined && target.resource.prefix === 'batch/jobs/') warn(call, ORPHANS)
  const key = keyOf(target.resource, target.namespace, target.name)
  for (let attempt = 1; ; attempt++) {
    const entry = core.range.latest(key)
    if (entry === undefined) throw errors.notFound(groupResource(target.resource), target.name)
    try {
      return await attemptDelete(core, call, target, options, entry, admission)
    } catch (error) {
      if (!(error instanceof RevisionMismatch)) throw error
      if (attempt >= ATTEMPTS) throw errors.conflict(groupResource(target.resource), target.name)
    }
  }
}

async function attemptDelete(
  core: Core,
  call: Call,
  target: Target,
  options: DeleteOptions,
  entry: Entry,
  admission: 'of the object' | 'of a collection' | 'done',
): Promise<Deleted> {
  const { resource } = target
  const many = holdsMany(entry)
  if (many) await loaded(entry, call.seat)
  const object = objectOf(entry)
  checkPreconditions(resource, object.metadata, entry.revision, options)
  const working = workingVersion(core, resource)
  const view = resource.custom === undefined ? entry : shown(entry, working)
  const seen = objectOf(view instanceof Promise ? await outside(call, view) : view)
  const request = {
    operation: 'DELETE' as const,
    resource: working,
    requested: resource,
    subresource: '',
    namespace: target.namespace,
    // Who deletes a collection names none of its objects.
    name: admission === 'of a collection' ? '' : target.name,
    object: seen,
    old: seen,
    call,
    options,
    state: stateOf(core),
  }
  if (admission !== 'done') {
    const mutating = core.admission.mutate(request)
    if (mutating !== undefined) await mutating
    const validating = core.admission.validate(request)
    if (validating !== undefined) await validating
  }

  const decision = decideDeletion(resource, object, options, core.now())
  const { key, revision } = entry
  const uid = object.metadata.uid ?? ''
  const gone = async (last: Entry): Promise<Deleted> => {
    const deleted = { name: target.name, uid }
    if (!answersDeleted(resource)) return { deleted }
    return { deleted: { ...deleted, last: stored(await viewed(call, last, resource)) } }
  }
  if (decision.type === 'keep') {
    await committed(core.range, entry)
    return { pending: stored(await viewed(call, entry, resource)) }
  }
  if (decision.type === 'remove') {
    if (many) await makeTexts(decision.object, call.seat)
    if (call.dryRun === true) return gone(synthetic(decision.object, key, revision, entry.created).entry)
    const [last] = await core.range.write([
      { type: 'delete', key, expect: revision, encode: reencoder(decision.object) },
    ])
    if (key.startsWith('core/services/')) core.services.deleted(object)
    return gone(last!)
  }
  const marked = ordered(decision.object, object.kind ?? '', object.apiVersion ?? '')
  marked.metadata = orderedMeta(marked.metadata)
  if (many) await makeTexts(marked, call.seat)
  if (call.dryRun === true) {
    return { pending: stored(await viewed(call, synthetic(marked, key, revision, entry.created).entry, resource)) }
  }
  const [after] = await core.range.write([{ type: 'put', key, expect: revision, encode: encoder(marked) }])
  return { pending: stored(await viewed(call, after!, resource)) }
}
