/** Whether two JSON values are the same to an owner: numbers by value, maps in any order, null is not absent. */
import { isMap } from './gotext.ts'

export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return sameRaw(a, b)
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]))
  }
  if (!isMap(a) || !isMap(b)) return sameRaw(a, b)
  let members = 0
  for (const key of Object.keys(a)) {
    if (a[key] === undefined) continue
    if (!Object.hasOwn(b, key) || !sameValue(a[key], b[key])) return false
    members++
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) members--
  return members === 0
}

/** Numbers that a double cannot hold. */
function sameRaw(a: unknown, b: unknown): boolean {
  if (!JSON.isRawJSON(a) && !JSON.isRawJSON(b)) return false
  return JSON.stringify(a) === JSON.stringify(b)
}
