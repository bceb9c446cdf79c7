/** The managers of a new object. Most new objects are like others before them, and so are their managers. */
import type { FieldSet } from './fieldset.ts'
import type { FieldFilter } from './filter.ts'
import type { ManagedFieldsEntry, ManagerName } from './managed.ts'
import { encodeManagers, managerId, NO_MANAGERS } from './managed.ts'
import { tracked } from './ownership.ts'
import type { Schema } from './schema.ts'
import type { Shape } from './shape.ts'
import { hasShape, shapeOf } from './shape.ts'
import type { Tracking } from './update.ts'
import { nameOf, stripped } from './update.ts'
import type { Typed } from './versions.ts'

interface Known {
  readonly shape: Shape
  readonly filter: FieldFilter | undefined
  readonly fields: FieldSet
  /** The list that was made last of these fields. */
  last: { readonly name: ManagerName; readonly time: string | undefined; readonly list: Managed } | undefined
}

type Managed = readonly ManagedFieldsEntry[] | undefined

/** By schema, the one used last first. */
const known = new WeakMap<Schema, Known[]>()
const MAX_KNOWN = 8

/**
 * metadata.managedFields of a creation; `empty` is the object of the kind that holds nothing.
 * @throws TypedError when the object does not fit its schema
 */
export function createdManagers(empty: Typed, now: Typed, tracking: Tracking): Managed {
  const filter = tracking.ignored(now.apiVersion)
  const found = knownOf(now, filter)
  if (found !== undefined) return remembered(found, now, tracking)
  const fields = fieldsOf(empty, now, tracking)
  const shape = shapeOf(empty.object, now.object, now.schema)
  if (shape === undefined) return listOf(fields, now, tracking)
  const made: Known = { shape, filter, fields, last: undefined }
  const list = known.get(now.schema)
  if (list === undefined) known.set(now.schema, [made])
  else {
    list.unshift(made)
    if (list.length > MAX_KNOWN) list.pop()
  }
  return remembered(made, now, tracking)
}

function knownOf({ object, schema }: Typed, filter: FieldFilter | undefined): Known | undefined {
  const list = known.get(schema)
  if (list === undefined) return undefined
  for (let i = 0; i < list.length; i++) {
    const one = list[i]!
    if (one.filter !== filter || !hasShape(one.shape, object)) continue
    if (i > 0) {
      list.splice(i, 1)
      list.unshift(one)
    }
    return one
  }
  return undefined
}

function fieldsOf(empty: Typed, now: Typed, tracking: Tracking): FieldSet {
  const { modified, added } = tracked(empty, now, tracking.ignored)
  const filter = tracking.ignored(now.apiVersion)
  const fields = modified.union(added)
  return stripped(filter === undefined ? fields : filter(fields))
}

function remembered(one: Known, now: Typed, tracking: Tracking): Managed {
  const name = nameOf(tracking, 'Update', now.apiVersion)
  const { last } = one
  if (
    last !== undefined &&
    last.time === tracking.now &&
    last.name.manager === name.manager &&
    last.name.apiVersion === name.apiVersion &&
    last.name.subresource === name.subresource
  ) {
    return last.list
  }
  const list = listOf(one.fields, now, tracking)
  one.last = { name, time: tracking.now, list }
  return list
}

function listOf(fields: FieldSet, now: Typed, tracking: Tracking): Managed {
  if (fields.isEmpty) return encodeManagers(NO_MANAGERS)
  const name = nameOf(tracking, 'Update', now.apiVersion)
  return encodeManagers(new Map([[managerId(name), { ...name, fields, time: tracking.now }]]))
}
