import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../object.ts'
import { storageVersionMigrationRules as rules } from './migration.ts'

const migration = (resource: object, status: object = {}): KubeObject => ({
  metadata: { name: 'a' },
  spec: { resource },
  status,
})
const texts = (list: readonly { field: string; message: string }[] | undefined): string[] =>
  (list ?? []).map((e) => `${e.field}: ${e.message}`)

const condition = (type: string, status: string) => ({
  type,
  status,
  reason: 'R',
  lastTransitionTime: '2026-01-01T00:00:00Z',
})

test('a resource of the core group has no group', () => {
  assert.deepEqual(texts(rules.validate?.(migration({ group: '', resource: 'pods' }))), [])
  assert.deepEqual(texts(rules.validate?.(migration({ group: 'a.b' }))), [
    'spec.resource.resource: Required value: resource is required to be set',
  ])
  const wrong = texts(rules.validate?.(migration({ group: 'A', resource: 'P' })))
  assert.match(wrong[0] ?? '', /^spec.resource.resource: Invalid value: "P": a DNS-1035 label must/)
  assert.match(wrong[1] ?? '', /^spec.resource.group: Invalid value: "A": a lowercase RFC 1123 subdomain must/)
})

test('the outcome stays', () => {
  const of = (resourceVersion: string, ...conditions: object[]) => migration({}, { resourceVersion, conditions })
  const change = (from: KubeObject, to: KubeObject) =>
    texts(rules.validateStatus?.(to, from, () => '2026-01-01T00:00:00Z'))
  assert.deepEqual(change(migration({}), of('12', condition('Succeeded', 'True'))), [])
  assert.deepEqual(change(migration({}), of('012')), [
    'status.resourceVersion: Invalid value: "012": resource version is not well formed: 012',
  ])
  assert.deepEqual(change(of('12'), of('13')), ['status.resourceVersion: Invalid value: "13": field is immutable'])
  const back = change(of('12', condition('Failed', 'True')), of('12', condition('Failed', 'False')))
  assert.match(back.join(), /: Failed condition cannot be set to false once it is true$/)
  const both = change(of('12'), of('12', condition('Failed', 'True'), condition('Succeeded', 'True')))
  assert.match(both.join(), /: Both success and failed conditions cannot be true at the same time$/)
})
