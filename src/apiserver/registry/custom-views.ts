/**
 * Custom resources in the versions of their definition. What is stored is shown by the schema of now: defaults of the
 * version that it is stored in, then the conversion, then pruning by the version that is asked for, as upstream has it.
 *
 * Views are kept as long as their entry and the definition, so that every watcher gets the same one. Where a webhook
 * converts, somebody waits for {@link converted} first; everything else stays synchronous and pays nothing.
 */
import type { ConversionInput, CustomResource, ServedResource } from '../contract.ts'
import { objectOf } from '../contract.ts'
import { decodeJsonBytes } from '../../machinery/codec/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import type { Entry } from '../../store/contract.ts'
import { copyJson } from './json.ts'
import { ordered } from './stored.ts'

const views = new WeakMap<CustomResource, WeakMap<Entry, Entry>>()

function viewsOf(custom: CustomResource): WeakMap<Entry, Entry> {
  let known = views.get(custom)
  if (known === undefined) views.set(custom, (known = new WeakMap<Entry, Entry>()))
  return known
}

/** A view that a webhook must make was asked for before it was waited for. A bug, never an answer. */
class NotConverted extends Error {
  constructor(entry: Entry) {
    super(`${entry.key} at ${entry.revision} has not been converted`)
    this.name = 'NotConverted'
  }
}

const QUOTE = 0x22

/** The version in `"apiVersion":"group/version"` of stored bytes. */
function storedVersion(entry: Entry): string {
  const { bytes } = entry
  const start = bytes.indexOf('"apiVersion":"') + 14
  const slash = bytes.indexOf('/', start)
  return bytes.toString('latin1', slash + 1, bytes.indexOf(QUOTE, start))
}

/** The entry as this version shows it: the entry itself when it is stored so. Webhooks are waited for before. */
export function customView(entry: Entry, served: ServedResource, custom: CustomResource): Entry {
  const version = storedVersion(entry)
  if (version === served.info.version && !custom.mayDiffer(entry.revision)) return entry
  const known = viewsOf(custom)
  let view = known.get(entry)
  if (view === undefined) {
    const source = shaped(entry, custom.family.get(version))
    if (version === served.info.version) view = source
    else if (custom.conversion !== undefined) throw new NotConverted(entry)
    else view = renamed(source, served, custom, custom.family.get(version))
    known.set(entry, view)
  }
  return view
}

/** As {@link customView}, but what would have to be waited for is shown as it is stored. For readers of metadata. */
export function viewAtHand(entry: Entry, served: ServedResource, custom: CustomResource): Entry {
  return needsWebhook(entry, served, custom) ? entry : customView(entry, served, custom)
}

const shapes = new WeakMap<CustomResource, WeakMap<Entry, Entry>>()

/** Pruned and with defaults, as the schema of the version that it is stored in wants it now. */
function shaped(entry: Entry, custom: CustomResource | undefined): Entry {
  if (custom === undefined || !custom.mayDiffer(entry.revision)) return entry
  let known = shapes.get(custom)
  if (known === undefined) shapes.set(custom, (known = new WeakMap<Entry, Entry>()))
  let out = known.get(entry)
  if (out === undefined) {
    const object = decodeJsonBytes(entry.bytes).value as KubeObject
    custom.prune(object)
    custom.defaults(object)
    const bytes = Buffer.from(JSON.stringify(object), 'utf8')
    out = bytes.equals(entry.bytes) ? entry : { ...entry, bytes, object }
    known.set(entry, out)
  }
  return out
}

/** Another apiVersion, and what the schema of that version does not know is gone. */
function renamed(
  source: Entry,
  served: ServedResource,
  custom: CustomResource,
  from: CustomResource | undefined,
): Entry {
  const { info } = served
  const alike = from === undefined || custom.sameSchema(from)
  const before = alike ? objectOf(source) : (decodeJsonBytes(source.bytes).value as KubeObject)
  const object = ordered(before, info.kind, apiVersionOf(info))
  if (!alike) custom.prune(object)
  return { ...source, bytes: Buffer.from(JSON.stringify(object), 'utf8'), object }
}

function needsWebhook(entry: Entry, served: ServedResource, custom: CustomResource): boolean {
  return (
    custom.conversion !== undefined &&
    storedVersion(entry) !== served.info.version &&
    views.get(custom)?.has(entry) !== true
  )
}

