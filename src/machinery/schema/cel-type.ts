/** What rules see of a schema: its type in expressions. */
import type { CelType } from '../cel/contract.ts'
import { escapeField } from '../cel/escape.ts'
import type { SchemaProps } from './props.ts'

const STRING: CelType = { kind: 'string' }
const DYN: CelType = { kind: 'dyn' }
const FORMATS: Readonly<Record<string, CelType>> = {
  byte: { kind: 'bytes' },
  duration: { kind: 'duration' },
  date: { kind: 'timestamp' },
  'date-time': { kind: 'timestamp' },
}

const METADATA: SchemaProps = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
}

/** What every resource has, whether its schema says so or not. */
const OF_ALL: Readonly<Record<string, SchemaProps>> = {
  kind: { type: 'string' },
  apiVersion: { type: 'string' },
  metadata: METADATA,
}

function saysAll({ properties = {} }: SchemaProps): boolean {
  const own = (name: string): SchemaProps | undefined =>
    Object.hasOwn(properties, name) ? properties[name] : undefined
  const inner = own('metadata')
  return (
    own('kind')?.type === 'string' &&
    own('apiVersion')?.type === 'string' &&
    inner?.type === 'object' &&
    inner.properties?.['name']?.type === 'string' &&
    inner.properties['generateName']?.type === 'string'
  )
}

/** The type; undefined for data that rules cannot see. @param root a resource, also one inside another */
export function typeOfSchema(schema: SchemaProps, root: boolean): CelType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return DYN
  switch (schema.type) {
    case 'array':
      return listType(schema)
    case 'object': {
      const { additionalProperties } = schema
      if (typeof additionalProperties !== 'object') return objectType(schema, root)
      const value = typeOfSchema(additionalProperties, isEmbedded(additionalProperties))
      const { maxProperties } = schema
      if (value === undefined) return undefined
      return { kind: 'map', key: STRING, value, ...(maxProperties === undefined ? {} : { maxItems: maxProperties }) }
    }
    case 'string':
      return FORMATS[schema.format ?? ''] ?? STRING
    case 'boolean':
      return { kind: 'bool' }
    case 'integer':
      return { kind: 'int' }
    case 'number':
      return { kind: 'double' }
    default:
      return undefined
  }
}

const isEmbedded = (schema: SchemaProps): boolean => schema['x-kubernetes-embedded-resource'] === true

function listType(schema: SchemaProps): CelType | undefined {
  const item = schema.items === undefined ? undefined : typeOfSchema(schema.items, isEmbedded(schema.items))
  if (item === undefined) return undefined
  const listType = schema['x-kubernetes-list-type'] as 'atomic' | 'set' | 'map' | undefined
  const keys = schema['x-kubernetes-list-map-keys']
  return {
    kind: 'list',
    item,
    ...(listType === undefined ? {} : { listType }),
    ...(keys === undefined ? {} : { keys }),
    ...(schema.maxItems === undefined ? {} : { maxItems: schema.maxItems }),
  }
}

function objectType(schema: SchemaProps, root: boolean): CelType {
  const properties = root && !saysAll(schema) ? { ...schema.properties, ...OF_ALL } : (schema.properties ?? {})
  const names = new Map<string, string>()
  for (const name of Object.keys(properties)) {
    const escaped = escapeField(name)
    if (escaped !== undefined) names.set(escaped, name)
  }
  const known = new Map<string, CelType | undefined>()
  return {
    kind: 'object',
    name: 'object',
    field(escaped) {
      if (known.has(escaped)) return known.get(escaped)
      const name = names.get(escaped)
      const inner = name === undefined ? undefined : properties[name]
      const type = inner === undefined ? undefined : typeOfSchema(inner, isEmbedded(inner))
      known.set(escaped, type)
      return type
    },
  }
}
