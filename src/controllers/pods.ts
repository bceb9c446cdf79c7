/** What controllers ask of pods. */
import type { Informer } from '../client/contract.ts'
import { findCondition } from './conditions.ts'
import { controllerOf, parseTime } from './meta.ts'
import type { Pod } from './objects.ts'

/** Pods by the uid of their controller. */
export const BY_CONTROLLER = 'controller'
/** Pods without a controller, by namespace. */
export const ORPHANS = 'orphans'
/** Pods by `spec.nodeName`. */
export const BY_NODE = 'node'

/** Adds the indexes that controllers share. */
export function indexPods(pods: Informer<Pod>): void {
  pods.addIndex(BY_CONTROLLER, (pod) => {
    const owner = controllerOf(pod)
    return owner === undefined ? [] : [owner.uid]
  })
  pods.addIndex(ORPHANS, (pod) => (controllerOf(pod) === undefined ? [pod.metadata.namespace!] : []))
}

export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Neither finished nor being deleted: counts as a replica. */
export function isActive(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isTerminal(pod)
}

export function isReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Ready')?.status === 'True'
}

/** When the pod became ready, in milliseconds; 0 when it is not. */
export function readySince(pod: Pod): number {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  return ready?.status === 'True' ? parseTime(ready.lastTransitionTime) : 0
}

/** Ready, and for long enough. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  if (!isReady(pod)) return false
  return minReadySeconds === 0 || availableIn(pod, minReadySeconds, now) <= 0
}

/** Milliseconds until a ready pod is available. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number {
  return readySince(pod) + minReadySeconds * 1000 - now
}

/** The most restarts that a container of the pod has had. */
export function mostRestarts(pod: Pod): number {
  let most = 0
  for (const status of pod.status?.containerStatuses ?? []) most = Math.max(most, status.restartCount)
  return most
}