/** Conversions under way: who asks for the same one waits with the first. */
const underWay = new WeakMap<CustomResource, WeakMap<Entry, Promise<void>>>()

/** Objects and bytes that go to a webhook at a time: what is parsed in one turn stays small. */
const PIECE = 500
const PIECE_BYTES = 1024 * 1024

/**
 * Resolves when all entries have a view in this version; undefined when they have it already, which is always so without
 * a webhook.
 * @throws StatusError 500 (rejects) when the webhook fails
 */
export function converted(entries: readonly (Entry | undefined)[], served: ServedResource): Promise<void> | undefined {
  const { custom } = served
  if (custom?.conversion === undefined) return undefined
  const missing: Entry[] = []
  for (const entry of entries) if (entry !== undefined && needsWebhook(entry, served, custom)) missing.push(entry)
  return missing.length === 0 ? undefined : convertAll(missing, served, custom)
}

async function convertAll(missing: readonly Entry[], served: ServedResource, custom: CustomResource): Promise<void> {
  let going = underWay.get(custom)
  if (going === undefined) underWay.set(custom, (going = new WeakMap<Entry, Promise<void>>()))
  const waits = new Set<Promise<void>>()
  let piece: Entry[] = []
  let bytes = 0
  const send = async (): Promise<void> => {
    if (piece.length === 0) return
    const own = piece
    piece = []
    bytes = 0
    const done = convertPiece(own, served, custom).finally(() => {
      for (const entry of own) going.delete(entry)
    })
    for (const entry of own) going.set(entry, done)
    await done
  }
  for (const entry of missing) {
    const other = going.get(entry)
    if (other !== undefined) {
      waits.add(other)
      continue
    }
    if (views.get(custom)?.has(entry) === true) continue
    piece.push(entry)
    bytes += entry.bytes.length
    if (piece.length >= PIECE || bytes >= PIECE_BYTES) await send()
  }
  await send()
  await Promise.all(waits)
}

async function convertPiece(entries: readonly Entry[], served: ServedResource, custom: CustomResource): Promise<void> {
  const sources = entries.map((entry) => shaped(entry, custom.family.get(storedVersion(entry))))
  const inputs = sources.map((source): ConversionInput => ({ bytes: source.bytes, object: objectOf(source) }))
  const { info } = served
  const objects = await custom.conversion!.convert(inputs, apiVersionOf(info))
  const known = viewsOf(custom)
  for (const [i, entry] of entries.entries()) {
    const object = ordered(objects[i]!, info.kind, apiVersionOf(info))
    custom.prune(object)
    known.set(entry, { ...entry, bytes: Buffer.from(JSON.stringify(object), 'utf8'), object })
  }
}

/**
 * A finished object in the version that its definition stores. The object itself when it is in that version; metadata
 * may be shared with it. A promise where a webhook converts.
 */
export function storedForm(
  object: KubeObject,
  served: ServedResource,
  custom: CustomResource,
): KubeObject | Promise<KubeObject> {
  const { info } = served
  const { storageVersion, conversion } = custom
  if (storageVersion === info.version) return object
  const storage = custom.family.get(storageVersion)
  const apiVersion = apiVersionOf({ group: info.group, version: storageVersion })
  if (conversion !== undefined) {
    return convertObject(object, custom, apiVersion).then((form) => finished(form, storage))
  }
  const alike = storage === undefined || custom.sameSchema(storage)
  if (alike) return ordered(object, info.kind, apiVersion)
  return finished(ordered(copyJson(object), info.kind, apiVersion), storage)
}

/** What is stored holds nothing that its version does not know, and the defaults that readers would see. */
function finished(form: KubeObject, storage: CustomResource | undefined): KubeObject {
  storage?.prune(form)
  storage?.defaults(form)
  return form
}

/** One object in another version, by webhook. A new object. */
export async function convertObject(
  object: KubeObject,
  custom: CustomResource,
  apiVersion: string,
): Promise<KubeObject> {
  const bytes = Buffer.from(JSON.stringify(object), 'utf8')
  const [out] = await custom.conversion!.convert([{ bytes, object }], apiVersion)
  return ordered(out!, object.kind ?? '', apiVersion)
}
