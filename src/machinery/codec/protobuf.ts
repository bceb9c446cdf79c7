/**
 * Decoding of protobuf request bodies by the type table: the result is what Go's decoding and JSON encoding make of
 * the message, as in normalize.ts. Unknown fields are skipped, as upstream does.
 */
import { typeTable } from '../types/index.ts'
import type { TypeInfo } from '../types/table.ts'
import { DecodeError } from './error.ts'
import { setOwn } from './exact.ts'
import { decodeJsonBytes } from './json.ts'
import { type JsonObject, zeroStruct } from './normalize.ts'
import { type Plan, type Slot, elementPlan } from './plan.ts'
import { normalQuantity } from './scalars.ts'
import { formatMicroTime, formatTime } from './times.ts'
import { WireReader, WireType } from './wire.ts'
import { type WirePlan, wirePlanOf } from './wire-plan.ts'

/** What every protobuf body begins with: `k8s` and a zero byte. */
export const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00])

/** runtime.Unknown. */
export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  /** The message. */
  readonly raw: Buffer
  readonly contentType: string
}

/** Opens the envelope of a body. @throws DecodeError */
export function decodeEnvelope(bytes: Buffer): Envelope {
  if (bytes.length === 0) throw new DecodeError('empty data')
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new DecodeError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  }
  if (bytes.length === MAGIC.length) throw new DecodeError('empty body')
  const out = { apiVersion: '', kind: '', raw: bytes.subarray(0, 0), contentType: '' }
  const reader = new WireReader(bytes, MAGIC.length)
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 0x0a) {
      const outer = reader.enter()
      while (!reader.done) {
        const inner = reader.tag()
        if (inner === 0x0a) out.apiVersion = reader.text()
        else if (inner === 0x12) out.kind = reader.text()
        else reader.skip(inner)
      }
      reader.leave(outer)
    } else if (tag === 0x12) out.raw = reader.data()
    else if (tag === 0x22) out.contentType = reader.text()
    else reader.skip(tag)
  }
  return out
}

/** Decodes one message without envelope. @throws DecodeError */
export function decodeMessage(raw: Buffer, type: TypeInfo): JsonObject {
  return readStruct(new WireReader(raw), wirePlanOf(type))
}

function readStruct(reader: WireReader, wire: WirePlan): JsonObject {
  const { slots } = wire.plan
  const values: unknown[] = Array.from({ length: slots.length })
  readFields(reader, wire, values)
  const out: JsonObject = {}
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    const value = values[i]
    if (value === undefined) {
      if (slot.always) out[slot.name] = slot.zero === undefined ? zeroStruct(elementPlan(slot)) : slot.zero
    } else if (!leftOut(value, slot)) out[slot.name] = value
  }
  return out
}

function leftOut(value: unknown, slot: Slot): boolean {
  if (slot.dropZero) return value === '' || value === 0 || value === false
  return value === null && slot.info.omit === 'zero'
}

function readFields(reader: WireReader, wire: WirePlan, values: unknown[]): void {
  while (!reader.done) {
    const tag = reader.tag()
    const field = wire.fields[tag >>> 3]
    if (field === undefined) {
      reader.skip(tag)
    } else if (field.inline !== undefined) {
      expectType(tag, WireType.bytes, wire.plan)
      const outer = reader.enter()
      readFields(reader, field.inline, values)
      reader.leave(outer)
    } else {
      readField(reader, tag, field.slot, field.index, values)
    }
  }
}

function readField(reader: WireReader, tag: number, slot: Slot, index: number, values: unknown[]): void {
  const { container } = slot.info
  if (container === 'none') {
    values[index] = readValue(reader, tag, slot)
  } else if (container === 'map') {
    expectType(tag, WireType.bytes, slot.owner)
    const map = (values[index] ??= {}) as JsonObject
    readEntry(reader, slot, map)
  } else {
    const list = (values[index] ??= []) as unknown[]
    if (slot.info.wrapped) readWrapped(reader, tag, slot, list)
    else if ((tag & 7) === WireType.bytes && isPackable(slot)) readPacked(reader, slot, list)
    else list.push(readValue(reader, tag, slot))
  }
}

function readEntry(reader: WireReader, slot: Slot, map: JsonObject): void {
  const outer = reader.enter()
  let key = ''
  let value: unknown
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 0x0a) key = reader.text()
    else if (tag >>> 3 !== 2) reader.skip(tag)
    else if (slot.info.wrapped) readWrapped(reader, tag, slot, (value ??= []) as unknown[])
    else value = readValue(reader, tag, slot)
  }
  reader.leave(outer)
  setOwn(map, key, value ?? missingValue(slot))
}

/** A map entry without a value. */
function missingValue(slot: Slot): unknown {
  switch (slot.info.kind) {
    case 'object': {
      const plan = elementPlan(slot)
      return plan.special === undefined ? zeroStruct(plan) : plan.special === 'Quantity' ? '0' : null
    }
    case 'string':
    case 'bytes':
      return ''
    case 'bool':
      return false
    default:
      return 0
  }
}

/** A message that holds nothing but a list, `items`. */
function readWrapped(reader: WireReader, tag: number, slot: Slot, list: unknown[]): void {
  expectType(tag, WireType.bytes, slot.owner)
  const outer = reader.enter()
  while (!reader.done) {
    const inner = reader.tag()
    if (inner >>> 3 === 1) list.push(readValue(reader, inner, slot))
    else reader.skip(inner)
  }
  reader.leave(outer)
}

