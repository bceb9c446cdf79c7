/** What a Job and its pods amount to: counts, indexes, and whether the job is to end. Pure. */
import { findCondition } from '../conditions.ts'
import { parseTime, timestamp } from '../meta.ts'
import type { Condition, Pod } from '../objects.ts'
import { isActive, isReady, isTerminal } from '../pods.ts'
import { failuresAfter, type Failures } from './backoff.ts'
import { verdictOn } from './failure-policy.ts'
import { Indexes } from './indexes.ts'
import { isFailed, isIndexed, isSuspended, isTracked, type Job } from './objects.ts'
import { absoluteFailureCount, failureCount, finishedAt, indexOf, restarts, validIndexOf } from './pods.ts'
import { metSuccessPolicy } from './success-policy.ts'

export interface View {
  readonly job: Job
  readonly pods: readonly Pod[]
  readonly active: readonly Pod[]
  readonly ready: number
  /** Pods that are being deleted and have not finished. */
  readonly terminating: number
  /** Counted and not yet counted together. */
  readonly succeeded: number
  readonly failed: number
  readonly failures: Failures
  /** Uids that the status has taken note of, whose finalizers are still there. */
  readonly uncounted: { readonly succeeded: ReadonlySet<string>; readonly failed: ReadonlySet<string> }
  /** Uids whose finalizer this controller has taken off already, whatever the cache shows. */
  readonly released: ReadonlySet<string>
  /** Indexed jobs only: as the status has them, and with the pods that have finished since. */
  readonly previous?: Indexes
  readonly succeededIndexes?: Indexes
  /** With `backoffLimitPerIndex` only. */
  readonly failedIndexes?: Indexes
  /** The failed pod of an index that waits for its successor, which continues its count. */
  readonly delayed: ReadonlyMap<number, Pod>
  /** Why the job ends: `SuccessCriteriaMet`, `FailureTarget` or, if the status has that already, `Failed`. */
  readonly finish?: Condition
  /** Milliseconds until `activeDeadlineSeconds` is over. */
  readonly deadlineIn?: number
}

export function jobCondition(type: string, status: string, reason: string, message: string, now: number): Condition {
  const time = timestamp(now)
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message }
}

/** Whether the pod has finished and is in no count yet. */
export function isUncounted(pod: Pod, { job, released }: Pick<View, 'job' | 'released'>): boolean {
  if (!isTracked(pod) || released.has(pod.metadata.uid!)) return false
  return !isIndexed(job) || validIndexOf(pod, job) !== undefined
}

export function viewOf(
  job: Job,
  pods: readonly Pod[],
  released: ReadonlySet<string>,
  known: Failures,
  now: number,
): View {
  const active = pods.filter(isActive)
  const noted = job.status?.uncountedTerminatedPods
  const uncounted = { succeeded: new Set(noted?.succeeded), failed: new Set(noted?.failed) }
  const fresh = pods.filter((pod) => isUncounted(pod, { job, released }))
  const won = fresh.filter((pod) => pod.status?.phase === 'Succeeded' && !uncounted.succeeded.has(pod.metadata.uid!))
  const lost = fresh.filter((pod) => isFailed(pod, job) && !uncounted.failed.has(pod.metadata.uid!))
  const failed =
    (job.status?.failed ?? 0) + lost.filter((pod) => verdictOn(pod, job).counts).length + uncounted.failed.size
  const base = {
    job,
    pods,
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod)).length,
    failed,
    failures: failuresAfter(known, won, lost),
    uncounted,
    released,
  }
  const indexes = isIndexed(job) ? indexesOf(base, fresh) : undefined
  const deadlineIn = untilDeadline(job, now)
  const finish = ending(job, pods, failed, deadlineIn, indexes, now)
  return {
    ...base,
    ...(indexes ?? { delayed: new Map<number, Pod>() }),
    succeeded: indexes?.succeededIndexes.size ?? (job.status?.succeeded ?? 0) + won.length + uncounted.succeeded.size,
    ...(finish === undefined ? {} : { finish }),
    ...(deadlineIn === undefined || deadlineIn <= 0 ? {} : { deadlineIn }),
  }
}

