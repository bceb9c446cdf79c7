/**
 * Stored bytes as answers. They begin with `{"kind":K,"apiVersion":V,` (registry/stored.ts), so an answer
 * is a splice, not a parse.
 */
import { apiVersionOf } from '../../machinery/object.ts'
import type { Listed, ServedResource } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Entry } from '../../store/contract.ts'

const heads = new WeakMap<ServedResource, Buffer>()

function headOf(resource: ServedResource): Buffer {
  let head = heads.get(resource)
  if (head === undefined) {
    const { kind } = resource.info
    const apiVersion = apiVersionOf(resource.info)
    head = Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`)
    heads.set(resource, head)
  }
  return head
}

const BRACE = Buffer.from('{')
const COMMA = Buffer.from(',')

/** The pieces of a list answer, in order; joined they are the JSON text. */
export function* listPieces(resource: ServedResource, listed: Listed): Generator<Buffer> {
  const { info, custom } = resource
  const metadata = {
    resourceVersion: listed.resourceVersion,
    ...(listed.continue === undefined ? {} : { continue: listed.continue }),
    ...(listed.remainingItemCount === undefined ? {} : { remainingItemCount: listed.remainingItemCount }),
  }
  const type = `{"kind":${JSON.stringify(info.listKind)},"apiVersion":${JSON.stringify(apiVersionOf(info))}`
  yield Buffer.from(`${type},"metadata":${JSON.stringify(metadata)},"items":[`)
  const head = headOf(resource)
  let first = true
  for (const entry of listed.entries) {
    if (first) first = false
    else yield COMMA
    if (custom !== undefined) {
      yield entry.bytes
    } else if (entry.bytes.length > head.length && entry.bytes.compare(head, 0, head.length, 0, head.length) === 0) {
      yield BRACE
      yield entry.bytes.subarray(head.length)
    } else {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = objectOf(entry)
      yield Buffer.from(JSON.stringify(rest))
    }
  }
  yield Buffer.from(']}\n')
}

const NEWLINE = Buffer.from('\n')

/** One object's answer. */
export function objectBytes(entry: Entry): Buffer {
  return Buffer.concat([entry.bytes, NEWLINE])
}

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

const openings: Readonly<Record<EventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
}
const CLOSING = Buffer.from('}\n')

/**
 * The last lines made, so that the watchers of an event share one buffer. Watchers are called in the
 * same turn, so a few are enough; entries do not hold their lines, or every object would be kept twice.
 */
const RECENT = 64
const recent: { entry: Entry; type: EventType; line: Buffer }[] = []
let at = 0

/** The line of a watch event. The same buffer for all watchers that ask while it is recent. */
export function eventLine(type: EventType, entry: Entry): Buffer {
  for (const known of recent) if (known.entry === entry && known.type === type) return known.line
  const line = Buffer.concat([openings[type], entry.bytes, CLOSING])
  recent[at] = { entry, type, line }
  at = (at + 1) % RECENT
  return line
}

/** The line of an event that is not worth keeping: initial state, tables, metadata. */
export function plainLine(type: string, object: Buffer | string): Buffer {
  return Buffer.concat([
    Buffer.from(`{"type":${JSON.stringify(type)},"object":`),
    typeof object === 'string' ? Buffer.from(object) : object,
    CLOSING,
  ])
}
