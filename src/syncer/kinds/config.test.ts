import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyMergePatch } from '../../machinery/patch/merge.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { equalJson } from '../../machinery/equality.ts'
import { configMaps, secrets } from './config.ts'

const object = (fields: object): KubeObject => ({ metadata: { name: 'x' }, ...fields })
const data = fc.option(
  fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'toString', '__proto__'), fc.constantFrom('1', '2')), { maxLength: 4 })
    .map((pairs) => JSON.parse(`{${pairs.map(([k, v]) => `"${k}":"${v}"`).join(',')}}`) as object),
  { nil: undefined },
)

test('the change makes the host’s data the tenant’s, and then there is none', () => {
  fc.assert(
    fc.property(data, data, (from, to) => {
      const host = object({ data: from })
      const desired = object({ data: to })
      const change = configMaps.change(desired, host)
      const body = JSON.parse(JSON.stringify(change?.body ?? {})) as object
      const now = applyMergePatch(JSON.parse(JSON.stringify(host)), body) as KubeObject
      assert.equal(equalJson(now['data'], JSON.parse(JSON.stringify(desired))['data']), true)
      assert.equal(configMaps.change(desired, now), undefined)
    }),
  )
})

test('only changed keys are written', () => {
  const change = configMaps.change(
    object({ data: { a: '1', b: '2' } }),
    object({ data: { a: '1', b: '1', c: '1' }, binaryData: { x: '' } }),
  )
  assert.deepEqual(JSON.parse(JSON.stringify(change)), {
    type: 'merge',
    body: { data: { b: '2', c: null }, binaryData: null },
  })
})

test('a Secret’s type is never changed', () => {
  assert.equal(secrets.change(object({ type: 'Opaque', data: {} }), object({ type: 'other', data: {} })), undefined)
})
