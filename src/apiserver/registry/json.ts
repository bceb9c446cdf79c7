/** Copying and comparing JSON values. Keys may be anything, also `__proto__`. */

/** A deep copy that shares nothing that can change. */
export function copyJson<T>(value: T): T {
  return copy(value) as T
}

function copy(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  // Numbers that a double cannot hold are frozen objects of their own.
  if (JSON.isRawJSON(value)) return value
  if (Array.isArray(value)) {
    const out: unknown[] = Array.from({ length: value.length })
    for (let i = 0; i < value.length; i++) out[i] = copy(value[i])
    return out
  }
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const item = copy((value as Record<string, unknown>)[key])
    if (key === '__proto__') {
      Object.defineProperty(out, key, { value: item, enumerable: true, configurable: true, writable: true })
    } else {
      out[key] = item
    }
  }
  return out
}

/** Whether two JSON values are the same; the order of keys does not count, `undefined` members are absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  if (JSON.isRawJSON(a) || JSON.isRawJSON(b)) return JSON.stringify(a) === JSON.stringify(b)
  return equalMembers(a as Record<string, unknown>, b as Record<string, unknown>, NONE)
}

const NONE: ReadonlySet<string> = new Set()

/** As {@link equalJson} for two objects, without looking at the members named in `ignored`. */
export function equalMembers(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  ignored: ReadonlySet<string>,
): boolean {
  let members = 0
  for (const key of Object.keys(a)) {
    if (ignored.has(key) || a[key] === undefined) continue
    if (!Object.hasOwn(b, key) || !equalJson(a[key], b[key])) return false
    members++
  }
  for (const key of Object.keys(b)) if (!ignored.has(key) && b[key] !== undefined) members--
  return members === 0
}
