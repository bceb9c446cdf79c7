/**
 * Shapes: what a value has of parts, without the values that no owner asks about. Objects of one template have one
 * shape, and what a creation of one owns is what a creation of all owns; recognising a shape costs a walk and no memory.
 */
import { isMap, isScalar } from './gotext.ts'
import type { ListSchema, MapSchema, Schema } from './schema.ts'
import { UNTYPED, fieldSchema } from './schema.ts'
import { hasForms, listOf, mapOf, member } from './walk.ts'

/** Of a value that stands beside `old`, the zero value of its kind. */
export type Shape =
  /** Nothing below; `free` when its schema has nothing below for any value. */
  | { readonly kind: 'leaf'; readonly free: boolean; readonly schema: Schema }
  /** As a leaf, beside something that it may equal. */
  | { readonly kind: 'exact'; readonly value: unknown }
  | { readonly kind: 'map'; readonly keys: readonly string[]; readonly members: readonly Shape[] }
  | {
      readonly kind: 'list'
      readonly by: readonly string[]
      /** The values of `by` of each item, one after the other; of a set, the items. */
      readonly values: readonly unknown[]
      readonly items: readonly Shape[]
    }

/** Larger values are not worth remembering. */
const MAX_PARTS = 2000

/** The shape of a value; undefined when it has none that says enough. */
export function shapeOf(old: unknown, now: unknown, schema: Schema): Shape | undefined {
  const budget = { left: MAX_PARTS }
  return shape(old, now, schema, budget)
}

function shape(old: unknown, now: unknown, schema: Schema, budget: { left: number }): Shape | undefined {
  if (--budget.left < 0) return undefined
  if (old !== undefined && hasForms(schema)) return undefined
  const map = schema.map === undefined || schema.map.atomic ? undefined : mapOf(now)
  if (map !== undefined) return mapShape(old, map, schema.map!, budget)
  const list = schema.list === undefined || schema.list.atomic ? undefined : listOf(now)
  if (list !== undefined) return old === undefined || isEmpty(old) ? listShape(list, schema.list!, budget) : undefined
  if (old === undefined) return { kind: 'leaf', free: isFree(schema), schema }
  return isEmpty(now) || isScalar(now) ? { kind: 'exact', value: now } : undefined
}

function mapShape(
  old: unknown,
  now: { readonly [key: string]: unknown },
  schema: MapSchema,
  budget: { left: number },
): Shape | undefined {
  if (old !== undefined && !isMap(old) && old !== null) return undefined
  const names = Object.keys(now)
  if (names.length > budget.left) return undefined
  const before = mapOf(old)
  // What stands only in the old value would be a removal.
  if (before !== undefined) for (const key of Object.keys(before)) if (member(now, key) === undefined) return undefined
  const keys: string[] = []
  const members: Shape[] = []
  for (const key of names) {
    if (now[key] === undefined) continue
    const below = shape(member(before, key), now[key], fieldSchema(schema, key) ?? UNTYPED, budget)
    if (below === undefined) return undefined
    keys.push(key)
    members.push(below)
  }
  return { kind: 'map', keys, members }
}

function listShape(now: readonly unknown[], schema: ListSchema, budget: { left: number }): Shape | undefined {
  const by = schema.keys
  const values: unknown[] = []
  const items: Shape[] = []
  const seen = new Set<string>()
  for (const item of now) {
    const own = by.length === 0 ? [item] : isMap(item) ? by.map((name) => member(item, name)) : undefined
    // A key that is left out may have a default; a number may be written in several ways.
    if (own === undefined || own.some((value) => typeof value === 'object')) return undefined
    if (by.length === 0 && !isScalar(item)) return undefined
    const id = JSON.stringify(own)
    if (seen.has(id)) return undefined
    seen.add(id)
    const below = shape(undefined, item, schema.item, budget)
    if (below === undefined) return undefined
    values.push(...own)
    items.push(below)
  }
  return { kind: 'list', by, values, items }
}

/** Whether a value has this shape: exactly the same parts in the same order. */
export function hasShape(known: Shape, value: unknown): boolean {
  switch (known.kind) {
    case 'leaf':
      return known.free || !hasParts(known.schema, value)
    case 'exact':
      return value === known.value || (isEmpty(value) && isEmpty(known.value) && sameEmpty(value, known.value))
    case 'map':
      return isMap(value) && hasMembers(known.keys, known.members, value)
    default:
      return Array.isArray(value) && hasItems(known, value)
  }
}

function hasMembers(
  keys: readonly string[],
  members: readonly Shape[],
  value: { readonly [key: string]: unknown },
): boolean {
  let i = 0
  for (const key in value) {
    const item = value[key]
    if (item === undefined) continue
    if (i >= keys.length || key !== keys[i] || !hasShape(members[i]!, item)) return false
    i++
  }
  return i === keys.length
}

function hasItems({ by, values, items }: Extract<Shape, { kind: 'list' }>, value: readonly unknown[]): boolean {
  if (value.length !== items.length) return false
  let at = 0
  for (let i = 0; i < value.length; i++) {
    const item = value[i]
    if (by.length === 0) {
      if (item !== values[at++]) return false
    } else {
      if (!isMap(item)) return false
      for (let k = 0; k < by.length; k++) if (member(item, by[k]!) !== values[at++]) return false
    }
    if (!hasShape(items[i]!, item)) return false
  }
  return true
}

function hasParts(schema: Schema, value: unknown): boolean {
  if (schema.map !== undefined && !schema.map.atomic && mapOf(value) !== undefined) return true
  return schema.list !== undefined && !schema.list.atomic && listOf(value) !== undefined
}

function isFree(schema: Schema): boolean {
  return (schema.map === undefined || schema.map.atomic) && (schema.list === undefined || schema.list.atomic)
}

/** null, {} or []. */
function isEmpty(value: unknown): boolean {
  if (value === null) return true
  if (typeof value !== 'object' || JSON.isRawJSON(value)) return false
  return Array.isArray(value) ? value.length === 0 : mapOf(value) === undefined
}

function sameEmpty(a: unknown, b: unknown): boolean {
  return (a === null) === (b === null) && Array.isArray(a) === Array.isArray(b)
}
