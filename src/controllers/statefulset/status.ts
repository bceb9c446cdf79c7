/** The status of a StatefulSet, and which pods a roll-out takes next. Pure. */
import { scaledValue } from '../deployment/maths.ts'
import type { Pod } from '../objects.ts'
import { isAvailable, isReady } from '../pods.ts'
import type { StatefulSet, StatefulSetStatus } from './objects.ts'
import { isCreated, isParallel, isTerminating, isUnavailable, replicasOf, revisionOf } from './pods.ts'

export interface Revisions {
  readonly current: string
  readonly update: string
  readonly collisionCount: number
}

export function statusOf(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, now: number): StatefulSetStatus {
  const minReady = set.spec.minReadySeconds ?? 0
  let [replicas, ready, available, current, updated] = [0, 0, 0, 0, 0]
  for (const pod of pods) {
    if (isCreated(pod)) replicas++
    if (pod.status?.phase === 'Running' && isReady(pod)) {
      ready++
      if (isAvailable(pod, minReady, now)) available++
    }
    if (!isCreated(pod) || isTerminating(pod)) continue
    if (revisionOf(pod) === revisions.current) current++
    if (revisionOf(pod) === revisions.update) updated++
  }
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas,
    readyReplicas: ready,
    availableReplicas: available,
    currentReplicas: current,
    updatedReplicas: updated,
    currentRevision: revisions.current,
    updateRevision: revisions.update,
    collisionCount: revisions.collisionCount,
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  }
}

/** As the API has it: a roll-out that is complete makes the new revision the current one; zeros are left out. */
export function completed(set: StatefulSet, status: StatefulSetStatus): StatefulSetStatus {
  const wanted = replicasOf(set)
  const done = status.updatedReplicas === wanted && status.readyReplicas === wanted && status.replicas === wanted
  const next: StatefulSetStatus = { ...status }
  if (done) {
    next.currentReplicas = status.updatedReplicas!
    next.currentRevision = status.updateRevision!
  }
  for (const field of ['readyReplicas', 'currentReplicas', 'updatedReplicas'] as const) {
    if ((next[field] ?? 0) <= 0) delete next[field]
  }
  return next
}

/** Pods of the old revision that may go now, so that not more than `maxUnavailable` are missing. Highest first. */
export function outdated(set: StatefulSet, replicas: readonly Pod[], update: string, now: number): Pod[] {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return []
  const partition = rollingUpdate?.partition ?? 0
  const most = Math.max(1, scaledValue(rollingUpdate?.maxUnavailable ?? 1, replicasOf(set), false))
  const isOld = (pod: Pod): boolean => revisionOf(pod) !== update && !isTerminating(pod)
  const missing = replicas.filter((pod) => isUnavailable(pod, set, now))
  const old = replicas.slice(partition).toReversed().filter(isOld)
  const budget = most - missing.length
  if (!isParallel(set)) return budget <= 0 ? [] : old.slice(0, budget)
  // What does not run anyway costs nothing.
  if (budget <= 0 && !missing.some(isOld)) return []
  const broken = old.filter((pod) => isUnavailable(pod, set, now))
  const running = old.filter((pod) => !isUnavailable(pod, set, now))
  return [...broken, ...running.slice(0, Math.max(0, budget))]
}
