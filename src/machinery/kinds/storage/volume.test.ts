import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../json.ts'
import { persistentVolumeRules } from './volume.ts'

const onNodes = (key: string | undefined, values = ['a']): Json => ({
  metadata: { name: 'v' },
  spec: {
    volumeMode: 'Filesystem',
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }] } },
  },
})
const changed = (now: Json, old: Json): string[] =>
  persistentVolumeRules.validateUpdate!(now, old).map(({ field, message }) => `${field}: ${message.split(': ').at(-1)}`)

test('the nodes of a volume stay; labels may give way to the stable ones', () => {
  const zone = 'failure-domain.beta.kubernetes.io/zone'
  const refused = ['nodeAffinity: field is immutable, except for updating from beta label to GA']
  assert.deepEqual(changed(onNodes('topology.kubernetes.io/zone'), onNodes(zone)), [])
  assert.deepEqual(changed(onNodes('kubernetes.io/os'), onNodes('beta.kubernetes.io/os')), [])
  assert.deepEqual(changed(onNodes(zone), onNodes(zone)), [])
  assert.deepEqual(changed(onNodes(zone), onNodes('topology.kubernetes.io/zone')), refused)
  assert.deepEqual(changed(onNodes('topology.kubernetes.io/region'), onNodes(zone)), refused)
  assert.deepEqual(changed(onNodes('topology.kubernetes.io/zone', ['b']), onNodes(zone)), refused)
  assert.deepEqual(changed(onNodes('other'), onNodes('zone')), refused)
  assert.deepEqual(changed({ ...onNodes('zone'), spec: { volumeMode: 'Filesystem' } }, onNodes('zone')), refused)
  // Of no label at all validation speaks, as upstream's does.
  assert.deepEqual(changed(onNodes(''), onNodes('zone')), [])
})
