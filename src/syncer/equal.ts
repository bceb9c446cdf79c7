/** Whether two JSON values are the same. Absent and `undefined` are the same; key order does not matter. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const one = a as Record<string, unknown>
  const two = b as Record<string, unknown>
  let present = 0
  for (const key of Object.keys(one)) {
    const value = one[key]
    if (value === undefined) continue
    present++
    if (!Object.hasOwn(two, key) || !equal(value, two[key])) return false
  }
  for (const key of Object.keys(two)) if (two[key] !== undefined) present--
  return present === 0
}
