import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectMeta } from '../object.ts'
import { validateMetadata, validateMetadataUpdate } from './metadata.ts'

const stored: ObjectMeta = {
  name: 'a',
  namespace: 'n',
  uid: 'u',
  resourceVersion: '5',
  generation: 3,
  creationTimestamp: '2026-01-01T00:00:00Z',
  finalizers: ['x/y'],
}

function texts(meta: ObjectMeta, old: ObjectMeta = stored): string[] {
  return validateMetadataUpdate(meta, old).map((e) => `${e.field}: ${e.message}`)
}

test('an update keeps identity', () => {
  assert.deepEqual(texts(stored), [])
  const other = { ...stored, name: 'b', namespace: 'm', uid: 'v', creationTimestamp: '2026-01-02T00:00:00Z' }
  assert.deepEqual(texts(other), [
    'metadata.name: Invalid value: "b": field is immutable',
    'metadata.namespace: Invalid value: "m": field is immutable',
    'metadata.uid: Invalid value: "v": field is immutable',
    'metadata.creationTimestamp: Invalid value: "2026-01-02T00:00:00Z": field is immutable',
  ])
  assert.deepEqual(texts({ ...stored, resourceVersion: '', generation: 2 }), [
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'metadata.generation: Invalid value: 2: must not be decremented',
  ])
})

test('finalizers may go while an object is being deleted, not come', () => {
  const deleting = { ...stored, deletionTimestamp: '2026-01-02T00:00:00Z' }
  assert.deepEqual(texts({ ...deleting, finalizers: [] }, deleting), [])
  assert.deepEqual(texts({ ...deleting, finalizers: ['x/y', 'b/c', 'a/b'] }, deleting), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/b", "b/c"}',
  ])
})

test('annotations hold at most 256 KiB in all', () => {
  const meta = (size: number): ObjectMeta => ({ name: 'a', annotations: { k: 'v'.repeat(size) } })
  const errors = (size: number): unknown[] => validateMetadata(meta(size), { namespaced: false })
  assert.deepEqual(errors(256 * 1024 - 1), [])
  assert.deepEqual(errors(256 * 1024), [
    {
      type: 'FieldValueTooLong',
      field: 'metadata.annotations',
      message: 'Too long: may not be more than 262144 bytes',
    },
  ])
})

test('the scope decides about the namespace', () => {
  const fields = (meta: ObjectMeta, namespaced: boolean): string[] =>
    validateMetadata(meta, { namespaced }).map((e) => `${e.field}: ${e.message}`)
  assert.deepEqual(fields({ name: 'a', namespace: 'n' }, false), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ])
  assert.deepEqual(fields({ name: 'a' }, true), ['metadata.namespace: Required value'])
})

test('custom resources may have finalizers of any qualified name', () => {
  const meta = { name: 'a', finalizers: ['foo'] }
  assert.equal(validateMetadata(meta, { namespaced: false }).length, 1)
  assert.deepEqual(validateMetadata(meta, { namespaced: false, legacyFinalizers: false }), [])
})
