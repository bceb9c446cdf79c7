import assert from 'node:assert/strict'
import { test } from 'node:test'
import { close, keysOf } from './wide.ts'

test('an object whose keys are remembered tells them, also those that went, and takes no others', () => {
  const object: Record<string, unknown> = { a: 1, b: 2 }
  assert.deepEqual(keysOf(object), ['a', 'b'])
  const keys = ['a', 'b']
  close(object, keys)
  assert.equal(keysOf(object), keys)
  object['a'] = 3
  delete object['b']
  assert.deepEqual(
    keysOf(object).map((key) => object[key]),
    [3, undefined],
  )
  assert.throws(() => (object['c'] = 1), TypeError)
})
