import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameAs } from './equal.ts'

const POD = 'io.k8s.api.core.v1.PodSpec'

test('an empty struct behind a pointer is not an absent one', () => {
  assert.equal(sameAs(POD, {}, { dnsConfig: {} }), false)
  assert.equal(sameAs(POD, { volumes: [{ name: 'v', emptyDir: {} }] }, { volumes: [{ name: 'v' }] }), false)
})

test('an empty list, map or struct that Go has no pointer to is an absent one', () => {
  const container = { name: 'c', resources: {} }
  assert.equal(sameAs(POD, { containers: [container], nodeSelector: {} }, { containers: [{ name: 'c' }] }), true)
  assert.equal(sameAs(POD, { volumes: [] }, {}), true)
})

test('a zero value is an absent one, but not behind a pointer', () => {
  assert.equal(sameAs(POD, { hostNetwork: false, nodeName: '' }, {}), true)
  assert.equal(sameAs(POD, { priority: 0 }, {}), false)
  assert.equal(sameAs(POD, { priority: 0 }, { priority: 1 }), false)
})

test('lists count in order, maps in any', () => {
  assert.equal(sameAs(POD, { nodeSelector: { a: 'b', c: 'd' } }, { nodeSelector: { c: 'd', a: 'b' } }), true)
  assert.equal(sameAs(POD, { nodeSelector: { a: 'b' } }, { nodeSelector: { c: 'b' } }), false)
  assert.equal(
    sameAs(POD, { hostAliases: [{ ip: 'a' }, { ip: 'b' }] }, { hostAliases: [{ ip: 'b' }, { ip: 'a' }] }),
    false,
  )
})
