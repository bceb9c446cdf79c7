import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidrWarnings, ipWarnings } from './ip-warnings.ts'

test('addresses that are not written as they should be', () => {
  for (const good of ['10.0.0.1', '2001:db8::1', 'nothing']) assert.deepEqual(ipWarnings(good, 'ip'), [])
  assert.deepEqual(ipWarnings('010.0.0.1', 'ip'), [
    'ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
  ])
  assert.deepEqual(ipWarnings('::ffff:1.2.3.4', 'ip'), [
    'ip: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
  ])
  assert.deepEqual(ipWarnings('2001:DB8:0::1', 'ip'), [
    'ip: IPv6 address "2001:DB8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ])
})

test('subnets', () => {
  for (const good of ['10.0.0.0/8', '2001:db8::/64', 'x']) assert.deepEqual(cidrWarnings(good, 'c'), [])
  assert.deepEqual(cidrWarnings('10.0.0.1/8', 'c'), [
    'c: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
  ])
  assert.deepEqual(cidrWarnings('::ffff:10.0.0.0/104', 'c'), [
    'c: non-standard CIDR value "::ffff:10.0.0.0/104" is invalid: use "10.0.0.0/8"',
  ])
  assert.deepEqual(cidrWarnings('2001:DB8::/64', 'c'), [
    'c: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
  ])
})
