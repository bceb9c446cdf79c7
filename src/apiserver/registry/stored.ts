/**
 * The form of stored bytes: canonical JSON that begins with `{"kind":K,"apiVersion":V,"metadata":{`, so that a list
 * can cut the type off without parsing, and whose metadata.resourceVersion is the revision that wrote it.
 */
import type { Seat, Stored } from '../contract.ts'
import { ownBytes } from '../../store/bytes.ts'
import type { Encoded, Entry, Write } from '../../store/contract.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/object.ts'
import type { SideWrite } from '../admission/contract.ts'
import { managersText } from '../../machinery/apply/index.ts'
import { takeText } from '../../machinery/text.ts'
import { textOf as stepwise } from '../large/many.ts'
import { prefixOf } from './key.ts'

/** The same object with the members in stored order. Shallow. */
export function ordered(object: KubeObject, kind: string, apiVersion: string): KubeObject {
  const out: KubeObject = { kind, apiVersion, metadata: object.metadata }
  for (const key of Object.keys(object)) {
    if (key === 'kind' || key === 'apiVersion' || key === 'metadata') continue
    if (key === '__proto__') {
      Object.defineProperty(out, key, { value: object[key], enumerable: true, configurable: true, writable: true })
    } else {
      out[key] = object[key]
    }
  }
  return out
}

type Texts = Map<string, { readonly of: unknown; readonly text: string }>

/** Texts of members of objects that are about to be written, with the value that each is of. */
const made = new WeakMap<KubeObject, Texts>()

/**
 * The text of an object of many members. Its parts are kept for the write: what a member holds must not change any more.
 */
export async function makeTexts(object: KubeObject, seat: Seat | undefined): Promise<string> {
  let texts = made.get(object)
  if (texts === undefined) made.set(object, (texts = new Map() as Texts))
  const make = async (name: string, of: unknown): Promise<void> => {
    if (typeof of !== 'object' || texts.get(name)?.of === of) return
    const known = name === 'metadata.managedFields' ? managersText(of as unknown[]) : undefined
    texts.set(name, { of, text: known ?? (await stepwise(of, seat)) })
  }
  for (const key of Object.keys(object)) if (key !== 'metadata') await make(key, object[key])
  const metadata = object.metadata as Record<string, unknown>
  for (const key of Object.keys(metadata)) await make(`metadata.${key}`, metadata[key])
  return textOf(object)
}

/** `JSON.stringify` of an object in stored order, whose managed fields have a text already. */
function textOf(object: KubeObject): string {
  const texts = made.get(object)
  if (texts !== undefined) return joined(object, texts)
  const { managedFields } = object.metadata
  const managers = managedFields === undefined ? undefined : managersText(managedFields)
  if (managers === undefined) return JSON.stringify(object)
  const { managedFields: _apart, ...metadata } = object.metadata
  const meta = JSON.stringify(metadata)
  let text = `{"kind":${JSON.stringify(object.kind)},"apiVersion":${JSON.stringify(object.apiVersion)},"metadata":${meta.slice(0, -1)}${meta.length > 2 ? ',' : ''}"managedFields":${managers}}`
  for (const key of Object.keys(object)) {
    if (key === 'kind' || key === 'apiVersion' || key === 'metadata') continue
    const value = takeText(object[key]) ?? JSON.stringify(object[key])
    if (value !== undefined) text += `,${JSON.stringify(key)}:${value}`
  }
  return `${text}}`
}

/** As {@link textOf}, of parts that have texts. */
function joined(object: KubeObject, texts: Texts): string {
  const members = (of: Readonly<Record<string, unknown>>, before: string): string => {
    let out = ''
    for (const key of Object.keys(of)) {
      const known = texts.get(before + key)
      const value =
        key === 'metadata' && before === ''
          ? members(object.metadata as Record<string, unknown>, 'metadata.')
          : known !== undefined && known.of === of[key]
            ? known.text
            : JSON.stringify(of[key])
      if (value !== undefined) out += `${out === '' ? '' : ','}${JSON.stringify(key)}:${value}`
    }
    return `{${out}}`
  }
  return members(object, '')
}

/**
 * An encoder for a write. `object` must be in stored order and nobody else's: the revision is put into it and it is
 * shared from then on.
 */
export function encoder(object: KubeObject): (revision: number) => Encoded {
  return (revision) => {
    object.metadata.resourceVersion = String(revision)
    const bytes = ownBytes(textOf(object))
    made.delete(object)
    return { bytes, object }
  }
}

/** An encoder for the same object at a later revision; `object` is left alone. For deletions. */
export function reencoder(object: KubeObject): (revision: number) => Encoded {
  return (revision) => {
    const again = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    const texts = made.get(object)
    made.delete(object)
    return { bytes: ownBytes(texts === undefined ? textOf(again) : joined(again, texts)), object: again }
  }
}

/** The writes of other objects that go with one. */
export function sideWrites(writes: readonly SideWrite[]): Write[] {
  return writes.map(({ group, resource, object }) => {
    const { namespace = '', name, resourceVersion } = object.metadata
    const key = `${prefixOf(group, resource)}${namespace}/${name}`
    const own = { ...object, metadata: { ...object.metadata } }
    return { type: 'put', key, expect: Number(resourceVersion), encode: encoder(own) }
  })
}

/** An answer that is not in the store: a dry run, a Scale, a view in another version. */
export function synthetic(object: KubeObject, key: string, revision: number, created: number): Stored {
  const bytes = ownBytes(made.has(object) ? textOf(object) : JSON.stringify(object))
  made.delete(object)
  const entry: Entry = { key, bytes, revision, created, object }
  return { entry, object }
}

/** metadata with the members in the order of Kubernetes' own JSON; unknown members do not exist here. */
export function orderedMeta(meta: ObjectMeta): ObjectMeta {
  const out: ObjectMeta = {}
  if (meta.name !== undefined) out.name = meta.name
  if (meta.generateName !== undefined && meta.generateName !== '') out.generateName = meta.generateName
  if (meta.namespace !== undefined && meta.namespace !== '') out.namespace = meta.namespace
  if (meta.uid !== undefined) out.uid = meta.uid
  if (meta.resourceVersion !== undefined) out.resourceVersion = meta.resourceVersion
  if (meta.generation !== undefined) out.generation = meta.generation
  if (meta.creationTimestamp !== undefined) out.creationTimestamp = meta.creationTimestamp
  if (meta.deletionTimestamp !== undefined) out.deletionTimestamp = meta.deletionTimestamp
  if (meta.deletionGracePeriodSeconds !== undefined) out.deletionGracePeriodSeconds = meta.deletionGracePeriodSeconds
  if (meta.labels !== undefined && !isEmpty(meta.labels)) out.labels = meta.labels
  if (meta.annotations !== undefined && !isEmpty(meta.annotations)) out.annotations = meta.annotations
  if (meta.ownerReferences !== undefined && meta.ownerReferences.length > 0) out.ownerReferences = meta.ownerReferences
  if (meta.finalizers !== undefined && meta.finalizers.length > 0) out.finalizers = meta.finalizers
  if (meta.managedFields !== undefined && meta.managedFields.length > 0) out.managedFields = meta.managedFields
  return out
}

function isEmpty(map: object | null): boolean {
  if (map !== null) for (const _ of Object.keys(map)) return false
  return true
}
