/**
 * Values inside objects. Their shape is the type table's business: input is type-normalised before it comes here,
 * so these functions read fields by name and treat an absent field as Go treats the zero value.
 */

// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type Json = any

/** A list field that may be absent. */
export function listOf(value: Json): readonly Json[] {
  return (value as readonly Json[] | null | undefined) ?? []
}

/** A map field's entries; an absent map has none. Tenant keys stay data: nothing is looked up on a prototype. */
export function entriesOf(value: Json): [string, Json][] {
  return value === undefined || value === null ? [] : Object.entries(value as Record<string, Json>)
}

/** One entry of a map field. */
export function entry(map: Json, key: string): Json {
  return map !== undefined && map !== null && Object.hasOwn(map as object, key) ? map[key] : undefined
}

/** Sets an entry of a map field, also one named `__proto__`. */
export function setEntry(map: Json, key: string, value: Json): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Whether a field is set at all (a Go pointer that is not nil). */
export function isSet(value: Json): boolean {
  return value !== undefined && value !== null
}

function isEmpty(value: Json): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'object') return false
  return Array.isArray(value) ? value.length === 0 : Object.keys(value as object).length === 0
}

/**
 * Equality as API machinery means it: an absent list, map or struct equals an empty one. Quantities and times are
 * canonical strings already. (`equalJson` tells empty ones from absent ones: it compares what is written.)
 */
export function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (isEmpty(a) || isEmpty(b)) return isEmpty(a) && isEmpty(b)
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a)) {
    return a.length === b.length && a.every((item, i) => same(item, b[i]))
  }
  for (const key of Object.keys(a as object)) if (!same(a[key], entry(b, key))) return false
  for (const key of Object.keys(b as object)) if (!Object.hasOwn(a as object, key) && !isEmpty(b[key])) return false
  return true
}

/** A map as Go writes it in a message: sorted by key. */
export function sortedMap(map: Json): Json {
  if (!isSet(map)) return null
  return Object.fromEntries(entriesOf(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
