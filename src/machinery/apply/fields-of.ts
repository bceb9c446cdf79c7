/** The set of fields that a value has: what its applier owns. */
import type { FieldNode } from './fieldset.ts'
import { EMPTY, FieldSet, fromUnsorted } from './fieldset.ts'
import { isMap } from './gotext.ts'
import type { ListSchema, MapSchema, Schema } from './schema.ts'
import { UNTYPED, elementOf } from './schema.ts'
import { elementAt, formOf } from './walk.ts'

/** @throws TypedError when an item of a map list has no key */
export function fieldsOf(value: unknown, schema: Schema): FieldSet {
  return walk(value, schema).children ?? EMPTY
}

type Below = Omit<FieldNode, 'element'>

const LEAF: Below = { member: true, children: undefined }
const NOTHING: Below = { member: false, children: undefined }

function walk(value: unknown, schema: Schema): Below {
  switch (formOf(schema, value)) {
    case 'map':
      if (schema.map!.atomic) return LEAF
      return isMap(value) ? members(value, schema.map!) : NOTHING
    case 'list':
      if (schema.list!.atomic) return LEAF
      return Array.isArray(value) ? items(value, schema.list!) : NOTHING
    default:
      return LEAF
  }
}

function members(value: { readonly [key: string]: unknown }, map: MapSchema): Below {
  const nodes: FieldNode[] = []
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (item === undefined) continue
    const declared = map.field(key)
    const below = walk(item, declared?.schema ?? map.rest ?? UNTYPED)
    const member = below.member || declared === undefined || item === null || isEmptyMap(item)
    if (member || below.children !== undefined) {
      nodes.push({ element: elementOf(map, key), member, children: below.children })
    }
  }
  return { member: false, children: nodes.length === 0 ? undefined : fromUnsorted(nodes) }
}

function isEmptyMap(value: unknown): boolean {
  return isMap(value) && Object.keys(value).length === 0
}

function items(value: readonly unknown[], list: ListSchema): Below {
  const nodes = new Map<string, FieldNode>()
  for (let i = 0; i < value.length; i++) {
    const element = elementAt(list, value, i)
    // Items that cannot be told apart are owned together, as leaves.
    if (nodes.has(element.text)) nodes.set(element.text, { element, member: true, children: undefined })
    else nodes.set(element.text, { element, member: true, children: walk(value[i], list.item).children })
  }
  return { member: false, children: nodes.size === 0 ? undefined : fromUnsorted([...nodes.values()]) }
}

/**
 * The set with every declared field a member that has members below it, so that taking away all that an applier owned
 * takes away the objects that held it.
 */
export function withNamedFields(set: FieldSet, schema: Schema | undefined): FieldSet {
  return new FieldSet(
    set.nodes.map((node) => {
      const { element, children } = node
      if (children === undefined) return node
      let below: Schema | undefined
      let declared = false
      if (element.kind === 'f' && schema?.map !== undefined) {
        const field = schema.map.field(element.name)
        declared = field !== undefined
        below = field?.schema ?? schema.map.rest
      } else if (element.kind === 'k') {
        below = schema?.list?.item
      }
      return { element, member: node.member || declared, children: withNamedFields(children, below) }
    }),
  )
}
