/** The parts of Jobs that their controllers read and write. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Condition, LabelSelectorObject, Pod, PodTemplate } from '../objects.ts'

export interface FailureRule {
  action: string
  onExitCodes?: { containerName?: string; operator: string; values: number[] } | null
  onPodConditions?: { type: string; status?: string }[]
}

export interface SuccessRule {
  succeededIndexes?: string
  succeededCount?: number
}

export interface JobSpec {
  parallelism?: number
  completions?: number
  activeDeadlineSeconds?: number
  backoffLimit?: number
  backoffLimitPerIndex?: number
  maxFailedIndexes?: number
  completionMode?: string
  suspend?: boolean
  selector?: LabelSelectorObject
  template: PodTemplate
  ttlSecondsAfterFinished?: number
  podFailurePolicy?: { rules: FailureRule[] } | null
  successPolicy?: { rules: SuccessRule[] } | null
  podReplacementPolicy?: string
  managedBy?: string
}

export interface JobStatus {
  conditions?: Condition[]
  startTime?: string
  completionTime?: string
  active?: number
  succeeded?: number
  failed?: number
  terminating?: number
  ready?: number
  completedIndexes?: string
  failedIndexes?: string
  uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] } | null
}

export interface Job extends KubeObject {
  spec: JobSpec
  status?: JobStatus
}

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'
/** What Jobs without `managedBy` have; any other value is another controller's. */
const OWN_NAME = 'kubernetes.io/job-controller'

export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === 'Indexed'
}

export function isSuspended(job: Job): boolean {
  return job.spec.suspend === true
}

/** Complete or Failed: nothing changes any more. */
export function isFinished(job: Job): boolean {
  return finishedCondition(job) !== undefined
}

export function finishedCondition(job: Job): Condition | undefined {
  return job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
}

export function isManagedElsewhere(job: Job): boolean {
  const { managedBy } = job.spec
  return managedBy !== undefined && managedBy !== OWN_NAME
}

/** Whether a pod is replaced only once it has failed, not when it is being deleted. */
export function replacesFailedOnly(job: Job): boolean {
  return job.spec.podReplacementPolicy === 'Failed'
}

/** Whether the job has still to count the pod. */
export function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true
}

/** Whether the job takes the pod for failed. */
export function isFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (replacesFailedOnly(job)) return false
  // A pod that is deleted may never come to say that it failed.
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded'
}
