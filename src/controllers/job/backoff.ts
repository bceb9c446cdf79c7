/** How long after failures the next pod is made. Pure. */
import type { Pod } from '../objects.ts'
import { absoluteFailureCount, finishedAt } from './pods.ts'

/** Milliseconds after the first failure; doubled with each further one. */
const FIRST = 10_000
const LONGEST = 10 * 60_000

/** Failures since a pod of the job last succeeded. */
export interface Failures {
  readonly count: number
  /** When the last one was, in milliseconds. */
  readonly last: number
}

export const NO_FAILURES: Failures = { count: 0, last: 0 }

/** The record with pods that have finished and are not counted yet. */
export function failuresAfter(known: Failures, succeeded: readonly Pod[], failed: readonly Pod[]): Failures {
  if (succeeded.length === 0 && failed.length === 0) return known
  const times = failed.map(finishedAt)
  if (succeeded.length === 0) return { count: known.count + failed.length, last: Math.max(...times) }
  const success = Math.max(...succeeded.map(finishedAt))
  const later = times.filter((time) => time > success)
  return later.length === 0 ? NO_FAILURES : { count: later.length, last: Math.max(...later) }
}

/** Milliseconds to wait. */
export function remaining({ count, last }: Failures, now: number): number {
  if (count === 0) return 0
  const wait = Math.min(FIRST * 2 ** Math.min(count - 1, 10), LONGEST)
  return Math.max(0, last + wait - now)
}

/** Milliseconds to wait before the pod of an index is replaced. */
export function remainingForIndex(failed: Pod | undefined, now: number): number {
  if (failed === undefined) return 0
  return remaining({ count: absoluteFailureCount(failed) + 1, last: finishedAt(failed) }, now)
}
