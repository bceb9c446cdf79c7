import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { equalJson, equalMembers } from './equality.ts'

const key = fc.constantFrom('a', 'b', 'c', 'toString', '__proto__')
/** Small enough that two of them are often the same. */
const small = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, 1, '', 'x'),
    fc.array(tie('value'), { maxLength: 2 }),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 4 })
    .map((pairs) => JSON.parse(`{${pairs.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`) as object),
})) // prettier-ignore
const any = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)

test('equality is that of canonical text', () => {
  const canonical = (value: unknown): unknown =>
    value === null || typeof value !== 'object'
      ? value
      : Array.isArray(value)
        ? ['list', ...value.map(canonical)]
        : [
            'object',
            ...Object.entries(value)
              .map(([k, v]) => [k, canonical(v)])
              .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
          ]
  fc.assert(
    fc.property(any, any, (a, b) => {
      assert.equal(equalJson(a, b), JSON.stringify([canonical(a)]) === JSON.stringify([canonical(b)]))
    }),
  )
})

test('it is what a deep comparison says', () => {
  fc.assert(
    fc.property(small.value, small.value, (a, b) => {
      assert.equal(equalJson(a, b), isDeepStrictEqual(a, b))
      assert.equal(equalJson(a, structuredClone(a)), true)
    }),
    { numRuns: 1000 },
  )
})

test('absent and undefined members are the same; null, empty and missing ones are not', () => {
  assert.equal(equalJson({ a: undefined }, {}), true)
  assert.equal(equalJson({}, { a: undefined }), true)
  assert.equal(equalJson({ a: undefined }, { b: undefined }), true)
  assert.equal(equalJson({ a: 1, b: undefined }, { a: 1, c: 2 }), false)
  assert.equal(equalJson({ a: null }, {}), false)
  assert.equal(equalJson({ a: [] }, {}), false)
  assert.equal(equalJson([], {}), false)
  assert.equal(equalJson([undefined], [null]), false)
})

test('a number that is kept as text is what is written like it, and nothing else', () => {
  const great = '9007199254740993'
  assert.equal(equalJson(JSON.rawJSON(great), JSON.rawJSON(great)), true)
  assert.equal(equalJson([JSON.rawJSON(great)], [JSON.rawJSON('9007199254740995')]), false)
  assert.equal(equalJson({ n: JSON.rawJSON(great) }, { n: Number(great) }), false)
  assert.equal(equalJson(JSON.rawJSON('9007199254740992'), 2 ** 53), true)
  assert.equal(equalJson(2 ** 53, JSON.rawJSON('9007199254740992')), true)
  for (const other of [great, { rawJSON: great }, [great], null, undefined, true]) {
    assert.equal(equalJson(JSON.rawJSON(great), other), false)
    assert.equal(equalJson(other, JSON.rawJSON(great)), false)
  }
})

test('ignored members do not count, also where only one has them', () => {
  const ignored = new Set(['rv'])
  assert.equal(equalMembers({ a: 1, rv: 1 }, { a: 1, rv: 2 }, ignored), true)
  assert.equal(equalMembers({ a: 1, rv: 1 }, { a: 1, b: undefined }, ignored), true)
  assert.equal(equalMembers({ a: 1, rv: 1 }, { a: 2, rv: 1 }, ignored), false)
  assert.equal(equalMembers({ a: 1 }, { a: 1, b: 1, rv: 1 }, ignored), false)
})
