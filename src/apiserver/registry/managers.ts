/** metadata.managedFields through the verbs: who manages which fields after a write. */
import type { Call, Seat, ServedResource, Target } from '../contract.ts'
import type { ManagedFieldsEntry, Managers, Schema, Tracking, Typed, Versions } from '../../machinery/apply/index.ts'
import {
  DEDUCED,
  TypedError,
  builtinSchema,
  createdManagers,
  customSchema,
  encodeManagers,
  managersFor,
  rememberText,
  updateManagers,
} from '../../machinery/apply/index.ts'
import { type Emptied, normalize, resetsManagers, withEmptied } from '../../machinery/codec/normalize.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/object.ts'
import { parseApiVersion } from '../../machinery/object.ts'
import type { SchemaProps, Steps } from '../../machinery/schema/index.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { equalJson } from '../../machinery/equality.ts'
import { convert, versionOf } from './convert.ts'
import { convertObject } from './custom-views.ts'
import { parsed, placeOf, textOf } from '../large/many.ts'
import { onThread } from '../large/thread.ts'
import type { Versioned } from './core.ts'
import { timestamp } from './core.ts'
import { equalInSteps } from './json.ts'
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

/** An object that a webhook must convert before the work can go on. */
class Unconverted extends Error {
  readonly object: KubeObject
  readonly apiVersion: string
  readonly key: string

  constructor(object: KubeObject, apiVersion: string, key: string) {
    super(`not yet in ${apiVersion}`)
    this.object = object
    this.apiVersion = apiVersion
    this.key = key
  }
}

/** How often a webhook is asked for the managers of one write: each version for a few states of the object. */
const MAX_CONVERSIONS = 64

/**
 * Runs `work`, which may want to see objects in the other served versions of their kind. Where a webhook converts, it
 * runs again, as often as something is missing: it must be pure. A promise only then.
 * @throws StatusError 500 when the webhook fails
 */
export function inVersions<T>(
  core: Versioned,
  resource: ServedResource,
  work: (versions: Versions) => T,
): T | Promise<T> {
  const { info, custom } = resource
  const find = (apiVersion: string): ServedResource | undefined => {
    const gv = parseApiVersion(apiVersion)
    return gv === undefined ? undefined : core.catalog.find(gv.group, gv.version, info.resource)
  }
  if (custom?.conversion === undefined) {
    return work({
      convert({ object }, apiVersion) {
        const to = find(apiVersion)
        return to === undefined ? undefined : typedOf(to, convert(object, apiVersion))
      },
    })
  }
  const made = new Map<string, KubeObject>()
  const versions: Versions = {
    convert({ object }, apiVersion) {
      const to = find(apiVersion)
      if (to === undefined) return undefined
      // What holds nothing is converted by nobody: a webhook expects whole objects.
      const bare = Object.keys(object).every((name) => name === 'apiVersion' || name === 'kind')
      if (bare || object.apiVersion === apiVersion) return typedOf(to, convert(object, apiVersion))
      const key = `${apiVersion} ${JSON.stringify(object)}`
      const known = made.get(key)
      if (known === undefined) throw new Unconverted(object, apiVersion, key)
      return typedOf(to, known)
    },
  }
  const attempt = (left: number): T | Promise<T> => {
    try {
      return work(versions)
    } catch (error) {
      if (!(error instanceof Unconverted) || left === 0) throw error
      return convertObject(error.object, custom, error.apiVersion).then((object) => {
        custom.family.get(parseApiVersion(error.apiVersion)?.version ?? '')?.prune(object)
        made.set(error.key, object)
        return attempt(left - 1)
      })
    }
  }
  return attempt(MAX_CONVERSIONS)
}

/** How a call's write is recorded. */
export function trackingOf(
  core: Versioned,
  call: Call,
  { resource, subresource = '' }: Target,
  versions: Versions,
): Tracking {
  return {
    manager: call.fieldManager ?? '',
    subresource,
    versions,
    ignored: () => trackedFilter(resource, subresource),
    // Upstream keeps no time of updates of a Scale: its managers are those of another kind.
    now: subresource === 'scale' ? undefined : timestamp(core.now()),
  }
}

