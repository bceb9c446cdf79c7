/** The status of a ReplicaSet, from its pods. */
import { findCondition, withCondition, withoutCondition } from '../conditions.ts'
import { timestamp } from '../meta.ts'
import type { Pod, ReplicaSet, ReplicaSetStatus } from '../objects.ts'
import { isAvailable, isReady } from '../pods.ts'

export interface Replicas {
  /** Pods that count as replicas. */
  readonly active: readonly Pod[]
  /** Pods that are being deleted and have not finished; absent for kinds that do not count them. */
  readonly terminating?: readonly Pod[]
  /** What went wrong when pods were created or deleted. */
  readonly failure?: Error
}

/** What the status should be. `ReplicaFailure` appears with a failure and goes with the next success. */
export function replicaSetStatus(set: ReplicaSet, replicas: Replicas, now: number): ReplicaSetStatus {
  const labels = Object.entries(set.spec.template.metadata?.labels ?? {})
  const minReady = set.spec.minReadySeconds ?? 0
  let [fullyLabeled, ready, available] = [0, 0, 0]
  for (const pod of replicas.active) {
    const own = pod.metadata.labels ?? {}
    if (labels.every(([key, value]) => Object.hasOwn(own, key) && own[key] === value)) fullyLabeled++
    if (!isReady(pod)) continue
    ready++
    if (isAvailable(pod, minReady, now)) available++
  }
  const status: ReplicaSetStatus = { replicas: replicas.active.length }
  if (fullyLabeled > 0) status.fullyLabeledReplicas = fullyLabeled
  if (ready > 0) status.readyReplicas = ready
  if (available > 0) status.availableReplicas = available
  if (replicas.terminating !== undefined) status.terminatingReplicas = replicas.terminating.length
  status.observedGeneration = set.metadata.generation ?? 0
  const conditions = conditionsOf(set, replicas, now)
  if (conditions.length > 0) status.conditions = conditions
  return status
}

function conditionsOf(set: ReplicaSet, { active, failure }: Replicas, now: number) {
  const conditions = set.status?.conditions ?? []
  const current = findCondition(conditions, 'ReplicaFailure')
  if (failure === undefined) return withoutCondition(conditions, 'ReplicaFailure')
  if (current !== undefined) return conditions
  const diff = active.length - (set.spec.replicas ?? 1)
  return withCondition(conditions, {
    type: 'ReplicaFailure',
    status: 'True',
    lastTransitionTime: timestamp(now),
    ...(diff === 0 ? {} : { reason: diff < 0 ? 'FailedCreate' : 'FailedDelete' }),
    message: failure.message,
  })
}