function isPackable(slot: Slot): boolean {
  const { kind } = slot.info
  return kind !== 'string' && kind !== 'bytes' && kind !== 'object'
}

function readPacked(reader: WireReader, slot: Slot, list: unknown[]): void {
  const outer = reader.enter()
  const tag = slot.info.kind === 'double' ? WireType.fixed64 : WireType.varint
  while (!reader.done) list.push(readValue(reader, tag, slot))
  reader.leave(outer)
}

function readValue(reader: WireReader, tag: number, slot: Slot): unknown {
  const { kind } = slot.info
  switch (kind) {
    case 'string':
      expectType(tag, WireType.bytes, slot.owner)
      return reader.text()
    case 'bool':
      expectType(tag, WireType.varint, slot.owner)
      return reader.bool()
    case 'int32':
      expectType(tag, WireType.varint, slot.owner)
      return reader.int32()
    case 'int64':
      expectType(tag, WireType.varint, slot.owner)
      return reader.int64()
    case 'double':
      expectType(tag, WireType.fixed64, slot.owner)
      return reader.double()
    case 'bytes':
      expectType(tag, WireType.bytes, slot.owner)
      return reader.data().toString('base64')
    default: {
      expectType(tag, WireType.bytes, slot.owner)
      const plan = elementPlan(slot)
      const outer = reader.enter()
      const value = plan.special === undefined ? readStruct(reader, wirePlanOf(plan.info)) : readSpecial(reader, plan)
      reader.leave(outer)
      return value
    }
  }
}

function readSpecial(reader: WireReader, plan: Plan): unknown {
  switch (plan.special) {
    case 'Time':
    case 'MicroTime':
      return readTime(reader, plan.special === 'MicroTime')
    case 'Quantity': {
      const text = readBytesField(reader)?.toString('utf8')
      return text === undefined || text === '' ? '0' : normalQuantity(text)
    }
    case 'IntOrString':
      return readIntOrString(reader)
    case 'Duration':
      throw new DecodeError('proto: metav1.Duration is not part of any served kind')
    case 'JSONSchemaPropsOrBool':
      return readUnion(reader, (schema, flag) => schema ?? flag)
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      return readUnion(reader, (schema, _, list) => (list.length > 0 ? list : (schema ?? null)), plan.special)
    default: {
      const raw = readBytesField(reader)
      return raw === undefined || raw.length === 0 ? null : decodeJsonBytes(raw).value
    }
  }
}

function readTime(reader: WireReader, micro: boolean): string | null {
  if (reader.done) return null
  let seconds = 0
  let nanos = 0
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 0x08) {
      const value = reader.int64()
      seconds = typeof value === 'number' ? value : Number.NaN
    } else if (tag === 0x10) nanos = reader.int32()
    else reader.skip(tag)
  }
  // NaN is outside as well.
  if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS && nanos >= 0 && nanos < 1_000_000_000)) {
    throw new DecodeError('Time.MarshalJSON: year outside of range [0,9999]')
  }
  if (seconds === ZERO_SECONDS && (!micro || nanos === 0)) return null
  return micro ? formatMicroTime({ seconds, nanos }) : formatTime(seconds)
}

/** Years 0 to 9999; year 1 begins Go's time. */
const MIN_SECONDS = -62_167_219_200
const ZERO_SECONDS = -62_135_596_800
const MAX_SECONDS = 253_402_300_799

function readIntOrString(reader: WireReader): number | string {
  let type = 0
  let int = 0
  let text = ''
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 0x08) type = reader.int32()
    else if (tag === 0x10) int = reader.int32()
    else if (tag === 0x1a) text = reader.text()
    else reader.skip(tag)
  }
  return type === 1 ? text : int
}

/** Field 1 of Quantity, RawExtension, FieldsV1 and JSON. */
function readBytesField(reader: WireReader): Buffer | undefined {
  let out: Buffer | undefined
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 0x0a) out = reader.data()
    else reader.skip(tag)
  }
  return out
}

const SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'

/** A schema, or a bool (field 1), or a list (field 2) of schemas or strings; the schema is field 2 beside a bool, else 1. */
function readUnion(
  reader: WireReader,
  choose: (schema: JsonObject | undefined, flag: boolean, list: unknown[]) => unknown,
  special?: 'JSONSchemaPropsOrArray' | 'JSONSchemaPropsOrStringArray',
): unknown {
  const wire = wirePlanOf(typeTable.type(SCHEMA))
  let schema: JsonObject | undefined
  let flag = false
  const list: unknown[] = []
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 0x08 && special === undefined) flag = reader.bool()
    else if (tag === 0x12 && special === 'JSONSchemaPropsOrStringArray') list.push(reader.text())
    else if ((tag === 0x0a && special !== undefined) || tag === 0x12) {
      const outer = reader.enter()
      const value = readStruct(reader, wire)
      reader.leave(outer)
      if (tag === 0x12 && special !== undefined) list.push(value)
      else schema = value
    } else reader.skip(tag)
  }
  return choose(schema, flag, list)
}

function expectType(tag: number, type: number, plan: Plan): void {
  if ((tag & 7) !== type) {
    throw new DecodeError(`proto: wrong wireType = ${tag & 7} for field ${tag >>> 3} of ${plan.goName}`)
  }
}
