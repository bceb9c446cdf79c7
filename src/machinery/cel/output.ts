/** Values of expressions as JSON. */
import { ObjectValue } from './library/mutation.ts'
import { CidrValue, IpValue } from './library/net.ts'
import { QuantityValue } from './library/quantity.ts'
import { formatDuration, formatTimestamp } from './time.ts'
import { Bytes, CelMap, Double, Duration, List, Optional, Timestamp, Uint } from './values.ts'

/** Deeper values are cut: nothing that is written into an object nests that deep. */
const MAX_DEPTH = 200

/**
 * JSON of a result: ints beyond 2^53 are raw JSON numbers, bytes are base64, moments and durations are texts, an absent
 * optional is null, objects of mutations are objects. Undefined for what has no JSON: types, most values of libraries.
 */
export function toJson(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'bigint':
      return JSON.rawJSON(String(value))
    case 'object':
      return value === null || depth > MAX_DEPTH ? null : boxed(value, depth)
    default:
      return undefined
  }
}

function boxed(value: object, depth: number): unknown {
  if (value instanceof Double) return Number.isFinite(value.value) ? value.value : String(value.value)
  if (value instanceof Uint) return toJson(value.value <= 9007199254740991n ? Number(value.value) : value.value)
  if (value instanceof Bytes) return Buffer.from(value.value).toString('base64')
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Optional) return value.present ? toJson(value.value, depth + 1) : null
  if (value instanceof List) {
    const items: unknown[] = []
    for (let i = 0; i < value.length; i++) items.push(toJson(value.at(i), depth + 1) ?? null)
    return items
  }
  if (value instanceof CelMap) {
    const entries = value.keys().map((key) => [keyText(key), toJson(value.get(key), depth + 1) ?? null] as const)
    return Object.fromEntries(entries)
  }
  if (value instanceof ObjectValue) {
    return Object.fromEntries(Array.from(value.fields, ([key, one]) => [key, toJson(one, depth + 1) ?? null] as const))
  }
  return value instanceof IpValue || value instanceof CidrValue || value instanceof QuantityValue
    ? value.toString()
    : undefined
}

function keyText(key: unknown): string {
  return key instanceof Uint || key instanceof Double ? String(key.value) : String(key)
}
