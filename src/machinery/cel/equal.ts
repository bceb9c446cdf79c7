/** Equality and order of values. */
import type { Context } from './context.ts'
import { JsonList, JsonObject } from './json.ts'
import { compareNumbers, isNumber } from './numbers.ts'
import { compareStrings } from './strings.ts'
import { Bytes, CelMap, Duration, Failure, List, Opaque, Optional, Timestamp, TypeValue } from './values.ts'

const NO_SUCH_OVERLOAD = new Failure('no such overload')

/** `a == b`. What is compared is charged as work. */
export function equals(c: Context, a: unknown, b: unknown): boolean | Failure {
  if (a === b) {
    if (typeof a === 'string' && a.length > 64) c.labour(a.length >> 6)
    return true
  }
  switch (typeof a) {
    case 'string':
      if (typeof b === 'string' && a.length > 64) c.labour(a.length >> 6)
      return b instanceof Failure ? b : false
    case 'boolean':
      return b instanceof Failure ? b : false
    case 'number':
    case 'bigint':
      return isNumber(b) ? compareNumbers(a, b) === 0 : b instanceof Failure ? b : false
    default:
      if (a === null || b === null) return a === b
      return equalsBoxed(c, a, b)
  }
}

function equalsBoxed(c: Context, a: unknown, b: unknown): boolean | Failure {
  if (a instanceof Failure) return a
  if (b instanceof Failure) return b
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0
  if (a instanceof List) return equalLists(c, a, b)
  if (a instanceof CelMap) return equalMaps(c, a, b)
  if (a instanceof Timestamp) return b instanceof Timestamp && a.seconds === b.seconds && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns
  if (a instanceof Bytes) {
    if (!(b instanceof Bytes)) return false
    c.labour(a.value.length >> 6)
    return Buffer.compare(a.value, b.value) === 0
  }
  if (a instanceof Optional) {
    if (!(b instanceof Optional) || a.present !== b.present) return false
    return a.present ? equals(c, a.value, b.value) : true
  }
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Opaque) return b instanceof Opaque && a.type === b.type ? a.equals(b, c) : NO_SUCH_OVERLOAD
  return false
}

/** Declared lists tell an error in their items; others take it as equal, as upstream does. */
function isStrict(list: List): list is JsonList {
  return list instanceof JsonList && list.declared !== undefined
}

function equalLists(c: Context, a: List, b: unknown): boolean | Failure {
  const strict = isStrict(a)
  if (!(b instanceof List)) return strict ? NO_SUCH_OVERLOAD : false
  if (a.length !== b.length) return false
  const kind = strict ? a.declared!.listType : undefined
  if (kind === 'set') return equalSets(c, a, b)
  if (kind === 'map') return equalKeyed(c, a as JsonList, b)
  for (let i = 0; i < a.length; i++) {
    c.labour(2)
    const same = equals(c, a.at(i), b.at(i))
    if (same === false || (strict && same !== true)) return same
  }
  return true
}

/** A text that is the same for the same JSON of scalars. */
function scalarKey(value: unknown): string {
  return typeof value === 'string' ? `s${value}` : `${typeof value}${String(value)}`
}

function equalSets(c: Context, a: List, b: List): boolean | Failure {
  const seen = new Set<unknown>()
  for (let i = 0; i < a.length; i++) seen.add(setKey(c, a.at(i)))
  const found = new Set<unknown>()
  for (let i = 0; i < b.length; i++) {
    const key = setKey(c, b.at(i))
    if (!seen.has(key)) return false
    found.add(key)
  }
  return found.size === seen.size
}

/** Elements of sets are scalars mostly; others go by their JSON. */
export function setKey(c: Context, value: unknown): unknown {
  c.labour(5)
  if (value instanceof CelMap || value instanceof List) {
    const raw = 'raw' in value ? value.raw : undefined
    const text = canonical(raw)
    c.labour(text.length >> 3)
    return text
  }
  if (value instanceof Timestamp) return `t${value.seconds}.${value.nanos}`
  if (value instanceof Duration) return `d${value.ns}`
  if (value instanceof Bytes) return `b${Buffer.from(value.value).toString('base64')}`
  if (isNumber(value) && typeof value === 'object') return `n${String(value.value)}`
  return scalarKey(value)
}

