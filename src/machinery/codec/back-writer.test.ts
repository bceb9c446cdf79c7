import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BackWriter } from './back-writer.ts'
import { WireType, WireWriter } from './wire.ts'

type Field = number | string | { readonly double: number } | readonly Field[]

const flat: fc.Arbitrary<Field> = fc.oneof(
  fc.maxSafeInteger(),
  fc.string({ maxLength: 200 }),
  fc.record({ double: fc.double({ noNaN: true }) }),
)
const nested = (inner: fc.Arbitrary<Field>): fc.Arbitrary<Field> => fc.oneof(flat, fc.array(inner, { maxLength: 4 }))
const field = nested(nested(nested(flat)))

function forwards(fields: readonly Field[]): Buffer {
  const writer = new WireWriter()
  for (const [i, value] of fields.entries()) {
    if (typeof value === 'number') {
      writer.tag(i + 1, WireType.varint)
      writer.varint(BigInt(value))
    } else if (typeof value === 'object' && 'double' in value) {
      writer.tag(i + 1, WireType.fixed64)
      writer.double(value.double)
    } else {
      writer.tag(i + 1, WireType.bytes)
      writer.data(typeof value === 'string' ? Buffer.from(value) : forwards(value))
    }
  }
  return writer.finish()
}

function backwards(writer: BackWriter, fields: readonly Field[]): void {
  for (const [i, value] of [...fields.entries()].toReversed()) {
    if (typeof value === 'number') {
      writer.varint(value)
      writer.tag(i + 1, WireType.varint)
    } else if (typeof value === 'string') {
      writer.text(value)
      writer.tag(i + 1, WireType.bytes)
    } else if ('double' in value) {
      writer.double(value.double)
      writer.tag(i + 1, WireType.fixed64)
    } else {
      const before = writer.size
      backwards(writer, value)
      writer.message(i + 1, before)
    }
  }
}

test('backwards gives what forwards gives', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
      const writer = new BackWriter()
      backwards(writer, fields)
      assert.ok(writer.finish().equals(forwards(fields)))
    }),
  )
  const long = Array.from({ length: 40 }, (_, i) => 'x'.repeat(i * 1000))
  const writer = new BackWriter()
  backwards(writer, long)
  assert.ok(writer.finish().equals(forwards(long)))
})
