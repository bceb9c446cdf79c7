import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCanonicalIp } from '../../ip.ts'
import type { KubeObject } from '../../object.ts'
import { ipAddressRules, serviceCidrRules } from './addresses.ts'

const texts = (list: readonly { field: string; message: string }[] | undefined): string[] =>
  (list ?? []).map((e) => `${e.field}: ${e.message}`)

const object = (spec: object): KubeObject => ({ metadata: { name: 'a' }, spec })
const range = (...cidrs: string[]): KubeObject => object({ cidrs })

test('an IPAddress is named by an address in canonical form', () => {
  const { name } = ipAddressRules
  assert.ok(typeof name === 'function')
  for (const text of ['255.255.255.255', 'fe80::42:1dff:fe84:f9e2', 'FE80::1', '::ffff:1.2.3.4', '010.0.0.1', 'web'])
    assert.deepEqual(name(text, object({})), isCanonicalIp(text))
  assert.deepEqual(name('FE80::1', object({})), ['must be in canonical form ("fe80::1")'])
})

test('an IPAddress tells who has it', () => {
  const parentRef = { group: 'g', resource: 'rs', namespace: 'n', name: 'x' }
  assert.deepEqual(texts(ipAddressRules.validate?.(object({ parentRef }))), [])
  assert.deepEqual(texts(ipAddressRules.validate?.(object({}))), ['spec.parentRef: Required value'])
  assert.deepEqual(texts(ipAddressRules.validate?.(object({ parentRef: { name: 'a/b' } }))), [
    'spec.parentRef.resource: Required value',
    `spec.parentRef.name: Invalid value: "a/b": may not contain '/'`,
  ])
  const changed = ipAddressRules.validateUpdate?.(object({ parentRef: undefined }), object({ parentRef }))
  assert.deepEqual(texts(changed), ['spec.parentRef: Invalid value: null: field is immutable'])
})

test('a ServiceCIDR holds one subnet or one of each family', () => {
  const wrong = (...cidrs: string[]) => texts(serviceCidrRules.validate?.(range(...cidrs)))
  assert.deepEqual(wrong('10.0.0.0/8', 'fd00::/64'), [])
  assert.deepEqual(wrong(), ['spec.cidrs: Required value: at least one CIDR required'])
  assert.deepEqual(wrong('10.0.0.1/8', 'FD00::/64'), [
    'spec.cidrs[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
    'spec.cidrs[1]: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")',
  ])
  assert.match(wrong('10.0.0.0/8', '192.168.0.0/16').join(), /may specify no more than one IP for each IP family/)
})

test('a ServiceCIDR may only gain its second family', () => {
  const change = (from: string[], to: string[]) =>
    texts(serviceCidrRules.validateUpdate?.(range(...to), range(...from)))
  assert.deepEqual(change(['10.0.0.0/8'], ['10.0.0.0/8']), [])
  assert.deepEqual(change(['10.0.0.0/8'], ['10.0.0.0/8', 'fd00::/64']), [])
  assert.deepEqual(change(['10.0.0.0/8'], ['11.0.0.0/8']), [
    'spec.cidrs[0]: Invalid value: "11.0.0.0/8": field is immutable',
  ])
  assert.deepEqual(change(['10.0.0.0/8', 'fd00::/64'], ['10.0.0.0/8']), [
    'spec.cidrs: Invalid value: ["10.0.0.0/8"]: field is immutable',
  ])
})
