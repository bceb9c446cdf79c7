/** What a CustomResourceDefinition's schema may not hold, beside being structural. */
import { child, forbidden, index, invalid, key as keyed, notSupported, required } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import type { SchemaProps } from '../../schema/props.ts'
import { findPath } from '../../schema/rule-path.ts'
import type { Steps } from '../../schema/steps.ts'
import { hasUnprunedDefaults } from '../../schema/support.ts'
import { RuleCosts, ruleErrors, within } from './cel.ts'
import type { RuleContext } from './cel.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const META = ['metadata', 'kind', 'apiVersion']
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
/** Of what is not supported, those that count when they are set, even to nothing. */
const POINTERS = ['additionalItems', '$ref']
const NOT_SUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']

interface Place {
  readonly root: boolean
  /** Inside the metadata, kind or apiVersion of a resource. */
  readonly meta: boolean
  /** Why defaults are forbidden here. */
  readonly noDefaults?: string
  /** The highest list above whose items cannot be found in the old object. */
  readonly uncorrelated?: string
}

/** What was stored before some rules were there, and stays allowed with it. */
export interface SchemaLeeway {
  readonly anyType: boolean
  readonly anySet: boolean
  readonly anyKeys: boolean
  readonly unpruned: boolean
}

/** What an update may keep, by the stored schemas of all versions. */
export function schemaLeeway(schemas: readonly Json[]): SchemaLeeway {
  let [anyType, anySet, anyKeys, unpruned] = [false, false, false, false]
  const look = (schema: Json): void => {
    if (!isSet(schema) || typeof schema !== 'object') return
    if (schema.type && !TYPES.includes(schema.type)) anyType = true
    const items: Json = isSet(schema.items) && !Array.isArray(schema.items) ? schema.items : undefined
    const type: Json = schema['x-kubernetes-list-type']
    if (items !== undefined && (type === 'set' || type === 'map')) {
      const found: Errors = []
      if (type === 'set') setItems(items, '', found)
      if (found.length > 0) anySet = true
      const keys: Errors = []
      keyRules(schema, items, '', keys)
      if (keys.length > 0) anyKeys = true
    }
    for (const [, property] of entriesOf(schema.properties)) look(property)
    for (const inner of [schema.additionalProperties, schema.items, schema.not]) look(inner)
    for (const field of ['allOf', 'oneOf', 'anyOf']) listOf(schema[field]).forEach(look)
  }
  for (const schema of schemas) {
    look(schema)
    if (isSet(schema) && hasUnprunedDefaults(schema as SchemaProps)) unpruned = true
  }
  return { anyType, anySet, anyKeys, unpruned }
}

/** Fields that upstream's structural schemas have no place for, and whether an empty one counts. */
const UNREADABLE = ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions']

/** The first field, as upstream calls it, that keeps a schema or one in it from being read as a structural one. */
export function unsupported(schema: Json): string | undefined {
  if (!isSet(schema) || typeof schema !== 'object') return undefined
  for (const field of UNREADABLE) {
    const value: Json = schema[field]
    const blank = value === '' || (typeof value === 'object' && isSet(value) && entriesOf(value).length === 0)
    if (isSet(value) && (!blank || field === 'additionalItems')) return field === '$schema' ? 'schema' : field
  }
  const inner: Json[] = [schema.not, schema.additionalProperties]
  for (const field of ['allOf', 'oneOf', 'anyOf']) inner.push(...listOf(schema[field]))
  inner.push(...entriesOf(schema.properties).map(([, property]) => property as Json))
  inner.push(...(Array.isArray(schema.items) ? (schema.items as Json[]) : [schema.items]))
  for (const one of inner) {
    const found = unsupported(one)
    if (found !== undefined) return found
  }
  return undefined
}

export interface SchemaChecks extends SchemaLeeway {
  /** Whether rules are compiled: not while the schema is not structural. */
  readonly rules: boolean
  /** Whether single rules may cost more than they may today. */
  readonly costly: boolean
}

interface Found {
  readonly schema: Errors
  readonly rules: Errors
}

/** Checks a schema and all below it. */
export function* validateSchema(schema: Json, path: string, checks: SchemaChecks, out: Errors): Steps<void> {
  const found: Found = { schema: [], rules: [] }
  const costs = checks.rules ? new RuleCosts(checks.costly) : undefined
  yield* visit(schema, { root: true, meta: false }, path, checks, found, costs && { costs, most: 1 })
  out.push(...found.schema, ...found.rules, ...(costs?.over(path) ?? []))
}

