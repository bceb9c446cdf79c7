import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../machinery/object.ts'
import { complaint } from './complaint.ts'

const now = Date.parse('2026-01-02T03:04:05.678Z')
const pod = (name: string, uid: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'n', uid },
})

test('it is an event in the namespace of the object, of this second', () => {
  const event = complaint(pod('p', 'u'), 'Refused', 'no host paths', now)
  assert.deepEqual(event['involvedObject'], { apiVersion: 'v1', kind: 'Pod', name: 'p', namespace: 'n', uid: 'u' })
  assert.deepEqual(
    [event.metadata.namespace, event['type'], event['reason'], event['message']],
    ['n', 'Warning', 'Refused', 'no host paths'],
  )
  assert.deepEqual([event['firstTimestamp'], event['lastTimestamp']], ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'])
})

test('the same said twice has one name; another object, reason or message has another', () => {
  const name = (object: KubeObject, reason: string, message: string, at = now): string =>
    complaint(object, reason, message, at).metadata.name!
  const first = name(pod('p', 'u'), 'A', 'm')
  assert.match(first, /^p\.[0-9a-f]{16}$/)
  assert.equal(name(pod('p', 'u'), 'A', 'm', now + 60_000), first)
  for (const other of [name(pod('p', 'v'), 'A', 'm'), name(pod('p', 'u'), 'B', 'm'), name(pod('p', 'u'), 'A', 'n')]) {
    assert.notEqual(other, first)
  }
})

test('the name of an object with the longest name is not too long', () => {
  assert.ok(complaint(pod('p'.repeat(253), 'u'), 'A', 'm', now).metadata.name!.length <= 253)
})
