import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Errors } from '../checks.ts'
import { validateClaimSpec } from './requests.ts'

function said(request: object): string[] {
  const out: Errors = []
  const steps = validateClaimSpec({ devices: { requests: [{ name: 'r', ...request }] } }, 'spec', out)
  while (steps.next().done !== true);
  return out.map(({ field, message }) => `${field.replace('spec.devices.requests[0]', '')}: ${message}`)
}

const wanted = { deviceClassName: 'c', allocationMode: 'All' }

// What a real kube-apiserver 1.37 says of the same.
test('the class of a request is counted in characters, that of an alternative in bytes', () => {
  const deviceClassName = 'x'.repeat(254)
  const why = (what: string) => `Invalid value: "${deviceClassName}": must be no more than 253 ${what}`
  assert.deepEqual(said({ exactly: { ...wanted, deviceClassName } }), [
    `.exactly.deviceClassName: ${why('characters')}`,
  ])
  assert.deepEqual(said({ firstAvailable: [{ name: 's', ...wanted, deviceClassName }] }), [
    `.firstAvailable[0].deviceClassName: ${why('bytes')}`,
  ])
})

test('of two ways to ask, the alternatives alone are looked at', () => {
  const why = 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set'
  assert.deepEqual(said({ exactly: {}, firstAvailable: [{ name: 's', ...wanted, deviceClassName: '' }] }), [
    `: Invalid value: null: ${why}`,
    '.firstAvailable[0].deviceClassName: Required value',
  ])
})

test('of too many alternatives nothing else is told', () => {
  const firstAvailable = Array.from({ length: 9 }, () => ({ name: 's', ...wanted }))
  assert.deepEqual(said({ firstAvailable }), ['.firstAvailable: Too many: 9: must have at most 8 items'])
  assert.equal(said({ firstAvailable: firstAvailable.slice(7) }).length, 1)
})
