/** metadata.managedFields through the verbs: who manages which fields after a write. */
import type { Call, ServedResource, Target } from '../contract.ts'
import type { ManagedFieldsEntry, Managers, Schema, Tracking, Typed, Versions } from '../../machinery/apply/index.ts'
import {
  DEDUCED,
  TypedError,
  builtinSchema,
  customSchema,
  encodeManagers,
  managersFor,
  updateManagers,
} from '../../machinery/apply/index.ts'
import { normalize } from '../../machinery/codec/normalize.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/object.ts'
import { parseApiVersion } from '../../machinery/object.ts'
import type { SchemaProps } from '../../machinery/schema/index.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { convert, versionOf } from './convert.ts'
import type { Core } from './core.ts'
import { timestamp } from './core.ts'
import { equalJson } from './json.ts'
import { trackedFilter } from './tracked-fields.ts'

/** The schema by which apply walks the objects of a resource. */
export function schemaOf({ custom, info }: ServedResource): Schema {
  if (custom !== undefined) return custom.schema === undefined ? DEDUCED : customSchema(custom.schema as SchemaProps)
  return info.type === undefined ? DEDUCED : builtinSchema(info.type)
}

/** An object in the version of a resource. */
export function typedOf(resource: ServedResource, object: KubeObject): Typed {
  return { object, schema: schemaOf(resource), apiVersion: versionOf(resource) }
}

const empties = new WeakMap<ServedResource, KubeObject>()

/** The object of a kind that holds nothing, as Go writes it. Shared: it must not change. */
export function emptyOf(resource: ServedResource): KubeObject {
  let empty = empties.get(resource)
  if (empty === undefined) {
    const head = { kind: resource.info.kind, apiVersion: versionOf(resource) }
    const { type } = resource.info
    const object =
      type === undefined || resource.custom !== undefined ? head : normalize(head, typeTable.type(type)).object
    empties.set(resource, (empty = object as unknown as KubeObject))
  }
  return empty
}

/** How objects come into the other served versions of their kind. */
export function versionsOf(core: Core, { info }: ServedResource): Versions {
  return {
    convert({ object }, apiVersion) {
      const gv = parseApiVersion(apiVersion)
      const resource = gv === undefined ? undefined : core.catalog.find(gv.group, gv.version, info.resource)
      return resource === undefined ? undefined : typedOf(resource, convert(object, apiVersion))
    },
  }
}

/** How a call's write is recorded. */
export function trackingOf(core: Core, call: Call, { resource, subresource = '' }: Target): Tracking {
  return {
    manager: call.fieldManager ?? '',
    subresource,
    versions: versionsOf(core, resource),
    ignored: () => trackedFilter(resource, subresource),
    // Upstream keeps no time of updates of a Scale: its managers are those of another kind.
    now: subresource === 'scale' ? undefined : timestamp(core.now()),
  }
}

/** metadata.managedFields: what the object of a write names, and what is stored. */
export interface Named {
  readonly written: readonly unknown[] | undefined
  readonly stored: readonly unknown[] | undefined
}

/**
 * managedFields after a write that is no apply: `object` in the resource's version, after defaults. `old` is undefined
 * for a create. What cannot be walked keeps the managers that are stored.
 */
export function trackWrite(
  core: Core,
  call: Call,
  target: Target,
  object: KubeObject,
  old: KubeObject | undefined,
  named: Named,
): readonly unknown[] | undefined {
  const { resource, subresource = '' } = target
  const { stored } = named
  // Most writes bring what they read.
  const written = equalJson(named.written, stored) ? undefined : named.written
  const managers = managersFor(stored, written, subresource)
  // An object that nobody managed when it was stored stays so until somebody applies to it.
  if (managers.size === 0 && old !== undefined) return undefined
  try {
    const before = typedOf(resource, old ?? emptyOf(resource))
    const after = updateManagers(managers, before, typedOf(resource, object), trackingOf(core, call, target))
    return after === managers && written === undefined ? stored : encodeManagers(after)
  } catch (error) {
    if (error instanceof TypedError) return stored
    throw error
  }
}

/** The managers of an object as it is written; an equal list is the stored one. */
export function managedList(
  managers: Managers,
  stored: readonly unknown[] | undefined,
): readonly unknown[] | undefined {
  const list = encodeManagers(managers)
  return equalJson(list, stored) ? stored : list
}

/** Puts a list into metadata. */
export function setManagers(meta: ObjectMeta, list: readonly unknown[] | undefined): void {
  if (list === undefined) delete meta.managedFields
  else meta.managedFields = list as unknown[]
}

/** Whether two lists differ in nothing but times. */
export function sameManagers(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.length !== b.length) return false
  // A new time may put an entry elsewhere.
  const rest = new Set(b as readonly ManagedFieldsEntry[])
  return (a as readonly ManagedFieldsEntry[]).every((entry) => {
    for (const other of rest) if (sameEntry(entry, other)) return rest.delete(other)
    return false
  })
}

function sameEntry(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    a.subresource === b.subresource &&
    equalJson(a.fieldsV1, b.fieldsV1)
  )
}
