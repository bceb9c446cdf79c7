/** Whether a schema is structural: what a CustomResourceDefinition's schema must be before anything is compiled. */
import type { FieldError } from '../field.ts'
import { child, forbidden, index, invalid, key, notSupported, required } from '../field.ts'
import { compileCheck, compilePattern } from './check.ts'
import { compileDefaults } from './defaults.ts'
import { copyJson, equalJson, isObject } from './props.ts'
import type { Data, SchemaProps } from './props.ts'
import { compilePrune } from './prune.ts'

type Level = 'root' | 'item' | 'field'

const MAX_DEPTH = 200
const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const LIST_TYPES = ['atomic', 'map', 'set']
const MAP_TYPES = ['atomic', 'granular']

/** Everything that keeps the schema from being one. */
export function structuralErrors(schema: SchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = []
  node(schema, path, 'root', errors, 0)
  return errors
}

function node(schema: SchemaProps, path: string, level: Level, errors: FieldError[], depth: number): void {
  if (depth > MAX_DEPTH) {
    errors.push(forbidden(path, `schemas may not be nested deeper than ${MAX_DEPTH} levels`))
    return
  }
  typeErrors(schema, path, level, errors)
  extensionErrors(schema, path, errors)
  boundsErrors(schema, path, errors)
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    node(property, key(child(path, 'properties'), name), 'field', errors, depth + 1)
  }
  if (typeof schema.additionalProperties === 'object') {
    if (Object.keys(schema.properties ?? {}).length > 0)
      errors.push(forbidden(child(path, 'additionalProperties'), 'additionalProperties and properties are mutual exclusive'))
    node(schema.additionalProperties, child(path, 'additionalProperties'), 'field', errors, depth + 1)
  }
  if (schema.items !== undefined) node(schema.items, child(path, 'items'), 'item', errors, depth + 1)
  junctions(schema, schema, path, errors, depth)
  if (schema.default !== undefined) defaultErrors(schema, path, errors)
}

function typeErrors(schema: SchemaProps, path: string, level: Level, errors: FieldError[]): void {
  const { type = '' } = schema
  const where = child(path, 'type')
  const intOrString = schema['x-kubernetes-int-or-string'] === true
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  if (type !== '' && !TYPES.includes(type)) errors.push(notSupported(where, type, TYPES))
  if (type === 'array' && schema.items === undefined) errors.push(required(child(path, 'items'), 'must be specified'))
  if (embedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? required(where, why) : invalid(where, type, why))
  } else if (type === '' && !intOrString && (level === 'root' || !open)) {
    if (level === 'root') errors.push(required(where, 'must not be empty at the root'))
    else if (level === 'item') errors.push(required(where, 'must not be empty for specified array items'))
    else errors.push(required(where, 'must not be empty for specified object fields'))
  }
  if (embedded && schema.additionalProperties !== undefined)
    errors.push(
      forbidden(child(path, 'additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set'),
    )
  if (embedded && !open && Object.keys(schema.properties ?? {}).length === 0)
    errors.push(
      required(
        child(path, 'properties'),
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
  if (level !== 'root') return
  if (type !== '' && type !== 'object') errors.push(invalid(where, type, 'must be object at the root'))
  if (schema.additionalProperties !== undefined)
    errors.push(forbidden(child(path, 'additionalProperties'), 'must not be used at the root'))
  rootErrors(schema, path, errors)
}

function rootErrors(schema: SchemaProps, path: string, errors: FieldError[]): void {
  for (const name of ['kind', 'apiVersion']) {
    const type = schema.properties?.[name]?.type
    if (type !== undefined && type !== 'string')
      errors.push(invalid(child(key(child(path, 'properties'), name), 'type'), type, 'must be string'))
  }
  const metadata = schema.properties?.['metadata']
  if (metadata === undefined) return
  const where = key(child(path, 'properties'), 'metadata')
  if (metadata.type !== undefined && metadata.type !== 'object')
    errors.push(invalid(child(where, 'type'), metadata.type, 'must be object'))
  const { type: _type, description: _description, properties = {}, ...rest } = metadata
  const others = Object.keys(properties).filter((name) => name !== 'name' && name !== 'generateName')
  if (others.length > 0 || Object.keys(rest).length > 0)
    errors.push(
      forbidden(where, 'must not specify anything other than name and generateName, but metadata is implicitly specified'),
    )
}

function extensionErrors(schema: SchemaProps, path: string, errors: FieldError[]): void {
  const open = schema['x-kubernetes-preserve-unknown-fields']
  if (open === false)
    errors.push(invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), open, 'must be true or undefined'))
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (open === true)
      errors.push(
        invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), true, 'must be false if x-kubernetes-int-or-string is true'),
      )
    if (schema['x-kubernetes-embedded-resource'] === true)
      errors.push(
        invalid(child(path, 'x-kubernetes-embedded-resource'), true, 'must be false if x-kubernetes-int-or-string is true'),
      )
    if (schema.type !== undefined && schema.type !== '')
      errors.push(invalid(child(path, 'type'), schema.type, 'must be empty if x-kubernetes-int-or-string is true'))
  }
  const rules = schema['x-kubernetes-validations']
  if (rules !== undefined && rules.length > 0)
    errors.push(forbidden(child(path, 'x-kubernetes-validations'), 'validation rules in CEL are not supported by this server'))
  if (schema.uniqueItems === true)
    errors.push(forbidden(child(path, 'uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'))
  listErrors(schema, path, errors)
  const mapType = schema['x-kubernetes-map-type']
  if (mapType !== undefined) {
    const where = child(path, 'x-kubernetes-map-type')
    if (!MAP_TYPES.includes(mapType)) errors.push(notSupported(where, mapType, MAP_TYPES))
    if (schema.type !== 'object')
      errors.push(invalid(child(path, 'type'), schema.type ?? '', 'must be object if x-kubernetes-map-type is specified'))
  }
}

