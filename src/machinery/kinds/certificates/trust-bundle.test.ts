import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../object.ts'
import { createCa, issueCertificate } from '../../pki/certificate.ts'
import { clusterTrustBundleRules as rules } from './trust-bundle.ts'

const now = Date.UTC(2026, 0, 1)
const ca = createCa({ commonName: 'a', now })
const other = createCa({ commonName: 'b', now })
const leaf = issueCertificate(ca, { commonName: 'leaf', usage: 'client', now })

const bundle = (trustBundle: string, signerName?: string): KubeObject => ({
  metadata: { name: 'x' },
  spec: { trustBundle, ...(signerName !== undefined && { signerName }) },
})
const wrong = (text: string, old?: KubeObject): string[] =>
  (rules.validate?.(bundle(text), old) ?? []).map((e) => `${e.field}: ${e.message}`)

test('a bundle holds authorities, each once', () => {
  const at = 'spec.trustBundle: Invalid value: "<value omitted>": '
  assert.deepEqual(wrong(ca.certificate + other.certificate), [])
  assert.deepEqual(wrong(`text around\n${ca.certificate}and behind`), [])
  assert.deepEqual(wrong('nothing'), [`${at}at least one trust anchor must be provided`])
  assert.deepEqual(wrong(ca.certificate + other.certificate + ca.certificate), [
    `${at}duplicate trust anchor (indices [0 2])`,
  ])
  assert.deepEqual(wrong(ca.certificate + leaf.certificate + leaf.key), [
    `${at}entry 1 does not have the CA bit set`,
    `${at}entry 2 has bad block type: PRIVATE KEY`,
  ])
  const headed = ca.certificate.replace('\n', '\nA: b\n\n')
  const broken = other.certificate.replace(/\n.{8}/, '\nAAAAAAAA')
  assert.deepEqual(wrong(headed + broken), [
    `${at}entry 0 has PEM block headers`,
    `${at}entry 1 does not parse as X.509`,
  ])
  assert.deepEqual(wrong('x'.repeat(1024 * 1024 + 1)), [
    'spec.trustBundle: Too long: may not be more than 1048576 bytes',
  ])
})

test('a bundle that does not change is not read again', () => {
  assert.deepEqual(wrong('nothing', bundle('nothing')), [])
})

test('the name begins with the signer', () => {
  const { name } = rules
  assert.ok(typeof name === 'function')
  const signed = bundle('', 'test.test/signer')
  assert.deepEqual(name('test.test:signer:a.b', signed), [])
  assert.deepEqual(name('a.b', signed), [
    'ClusterTrustBundle for signerName test.test/signer must be named with prefix test.test:signer:',
  ])
  assert.equal(name('test.test:signer:A', signed).length, 1)
  assert.deepEqual(name('a.b', bundle('')), [])
  assert.deepEqual(name('a:b', bundle('')), ['ClusterTrustBundle without signer name must not have ":" in its name'])
})
