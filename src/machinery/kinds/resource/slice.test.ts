import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../json.ts'
import { resourceSliceRules } from './slice.ts'

test('a field that is off counts as a change, and goes', () => {
  const old: Json = { metadata: { name: 's', generation: 1 }, spec: { driver: 'd', devices: [{ name: 'a' }] } }
  const written = (spec: object): Json => {
    const object: Json = { metadata: { ...old.metadata }, spec: { ...old.spec, ...spec } }
    resourceSliceRules.prepareUpdate!(object, old, () => '')
    return object
  }
  // As a real kube-apiserver 1.37 counts.
  assert.deepEqual(written({ skipNodeOperations: ['*'] }), { ...old, metadata: { name: 's', generation: 2 } })
  assert.equal(written({ driver: 'e' }).metadata.generation, 2)
  assert.deepEqual(written({}), old)
})
