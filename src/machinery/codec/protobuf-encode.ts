/**
 * Encoding to protobuf by the type table, byte for byte as upstream's generated code does: fields by number, map keys
 * sorted, every field that is no pointer written even when it is zero. The server answers JSON; this is for clients
 * that are to be tested with protobuf bodies.
 */
import type { TypeInfo } from '../types/table.ts'
import { typeTable } from '../types/index.ts'
import { jsonTypeOf } from './json.ts'
import type { JsonObject } from './normalize.ts'
import { type Plan, type Slot, elementPlan } from './plan.ts'
import { MAGIC } from './protobuf.ts'
import { parseMoment } from './times.ts'
import { WireType, WireWriter } from './wire.ts'
import { type WirePlan, wirePlanOf } from './wire-plan.ts'

/** A request body: envelope and message of a normalised object. */
export function encodeBody(object: JsonObject, type: TypeInfo): Buffer {
  const meta = new WireWriter()
  writeText(meta, 1, textOf(object['apiVersion']))
  writeText(meta, 2, textOf(object['kind']))
  const out = new WireWriter()
  writeData(out, 1, meta.finish())
  writeData(out, 2, encodeMessage(object, type))
  writeText(out, 3, '')
  writeText(out, 4, '')
  return Buffer.concat([MAGIC, out.finish()])
}

/** The message of a normalised object, without envelope. */
export function encodeMessage(object: JsonObject, type: TypeInfo): Buffer {
  return writeStruct(object, wirePlanOf(type))
}

function writeStruct(object: JsonObject, wire: WirePlan): Buffer {
  const out = new WireWriter()
  for (let number = 0; number < wire.fields.length; number++) {
    const field = wire.fields[number]
    if (field === undefined) continue
    if (field.inline !== undefined) writeData(out, number, writeStruct(object, field.inline))
    else writeField(out, number, object[field.slot.name], field.slot)
  }
  return out.finish()
}

function writeField(out: WireWriter, number: number, value: unknown, slot: Slot): void {
  const { container, wrapped, kind } = slot.info
  if (container === 'map') {
    if (value === undefined || value === null) return
    for (const key of Object.keys(value).sort()) writeEntry(out, number, key, (value as JsonObject)[key], slot)
  } else if (container === 'list') {
    if (!Array.isArray(value)) return
    if (wrapped) writeData(out, number, writeItems(value, slot))
    else for (const item of value) writeValue(out, number, item, slot)
  } else if (value !== undefined && value !== null) {
    writeValue(out, number, value, slot)
  } else if (!slot.info.pointer && kind !== 'bytes') {
    writeValue(out, number, value, slot)
  }
}

function writeEntry(out: WireWriter, number: number, key: string, value: unknown, slot: Slot): void {
  const entry = new WireWriter()
  writeText(entry, 1, key)
  if (slot.info.wrapped) writeData(entry, 2, writeItems(Array.isArray(value) ? value : [], slot))
  else writeValue(entry, 2, value, slot)
  writeData(out, number, entry.finish())
}

function writeItems(items: readonly unknown[], slot: Slot): Buffer {
  const list = new WireWriter()
  for (const item of items) writeValue(list, 1, item, slot)
  return list.finish()
}

/** A value; what is absent is zero. */
function writeValue(out: WireWriter, number: number, value: unknown, slot: Slot): void {
  switch (slot.info.kind) {
    case 'string':
      writeText(out, number, textOf(value))
      return
    case 'bytes':
      writeData(out, number, Buffer.from(textOf(value), 'base64'))
      return
    case 'bool':
      writeVarint(out, number, value === true ? 1n : 0n)
      return
    case 'int32':
    case 'int64':
      writeVarint(out, number, integerOf(value))
      return
    case 'double':
      out.tag(number, WireType.fixed64)
      out.double(typeof value === 'number' ? value : Number(integerOf(value)))
      return
    default:
      writeData(out, number, writeObject(value, elementPlan(slot)))
  }
}

function writeObject(value: unknown, plan: Plan): Buffer {
  if (plan.special === undefined) return writeStruct((value ?? {}) as JsonObject, wirePlanOf(plan.info))
  const out = new WireWriter()
  switch (plan.special) {
    case 'Time':
    case 'MicroTime':
      if (typeof value !== 'string') break
      writeTime(out, value, plan.special === 'MicroTime')
      break
    case 'Quantity':
      writeText(out, 1, typeof value === 'string' ? value : '0')
      break
    case 'IntOrString':
      writeVarint(out, 1, typeof value === 'string' ? 1n : 0n)
      writeVarint(out, 2, typeof value === 'number' ? BigInt(value) : 0n)
      writeText(out, 3, textOf(value))
      break
    case 'JSONSchemaPropsOrBool':
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      writeUnion(out, value, plan)
      break
    default:
      if (value !== undefined && value !== null) writeText(out, 1, JSON.stringify(value))
  }
  return out.finish()
}

function writeTime(out: WireWriter, text: string, micro: boolean): void {
  const { seconds, nanos } = parseMoment(text)
  writeVarint(out, 1, BigInt(seconds))
  writeVarint(out, 2, micro ? BigInt(nanos) : 0n)
}

const SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'

function writeUnion(out: WireWriter, value: unknown, plan: Plan): void {
  const schema = (item: unknown): Buffer => writeStruct(item as JsonObject, wirePlanOf(typeTable.type(SCHEMA)))
  if (plan.special === 'JSONSchemaPropsOrBool') {
    writeVarint(out, 1, value === false ? 0n : 1n)
    if (jsonTypeOf(value) === 'object') writeData(out, 2, schema(value))
  } else if (Array.isArray(value)) {
    for (const item of value) writeData(out, 2, typeof item === 'string' ? Buffer.from(item) : schema(item))
  } else if (jsonTypeOf(value) === 'object') writeData(out, 1, schema(value))
}

function writeVarint(out: WireWriter, number: number, value: bigint): void {
  out.tag(number, WireType.varint)
  out.varint(value)
}

function writeText(out: WireWriter, number: number, text: string): void {
  writeData(out, number, Buffer.from(text, 'utf8'))
}

function writeData(out: WireWriter, number: number, bytes: Buffer): void {
  out.tag(number, WireType.bytes)
  out.data(bytes)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function integerOf(value: unknown): bigint {
  if (value === undefined || value === null) return 0n
  return BigInt(JSON.stringify(value))
}
