import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { entry, same, setEntry, sortedMap } from './json.ts'
import type { Json } from './json.ts'

const value = (): fc.Arbitrary<Json> => fc.jsonValue({ maxDepth: 3 })

test('a value is the same as its copy', () => {
  fc.assert(fc.property(value(), (v) => assert.equal(same(v, structuredClone(v)), true)))
})

test('sameness is symmetric', () => {
  fc.assert(fc.property(value(), value(), (a, b) => assert.equal(same(a, b), same(b, a))))
})

test('an empty field is the same as an absent one, a zero is not', () => {
  for (const empty of [undefined, null, [], {}]) assert.equal(same({ a: 1, b: empty }, { a: 1 }), true)
  for (const zero of [0, false, '']) assert.equal(same({ a: 1, b: zero }, { a: 1 }), false)
  assert.equal(same([], {}), true)
  assert.equal(same([1, 2], [2, 1]), false)
})

test('keys of tenants are data', () => {
  const map: Json = {}
  assert.equal(entry(map, '__proto__'), undefined)
  assert.equal(entry(map, 'constructor'), undefined)
  setEntry(map, '__proto__', 'x')
  assert.equal(entry(map, '__proto__'), 'x')
  assert.equal(Object.getPrototypeOf(map), Object.prototype)
  assert.deepEqual(Object.keys(sortedMap(JSON.parse('{"b":1,"__proto__":2}')) as object), ['__proto__', 'b'])
})
