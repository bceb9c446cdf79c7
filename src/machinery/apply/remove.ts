/** Takes fields out of a value, or all but some. */
import { setOwn } from '../codec/exact.ts'
import type { FieldSet } from './fieldset.ts'
import { isMap } from './gotext.ts'
import type { ListSchema, MapSchema, Schema } from './schema.ts'
import { UNTYPED, elementOf, fieldSchema } from './schema.ts'
import { elementAt, formOf } from './walk.ts'

/** The value without these fields. What held nothing else becomes null, as upstream has it. */
export function removeFields(value: unknown, fields: FieldSet, schema: Schema): unknown {
  return fields.isEmpty ? value : remove(value, fields, schema)
}

/** Only these fields of the value. @throws TypedError when an item of a map list has no key */
export function extractFields(value: unknown, fields: FieldSet, schema: Schema): unknown {
  switch (formOf(schema, value)) {
    case 'map':
      if (schema.map!.atomic) return value
      return isMap(value) && Object.keys(value).length > 0 ? extractMembers(value, fields, schema.map!) : value
    case 'list':
      if (schema.list!.atomic) return value
      return Array.isArray(value) && value.length > 0 ? extractItems(value, fields, schema.list!) : value
    default:
      return value
  }
}

type Members = { readonly [key: string]: unknown }

function remove(value: unknown, fields: FieldSet, schema: Schema): unknown {
  switch (formOf(schema, value)) {
    case 'map':
      return schema.map!.atomic || !isMap(value) ? null : removeMembers(value, fields, schema.map!)
    case 'list':
      return schema.list!.atomic || !Array.isArray(value) ? null : removeItems(value, fields, schema.list!)
    default:
      return value
  }
}

function removeMembers(value: Members, fields: FieldSet, map: MapSchema): Members | null {
  const out: { [key: string]: unknown } = {}
  let left = false
  for (const key of Object.keys(value)) {
    const node = fields.node(elementOf(map, key))
    if (node?.member === true) continue
    const item = value[key]
    setOwn(
      out,
      key,
      node?.children === undefined ? item : remove(item, node.children, fieldSchema(map, key) ?? UNTYPED),
    )
    left = true
  }
  return left ? out : null
}

function removeItems(value: readonly unknown[], fields: FieldSet, list: ListSchema): unknown[] | null {
  const out: unknown[] = []
  for (let i = 0; i < value.length; i++) {
    const node = fields.node(elementAt(list, value, i))
    if (node?.member === true) continue
    out.push(node?.children === undefined ? value[i] : remove(value[i], node.children, list.item))
  }
  return out.length === 0 ? null : out
}

function extractMembers(value: Members, fields: FieldSet, map: MapSchema): Members | null {
  const out: { [key: string]: unknown } = {}
  let left = false
  for (const key of Object.keys(value)) {
    const node = fields.node(elementOf(map, key))
    if (node === undefined) continue
    const below = fieldSchema(map, key) ?? UNTYPED
    // A member that names nothing below itself brings only what is a leaf.
    setOwn(out, key, extractFields(value[key], node.member ? fields : node.children!, below))
    left = true
  }
  return left ? out : null
}

function extractItems(value: readonly unknown[], fields: FieldSet, list: ListSchema): unknown[] | null {
  const out: unknown[] = []
  for (let i = 0; i < value.length; i++) {
    const node = fields.node(elementAt(list, value, i))
    if (node === undefined) continue
    out.push(node.children === undefined ? value[i] : extractFields(value[i], node.children, list.item))
  }
  return out.length === 0 ? null : out
}
