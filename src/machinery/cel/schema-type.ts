/**
 * Types of custom resources: what rules see of a structural schema. Schemas without a type that CEL knows, and properties
 * whose names CEL cannot say, are not seen.
 */
import type { SchemaProps } from '../schema/props.ts'
import type { CelType } from './contract.ts'
import { isNameOf, unescapeField } from './escape.ts'

/** Bytes of a request, which bound everything that a schema does not. */
const MAX_REQUEST = 3 * 1024 * 1024
const EMBEDDED = 'x-kubernetes-embedded-resource'
const INT_OR_STRING = 'x-kubernetes-int-or-string'

const STRING_PROPERTY: SchemaProps = { type: 'string' }
const METADATA: SchemaProps = {
  type: 'object',
  properties: { name: STRING_PROPERTY, generateName: STRING_PROPERTY },
}

/** Properties that every resource has for rules, whatever its schema says of them. */
const RESOURCE: Readonly<Record<string, SchemaProps>> = {
  kind: STRING_PROPERTY,
  apiVersion: STRING_PROPERTY,
  metadata: METADATA,
}

const MAX_TEXTS: Readonly<Record<string, number>> = { duration: 32, date: 12, 'date-time': 32 }
const MIN_TEXTS: Readonly<Record<string, number>> = { duration: 3, date: 12, 'date-time': 21 }

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined
}

const sizes = new WeakMap<SchemaProps, { readonly size: number | undefined }>()

/** The least bytes that a value takes in JSON; undefined for what rules cannot see. */
function minSize(schema: SchemaProps, resource: boolean): number | undefined {
  const known = resource ? undefined : sizes.get(schema)
  if (known !== undefined) return known.size
  const size = measure(schema, resource)
  if (!resource) sizes.set(schema, { size })
  return size
}

function measure(schema: SchemaProps, resource: boolean): number | undefined {
  if (schema[INT_OR_STRING] === true) return 1
  switch (schema.type) {
    case 'array':
      return schema.items !== undefined && childSize(schema.items) !== undefined ? 2 : undefined
    case 'object': {
      const values = schema.additionalProperties
      if (typeof values === 'object' && !resource) return childSize(values) === undefined ? undefined : 2
      let size = 2
      for (const name of schema.required ?? []) {
        const property = propertyOf(schema, name, resource)
        if (property === undefined || property.default !== undefined) continue
        const least = childSize(property)
        if (least !== undefined) size += Buffer.byteLength(name) + least + 4
      }
      return size
    }
    case 'string':
      return own(MIN_TEXTS, schema.format ?? '') ?? 2
    case 'boolean':
      return 4
    case 'number':
    case 'integer':
      return 1
    default:
      return undefined
  }
}

function childSize(schema: SchemaProps): number | undefined {
  return minSize(schema, schema[EMBEDDED] === true)
}

function propertyOf(schema: SchemaProps, name: string, resource: boolean): SchemaProps | undefined {
  return (resource ? own(RESOURCE, name) : undefined) ?? own(schema.properties, name)
}

function stringLength(schema: SchemaProps): number {
  const { format = '', maxLength } = schema
  const fixed = own(MAX_TEXTS, format)
  if (fixed !== undefined) return fixed
  if (maxLength !== undefined) return Math.max(maxLength, 0) * (format === 'byte' ? 1 : 4)
  if (format !== 'byte' && (schema.enum ?? []).length > 0) {
    return Math.max(0, ...schema.enum!.map((one) => (typeof one === 'string' ? Buffer.byteLength(one) : 0)))
  }
  return MAX_REQUEST - 2
}

const STRING_KINDS: Readonly<Record<string, 'bytes' | 'duration' | 'timestamp'>> = {
  byte: 'bytes',
  duration: 'duration',
  date: 'timestamp',
  'date-time': 'timestamp',
}

class SchemaObject {
  readonly kind = 'object'
  readonly name: string
  readonly #schema: SchemaProps
  readonly #resource: boolean
  readonly #fields = new Map<string, CelType | undefined>()

  constructor(schema: SchemaProps, resource: boolean, name: string) {
    this.#schema = schema
    this.#resource = resource
    this.name = name
  }

  field(name: string): CelType | undefined {
    if (this.#fields.has(name)) return this.#fields.get(name)
    const plain = unescapeField(name)
    const property = isNameOf(name, plain) ? propertyOf(this.#schema, plain, this.#resource) : undefined
    const type = property === undefined ? undefined : child(property, `${this.name}.${name}`)
    // Names that are no fields come from expressions and data: they are not kept.
    if (type !== undefined) this.#fields.set(name, type)
    return type
  }
}

function child(schema: SchemaProps, name: string): CelType | undefined {
  return convert(schema, schema[EMBEDDED] === true, name)
}

function convert(schema: SchemaProps, resource: boolean, name: string): CelType | undefined {
  if (schema[INT_OR_STRING] === true) {
    const { maxLength } = schema
    return { kind: 'dyn', maxLength: maxLength === undefined ? MAX_REQUEST - 2 : Math.max(maxLength, 0) * 4 }
  }
  switch (schema.type) {
    case 'array':
      return schema.items === undefined ? undefined : listType(schema, schema.items, name)
    case 'object': {
      const values = schema.additionalProperties
      if (typeof values !== 'object' || resource) return new SchemaObject(schema, resource, name)
      const value = child(values, `${name}.@elem`)
      if (value === undefined) return undefined
      const maxItems =
        schema.maxProperties === undefined
          ? Math.floor((MAX_REQUEST - 2) / (childSize(values)! + 6))
          : Math.max(schema.maxProperties, 0)
      return { kind: 'map', key: { kind: 'string' }, value, maxItems }
    }
    case 'string':
      return { kind: own(STRING_KINDS, schema.format ?? '') ?? 'string', maxLength: stringLength(schema) }
    case 'boolean':
      return { kind: 'bool' }
    case 'number':
      return { kind: 'double' }
    case 'integer':
      return { kind: 'int' }
    default:
      return undefined
  }
}

function listType(schema: SchemaProps, items: SchemaProps, name: string): CelType | undefined {
  const item = child(items, `${name}.@idx`)
  if (item === undefined) return undefined
  const maxItems =
    schema.maxItems === undefined
      ? Math.floor((MAX_REQUEST - 2) / (childSize(items)! + 1))
      : Math.max(schema.maxItems, 0)
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys']
  if (listType !== 'set' && listType !== 'map' && listType !== 'atomic') return { kind: 'list', item, maxItems }
  return keys === undefined
    ? { kind: 'list', item, maxItems, listType }
    : { kind: 'list', item, maxItems, listType, keys }
}

const roots = new WeakMap<SchemaProps, Map<boolean, CelType | undefined>>()

/**
 * The type of `self` where a schema stands; undefined when rules cannot see such values. The same schema object has the
 * same type.
 *
 * @param resource whether the schema is the root of a custom resource or an embedded one
 */
export function typeOfSchema(schema: SchemaProps, resource = schema[EMBEDDED] === true): CelType | undefined {
  let known = roots.get(schema)
  if (known === undefined) roots.set(schema, (known = new Map()))
  if (!known.has(resource)) known.set(resource, convert(schema, resource, 'selfType'))
  return known.get(resource)
}

/** How many values of a schema a request can hold at most. Infinity for what rules cannot see. */
export function maxCardinality(schema: SchemaProps, resource = schema[EMBEDDED] === true): number {
  const size = minSize(schema, resource)
  return size === undefined ? Number.POSITIVE_INFINITY : Math.floor(MAX_REQUEST / (size + 1))
}