function canonical(raw: unknown): string {
  if (typeof raw !== 'object' || raw === null) return JSON.stringify(raw) ?? ''
  if (Array.isArray(raw)) return `[${raw.map(canonical).join(',')}]`
  if (JSON.isRawJSON(raw)) return JSON.stringify(raw)
  const entries = Object.entries(raw).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)}`).join(',')}}`
}

/** The keys of an element of a list of type map, as one text. */
export function elementKey(c: Context, element: unknown, keys: readonly string[]): string {
  c.labour(5)
  const raw = element instanceof CelMap && 'raw' in element ? (element.raw as Record<string, unknown>) : undefined
  return keys.map((key) => scalarKey(raw === undefined ? undefined : raw[key])).join('\0')
}

function equalKeyed(c: Context, a: JsonList, b: List): boolean | Failure {
  const keys = a.declared!.keys ?? []
  const byKey = new Map<string, number>()
  for (let i = 0; i < a.length; i++) byKey.set(elementKey(c, a.at(i), keys), i)
  const seen = new Set<string>()
  for (let i = 0; i < b.length; i++) {
    const other = b.at(i)
    const key = elementKey(c, other, keys)
    const mine = byKey.get(key)
    if (mine === undefined) return false
    const same = equals(c, a.at(mine), other)
    if (same !== true) return same
    seen.add(key)
  }
  return seen.size === byKey.size
}

function equalMaps(c: Context, a: CelMap, b: unknown): boolean | Failure {
  if (!(b instanceof CelMap)) return a instanceof JsonObject ? NO_SUCH_OVERLOAD : false
  const { size } = a
  c.labour(size * 20)
  if (size !== b.size) return false
  for (const key of a.keys()) {
    c.labour(8)
    const has = a.has(key)
    if (has !== b.has(key)) return false
    if (!has) continue
    const same = equals(c, a.get(key), b.get(key))
    if (same === false || (same !== true && a instanceof JsonObject)) return same
  }
  if (!(a instanceof JsonObject) || !(b instanceof JsonObject)) return true
  return equalUndeclared(c, a, b)
}

/** Fields that the type does not have still count, where both objects have them. */
function equalUndeclared(c: Context, a: JsonObject, b: JsonObject): boolean {
  for (const name of a.undeclared()) {
    if (!Object.hasOwn(b.raw, name)) continue
    const mine = canonical(a.raw[name])
    c.labour(mine.length >> 3)
    if (mine !== canonical(b.raw[name])) return false
  }
  return true
}

/** -1, 0 or 1; a Failure when the values have no order. */
export function compare(c: Context, a: unknown, b: unknown): number | Failure {
  if (isNumber(a)) {
    if (!isNumber(b)) return NO_SUCH_OVERLOAD
    return compareNumbers(a, b) ?? new Failure('NaN values cannot be ordered')
  }
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length > 64) c.labour(Math.min(a.length, b.length) >> 1)
    return compareStrings(a, b)
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return a === b ? 0 : a ? 1 : -1
  if (a instanceof Bytes && b instanceof Bytes) return Buffer.compare(a.value, b.value)
  if (a instanceof Timestamp && b instanceof Timestamp) {
    return Math.sign(a.seconds - b.seconds) || Math.sign(a.nanos - b.nanos)
  }
  if (a instanceof Duration && b instanceof Duration) return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0
  return NO_SUCH_OVERLOAD
}

/** Whether values of that kind have an order among themselves. */
export function isComparable(value: unknown): boolean {
  return (
    isNumber(value) ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    value instanceof Bytes ||
    value instanceof Timestamp ||
    value instanceof Duration
  )
}
