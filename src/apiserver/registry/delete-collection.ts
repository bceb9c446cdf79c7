/** deletecollection: every selected object goes through a whole delete of its own. */
import type { Call, DeleteOptions, ListCall, Target } from '../contract.ts'
import { metaOf } from '../contract.ts'
import type { Entry } from '../../store/contract.ts'
import { isReason } from '../../machinery/status.ts'
import { holdsMany, loaded } from '../large/many.ts'
import type { Core } from './core.ts'
import { deleteObject } from './delete.ts'
import { listObjects } from './list.ts'

/** Deletes under way at a time, and the bytes of their objects; a commit takes many at once. */
const PARALLEL = 64
const PARALLEL_BYTES = 256 * 1024

/** Answers what was selected. Objects that somebody else deleted meanwhile are fine. @throws StatusError the first failure */
export async function deleteObjects(
  core: Core,
  call: Call,
  target: Target,
  options: DeleteOptions,
  query: ListCall,
): Promise<readonly Entry[]> {
  const { entries } = await listObjects(core, call, target, query)
  for (let i = 0, end = 0; i < entries.length; i = end) {
    call.signal?.throwIfAborted()
    for (let bytes = 0; end < entries.length && end - i < PARALLEL && bytes < PARALLEL_BYTES; end++)
      bytes += entries[end]!.bytes.length
    const turn = call.seat?.turn()
    if (turn !== undefined) await turn
    const results = await Promise.allSettled(
      entries.slice(i, end).map(async (entry) => {
        if (holdsMany(entry)) await loaded(entry, call.seat)
        const { name = '', namespace = '' } = metaOf(entry)
        return deleteObject(core, call, { ...target, namespace, name }, options, 'of a collection')
      }),
    )
    for (const result of results) {
      if (result.status === 'rejected' && !isReason(result.reason, 'NotFound')) throw result.reason
    }
  }
  return entries
}
