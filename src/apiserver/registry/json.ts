/** Copying and comparing JSON values. Keys may be anything, also `__proto__`. */
import { keysOf } from '../../machinery/codec/wide.ts'
import { equalJson } from '../../machinery/equality.ts'
import type { Steps } from '../../machinery/schema/index.ts'

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

const NONE: ReadonlySet<string> = new Set()

/** Members of one step. */
const STRIDE = 128

/** As `equalMembers`, of many members. */
export function* equalInSteps(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  ignored: ReadonlySet<string> = NONE,
): Steps<boolean> {
  const pairs: [unknown, unknown, ReadonlySet<string>][] = [[a, b, ignored]]
  let count = 0
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [x, y, without] = pair
    if (Array.isArray(x)) {
      if (!Array.isArray(y) || x.length !== y.length) return false
      for (let i = 0; i < x.length; i++) {
        if (++count % STRIDE === 0) yield
        if (x[i] === y[i]) continue
        if (!isContainer(x[i]) || !isContainer(y[i])) {
          if (!equalJson(x[i], y[i])) return false
        } else pairs.push([x[i], y[i], NONE])
      }
      continue
    }
    if (Array.isArray(y)) return false
    const [left, right] = [x, y] as Record<string, unknown>[]
    let members = 0
    for (const key of keysOf(left!)) {
      if (++count % STRIDE === 0) yield
      const item = left![key]
      if (without.has(key) || item === undefined) continue
      if (!Object.hasOwn(right!, key)) return false
      members++
      const other = right![key]
      if (item === other) continue
      if (!isContainer(item) || !isContainer(other)) {
        if (!equalJson(item, other)) return false
      } else pairs.push([item, other, NONE])
    }
    for (const key of keysOf(right!)) {
      if (++count % STRIDE === 0) yield
      if (!without.has(key) && right![key] !== undefined) members--
    }
    if (members !== 0) return false
  }
  return true
}

const isContainer = (value: unknown): boolean => typeof value === 'object' && value !== null && !JSON.isRawJSON(value)
