import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rulesFor } from '../index.ts'
import type { Json } from '../json.ts'

const rules = rulesFor('storage.k8s.io', 'StorageClass')

function problems(change: object): string[] {
  const object: Json = { metadata: { name: 'c' }, provisioner: 'example.com/p', ...change }
  rules.defaults!(object, () => '2026-01-01T00:00:00Z')
  return rules.validate!(object).map(({ field, message }) => `${field}: ${message}`)
}

const term = (...values: string[]) => ({ matchLabelExpressions: [{ key: 'zone', values }] })

test('topologies that select the same are told once, whatever their order', () => {
  assert.deepEqual(problems({ allowedTopologies: [term('a', 'b'), term('a')] }), [])
  const duplicate = (i: number) => `allowedTopologies[${i}].matchLabelExpressions: Duplicate value: ""`
  assert.deepEqual(problems({ allowedTopologies: [term('a', 'b'), term('b', 'a'), term('a', 'b')] }), [
    duplicate(1),
    duplicate(2),
  ])
  assert.deepEqual(problems({ allowedTopologies: [{}] }), [duplicate(0)])
})

test('many topologies take no time', () => {
  const many = Array.from({ length: 20_000 }, () => term('a', 'b'))
  const began = performance.now()
  assert.equal(problems({ allowedTopologies: many }).length, many.length - 1)
  assert.ok(performance.now() - began < 2000)
})

test('what a class is made of cannot change', () => {
  const [now, old]: Json[] = [{ parameters: { a: 'c' } }, { parameters: { a: 'b' } }]
  assert.deepEqual(
    rules.validateUpdate!(now, old).map(({ field, message }) => `${field}: ${message}`),
    ['parameters: Invalid value: null: field is immutable'],
  )
})
