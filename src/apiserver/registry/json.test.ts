import { equalJson } from '../../machinery/equality.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { copyJson } from './json.ts'

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

test('__proto__ is data', () => {
  const hostile = JSON.parse('{"__proto__":{"admin":true},"a":[{"__proto__":1}]}') as object
  const copy = copyJson(hostile)
  assert.equal(JSON.stringify(copy), JSON.stringify(hostile))
  assert.equal(Object.getPrototypeOf(copy), Object.prototype)
  assert.equal(equalJson(hostile, JSON.parse('{"a":[{"__proto__":1}]}')), false)
  assert.equal(equalJson({ a: 1 }, hostile), false)
})
