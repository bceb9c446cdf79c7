import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typeTable } from '../../machinery/types/index.ts'
import { patchedText } from './patched-text.ts'

const PVC = typeTable.type('io.k8s.api.core.v1.PersistentVolumeClaim')

test('what a patch went through is sorted, the rest stands in the order of its type, as Go writes it', () => {
  const after = {
    kind: 'Other',
    apiVersion: 'v1',
    spec: { volumeMode: 'Block', accessModes: ['ReadWriteOnce'], dataSourceRef: { name: 'n', kind: 'K' } },
    metadata: { name: 'a', labels: { b: '2', a: '<1>' }, unknown: 1 },
  }
  // The order in which a real kube-apiserver 1.37 shows them.
  assert.equal(
    patchedText(after, 'merge', { kind: 'Other' }, PVC),
    '{"apiVersion":"v1","kind":"Other","metadata":{"unknown":1,"name":"a","labels":{"a":"\\u003c1\\u003e","b":"2"}},' +
      '"spec":{"accessModes":["ReadWriteOnce"],"volumeMode":"Block","dataSourceRef":{"kind":"K","name":"n"}}}',
  )
  assert.match(
    patchedText(after, 'json', [{ op: 'add', path: '/spec/volumeMode', value: 'Block' }], PVC),
    /"spec":\{"accessModes":\["ReadWriteOnce"\],"dataSourceRef":\{"kind":"K","name":"n"\},"volumeMode":"Block"\}/,
  )
})