function* visit(
  schema: Json,
  place: Place,
  path: string,
  checks: SchemaChecks,
  found: Found,
  cel: RuleContext | undefined,
): Steps<void> {
  if (!isSet(schema) || typeof schema !== 'object') return
  const out = found.schema
  const before = out.length
  own(schema, place, path, checks, out)
  if (schema.uniqueItems) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    out.push(forbidden(child(path, 'uniqueItems'), detail))
  }
  const below = { ...place, root: false }
  const inner = cel && within(cel, schema as SchemaProps)
  const additional: Json = schema.additionalProperties
  if (isSet(additional)) {
    const at = child(path, 'additionalProperties')
    if (entriesOf(schema.properties).length > 0) {
      if (additional !== true) out.push(forbidden(at, 'additionalProperties and properties are mutual exclusive'))
    }
    const reason = 'inside additionalProperties applying to object metadata'
    yield* visit(additional, place.meta ? { ...below, noDefaults: reason } : below, at, checks, found, inner)
  }
  for (const [name, property] of entriesOf(schema.properties)) {
    let at: Place = below
    if ((place.root || schema['x-kubernetes-embedded-resource']) && META.includes(name)) {
      at = { ...below, meta: true, ...(place.root ? { noDefaults: `in top-level ${name}` } : {}) }
    }
    yield* visit(property, at, keyed(child(path, 'properties'), name), checks, found, inner)
  }
  yield* visit(schema.not, below, child(path, 'not'), checks, found, undefined)
  for (const field of ['allOf', 'oneOf', 'anyOf']) {
    for (const [i, nested] of listOf(schema[field]).entries())
      yield* visit(nested, below, index(child(path, field), i), checks, found, undefined)
  }
  for (const [name, definition] of entriesOf(schema.definitions))
    yield* visit(definition, below, keyed(child(path, 'definitions'), name), checks, found, undefined)
  for (const [name, dependency] of entriesOf(schema.dependencies)) {
    if (Array.isArray(dependency)) continue
    yield* visit(dependency, below, keyed(child(path, 'dependencies'), name), checks, found, undefined)
  }
  const list =
    schema['x-kubernetes-list-type'] === 'map' ? below : { ...below, uncorrelated: place.uncorrelated ?? path }
  if (Array.isArray(schema.items)) {
    for (const [i, nested] of schema.items.entries())
      yield* visit(nested, list, index(child(path, 'items'), i), checks, found, inner)
  } else yield* visit(schema.items, list, child(path, 'items'), checks, found, inner)
  extensions(schema, path, checks, out)
  const rules: readonly Json[] = listOf(schema['x-kubernetes-validations'])
  rules.forEach((rule, i) => ruleForm(rule, schema, index(child(path, 'x-kubernetes-validations'), i), out))
  if (rules.length === 0 || cel === undefined || out.length > before) return
  const root = place.root || schema['x-kubernetes-embedded-resource'] === true
  yield* ruleErrors(schema as SchemaProps, { path, root, uncorrelated: place.uncorrelated }, cel, found.rules)
}

function own(schema: Json, place: Place, path: string, { anyType }: SchemaLeeway, out: Errors): void {
  if (!anyType && schema.type && !TYPES.includes(schema.type))
    out.push(notSupported(child(path, 'type'), schema.type, TYPES))
  if (isSet(schema.default) && place.noDefaults !== undefined) {
    out.push(forbidden(child(path, 'default'), `must not be set ${place.noDefaults}`))
  }
  for (const field of NOT_SUPPORTED) {
    const value: Json = schema[field]
    const blank = value === '' || (typeof value === 'object' && isSet(value) && entriesOf(value).length === 0)
    if (isSet(value) && (!blank || POINTERS.includes(field)))
      out.push(forbidden(child(path, field), `${field} is not supported`))
  }
  if (schema.type === 'null') {
    out.push(forbidden(child(path, 'type'), 'type cannot be set to null, use nullable as an alternative'))
  }
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    out.push(forbidden(child(path, 'items'), 'items must be a schema object and not an array'))
  }
  if (place.meta && schema['x-kubernetes-embedded-resource']) {
    out.push(forbidden(child(path, 'x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'))
  }
}

function mustBe(schema: Json, type: string, why: string, path: string, out: Errors): void {
  const detail = `must be ${type} if ${why} is specified`
  const at = child(path, 'type')
  out.push(schema.type ? invalid(at, schema.type, detail) : required(at, detail))
}

function extensions(schema: Json, path: string, leave: SchemaLeeway, out: Errors): void {
  const preserve = 'x-kubernetes-preserve-unknown-fields'
  if (schema[preserve] === false) out.push(invalid(child(path, preserve), false, 'must be true or undefined'))
  const mapType: Json = schema['x-kubernetes-map-type']
  if (isSet(mapType)) {
    if (schema.type !== 'object') mustBe(schema, 'object', 'x-kubernetes-map-type', path, out)
    const known = ['atomic', 'granular']
    if (!known.includes(mapType)) out.push(notSupported(child(path, 'x-kubernetes-map-type'), mapType, known))
  }
  listType(schema, path, leave, out)
}

