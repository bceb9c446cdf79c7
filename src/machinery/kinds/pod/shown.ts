/** Selectors that messages show whole. */
import { isSet, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'

/** A metav1.LabelSelector as Go writes it. */
export function shownSelector(selector: Json): Json {
  if (!isSet(selector)) return null
  return {
    ...(Object.keys((selector.matchLabels ?? {}) as object).length > 0
      ? { matchLabels: sortedMap(selector.matchLabels) }
      : {}),
    ...(selector.matchExpressions?.length > 0
      ? {
          matchExpressions: selector.matchExpressions.map((r: Json) => ({
            key: r.key ?? '',
            operator: r.operator ?? '',
            ...(r.values?.length > 0 ? { values: r.values } : {}),
          })),
        }
      : {}),
  }
}
