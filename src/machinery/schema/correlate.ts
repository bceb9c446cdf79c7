/**
 * What a value was before an update, as upstream correlates: members of objects by name, items of lists by the keys of
 * list type map, nothing in sets and atomic lists (k8s.io/apiserver/pkg/cel/common).
 */
import { equalJson } from '../equality.ts'
import { isObject, own } from './props.ts'
import type { SchemaProps } from './props.ts'

/** Finds what an item was; undefined when it cannot be said. */
export type FindOld = (item: unknown) => unknown

/** How items of a list find what they were; undefined when the type of the list does not say it. */
export function correlation(schema: SchemaProps): ((old: readonly unknown[]) => FindOld) | undefined {
  const keys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] !== 'map' || keys === undefined || keys.length === 0) return undefined
  const keyOf = (item: unknown): string | undefined => {
    if (!isObject(item)) return undefined
    let text = ''
    for (const name of keys) {
      const value = own(item, name)
      if (value === undefined || value === null) return undefined
      if (typeof value === 'object' && !JSON.isRawJSON(value)) return undefined
      text += `${JSON.stringify(value)}\0`
    }
    return text
  }
  return (old) => {
    let byKey: Map<string, unknown> | undefined
    return (item) => {
      const key = keyOf(item)
      if (key === undefined) return undefined
      if (byKey === undefined) {
        byKey = new Map()
        for (const each of old) {
          const known = keyOf(each)
          if (known !== undefined && !byKey.has(known)) byKey.set(known, each)
        }
      }
      return byKey.get(key)
    }
  }
}

/**
 * Whether a value is what it was. Members that the schema does not know cannot be correlated, so that an object with
 * such members never is.
 *
 * @param known results of this validation
 */
export function unchanged(schema: SchemaProps, value: unknown, old: unknown, known: Map<object, boolean>): boolean {
  if (value === null || old === null || typeof value !== 'object' || typeof old !== 'object') return value === old
  let same = known.get(value)
  if (same === undefined) known.set(value, (same = compare(schema, value, old as object, known)))
  return same
}

function compare(schema: SchemaProps, value: object, old: object, known: Map<object, boolean>): boolean {
  if (Array.isArray(value)) {
    if (!Array.isArray(old) || value.length !== old.length) return false
    const find = correlation(schema)?.(old)
    if (find === undefined || schema.items === undefined) return equalJson(value, old)
    for (const item of value as unknown[]) {
      const before = find(item)
      if (before === undefined || !unchanged(schema.items, item, before, known)) return false
    }
    return true
  }
  if (!isObject(value) || !isObject(old)) return equalJson(value, old)
  const names = Object.keys(value)
  if (names.length !== Object.keys(old).length) return false
  for (const name of names) {
    const inner = memberSchema(schema, name)
    if (inner === undefined || !Object.hasOwn(old, name)) return false
    if (!unchanged(inner, value[name], old[name], known)) return false
  }
  return true
}

/** The schema of a member; undefined for one that is not known. */
export function memberSchema(schema: SchemaProps, name: string): SchemaProps | undefined {
  const { properties, additionalProperties } = schema
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name]
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}
