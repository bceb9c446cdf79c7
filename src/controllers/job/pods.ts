/** What the Job controller asks of pods. */
import { findCondition } from '../conditions.ts'
import { annotation, parseTime } from '../meta.ts'
import type { ContainerStatus, Pod } from '../objects.ts'
import { COMPLETION_INDEX, type Job } from './objects.ts'

export const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count'
export const IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count'

/** The completion index that the pod works on; undefined when it has none. */
export function indexOf(pod: Pod): number | undefined {
  const text = annotation(pod, COMPLETION_INDEX)
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined
}

/** The index, if the job has it. */
export function validIndexOf(pod: Pod, job: Job): number | undefined {
  const index = indexOf(pod)
  return index !== undefined && index < (job.spec.completions ?? 0) ? index : undefined
}

/** Failures of the pod's index before it that count. */
export function failureCount(pod: Pod): number {
  return count(pod, FAILURE_COUNT)
}

/** Failures of the pod's index before it, also those that the policy ignored. */
export function absoluteFailureCount(pod: Pod): number {
  return failureCount(pod) + ignoredFailureCount(pod)
}

export function ignoredFailureCount(pod: Pod): number {
  return count(pod, IGNORED_FAILURE_COUNT)
}

function count(pod: Pod, name: string): number {
  const text = annotation(pod, name)
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return 0
  const value = Number(text)
  return value < 2 ** 31 ? value : 0
}

/** When the pod ended, in milliseconds, by the best evidence that there is. */
export function finishedAt(pod: Pod): number {
  const containers = lastFinish(pod)
  if (containers !== undefined) return containers
  const ready = findCondition(pod.status?.conditions, 'Ready')
  if (ready?.status === 'False' && parseTime(ready.lastTransitionTime) > 0) return parseTime(ready.lastTransitionTime)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata
  if (deletionTimestamp !== undefined) return parseTime(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  return parseTime(creationTimestamp)
}

/** When the last container ended, sidecars included; undefined while one runs or none is known. */
function lastFinish(pod: Pod): number | undefined {
  const sidecars = new Set<string>()
  for (const { name, restartPolicy } of pod.spec.initContainers ?? []) {
    if (restartPolicy === 'Always') sidecars.add(name)
  }
  const statuses: ContainerStatus[] = [...(pod.status?.containerStatuses ?? [])]
  statuses.push(...(pod.status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)))
  let latest: number | undefined
  for (const { state } of statuses) {
    const finished = parseTime(state?.terminated?.finishedAt)
    if (finished === 0) return undefined
    latest = Math.max(latest ?? 0, finished)
  }
  return latest
}

/** Restarts of the containers of pods that still run. */
export function restarts(pods: readonly Pod[]): number {
  let total = 0
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue
    for (const one of status.initContainerStatuses ?? []) total += one.restartCount
    for (const one of status.containerStatuses ?? []) total += one.restartCount
  }
  return total
}
