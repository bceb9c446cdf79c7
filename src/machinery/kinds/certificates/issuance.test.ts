import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCa, derOf, pem } from '../../pki/certificate.ts'
import { requestOf } from '../../pki/request.fixture.ts'
import { readRequest, signRequest } from '../../pki/request.ts'
import { rulesFor } from '../index.ts'
import type { Json } from '../json.ts'

const rules = rulesFor('certificates.k8s.io', 'PodCertificateRequest')
const NOW = Date.parse('2026-01-01T00:00:00Z')
const HOUR = 3_600_000
const text = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`
const ca = createCa({ commonName: 'ca', now: NOW })
const asked = requestOf({ commonName: 'p', dns: ['a.example.com'] })

function leaf(request = asked.request, from = NOW, hours = 24): string {
  return signRequest(ca, readRequest(request), { usages: [], notBefore: from, notAfter: from + hours * HOUR })
}

const GOOD = {
  certificateChain: leaf(),
  notBefore: text(NOW),
  notAfter: text(NOW + 24 * HOUR),
  beginRefreshAt: text(NOW + 12 * HOUR),
}

/** The mistakes of an answer of the signer, without the chain that they show. */
function mistakes(status: Json, most = 86_400): string[] {
  const old: Json = {
    metadata: { name: 'r' },
    spec: { stubPKCS10Request: derOf(asked.request).toString('base64'), maxExpirationSeconds: most },
    status: {},
  }
  const condition = { type: 'Issued', status: 'True', lastTransitionTime: text(NOW), reason: 'R', message: '' }
  const object: Json = { ...old, status: { conditions: [condition], ...GOOD, ...status } }
  return rules.validateStatus!(object, old, () => text(NOW + 60_000)).map(
    ({ field, message }) => `${field}: ${message.replace(/"-----BEGIN.*-----\\n"/, '<chain>')}`,
  )
}

const chain = (detail: string): string[] => [`status.certificateChain: Invalid value: <chain>: ${detail}`]

test('a chain whose leaf is for the key that was asked for, with its times', () => {
  assert.deepEqual(mistakes({}), [])
  assert.deepEqual(mistakes({ certificateChain: GOOD.certificateChain + ca.certificate }), [])
})

test('the chain consists of certificates', () => {
  assert.deepEqual(mistakes({ certificateChain: '' }), [
    'status.certificateChain: Invalid value: "": issued certificate chain must contain at least one certificate',
  ])
  assert.deepEqual(
    mistakes({ certificateChain: asked.request }),
    chain('issued certificate chain must consist entirely of CERTIFICATE PEM blocks'),
  )
  assert.deepEqual(
    mistakes({ certificateChain: pem(Buffer.from('nonsense')) }),
    chain('leaf certificate does not parse as valid X.509'),
  )
  assert.deepEqual(
    mistakes({ certificateChain: GOOD.certificateChain + asked.request }),
    chain('issued certificate chain must consist entirely of CERTFICATE PEM blocks'),
  )
  assert.deepEqual(
    mistakes({ certificateChain: GOOD.certificateChain + pem(Buffer.from('nonsense')) }),
    chain('intermediate certificate does not parse as valid X.509'),
  )
  assert.deepEqual(mistakes({ certificateChain: 'x'.repeat(102_401) }), [
    'status.certificateChain: Too long: may not be more than 102400 bytes',
  ])
})

test('the leaf is for the key of the request', () => {
  const other = requestOf({ commonName: 'p' })
  assert.deepEqual(
    mistakes({ certificateChain: leaf(other.request) }),
    chain('leaf certificate was not issued to the requested public key'),
  )
})

test('names in the leaf are names', () => {
  const odd = requestOf({ commonName: 'p', dns: ['.a..b'] })
  const found = mistakes({ certificateChain: leaf(odd.request) })
  assert.deepEqual(found.slice(0, 2), [
    "status.certificateChain: Invalid value: \".a..b\": leaf certificate's DNSName should not contain '..'",
    "status.certificateChain: Invalid value: \".a..b\": leaf certificate's DNSName should not start or end with '.'",
  ])
})

test('times are the leaf’s, begin now and leave time to renew', () => {
  const { certificateChain } = GOOD
  const without = { certificateChain, notBefore: undefined, notAfter: undefined, beginRefreshAt: undefined }
  assert.deepEqual(mistakes(without), [
    'status.notBefore: Required value: must be present and consistent with the issued certificate',
    'status.notAfter: Required value: must be present and consistent with the issued certificate',
    'status.beginRefreshAt: Required value: must be present and in the range [notbefore+10min, notafter-10min]',
  ])
  assert.deepEqual(mistakes({ notBefore: text(NOW + 1000) }), [
    'status.notBefore: Invalid value: "2026-01-01T00:00:01Z": must be set to the NotBefore time encoded in the leaf certificate',
  ])
  const late = NOW - 5 * 60_000
  assert.deepEqual(mistakes({ certificateChain: leaf(asked.request, late), notBefore: text(late) }), [
    'status.notBefore: Invalid value: "2025-12-31T23:55:00Z": must be set to within 5 minutes of kube-apiserver\'s current time',
  ])
  assert.deepEqual(mistakes({ notAfter: text(NOW + HOUR) }), [
    'status.notAfter: Invalid value: "2026-01-01T01:00:00Z": must be set to the NotAfter time encoded in the leaf certificate',
  ])
  assert.deepEqual(mistakes({ beginRefreshAt: text(NOW + 599_000) }), [
    'status.beginRefreshAt: Invalid value: "2026-01-01T00:09:59Z": must be at least 10 minutes after status.notBefore',
  ])
  assert.deepEqual(mistakes({ beginRefreshAt: text(NOW + 24 * HOUR) }), [
    'status.beginRefreshAt: Invalid value: "2026-01-02T00:00:00Z": must be at least 10 minutes before status.notAfter',
  ])
})

test('the leaf lives an hour at least, and as long as was asked for at most', () => {
  const short = { certificateChain: leaf(asked.request, NOW, 0.5), notAfter: text(NOW + HOUR / 2) }
  assert.deepEqual(mistakes(short), [
    'status.certificateChain: Invalid value: 1800000000000: leaf certificate lifetime must be >= 1 hour',
  ])
  assert.deepEqual(mistakes({}, 3600), [
    'status.certificateChain: Invalid value: 86400000000000: leaf certificate lifetime must be <= spec.maxExpirationSeconds (3600)',
  ])
})

test('without an outcome nothing changes', () => {
  assert.deepEqual(mistakes({ conditions: [] }), [
    'status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"',
  ])
})
