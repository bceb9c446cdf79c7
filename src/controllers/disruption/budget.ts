/** What a PodDisruptionBudget allows, from the pods that it selects. Pure. */
import { findCondition, withCondition } from '../conditions.ts'
import { scaledValue } from '../deployment/maths.ts'
import { parseTime, timestamp } from '../meta.ts'
import type { Condition, LabelSelectorObject, Pod } from '../objects.ts'
import { isReady, isTerminal } from '../pods.ts'
import type { KubeObject, StringMap } from '../../machinery/object.ts'

export interface Budget extends KubeObject {
  spec?: {
    minAvailable?: number | string
    maxUnavailable?: number | string
    selector?: LabelSelectorObject | null
    unhealthyPodEvictionPolicy?: string
  }
  status?: BudgetStatus
}

export interface BudgetStatus {
  observedGeneration?: number
  disruptedPods?: StringMap
  disruptionsAllowed: number
  currentHealthy: number
  desiredHealthy: number
  expectedPods: number
  conditions?: Condition[]
}

/** Milliseconds that an evicted pod may take until it is being deleted; then the eviction is taken for failed. */
const DELETION_TIMEOUT = 2 * 60_000
/** Milliseconds after which a pod that was to be disrupted and lives on is no longer called so. */
const STALE_AFTER = 2 * 60_000

export const ALLOWED = 'DisruptionAllowed'

/** Whether the expected number of pods has to be asked from the pods' controllers. */
export function needsScale({ spec = {} }: Budget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string'
}

/** `scale`: what the controllers of the pods want together; only read when {@link needsScale}. */
export function expectation(budget: Budget, pods: number, scale: number): { expected: number; desired: number } {
  const { minAvailable, maxUnavailable } = budget.spec ?? {}
  if (maxUnavailable !== undefined) {
    return { expected: scale, desired: Math.max(0, scale - scaledValue(maxUnavailable, scale, true)) }
  }
  if (typeof minAvailable === 'string') return { expected: scale, desired: scaledValue(minAvailable, scale, true) }
  return { expected: pods, desired: minAvailable ?? 0 }
}

export interface Disrupted {
  /** Evictions that are still to be seen, by pod. */
  readonly awaited: StringMap
  /** Pods whose eviction came to nothing. */
  readonly forgotten: readonly Pod[]
  /** Milliseconds until the next one is given up. */
  readonly recheck?: number
}

/** Which evictions that the budget remembers still count. */
export function disruptedPods(budget: Budget, pods: readonly Pod[], now: number): Disrupted {
  const known = budget.status?.disruptedPods ?? {}
  const awaited: [string, string][] = []
  const forgotten: Pod[] = []
  let recheck = Infinity
  for (const pod of pods) {
    const name = pod.metadata.name!
    if (pod.metadata.deletionTimestamp !== undefined || !Object.hasOwn(known, name)) continue
    const left = parseTime(known[name]) + DELETION_TIMEOUT - now
    if (left < 0) forgotten.push(pod)
    else {
      recheck = Math.min(recheck, left)
      awaited.push([name, known[name]!])
    }
  }
  return { awaited: Object.fromEntries(awaited), forgotten, ...(recheck === Infinity ? {} : { recheck: recheck + 1 }) }
}

/** Pods that are ready and not about to go. */
export function healthyPods(pods: readonly Pod[], disrupted: StringMap): number {
  const stays = (pod: Pod): boolean =>
    pod.metadata.deletionTimestamp === undefined && !Object.hasOwn(disrupted, pod.metadata.name!)
  return pods.filter((pod) => stays(pod) && isReady(pod)).length
}

/** The status with new counts; `DisruptionAllowed` follows them. */
export function budgetStatus(
  budget: Budget,
  counts: { expected: number; desired: number; healthy: number; disrupted: StringMap },
  now: number,
): BudgetStatus {
  const { expected, desired, healthy, disrupted } = counts
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired)
  const generation = budget.metadata.generation ?? 0
  const conditions = budget.status?.conditions ?? []
  const reason = allowed > 0 ? 'SufficientPods' : 'InsufficientPods'
  return {
    ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
    observedGeneration: generation,
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    conditions: allowedCondition(conditions, allowed > 0 ? 'True' : 'False', reason, '', generation, now),
  }
}

/** The fail-safe status: nothing may be disrupted when the budget cannot be worked out. */
export function failedStatus(budget: Budget, error: string, now: number): BudgetStatus {
  const generation = budget.metadata.generation ?? 0
  const status = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
  const conditions = allowedCondition(budget.status?.conditions ?? [], 'False', 'SyncFailed', error, generation, now)
  return { ...status, disruptionsAllowed: 0, conditions }
}

function allowedCondition(
  conditions: Condition[],
  status: string,
  reason: string,
  message: string,
  observedGeneration: number,
  now: number,
): Condition[] {
  const current = findCondition(conditions, ALLOWED)
  const next: Condition = { type: ALLOWED, status, reason, message, observedGeneration }
  const same = current?.status === status && current.reason === reason && current.message === message
  if (same && current.observedGeneration === observedGeneration) return conditions
  const since = current?.status === status ? current.lastTransitionTime : undefined
  const rest = conditions.filter(({ type }) => type !== ALLOWED)
  return [...rest, { ...next, lastTransitionTime: since ?? timestamp(now) }]
}

/** Milliseconds until the pod's `DisruptionTarget` is stale; undefined when it has none that can become so. */
export function staleIn(pod: Pod, now: number): number | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) return undefined
  const condition = findCondition(pod.status?.conditions, 'DisruptionTarget')
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return undefined
  return Math.max(0, parseTime(condition.lastTransitionTime) + STALE_AFTER - now)
}

/** The pod's status with `DisruptionTarget` taken back. */
export function withoutDisruption(pod: Pod, now: number): NonNullable<Pod['status']> {
  const condition = { type: 'DisruptionTarget', status: 'False', lastTransitionTime: timestamp(now) }
  return { ...pod.status, conditions: withCondition(pod.status?.conditions ?? [], condition) }
}