function listType(schema: Json, path: string, leave: SchemaLeeway, out: Errors): void {
  const type: Json = schema['x-kubernetes-list-type']
  const keys: readonly string[] = listOf(schema['x-kubernetes-list-map-keys'])
  const items: Json = isSet(schema.items) && !Array.isArray(schema.items) ? schema.items : undefined
  const typePath = child(path, 'x-kubernetes-list-type')
  if (isSet(type) && schema.type !== 'array') mustBe(schema, 'array', 'x-kubernetes-list-type', path, out)
  else if (type === 'set' && items !== undefined && !leave.anySet) setItems(items, child(path, 'items'), out)
  const known = ['atomic', 'set', 'map']
  if (isSet(type) && !known.includes(type)) out.push(notSupported(typePath, type, known))
  if (keys.length > 0 && type !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    out.push(isSet(type) ? invalid(typePath, type, detail) : required(typePath, detail))
  }
  if (type === 'map') mapItems(schema, items, keys, path, out)
  if (!leave.anyKeys) keyRules(schema, items, path, out)
}

/** Items of sets and maps are there, and so are the keys of maps. */
function keyRules(schema: Json, items: Json, path: string, out: Errors): void {
  const type: Json = schema['x-kubernetes-list-type']
  if ((type !== 'map' && type !== 'set') || items === undefined) return
  if (items.nullable) {
    out.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${String(type)}`))
  }
  if (type === 'map') mapKeys(items, listOf(schema['x-kubernetes-list-map-keys']), path, out)
}

function setItems(items: Json, path: string, out: Errors): void {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const list: Json = items['x-kubernetes-list-type']
  if (items.type === 'array' && isSet(list) && list !== 'atomic') {
    out.push(invalid(child(path, 'x-kubernetes-list-type'), list, detail))
  }
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    out.push(invalid(child(path, 'x-kubernetes-map-type'), list ?? null, detail))
  }
}

function mapItems(schema: Json, items: Json, keys: readonly string[], path: string, out: Errors): void {
  const keysPath = child(path, 'x-kubernetes-list-map-keys')
  if (keys.length === 0) out.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'))
  if (!isSet(schema.items)) {
    out.push(required(child(path, 'items'), 'must have a schema if x-kubernetes-list-type is map'))
  }
  if (items === undefined) return
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map"
    out.push(invalid(`${path}.items.type`, items.type ?? '', detail))
    return
  }
  const seen = new Set<string>()
  for (const name of keys) {
    const property: Json = entry(items.properties, name)
    if (property === undefined) out.push(invalid(keysPath, keys, 'entries must all be names of item properties'))
    else if (property.type === 'array' || property.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
      out.push(invalid(`${path}.items.properties[${name}].type`, items.type, detail))
    }
    if (seen.has(name)) out.push(invalid(keysPath, keys, 'must not contain duplicate entries'))
    seen.add(name)
  }
}

function mapKeys(items: Json, keys: readonly string[], path: string, out: Errors): void {
  const needed: readonly string[] = listOf(items.required)
  for (const name of keys) {
    const property: Json = entry(items.properties, name)
    if (property === undefined) continue
    const at = `${path}.items.properties[${name}]`
    if (!needed.includes(name) && !isSet(property.default)) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      out.push(required(child(at, 'default'), detail))
    }
    if (property.nullable) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
      out.push(forbidden(child(at, 'nullable'), detail))
    }
  }
}

/** The form of a validation rule; that it compiles is checked where rules are compiled. */
function ruleForm(rule: Json, schema: Json, path: string, out: Errors): void {
  const breaks = /[\n\r]/
  const text = String(rule.rule ?? '').trim()
  const message: string = rule.message ?? ''
  const messagePath = child(path, 'message')
  if (text === '') out.push(required(child(path, 'rule'), 'rule is not specified'))
  else if (message !== '' && message.trim() === '')
    out.push(invalid(messagePath, message, 'must be non-empty if specified'))
  else if (breaks.test(message.trim())) out.push(invalid(messagePath, message, 'must not contain line breaks'))
  else if (breaks.test(text) && message.trim() === '') {
    out.push(required(messagePath, 'message must be specified if rule contains line breaks'))
  }
  const expression: string = rule.messageExpression ?? ''
  if (expression !== '' && expression.trim() === '') {
    out.push(required(child(path, 'messageExpression'), 'messageExpression must be non-empty if specified'))
  }
  if (isSet(rule.reason) && !REASONS.includes(rule.reason)) {
    out.push(notSupported(child(path, 'reason'), rule.reason, REASONS))
  }
  const fieldPath: string = rule.fieldPath ?? ''
  const fieldAt = child(path, 'fieldPath')
  if (fieldPath !== '' && fieldPath.trim() === '')
    out.push(invalid(fieldAt, fieldPath, 'must be non-empty if specified'))
  if (breaks.test(fieldPath)) out.push(invalid(fieldAt, fieldPath, 'must not contain line breaks'))
  if (fieldPath !== '' && !findPath(fieldPath, schema as SchemaProps, true).ok)
    out.push(invalid(fieldAt, fieldPath, 'must be a valid path'))
}
