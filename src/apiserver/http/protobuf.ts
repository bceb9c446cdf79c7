/**
 * Answers in protobuf, for clients that take nothing else: JSON is what is stored, and cheaper here. Kinds of the type
 * table can be told; custom resources cannot, as upstream.
 */
import { encodeBody, encodeMessage } from '../../machinery/codec/protobuf-encode.ts'
import { WireType, WireWriter } from '../../machinery/codec/wire.ts'
import { parseApiVersion } from '../../machinery/object.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { TypeInfo } from '../../machinery/types/table.ts'
import type { ListForm, Piece } from './form.ts'
import { ManyItem } from './many.ts'

interface Typed {
  readonly kind?: string
  readonly apiVersion?: string
}

/** Field of the items in every list. */
const ITEMS = 2
const NOTHING = Buffer.alloc(0)

/** Undefined for kinds that have no message. */
function typeOf({ kind = '', apiVersion = '' }: Typed): TypeInfo | undefined {
  const gv = parseApiVersion(apiVersion === '' ? 'v1' : apiVersion)
  return gv === undefined ? undefined : typeTable.kind(gv.group, gv.version, kind)
}

/** An object in its envelope. @throws Error for a kind without a message */
export function protobufOf(object: Typed): Buffer {
  const type = typeOf(object)
  if (type === undefined) throw new Error(`${object.kind} has no protobuf message`)
  return encodeBody(object as never, type)
}

/** The message of an object without its envelope. @throws Error for a kind without a message */
export function messageOf(of: Typed, object: object): Buffer {
  const type = typeOf(of)
  if (type === undefined) throw new Error(`${of.kind} has no protobuf message`)
  return encodeMessage(object as never, type)
}

/**
 * A list in its envelope. Items are encoded one by one, with an empty piece for each, so that whoever sends them can
 * give way in between; the bytes come when their number is known.
 */
export function* protobufPieces({ head, items }: ListForm): Generator<Piece> {
  const type = typeOf(head)
  const itemType = typeOf({ ...head, kind: ((head as Typed).kind ?? '').replace(/List$/, '') })
  if (type === undefined || itemType === undefined) throw new Error('a list without a protobuf message')
  const encoded: Buffer[] = []
  let size = 0
  const add = (message: Buffer): Buffer => {
    const writer = new WireWriter()
    writer.tag(ITEMS, WireType.bytes)
    writer.data(message)
    const piece = writer.finish()
    encoded.push(piece)
    size += piece.length
    return NOTHING
  }
  for (const item of items) {
    if (item instanceof ManyItem) yield item.render('protobuf').then(add)
    else yield add(encodeMessage(item as never, itemType))
  }
  // The envelope of the list without items says where its message begins: it is put together anew around all of them.
  const message = encodeMessage({ ...head, items: [] } as never, type)
  yield* envelope(head, message, encoded, size)
}

const MAGIC = Buffer.from('k8s\0')

function* envelope(of: Typed, message: Buffer, items: readonly Buffer[], size: number): Generator<Buffer> {
  const meta = new WireWriter()
  for (const [number, text] of [
    [1, of.apiVersion ?? ''],
    [2, of.kind ?? ''],
  ] as const) {
    meta.tag(number, WireType.bytes)
    meta.data(Buffer.from(text))
  }
  const before = new WireWriter()
  before.tag(1, WireType.bytes)
  before.data(meta.finish())
  before.tag(2, WireType.bytes)
  before.varint(BigInt(message.length + size))
  const after = new WireWriter()
  for (const number of [3, 4]) {
    after.tag(number, WireType.bytes)
    after.data(NOTHING)
  }
  yield Buffer.concat([MAGIC, before.finish(), message])
  yield* items
  yield after.finish()
}

/** One event of a watch: its length in four bytes, then a WatchEvent whose object stands in an envelope. */
export function protobufFrame(type: string, object: Typed): Buffer {
  const raw = new WireWriter()
  raw.tag(1, WireType.bytes)
  raw.data(protobufOf(object))
  const event = new WireWriter()
  event.tag(1, WireType.bytes)
  event.data(Buffer.from(type))
  event.tag(2, WireType.bytes)
  event.data(raw.finish())
  const body = event.finish()
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeUInt32BE(body.length)
  body.copy(frame, 4)
  return frame
}