function listErrors(schema: SchemaProps, path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const where = child(path, 'x-kubernetes-list-type')
  if (type !== undefined) {
    if (!LIST_TYPES.includes(type)) errors.push(notSupported(where, type, LIST_TYPES))
    if (schema.type !== 'array')
      errors.push(invalid(child(path, 'type'), schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'))
  }
  const keysAt = child(path, 'x-kubernetes-list-map-keys')
  if (type !== 'map') {
    if (keys.length > 0) errors.push(invalid(where, type ?? '', 'must be map if x-kubernetes-list-map-keys is non-empty'))
    return
  }
  if (keys.length === 0) errors.push(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'))
  if (schema.items !== undefined && schema.items.type !== 'object')
    errors.push(
      invalid(child(child(path, 'items'), 'type'), schema.items.type ?? '', 'must be object if parent array\'s x-kubernetes-list-type is map'),
    )
  const wanted = new Set(schema.items?.required)
  for (const [i, name] of keys.entries()) {
    const property = schema.items?.properties?.[name]
    if (property === undefined) {
      errors.push(invalid(index(keysAt, i), name, 'must name a property of the items'))
    } else if (!wanted.has(name) && property.default === undefined) {
      const at = key(child(child(path, 'items'), 'properties'), name)
      errors.push(
        required(child(at, 'default'), 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'),
      )
    }
  }
}

function boundsErrors(schema: SchemaProps, path: string, errors: FieldError[]): void {
  if (schema.pattern === undefined) return
  try {
    compilePattern(schema.pattern)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    errors.push(
      invalid(child(path, 'pattern'), schema.pattern, `must be a valid regular expression, but isn't: ${why}`),
    )
  }
}

/** What may not stand below allOf, anyOf, oneOf and not. */
const FORBIDDEN: readonly (readonly [keyof SchemaProps, string])[] = [
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function isIntOrStringPattern(list: readonly SchemaProps[] | undefined): boolean {
  return list !== undefined && equalJson(list, [{ type: 'integer' }, { type: 'string' }])
}

function junctions(at: SchemaProps, main: SchemaProps | undefined, path: string, errors: FieldError[], depth: number): void {
  const intOrString = main?.['x-kubernetes-int-or-string'] === true
  const skipAny = intOrString && isIntOrStringPattern(at.anyOf)
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    if (name === 'anyOf' && skipAny) continue
    for (const [i, nested] of (at[name] ?? []).entries()) {
      const first = name === 'allOf' && i === 0 && intOrString && isIntOrStringPattern(nested.anyOf)
      nestedNode(first ? { ...nested, anyOf: [] } : nested, main, index(child(path, name), i), errors, depth + 1)
    }
  }
  if (at.not !== undefined) nestedNode(at.not, main, child(path, 'not'), errors, depth + 1)
}

function nestedNode(
  nested: SchemaProps,
  main: SchemaProps | undefined,
  path: string,
  errors: FieldError[],
  depth: number,
): void {
  if (depth > MAX_DEPTH) return
  if (nested.type !== undefined && nested.type !== '')
    errors.push(forbidden(child(path, 'type'), 'must be empty to be structural'))
  for (const [name, why] of FORBIDDEN) {
    const value = nested[name]
    if (value !== undefined && value !== false && value !== '') errors.push(forbidden(child(path, name), why))
  }
  boundsErrors(nested, path, errors)
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const at = key(child(path, 'properties'), name)
    if (name === 'metadata') {
      errors.push(forbidden(at, 'must not be specified in a nested context'))
      continue
    }
    const counterpart = main?.properties?.[name]
    if (counterpart === undefined && main !== undefined) errors.push(missing(path, main, `properties[${name}]`))
    nestedNode(property, counterpart, at, errors, depth + 1)
  }
  if (nested.items !== undefined) {
    if (main !== undefined && main.items === undefined) errors.push(missing(path, main, 'items'))
    nestedNode(nested.items, main?.items, child(path, 'items'), errors, depth + 1)
  }
  junctions(nested, main, path, errors, depth)
}

/** Something that only a value validation names. */
function missing(path: string, _main: SchemaProps, what: string): FieldError {
  const root = path.replace(/\.(?:allOf|anyOf|oneOf)\[\d+\].*$|\.not(?:\..*)?$/, '')
  return required(`${root}.${what}`, `because it is defined in ${path}.${what}`)
}

function defaultErrors(schema: SchemaProps, path: string, errors: FieldError[]): void {
  const where = child(path, 'default')
  const value = copyJson(schema.default)
  compileDefaults(schema, false)?.(value)
  const unknown: string[] = []
  if (isObject(value) || Array.isArray(value)) compilePrune(schema, false)?.(value, '', unknown)
  if (unknown.length > 0) {
    errors.push(invalid(where, schema.default as Data, 'must not have unknown fields'))
    return
  }
  if (value === null && schema.nullable !== true) {
    errors.push(invalid(where, null, 'must not be null'))
    return
  }
  try {
    compileCheck(schema, false)?.(value, undefined, where, errors)
  } catch {
    // A pattern that is none is reported where it stands.
  }
}
