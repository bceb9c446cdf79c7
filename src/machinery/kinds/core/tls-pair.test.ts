import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createCa } from '../../pki/certificate.ts'
import { pairProblem } from './tls-pair.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const { certificate, key } = createCa({ commonName: 'a', now: Date.now() })
const other = createCa({ commonName: 'b', now: Date.now() })
const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

test('pairs and what is wrong with them, in the words of crypto/tls', () => {
  const of = (crt: string, own: string) => pairProblem(base64(crt), base64(own))
  assert.equal(of(certificate, key), undefined)
  assert.equal(of(`${certificate}${other.certificate}`, `\n${key}`), undefined)
  // What a real kube-apiserver 1.37 warned of.
  assert.equal(of('c', 'k'), 'tls: failed to find any PEM data in certificate input')
  assert.equal(pairProblem(undefined, undefined), 'tls: failed to find any PEM data in certificate input')
  assert.equal(of(certificate, ''), 'tls: failed to find any PEM data in key input')
  assert.match(
    of(key, key)!,
    /^tls: failed to find certificate PEM data in certificate input, but did find a private key/,
  )
  assert.equal(
    of(certificate, certificate),
    'tls: found a certificate rather than a key in the PEM for the private key',
  )
  assert.equal(of(certificate, other.key), 'tls: private key does not match public key')
  assert.equal(of(certificate, ed25519), 'tls: private key type does not match public key type')
  const block = (type: string) => `-----BEGIN ${type}-----\nAAAA\n-----END ${type}-----\n`
  assert.equal(of(block('CERTIFICATE'), key), 'x509: malformed certificate')
  assert.equal(of(certificate, block('EC PRIVATE KEY')), 'tls: failed to parse private key')
  assert.match(of(block('FOO') + block('BAR'), key)!, /following types: \[FOO BAR\]$/)
  assert.match(of(certificate, block('FOO'))!, /"PRIVATE KEY" in key input .*\[FOO\]$/)
})
