/** Which pods a running Job makes or removes next. Pure. */
import type { Pod } from '../objects.ts'
import { isTerminal } from '../pods.ts'
import { podsToDelete } from '../replicaset/ranking.ts'
import { remaining, remainingForIndex } from './backoff.ts'
import { isIndexed, isSuspended, replacesFailedOnly } from './objects.ts'
import { indexOf } from './pods.ts'
import type { View } from './view.ts'

/** Pods made or removed by one turn at most. */
const BURST = 500

export type Plan =
  | { readonly do: 'nothing' }
  | { readonly do: 'wait'; readonly milliseconds: number }
  | { readonly do: 'delete'; readonly pods: readonly Pod[] }
  /** `indexes` for indexed jobs only, as many as `count`. */
  | { readonly do: 'create'; readonly count: number; readonly indexes?: readonly number[] }

const NOTHING: Plan = { do: 'nothing' }

/** Removing goes first; one turn does not do both. */
export function planFor(view: View, now: number): Plan {
  const { job, active } = view
  if (isSuspended(job)) return active.length === 0 ? NOTHING : { do: 'delete', pods: active }
  const wanted = wantedPods(view)
  const surplus = surplusPods(view, Math.max(0, active.length - wanted), now)
  if (surplus.length > 0) return { do: 'delete', pods: surplus.slice(0, BURST) }
  const ending = replacesFailedOnly(job) ? view.terminating : 0
  const missing = Math.min(wanted - ending - active.length, BURST)
  if (missing <= 0) return NOTHING
  const perIndex = job.spec.backoffLimitPerIndex !== undefined
  const wait = perIndex ? 0 : remaining(view.failures, now)
  if (wait > 0) return { do: 'wait', milliseconds: wait }
  if (!isIndexed(job)) return { do: 'create', count: missing }
  const pending = pendingIndexes(view, missing)
  const waits = pending.map((index) => (perIndex ? remainingForIndex(view.delayed.get(index), now) : 0))
  const indexes = pending.filter((_, i) => waits[i] === 0)
  if (indexes.length > 0) return { do: 'create', count: indexes.length, indexes }
  return waits.length === 0 ? NOTHING : { do: 'wait', milliseconds: Math.min(...waits) }
}

function wantedPods({ job, active, succeeded }: View): number {
  const { completions, parallelism = 1 } = job.spec
  // Without a number of completions, the first success ends the making of pods.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(completions - succeeded, parallelism))
}

/** Pods of an indexed job without an index of it, and all but one of each index; then as many more as asked for. */
function surplusPods({ job, active }: View, least: number, now: number): Pod[] {
  if (!isIndexed(job)) return podsToDelete(active, [], least, now)
  const surplus: Pod[] = []
  const left: Pod[] = []
  const byIndex = new Map<number, Pod[]>()
  for (const pod of active) {
    const index = indexOf(pod)
    if (index === undefined || index >= (job.spec.completions ?? 0)) surplus.push(pod)
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod])
  }
  for (const same of byIndex.values()) {
    const doubles = podsToDelete(same, [], same.length - 1, now)
    surplus.push(...doubles)
    left.push(...same.filter((pod) => !doubles.includes(pod)))
  }
  if (surplus.length < least) surplus.push(...podsToDelete(left, [], least - surplus.length, now))
  return surplus
}

/** The lowest indexes that nothing works on and that are neither done nor given up. */
function pendingIndexes(view: View, count: number): number[] {
  const { job, pods, active, succeededIndexes, failedIndexes } = view
  const busy = [...active]
  if (replacesFailedOnly(job)) {
    busy.push(...pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod)))
  }
  let taken = succeededIndexes!.with(busy.flatMap((pod) => indexOf(pod) ?? []))
  if (failedIndexes !== undefined) taken = taken.union(failedIndexes)
  return taken.missing(count, job.spec.completions ?? 0)
}
