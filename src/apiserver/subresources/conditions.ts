/** Conditions in a status. */
import type { KubeObject } from '../../machinery/object.ts'

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastProbeTime?: string | null
  observedGeneration?: number
}

/** A status with a condition set; the time of transition moves only with the condition's status. */
export function withCondition(status: KubeObject['status'], condition: Condition, now: string): object {
  const list = ((status?.conditions ?? []) as Condition[]).slice()
  const at = list.findIndex(({ type }) => type === condition.type)
  const same = at >= 0 && list[at]!.status === condition.status
  const next = { ...condition, lastTransitionTime: same ? (list[at]!.lastTransitionTime ?? now) : now }
  if (at < 0) list.push(next)
  else list[at] = next
  return { ...status, conditions: list }
}

/** Gives conditions without times the time of now; the time of transition is kept with the condition's status. */
export function stampConditions(object: KubeObject, old: KubeObject, now: () => string): void {
  const conditions = object['status']?.conditions as StampedCondition[] | undefined
  if (conditions === undefined) return
  const before = (old['status']?.conditions ?? []) as StampedCondition[]
  const stamped = conditions.map((condition) => {
    const same = before.find(({ type, status }) => type === condition.type && status === condition.status)
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now(),
      lastTransitionTime: condition.lastTransitionTime ?? same?.lastTransitionTime ?? now(),
    }
  })
  object['status'] = { ...object['status'], conditions: stamped }
}

interface StampedCondition extends Condition {
  lastUpdateTime?: string
}

/** Whether a condition is True. */
export function isTrue(status: KubeObject['status'], type: string): boolean {
  return ((status?.conditions ?? []) as Condition[]).some((c) => c.type === type && c.status === 'True')
}