/** metadata.managedFields: what the object of a write names, and what is stored. */
export interface Named {
  readonly written: readonly unknown[] | undefined
  readonly stored: readonly unknown[] | undefined
  /** What was empty in the object as it came. */
  readonly emptied?: readonly Emptied[] | undefined
}

/**
 * managedFields after a write that is no apply: `object` in the resource's version, after defaults. `old` is undefined
 * for a create. What cannot be walked keeps the managers that are stored.
 */
export function trackWrite(
  core: Versioned,
  call: Call,
  target: Target,
  object: KubeObject,
  old: KubeObject | undefined,
  named: Named,
): readonly unknown[] | undefined | Promise<readonly unknown[] | undefined> {
  const { resource, subresource = '' } = target
  // A webhook that converts is asked from here.
  if (call.many === true && resource.custom?.conversion === undefined)
    return trackMany(core, call, target, object, old, named)
  const { stored } = named
  const sent = resetsManagers(named.emptied) ? [] : named.written
  // Most writes bring what they read.
  const written = equalJson(sent, stored) ? undefined : sent
  const managers = managersFor(stored, written, subresource)
  // An object that nobody managed when it was stored stays so until somebody applies to it.
  if (managers.size === 0 && old !== undefined) return undefined
  const now = typedOf(resource, withEmptied(object, named.emptied, 'written'))
  return inVersions(core, resource, (versions) => {
    try {
      const tracking = trackingOf(core, call, target, versions)
      if (old === undefined && managers.size === 0)
        return createdManagers(typedOf(resource, emptyOf(resource)), now, tracking)
      const before = typedOf(resource, old ?? emptyOf(resource))
      const after = updateManagers(managers, before, now, tracking)
      return after === managers && written === undefined ? stored : encodeManagers(after)
    } catch (error) {
      if (error instanceof TypedError) return stored
      throw error
    }
  })
}

/** As {@link trackWrite}, on the helper thread. */
async function trackMany(
  core: Versioned,
  call: Call,
  target: Target,
  object: KubeObject,
  old: KubeObject | undefined,
  { written, stored, emptied }: Named,
): Promise<readonly unknown[] | undefined> {
  const text = (value: unknown): string | undefined | Promise<string> =>
    value === undefined ? value : textOf(value, call.seat)
  const before = await text(stored)
  const list = await onThread(call.seat, 'track', {
    place: placeOf(target),
    manager: call.fieldManager ?? '',
    now: core.now(),
    text: await textOf(object, call.seat),
    old: await text(old),
    written: await text(written),
    stored: before,
    emptied,
  })
  return list === undefined ? undefined : list === before ? stored : managersOfText(list, call.seat)
}

/** A list that the helper thread made. */
export async function managersOfText(text: string, seat: Seat | undefined): Promise<readonly unknown[]> {
  const list = await parsed<unknown[]>(text, seat)
  rememberText(list, text)
  return list
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
export function* sameManagers(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): Steps<boolean> {
  if (a === b) return true
  if (a === undefined || b === undefined || a.length !== b.length) return false
  // A new time may put an entry elsewhere.
  const rest = new Set(b as readonly ManagedFieldsEntry[])
  for (const entry of a as readonly ManagedFieldsEntry[]) {
    let same: ManagedFieldsEntry | undefined
    for (const other of rest) {
      if (!(yield* sameEntry(entry, other))) continue
      same = other
      break
    }
    if (same === undefined) return false
    rest.delete(same)
  }
  return true
}

function* sameEntry(a: ManagedFieldsEntry, b: ManagedFieldsEntry): Steps<boolean> {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    a.subresource === b.subresource &&
    (yield* equalInSteps({ fields: a.fieldsV1 }, { fields: b.fieldsV1 }))
  )
}
