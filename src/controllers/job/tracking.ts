/**
 * Counting pods exactly once. A finished pod's uid is noted in the status, then its finalizer comes off, then it
 * moves from the notes into the count: whatever step fails, the next turn goes on from there. Pure.
 */
import type { Condition, Pod } from '../objects.ts'
import { verdictOn } from './failure-policy.ts'
import type { Indexes } from './indexes.ts'
import { isFailed, isIndexed, isTracked, type JobStatus } from './objects.ts'
import { indexOf, validIndexOf } from './pods.ts'
import { jobCondition, type View } from './view.ts'

/** Pods noted in one turn at most, so that the notes stay small. */
const MOST_NOTED = 500

export interface Tracking {
  /** To be written before any finalizer comes off. */
  readonly status: JobStatus
  /** Pods whose finalizer may come off then. */
  readonly release: readonly Pod[]
  /** Uids of pods that have their finalizer. */
  readonly tracked: Set<string>
  /** `Complete` or `Failed`, to be written when nothing is left to count. */
  readonly finish?: Condition
}

/** `base`: the status with the counts of this turn. `finish`: why the job ends, all its pods being gone or going. */
export function track(view: View, base: JobStatus, finish: Condition | undefined, now: number): Tracking {
  const { job, uncounted, released } = view
  const indexed = isIndexed(job)
  const tracked = new Set<string>()
  for (const pod of view.pods) {
    if (isTracked(pod) && !released.has(pod.metadata.uid!)) tracked.add(pod.metadata.uid!)
  }
  const settled = settle(base, tracked)
  const won = [...(settled.uncountedTerminatedPods?.succeeded ?? [])]
  const lost = [...(settled.uncountedTerminatedPods?.failed ?? [])]
  const indexes: number[] = []
  const release: Pod[] = []
  let full = false
  for (const pod of indexed ? byIndex(view.pods) : view.pods) {
    const uid = pod.metadata.uid!
    if (!tracked.has(uid)) continue
    const failed = isFailed(pod, job)
    if (!mayRelease(view, pod, failed, finish)) continue
    release.push(pod)
    if (pod.status?.phase === 'Succeeded' && !uncounted.failed.has(uid)) {
      if (indexed) {
        const index = validIndexOf(pod, job)
        if (index !== undefined && !view.previous!.has(index)) indexes.push(index)
      } else if (!uncounted.succeeded.has(uid)) won.push(uid)
    } else if (failed || (finish !== undefined && finish.type !== 'SuccessCriteriaMet')) {
      // Of a job that has failed, every pod that has not ended counts as failed.
      const counts = !uncounted.failed.has(uid) && (!indexed || validIndexOf(pod, job) !== undefined)
      if (counts && verdictOn(pod, job).counts) lost.push(uid)
    }
    if (indexes.length + won.length + lost.length >= MOST_NOTED) {
      full = true
      break
    }
  }
  const noted = {
    ...(won.length === 0 ? {} : { succeeded: won }),
    ...(lost.length === 0 ? {} : { failed: lost }),
  }
  let status: JobStatus = { ...settled, uncountedTerminatedPods: noted }
  if (indexed) status = withIndexes(status, view.previous!.with(indexes), view.failedIndexes)
  const ended = finish === undefined ? undefined : finalCondition(status, finish, now)
  if (ended?.interim !== undefined) status = { ...status, conditions: [...(status.conditions ?? []), ended.interim] }
  return { status, release, tracked, ...(ended === undefined || full ? {} : { finish: ended.final }) }
}

/** Notes of pods without a finalizer become counts. */
export function settle(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const won = succeeded.filter((uid) => tracked.has(uid))
  const lost = failed.filter((uid) => tracked.has(uid))
  if (won.length === succeeded.length && lost.length === failed.length) return status
  const next: JobStatus = {
    ...status,
    uncountedTerminatedPods: {
      ...(won.length === 0 ? {} : { succeeded: won }),
      ...(lost.length === 0 ? {} : { failed: lost }),
    },
  }
  if (won.length < succeeded.length) next.succeeded = (status.succeeded ?? 0) + succeeded.length - won.length
  if (lost.length < failed.length) next.failed = (status.failed ?? 0) + failed.length - lost.length
  return next
}

/** The status with the last condition; undefined while something is left to count or pods are still ending. */
export function finished(status: JobStatus, finish: Condition, terminating: number): JobStatus | undefined {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  if (succeeded.length + failed.length > 0 || terminating > 0) return undefined
  const conditions = [...(status.conditions ?? []).filter(({ type }) => type !== finish.type), finish]
  const completionTime = finish.lastTransitionTime!
  return { ...status, conditions, ...(finish.type === 'Complete' ? { completionTime } : {}) }
}

function mayRelease({ job, delayed }: View, pod: Pod, failed: boolean, finish: Condition | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || finish !== undefined) return true
  if (pod.status?.phase === 'Succeeded') return true
  if (!failed) return false
  const index = indexOf(pod)
  return index === undefined || delayed.get(index)?.metadata.uid !== pod.metadata.uid
}

/** The condition that says what the job is going to be, unless it is there, and the one that says that it is. */
function finalCondition(status: JobStatus, finish: Condition, now: number): { interim?: Condition; final: Condition } {
  const { type, reason = '', message = '' } = finish
  const final = jobCondition(type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed', 'True', reason, message, now)
  if (type === 'Failed') return { final }
  const known = status.conditions?.some((one) => one.type === type && one.status === 'True') === true
  return known ? { final } : { interim: finish, final }
}

function withIndexes(status: JobStatus, succeeded: Indexes, failed: Indexes | undefined): JobStatus {
  const { completedIndexes: _1, failedIndexes: _2, succeeded: _3, ...rest } = status
  return {
    ...rest,
    ...(succeeded.size === 0 ? {} : { succeeded: succeeded.size, completedIndexes: String(succeeded) }),
    ...(failed === undefined ? {} : { failedIndexes: String(failed) }),
  }
}

function byIndex(pods: readonly Pod[]): Pod[] {
  return pods.toSorted((a, b) => (indexOf(a) ?? -1) - (indexOf(b) ?? -1))
}
