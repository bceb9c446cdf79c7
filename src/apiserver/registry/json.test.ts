import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { copyJson, equalJson, equalMembers } from './json.ts'

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)

test('a copy is equal and shares nothing that can change', () => {
  fc.assert(
    fc.property(json, (value) => {
      const copy = copyJson(value)
      assert.deepEqual(copy, value)
      assert.ok(equalJson(copy, value))
      if (value !== null && typeof value === 'object') assert.notEqual(copy, value)
    }),
  )
})

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
    fc.property(json, json, (a, b) => {
      assert.equal(equalJson(a, b), JSON.stringify([canonical(a)]) === JSON.stringify([canonical(b)]))
    }),
  )
})

test('__proto__ is data', () => {
  const hostile = JSON.parse('{"__proto__":{"admin":true},"a":[{"__proto__":1}]}') as object
  const copy = copyJson(hostile)
  assert.equal(JSON.stringify(copy), JSON.stringify(hostile))
  assert.equal(Object.getPrototypeOf(copy), Object.prototype)
  assert.equal(equalJson(hostile, JSON.parse('{"a":[{"__proto__":1}]}')), false)
  assert.equal(equalJson({ a: 1 }, hostile), false)
})

test('absent and undefined members are the same, ignored ones do not count', () => {
  assert.ok(equalJson({ a: 1, b: undefined }, { a: 1 }))
  assert.ok(equalMembers({ a: 1, rv: 1 }, { a: 1, rv: 2 }, new Set(['rv'])))
  assert.ok(!equalMembers({ a: 1, rv: 1 }, { a: 2, rv: 1 }, new Set(['rv'])))
})
