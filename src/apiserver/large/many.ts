/**
 * Objects of many members. Whatever looks at each member of such an object would keep the event loop for long, so it is
 * done on a helper thread; what is left to the loop, texts into objects and objects into texts, is done in steps.
 */
import { formatOf } from '../../machinery/codec/media.ts'
import { parseInSteps, stringifyInSteps } from '../../machinery/codec/json-steps.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Entry } from '../../store/contract.ts'
import { keepDecoded } from '../../store/decoded.ts'
import type { Seat, Target } from '../contract.ts'
import { driveFor } from '../registry/steps.ts'
import type { Place } from './contract.ts'

/** Bytes below which nothing has many members: an empty one takes two and a comma. */
const FROM_BYTES = 16 * 1024
/** Members from which on a text counts: each step of a write takes a microsecond or two a member. */
const FROM_MEMBERS = 4000
const TEXT_SIGNS: readonly string[] = [',', '{', '[']
const SIGNS: readonly number[] = [0x2c, 0x7b, 0x5b]

/** Whether JSON may hold so many members: by the signs that stand before them, which its texts may hold as well. */
export function hasMany(json: Buffer | string): boolean {
  if (json.length < FROM_BYTES) return false
  let count = 0
  // Long texts between the signs are passed at the speed of memory.
  for (const sign of typeof json === 'string' ? TEXT_SIGNS : SIGNS)
    for (let at = find(json, sign, 0); at >= 0; at = find(json, sign, at + 1)) if (++count >= FROM_MEMBERS) return true
  return false
}

const find = (json: Buffer | string, sign: string | number, from: number): number =>
  typeof json === 'string' ? json.indexOf(sign as string, from) : json.indexOf(sign, from)

/**
 * Whether a body is decoded on the thread. YAML makes many of few with anchors; of protobuf nobody can tell.
 * @param mediaType the Content-Type header's value
 */
export function mayHoldMany(bytes: Buffer, mediaType: string): boolean {
  const format = formatOf(mediaType)
  if (format === 'json' || format === undefined) return hasMany(bytes)
  if (bytes.length >= FROM_BYTES) return true
  return format === 'yaml' && bytes.includes('&') && bytes.includes('*')
}

const known = new WeakMap<Entry, boolean>()

/** {@link hasMany} of a stored object. */
export function holdsMany(entry: Entry): boolean {
  if (entry.bytes.length < FROM_BYTES) return false
  let many = known.get(entry)
  if (many === undefined) known.set(entry, (many = hasMany(entry.bytes)))
  return many
}

/** The value of a text that `JSON.stringify` wrote. */
export async function parsed<T>(text: string, seat: Seat | undefined): Promise<T> {
  return (await driveFor(seat, parseInSteps(text))) as T
}

/** Objects that nobody changes, by the entry whose bytes are their text. */
const stored = new WeakMap<object, Entry>()

/** What `JSON.stringify` writes of a value. */
export async function textOf(value: unknown, seat: Seat | undefined): Promise<string> {
  const entry = typeof value === 'object' && value !== null ? stored.get(value) : undefined
  return entry === undefined ? driveFor(seat, stringifyInSteps(value)) : entry.bytes.toString('utf8')
}

/** A deep copy that shares nothing that can change. */
export async function copied<T>(value: T, seat: Seat | undefined): Promise<T> {
  return parsed<T>(await textOf(value, seat), seat)
}

/** Makes sure that an entry's object is decoded. */
export async function loaded(entry: Entry, seat: Seat | undefined): Promise<void> {
  let object = entry.object as KubeObject | undefined
  if (object === undefined) {
    const made = await parsed<KubeObject>(entry.bytes.toString('utf8'), seat)
    object = entry.object as KubeObject | undefined
    if (object === undefined) {
      entry.object = object = made
      keepDecoded(entry)
    }
  }
  stored.set(object, entry)
}

const shaped = new WeakSet<object>()

/** Says that the thread has pruned and defaulted an object: it does not where a subresource has a kind of its own. */
export function noteShaped({ resource, subresource }: Target, object: object): void {
  if (resource.custom !== undefined || subresource === undefined) shaped.add(object)
}

/** Whether an object is pruned and defaulted already; once: others may change it then. */
export function wasShaped(object: object): boolean {
  return shaped.delete(object)
}

/** A target as the thread understands it. */
export function placeOf({ resource, namespace, name, subresource }: Target): Place {
  const { group, version, resource: plural } = resource.info
  return {
    group,
    version,
    resource: plural,
    namespace,
    name,
    ...(subresource !== undefined && { subresource }),
    ...(resource.custom !== undefined && { edition: resource.custom.edition }),
  }
}
