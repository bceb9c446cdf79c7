/** The status of a Deployment and its conditions. Pure. */
import { findCondition, withCondition, withoutCondition } from '../conditions.ts'
import { parseTime, timestamp } from '../meta.ts'
import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from '../objects.ts'
import { availableOf, desiredReplicas, maxUnavailable, replicasOf, sum } from './maths.ts'

export const PROGRESSING = 'Progressing'

export interface Sets {
  readonly newSet: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

export function progressDeadline(deployment: Deployment): number | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds
  return seconds === undefined || seconds === 2 ** 31 - 1 ? undefined : seconds
}

export function condition(type: string, status: string, reason: string, message: string, now: number): Condition {
  const time = timestamp(now)
  return { type, status, reason, message, lastUpdateTime: time, lastTransitionTime: time }
}

export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const desired = desiredReplicas(deployment)
  return (
    status !== undefined &&
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

/** Counts, and the Available condition. */
export function countStatus(deployment: Deployment, { newSet, old }: Sets, now: number): DeploymentStatus {
  const all = newSet === undefined ? old : [...old, newSet]
  const available = sum(all, availableOf)
  const counts = {
    replicas: sum(all, (set) => set.status?.replicas ?? 0),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum(all, (set) => set.status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, replicasOf) - available),
  }
  const status: DeploymentStatus = { observedGeneration: deployment.metadata.generation ?? 0 }
  for (const [name, count] of Object.entries(counts)) if (count > 0) status[name as keyof typeof counts] = count
  const terminating = terminatingOf(all)
  if (terminating !== undefined) status.terminatingReplicas = terminating
  if (deployment.status?.collisionCount !== undefined) status.collisionCount = deployment.status.collisionCount
  const enough = available >= desiredReplicas(deployment) - maxUnavailable(deployment)
  status.conditions = withCondition(
    deployment.status?.conditions ?? [],
    enough
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : condition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          now,
        ),
  )
  return status
}

/** Unknown as long as a set that has been observed does not say. */
function terminatingOf(sets: readonly ReplicaSet[]): number | undefined {
  let count = 0
  for (const { status } of sets) {
    if (status?.terminatingReplicas !== undefined) count += status.terminatingReplicas
    else if ((status?.observedGeneration ?? 0) > 0) return undefined
  }
  return count
}

/** The status in a rollout: counts, progress or the lack of it, and failures of the sets. */
export function rolloutStatus(deployment: Deployment, sets: Sets, now: number): DeploymentStatus {
  const status = countStatus(deployment, sets, now)
  let conditions = status.conditions!
  const current = findCondition(deployment.status?.conditions, PROGRESSING)
  if (progressDeadline(deployment) === undefined) {
    conditions = withoutCondition(conditions, PROGRESSING)
  } else if (!(status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable')) {
    conditions = withProgress(deployment, sets.newSet, { ...status, conditions }, current, now)
  }
  const failure = replicaFailure(sets)
  conditions =
    failure === undefined
      ? withoutCondition(conditions, 'ReplicaFailure')
      : withCondition(conditions, {
          ...failure,
          ...(failure.lastTransitionTime === undefined ? {} : { lastUpdateTime: failure.lastTransitionTime }),
        })
  return { ...status, conditions }
}

function withProgress(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  status: DeploymentStatus,
  current: Condition | undefined,
  now: number,
): Condition[] {
  const conditions = status.conditions!
  const subject =
    newSet === undefined ? `Deployment "${deployment.metadata.name!}"` : `ReplicaSet "${newSet.metadata.name!}"`
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`
    return withCondition(conditions, condition(PROGRESSING, 'True', 'NewReplicaSetAvailable', message, now))
  }
  if (madeProgress(deployment.status ?? {}, status)) {
    const fresh = condition(PROGRESSING, 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, now)
    // With the same reason the update time still moves: the deadline counts from there.
    if (current?.status === 'True' && current.lastTransitionTime !== undefined) {
      fresh.lastTransitionTime = current.lastTransitionTime
    }
    return [...withoutCondition(conditions, PROGRESSING), fresh]
  }
  if (timedOut(deployment, status, now)) {
    const message = `${subject} has timed out progressing.`
    return withCondition(conditions, condition(PROGRESSING, 'False', 'ProgressDeadlineExceeded', message, now))
  }
  return conditions
}

function madeProgress(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function timedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
  const progressing = findCondition(status.conditions, PROGRESSING)
  if (progressing === undefined || progressing.reason === 'NewReplicaSetAvailable') return false
  if (progressing.reason === 'ProgressDeadlineExceeded') return true
  return parseTime(progressing.lastUpdateTime) + progressDeadline(deployment)! * 1000 < now
}

/** The new set's failure is told before an old one's. */
function replicaFailure({ newSet, old }: Sets): Condition | undefined {
  const all = newSet === undefined ? old : [newSet, ...old]
  for (const set of all) {
    const failure = findCondition(set.status?.conditions, 'ReplicaFailure')
    if (failure !== undefined) return failure
  }
  return undefined
}

/** Milliseconds until the progress deadline has to be checked; `undefined` when there is nothing to check. */
export function deadlineIn(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const deadline = progressDeadline(deployment)
  const progressing = findCondition(status.conditions, PROGRESSING)
  if (deadline === undefined || progressing === undefined) return undefined
  if (isComplete(deployment, status) || progressing.reason === 'ProgressDeadlineExceeded') return undefined
  if (progressing.reason === 'NewReplicaSetAvailable') return undefined
  // Times have whole seconds: a second more, so that the check comes after.
  return Math.max(0, parseTime(progressing.lastUpdateTime) + deadline * 1000 - now) + 1000
}
