/** Status conditions: lists with one entry per type. */
import type { Condition } from './objects.ts'

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** The list without a type. The same list when it has none. */
export function withoutCondition(conditions: Condition[], type: string): Condition[] {
  return conditions.some((condition) => condition.type === type)
    ? conditions.filter((condition) => condition.type !== type)
    : conditions
}

/**
 * The list with a condition. Status and reason being the same, nothing changes; the transition time moves only with
 * the status.
 */
export function withCondition(conditions: Condition[], condition: Condition): Condition[] {
  const current = findCondition(conditions, condition.type)
  if (current !== undefined && current.status === condition.status && current.reason === condition.reason) {
    return conditions
  }
  const kept =
    current !== undefined && current.status === condition.status && current.lastTransitionTime !== undefined
      ? { ...condition, lastTransitionTime: current.lastTransitionTime }
      : condition
  return [...conditions.filter(({ type }) => type !== condition.type), kept]
}
