/**
 * Structural schemas: every node has a type, and what stands below `allOf`, `anyOf`, `oneOf` and `not` only
 * restricts values. Texts and paths as upstream.
 */
import { child, forbidden, index, invalid, key as keyed, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { compilePattern } from '../../schema/pattern.ts'
import type { Steps } from '../../schema/steps.ts'

type Level = 'root' | 'item' | 'field'

const NO_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}
const INT_OR_STRING = 'x-kubernetes-int-or-string'
const PRESERVE = 'x-kubernetes-preserve-unknown-fields'
const EMBEDDED = 'x-kubernetes-embedded-resource'

/** A sub-schema; `items` lists and `additionalProperties: true` are none. */
function schemaIn(value: Json): Json {
  return isSet(value) && typeof value === 'object' && !Array.isArray(value) ? value : undefined
}

/** Everything that keeps a schema from being structural, sorted by text. */
export function* validateStructural(schema: Json, path: string): Steps<FieldError[]> {
  const out: Errors = []
  yield* invariants(schema, 'root', path, out)
  yield* completeness(schema, schema, path, path, out)
  const text = (e: FieldError): string => `${e.field}: ${e.message}`
  return out.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0))
}

function* invariants(schema: Json, level: Level, path: string, out: Errors): Steps<void> {
  const type: string = schema.type ?? ''
  const items = schemaIn(schema.items)
  if (type === 'array' && items === undefined) out.push(required(child(path, 'items'), 'must be specified'))
  if (items !== undefined) yield* invariants(items, 'item', child(path, 'items'), out)
  for (const [name, property] of entriesOf(schema.properties)) {
    yield* invariants(property, 'field', keyed(child(path, 'properties'), name), out)
  }
  if (isSet(schema.additionalProperties) && schema.additionalProperties !== false) {
    const at = child(path, 'additionalProperties')
    if (level === 'root') out.push(forbidden(at, 'must not be used at the root'))
    const inner = schemaIn(schema.additionalProperties)
    if (inner !== undefined) yield* invariants(inner, 'field', at, out)
  }
  if (schema[INT_OR_STRING]) {
    const detail = 'must be false if x-kubernetes-int-or-string is true'
    for (const field of [PRESERVE, EMBEDDED]) if (schema[field]) out.push(invalid(child(path, field), true, detail))
  }
  yield* values(schema, isIntOrString(schema.anyOf), isIntOrString(listOf(schema.allOf)[0]?.anyOf), path, out)
  types(schema, type, level, path, out)
  metadata(schema, level, path, out)
  yield
}

function types(schema: Json, type: string, level: Level, path: string, out: Errors): void {
  const at = child(path, 'type')
  if (schema[EMBEDDED] && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    out.push(type === '' ? required(at, detail) : invalid(at, type, detail))
  } else if (type === '' && !schema[INT_OR_STRING] && !schema[PRESERVE]) out.push(required(at, NO_TYPE[level]))
  if (schema[EMBEDDED] && isSet(schema.additionalProperties)) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set'
    out.push(forbidden(child(path, 'additionalProperties'), detail))
  }
  if (level === 'root' && type !== '' && type !== 'object') out.push(invalid(at, type, 'must be object at the root'))
}

function metadata(schema: Json, level: Level, path: string, out: Errors): void {
  const isObject = level === 'root' || schema[EMBEDDED] === true
  const properties = child(path, 'properties')
  if (isObject) {
    for (const name of ['kind', 'apiVersion']) {
      const property: Json = entry(schema.properties, name)
      if (property === undefined || property.type === 'string') continue
      out.push(invalid(child(keyed(properties, name), 'type'), property.type ?? '', 'must be string'))
    }
  }
  const meta: Json = entry(schema.properties, 'metadata')
  if (meta !== undefined) {
    const at = keyed(properties, 'metadata')
    if (isObject && meta.type !== 'object') out.push(invalid(child(at, 'type'), meta.type ?? '', 'must be object'))
    if (level === 'root' && !isPlainMetadata(meta)) {
      const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
      out.push(forbidden(at, detail))
    }
  }
  if (schema[EMBEDDED] && !schema[PRESERVE] && entriesOf(schema.properties).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    out.push(required(properties, detail))
  }
}

