/** OpenAPI schemas of built-in types, from the type table. */
import type { GroupVersionKind } from '../object.ts'
import type { FieldInfo, SpecialType, TypeInfo, TypeTable } from '../types/table.ts'
import { fieldDescription, typeDescription } from './descriptions.ts'

/** An OpenAPI schema object, of version 2 or 3. */
export type Schema = Record<string, unknown>

export interface Dialect {
  /** Where references point: `#/components/schemas/` or `#/definitions/`. */
  readonly prefix: string
  /** OpenAPI 2 knows no oneOf. */
  readonly version: 2 | 3
}

export const V2: Dialect = { prefix: '#/definitions/', version: 2 }
export const V3: Dialect = { prefix: '#/components/schemas/', version: 3 }

function special(type: SpecialType, { version }: Dialect): Schema {
  const either = (...alternatives: Schema[]): Schema => (version === 3 ? { oneOf: alternatives } : {})
  switch (type) {
    case 'Time':
      return { type: 'string', format: 'date-time' }
    case 'MicroTime':
      return { type: 'string', format: 'date-time' }
    case 'Duration':
      return { type: 'string' }
    case 'Quantity':
      return version === 3 ? either({ type: 'string' }, { type: 'number' }) : { type: 'string' }
    case 'IntOrString':
      return version === 3
        ? { format: 'int-or-string', ...either({ type: 'integer' }, { type: 'string' }) }
        : { type: 'string', format: 'int-or-string' }
    case 'RawExtension':
    case 'FieldsV1':
      return { type: 'object' }
    default:
      // Any JSON value.
      return {}
  }
}

const SCALARS: Readonly<Record<Exclude<FieldInfo['kind'], 'object'>, Schema>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
}

function element(field: FieldInfo, dialect: Dialect): Schema {
  if (field.kind === 'object') return { $ref: `${dialect.prefix}${field.type}` }
  const scalar = SCALARS[field.kind]
  return field.enum === undefined ? scalar : { ...scalar, enum: field.enum }
}

function valueOf(field: FieldInfo, dialect: Dialect): Schema {
  const inner = element(field, dialect)
  switch (field.container) {
    case 'list':
      return { type: 'array', items: inner }
    case 'map': {
      const value = field.wrapped ? { type: 'array', items: inner } : inner
      return { type: 'object', additionalProperties: value }
    }
    default:
      return inner
  }
}

function extras(owner: string, field: FieldInfo): Schema {
  const out: Schema = {}
  const description = fieldDescription(owner, field.name)
  if (description !== undefined) out['description'] = description
  const scalar = field.container === 'none' && field.kind !== 'object'
  if (scalar && field.default !== undefined) out['default'] = field.default
  if (scalar && field.format !== undefined) out['format'] = field.format
  for (const name of ['minimum', 'maximum', 'minLength', 'maxLength', 'maxItems'] as const) {
    if (field[name] !== undefined) out[name] = field[name]
  }
  if (field.listType !== undefined) out['x-kubernetes-list-type'] = field.listType
  if (field.listMapKeys !== undefined) out['x-kubernetes-list-map-keys'] = field.listMapKeys
  if (field.mapType !== undefined) out['x-kubernetes-map-type'] = field.mapType
  if (field.patchStrategy !== undefined) out['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',')
  if (field.patchMergeKey !== undefined) out['x-kubernetes-patch-merge-key'] = field.patchMergeKey
  return out
}

function fieldSchema(owner: string, field: FieldInfo, dialect: Dialect): Schema {
  const value = valueOf(field, dialect)
  const more = extras(owner, field)
  if (Object.keys(more).length === 0) return value
  // A reference has no siblings in version 3; version 2's readers take them.
  if ('$ref' in value && dialect.version === 3) return { allOf: [value], ...more }
  return { ...value, ...more }
}

/** The schema of one type. `kinds` are the group version kinds it stands for. */
export function schemaOf(type: TypeInfo, kinds: readonly GroupVersionKind[], dialect: Dialect): Schema {
  const out: Schema = {}
  const description = typeDescription(type.name)
  if (description !== undefined) out['description'] = description
  if (type.special !== undefined) return { ...out, ...special(type.special, dialect) }
  const properties: Schema = {}
  if (kinds.length > 0) {
    for (const name of ['apiVersion', 'kind']) {
      properties[name] = { type: 'string', description: fieldDescription(type.name, name) }
    }
  }
  for (const field of type.fields) properties[field.name] = fieldSchema(type.name, field, dialect)
  const required = type.fields.filter((f) => f.required).map((f) => f.name)
  out['type'] = 'object'
  if (required.length > 0) out['required'] = required
  if (Object.keys(properties).length > 0) out['properties'] = properties
  if (kinds.length > 0) {
    out['x-kubernetes-group-version-kind'] = kinds.map(({ group, version, kind }) => ({ group, version, kind }))
  }
  if (type.atomic) out['x-kubernetes-map-type'] = 'atomic'
  return out
}

/** The schemas of some types and of everything they refer to, by name and sorted. */
export function schemasOf(
  table: TypeTable,
  kinds: ReadonlyMap<string, readonly GroupVersionKind[]>,
  dialect: Dialect,
): Record<string, Schema> {
  const reached = new Set<string>(kinds.keys())
  for (const name of reached) {
    for (const field of table.type(name).fields) if (field.type !== undefined) reached.add(field.type)
  }
  const out: Record<string, Schema> = {}
  for (const name of [...reached].toSorted()) out[name] = schemaOf(table.type(name), kinds.get(name) ?? [], dialect)
  return out
}
