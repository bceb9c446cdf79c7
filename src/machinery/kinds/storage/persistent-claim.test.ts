import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../json.ts'
import { persistentVolumeClaimRules } from './persistent-claim.ts'

const from = (apiGroup: string): Json => ({
  metadata: { name: 'c' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    dataSource: { apiGroup, kind: 'VolumeSnapshot', name: 's' },
  },
})
const wrong = (claim: Json, old?: Json): string[] =>
  persistentVolumeClaimRules.validate!(claim, old).map(({ field }) => field)

test('the API group of a source is checked until one was named', () => {
  const none = from('')
  delete none.spec.dataSource
  assert.deepEqual(wrong(from('Not a Name!')), ['spec.dataSource.apiGroup'])
  assert.deepEqual(wrong(from('Not a Name!'), none), ['spec.dataSource.apiGroup'])
  // As kube-apiserver 1.37 has it: the spec is immutable anyway.
  assert.deepEqual(wrong(from('Not a Name!'), from('snapshot.storage.k8s.io')), [])
})
