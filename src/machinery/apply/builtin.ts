/** Schemas of built-in types, from the type table. */
import { typeTable } from '../types/index.ts'
import type { FieldInfo, TypeInfo } from '../types/table.ts'
import { fieldElement } from './element.ts'
import type { FieldSchema, ListSchema, MapSchema, Schema } from './schema.ts'
import { ANY_SCALAR, BOOLEAN, DEDUCED, NUMERIC, STRING, UNTYPED, mapSchema, structSchema } from './schema.ts'

const schemas = new Map<string, Schema>()

/** The schema of a type of the table: `io.k8s.api.core.v1.Pod`. */
export function builtinSchema(typeName: string): Schema {
  let schema = schemas.get(typeName)
  if (schema === undefined) schemas.set(typeName, (schema = build(typeTable.type(typeName))))
  return schema
}

const FREE_LIST: ListSchema = { atomic: true, item: UNTYPED, keys: [] }

function build(type: TypeInfo): Schema {
  switch (type.special) {
    case undefined:
      return { map: struct(type) }
    case 'Duration':
      return STRING
    case 'RawExtension':
      return UNTYPED
    case 'FieldsV1':
      return { map: mapSchema(DEDUCED) }
    case 'Time':
    case 'MicroTime':
    case 'Quantity':
    case 'IntOrString':
      return ANY_SCALAR
    default:
      return { scalar: 'untyped', list: FREE_LIST, map: mapSchema(DEDUCED) }
  }
}

function struct(type: TypeInfo): MapSchema {
  // An object of which nothing is declared may hold anything.
  if (type.fields.length === 0) return mapSchema(DEDUCED, type.atomic)
  const lookup = (name: string): FieldSchema | undefined => {
    const info = type.byName.get(name)
    if (info === undefined) return undefined
    const standard = defaultOf(info)
    const field = { schema: schemaOf(info), element: fieldElement(name) }
    return standard === undefined ? field : { ...field, default: standard }
  }
  return structSchema(lookup, { atomic: type.atomic })
}

/** A marker's default, or the zero value of what Go always writes. */
function defaultOf(info: FieldInfo): unknown {
  if (info.default !== undefined) return info.default
  if (info.container !== 'none' || info.pointer || info.omit !== 'never') return undefined
  if (info.kind === 'string') return ''
  if (info.kind === 'bool') return false
  return info.kind === 'object' || info.kind === 'bytes' ? undefined : 0
}

function schemaOf(info: FieldInfo): Schema {
  if (info.container === 'list') return { list: listOf(info) }
  if (info.container === 'map') {
    const item: Schema = info.wrapped ? { list: { atomic: true, item: single(info), keys: [] } } : single(info)
    return { map: mapSchema(item, info.mapType === 'atomic') }
  }
  const schema = single(info)
  if (info.mapType === undefined || schema.map === undefined) return schema
  const { map } = schema
  return { map: { ...map, atomic: info.mapType === 'atomic', field: (name) => map.field(name) } }
}

function listOf(info: FieldInfo): ListSchema {
  const item = single(info)
  if (info.listType !== undefined) {
    const keys = info.listType === 'map' ? (info.listMapKeys ?? []) : []
    return { atomic: info.listType === 'atomic', item, keys }
  }
  if (info.patchStrategy?.includes('merge') !== true) return { atomic: true, item, keys: [] }
  return { atomic: false, item, keys: info.patchMergeKey === undefined ? [] : [info.patchMergeKey] }
}

function single(info: FieldInfo): Schema {
  switch (info.kind) {
    case 'object':
      return builtinSchema(info.type!)
    case 'bool':
      return BOOLEAN
    case 'string':
    case 'bytes':
      return STRING
    default:
      return NUMERIC
  }
}
