/** Fits a set that was recorded under an older schema to the present one. */
import type { FieldNode } from './fieldset.ts'
import { FieldSet } from './fieldset.ts'
import type { Schema } from './schema.ts'
import { formOfSchema } from './walk.ts'

const known = new WeakMap<FieldSet, WeakMap<Schema, FieldSet>>()

/** What was owned part by part and is owned as a whole now becomes one field. Returns the same set if nothing changed. */
export function reconcile(set: FieldSet, schema: Schema): FieldSet {
  let bySchema = known.get(set)
  if (bySchema === undefined) known.set(set, (bySchema = new WeakMap<Schema, FieldSet>()))
  let fitted = bySchema.get(schema)
  if (fitted === undefined) bySchema.set(schema, (fitted = level(set, schema)))
  return fitted
}

function level(set: FieldSet, schema: Schema): FieldSet {
  let changed = false
  const nodes = set.nodes.map((node) => {
    const below = schemaBelow(node, schema)
    const fitted = below === undefined ? node : one(node, below)
    if (fitted !== node) changed = true
    return fitted
  })
  return changed ? new FieldSet(nodes) : set
}

/** The type of what a node stands for; undefined when the schema does not say. */
function schemaBelow({ element }: FieldNode, schema: Schema): Schema | undefined {
  const form = formOfSchema(schema)
  if (form === 'list') return schema.list!.item
  if (form !== 'map') return undefined
  const field = element.kind === 'f' ? schema.map!.field(element.name) : undefined
  return field?.schema ?? schema.map!.rest
}

function one(node: FieldNode, schema: Schema): FieldNode {
  const { children } = node
  if (children === undefined) return node
  const form = formOfSchema(schema)
  if (form === 'scalar' || (form === 'map' && schema.map!.deduced)) return node
  if (form === 'map' ? schema.map!.atomic : schema.list!.atomic) {
    return { element: node.element, member: true, children: undefined }
  }
  const fitted = level(children, schema)
  return fitted === children ? node : { ...node, children: fitted }
}