function isPlainMetadata(meta: Json): boolean {
  const names = entriesOf(meta.properties).map(([name]) => name)
  const known = names.every((name) => name === 'name' || name === 'generateName')
  const others = Object.keys(meta as object).filter((field) => !['type', 'properties', 'default'].includes(field))
  return known && others.every((field) => !isSet(meta[field]) || meta[field] === false)
}

function isIntOrString(anyOf: Json): boolean {
  const list = listOf(anyOf)
  const only = (schema: Json, type: string): boolean =>
    schema.type === type && Object.keys(schema as object).length === 1
  return list.length === 2 && only(list[0], 'integer') && only(list[1], 'string')
}

/** Everything below the logical junctors of one node. */
function* values(schema: Json, skipAnyOf: boolean, skipFirstAllOf: boolean, path: string, out: Errors): Steps<void> {
  const at = (field: string, i: number): string => index(child(path, field), i)
  if (!skipAnyOf)
    for (const [i, inner] of listOf(schema.anyOf).entries()) yield* nested(inner, false, at('anyOf', i), out)
  for (const [i, inner] of listOf(schema.allOf).entries())
    yield* nested(inner, skipFirstAllOf && i === 0, at('allOf', i), out)
  for (const [i, inner] of listOf(schema.oneOf).entries()) yield* nested(inner, false, at('oneOf', i), out)
  if (isSet(schema.not)) yield* nested(schema.not, false, child(path, 'not'), out)
  if (!schema.pattern) return
  pattern(schema.pattern, child(path, 'pattern'), out)
  yield
}

function pattern(text: string, path: string, out: Errors): void {
  try {
    compilePattern(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    out.push(invalid(path, text, `must be a valid regular expression, but isn't: ${why}`))
  }
}

/** Fields that only the structural part may have, with how they must be. */
const ONLY_STRUCTURAL: readonly (readonly [string, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  [PRESERVE, 'must be false to be structural'],
  [EMBEDDED, 'must be false to be structural'],
  [INT_OR_STRING, 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function* nested(schema: Json, skipAnyOf: boolean, path: string, out: Errors): Steps<void> {
  yield* values(schema, skipAnyOf, false, path, out)
  const items = schemaIn(schema.items)
  if (items !== undefined) yield* nested(items, false, child(path, 'items'), out)
  for (const [name, property] of entriesOf(schema.properties)) {
    yield* nested(property, false, keyed(child(path, 'properties'), name), out)
  }
  for (const [field, detail] of ONLY_STRUCTURAL) {
    const value: Json = schema[field]
    if (!isSet(value) || value === '' || value === false || (Array.isArray(value) && value.length === 0)) continue
    out.push(forbidden(child(path, field), detail))
  }
  if (entry(schema.properties, 'metadata') !== undefined) {
    out.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'))
  }
  yield
}

/** What is restricted below a junctor must exist in the structural part. */
function* completeness(schema: Json, structural: Json, path: string, from: string, out: Errors): Steps<void> {
  if (isSet(schema.not)) yield* complete(schema.not, structural, path, child(from, 'not'), out)
  for (const field of ['allOf', 'anyOf', 'oneOf'])
    for (const [i, inner] of listOf(schema[field]).entries())
      yield* complete(inner, structural, path, index(child(from, field), i), out)
}

function* complete(schema: Json, structural: Json, path: string, from: string, out: Errors): Steps<void> {
  if (structural === undefined) {
    out.push(required(path, `because it is defined in ${from}`))
    return
  }
  yield* completeness(schema, structural, path, from, out)
  const items = schemaIn(schema.items)
  if (items !== undefined) {
    yield* complete(items, schemaIn(structural.items), child(path, 'items'), child(from, 'items'), out)
  }
  for (const [name, property] of entriesOf(schema.properties)) {
    const [at, source] = [keyed(child(path, 'properties'), name), keyed(child(from, 'properties'), name)]
    yield* complete(property, entry(structural.properties, name), at, source, out)
  }
  yield
}
