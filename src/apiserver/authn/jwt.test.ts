import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { isSignedBy, keySet, parseToken, signToken, tokenKey } from './jwt.ts'

const newKey = () => tokenKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const key = newKey()
const other = newKey()
const token = signToken(key, { iss: 'me', sub: 'you' })

test('a token is verified by the key that signed it, and by no other', () => {
  const parsed = parseToken(token)!
  assert.deepEqual(parsed.claims, { iss: 'me', sub: 'you' })
  assert.equal(parsed.keyId, key.id)
  assert.equal(isSignedBy(parsed, [other, key]), true)
  assert.equal(isSignedBy(parsed, [other]), false)
})

test('nothing in it can be changed', () => {
  const [head, claims, signature] = token.split('.') as [string, string, string]
  const forged = Buffer.from(JSON.stringify({ iss: 'me', sub: 'root' })).toString('base64url')
  assert.equal(isSignedBy(parseToken(`${head}.${forged}.${signature}`)!, [key]), false)
  assert.equal(isSignedBy(parseToken(`${head}.${claims}.${signature.slice(0, -4)}AAAA`)!, [key]), false)
  assert.equal(isSignedBy(parseToken(`${head}.${claims}.`)!, [key]), false)
})

test('other algorithms and forms are no tokens', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const none = `${part({ alg: 'none' })}.${part({ iss: 'me' })}.`
  const signed = `${part({ alg: 'HS256', kid: key.id })}.${part({ iss: 'me' })}`
  const secret = key.publicKey.export({ type: 'spki', format: 'pem' })
  const confused = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  for (const text of [none, confused, '', 'a', 'a.b', 'a.b.c', `${token}.x`, `${token}=`, `${token}x`, 'e30.W10.AA']) {
    assert.equal(parseToken(text), undefined, text)
  }
  assert.equal(parseToken(`${part({ alg: 'ES256' })}.${part({ pad: 'x'.repeat(20_000) })}.AA`), undefined)
})

test('the key set verifies what the key signed', () => {
  const { keys } = JSON.parse(JSON.stringify(keySet([key]))) as { keys: { kid: string; x: string; y: string }[] }
  assert.equal(keys[0]!.kid, key.id)
  const published = createPublicKey({ key: keys[0]!, format: 'jwk' })
  const [head, claims, signature] = token.split('.') as [string, string, string]
  const bytes = Buffer.from(signature, 'base64url')
  assert.ok(verify('sha256', Buffer.from(`${head}.${claims}`), { key: published, dsaEncoding: 'ieee-p1363' }, bytes))
})
