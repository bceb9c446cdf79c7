/** Equality of JSON values. Keys may be anything, also `__proto__`. */

type Members = Readonly<Record<string, unknown>>

/**
 * Whether two JSON values are the same text when the order of keys does not count: `undefined` members are absent, null
 * and empty ones are not, and a number that is kept as text (JSON.rawJSON) equals what is written like it.
 */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return equalNumbers(a, b)
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  if (JSON.isRawJSON(a) || JSON.isRawJSON(b)) return JSON.stringify(a) === JSON.stringify(b)
  const left = a as Members
  const right = b as Members
  let members = 0
  for (const key of Object.keys(left)) {
    const item = left[key]
    if (item === undefined) continue
    if (!Object.hasOwn(right, key) || !equalJson(item, right[key])) return false
    members++
  }
  const keys = Object.keys(right)
  if (keys.length === members) return true
  for (const key of keys) if (right[key] !== undefined) members--
  return members === 0
}

/** As {@link equalJson} for two objects, without looking at the members named in `ignored`. */
export function equalMembers(a: Members, b: Members, ignored: ReadonlySet<string>): boolean {
  let members = 0
  for (const key of Object.keys(a)) {
    if (ignored.has(key) || a[key] === undefined) continue
    if (!Object.hasOwn(b, key) || !equalJson(a[key], b[key])) return false
    members++
  }
  for (const key of Object.keys(b)) if (!ignored.has(key) && b[key] !== undefined) members--
  return members === 0
}

/** Of two values that are not both containers. */
function equalNumbers(a: unknown, b: unknown): boolean {
  if (typeof a !== 'number' && typeof b !== 'number') return false
  return (JSON.isRawJSON(a) || JSON.isRawJSON(b)) && JSON.stringify(a) === JSON.stringify(b)
}