interface IndexView {
  readonly previous: Indexes
  readonly succeededIndexes: Indexes
  readonly failedIndexes?: Indexes
  readonly delayed: ReadonlyMap<number, Pod>
}

function indexesOf({ job, active }: Pick<View, 'job' | 'active'>, fresh: readonly Pod[]): IndexView {
  const { completions = 0, backoffLimitPerIndex } = job.spec
  const previous = Indexes.parse(job.status?.completedIndexes, completions)
  const numbers = (list: readonly Pod[]): number[] => list.flatMap((pod) => validIndexOf(pod, job) ?? [])
  const succeededIndexes = previous.with(numbers(fresh.filter((pod) => pod.status?.phase === 'Succeeded')))
  if (backoffLimitPerIndex === undefined) return { previous, succeededIndexes, delayed: new Map<number, Pod>() }
  const beyond = fresh.filter((pod) => {
    if (!isFailed(pod, job)) return false
    const { action, counts } = verdictOn(pod, job)
    return action === 'FailIndex' || (counts && failureCount(pod) >= backoffLimitPerIndex)
  })
  const failedIndexes = Indexes.parse(job.status?.failedIndexes, completions).with(numbers(beyond))
  const running = new Set(active.map(indexOf))
  const delayed = new Map<number, Pod>()
  for (const pod of fresh) {
    const index = validIndexOf(pod, job)!
    if (!isFailed(pod, job) || succeededIndexes.has(index) || failedIndexes.has(index) || running.has(index)) continue
    const other = delayed.get(index)
    const later =
      other === undefined ||
      (absoluteFailureCount(other) <= absoluteFailureCount(pod) && finishedAt(pod) >= finishedAt(other))
    if (later) delayed.set(index, pod)
  }
  return { previous, succeededIndexes, failedIndexes, delayed }
}

/** What was decided before stands; then failures are asked for, then success. */
function ending(
  job: Job,
  pods: readonly Pod[],
  failed: number,
  deadlineIn: number | undefined,
  indexes: IndexView | undefined,
  now: number,
): Condition | undefined {
  const { backoffLimit = 6, completions = 0, maxFailedIndexes, template } = job.spec
  const met = trueCondition(job, 'SuccessCriteriaMet')
  if (met !== undefined) return met
  const target = trueCondition(job, 'FailureTarget')
  if (target !== undefined) return jobCondition('Failed', 'True', target.reason ?? '', target.message ?? '', now)
  const fail = (reason: string, message: string): Condition =>
    jobCondition('FailureTarget', 'True', reason, message, now)
  if (job.spec.podFailurePolicy !== undefined && job.spec.podFailurePolicy !== null) {
    for (const pod of pods) {
      const message = isFailed(pod, job) ? verdictOn(pod, job).jobFailure : undefined
      if (message !== undefined) return fail('PodFailurePolicy', message)
    }
  }
  const again = template.spec.restartPolicy === 'OnFailure' ? restarts(pods) : 0
  if (failed > backoffLimit || (again > 0 && again >= backoffLimit)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  }
  if (deadlineIn !== undefined && deadlineIn <= 0) {
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  }
  if (indexes === undefined) return undefined
  const lost = indexes.failedIndexes?.size ?? 0
  if (maxFailedIndexes !== undefined && lost > maxFailedIndexes) {
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  }
  if (lost > 0 && lost + indexes.succeededIndexes.size >= completions) {
    return fail('FailedIndexes', 'Job has failed indexes')
  }
  const message = metSuccessPolicy(job, indexes.succeededIndexes)
  return message === undefined ? undefined : jobCondition('SuccessCriteriaMet', 'True', 'SuccessPolicy', message, now)
}

function trueCondition(job: Job, type: string): Condition | undefined {
  const condition = findCondition(job.status?.conditions, type)
  return condition?.status === 'True' ? condition : undefined
}

/** Milliseconds until the deadline; undefined when there is none that runs. */
function untilDeadline(job: Job, now: number): number | undefined {
  const { activeDeadlineSeconds } = job.spec
  if (activeDeadlineSeconds === undefined || isSuspended(job)) return undefined
  const start = job.status?.startTime === undefined ? now : parseTime(job.status.startTime)
  return start + activeDeadlineSeconds * 1000 - now
}
