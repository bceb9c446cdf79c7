import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { rulesFor } from '../index.ts'
import type { Json } from '../json.ts'

const rules = rulesFor('certificates.k8s.io', 'PodCertificateRequest')
/** Made by `openssl req -new -subj /` with a P-256 key. */
const REQUEST =
  'MIG7MGICAQAwADBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABB75dgg6GS4bA0btL1IofX5lBuqfgERF66AOPhQTj2pK8fsCurfn590HZQljYgFTrZ8cc7K9jr9MHnVScswMxNqgADAKBggqhkjOPQQDAgNJADBGAiEA5PuQ1ncKXktk+pwfgeJzKBVphyVWyj3dYnQwCdJW200CIQDQGRrVaJYAlMMCZ4gU2Fu8vuhFktwi1Te/5vqp3F3pfQ=='

function problems(change: object): string[] {
  const spec = {
    signerName: 'example.com/s',
    podName: 'p',
    podUID: 'u',
    serviceAccountName: 'default',
    serviceAccountUID: 'u',
    nodeName: 'n',
    nodeUID: 'u',
    stubPKCS10Request: REQUEST,
    ...change,
  }
  const object: Json = { metadata: { name: 'x' }, spec }
  rules.defaults!(object, () => '2026-01-01T00:00:00Z')
  return rules.validate!(object).map(({ field, message }) => `${field}: ${message}`)
}

test('a request is signed with its own key', () => {
  assert.deepEqual(problems({}), [])
  const bytes = Buffer.from(REQUEST, 'base64')
  bytes[bytes.length - 1]! ^= 1
  assert.deepEqual(problems({ stubPKCS10Request: bytes.toString('base64') }), [
    'spec.stubPKCS10Request: Invalid value: invalid signature',
  ])
  const { publicKey } = generateKeyPairSync('ed25519')
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  assert.deepEqual(problems({ stubPKCS10Request: key }), [
    'spec.stubPKCS10Request: Invalid value: must be a valid PKCS#10 CSR',
  ])
})

test("a certificate of Kubernetes' own signers ends within a day", () => {
  const seconds = 86_401
  assert.deepEqual(problems({ maxExpirationSeconds: seconds }), [])
  assert.deepEqual(problems({ maxExpirationSeconds: seconds, signerName: 'kubernetes.io/s' }), [
    'spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]',
  ])
})

test('nothing changes after the outcome', () => {
  const time = '2026-01-01T00:00:00Z'
  const condition = (type: string) => ({ type, status: 'True', reason: 'R', message: '', lastTransitionTime: time })
  const denied: Json = { metadata: {}, status: { conditions: [condition('Denied')] } }
  const issued: Json = { metadata: {}, status: { conditions: [condition('Issued')] } }
  assert.deepEqual(
    rules.validateStatus!(denied, { metadata: {} } as Json, () => time),
    [],
  )
  assert.equal(rules.validateStatus!(issued, denied, () => time).length, 1)
})
