/** Signatures of identity tokens: the asymmetric algorithms of JSON Web Signature that kube-apiserver takes. */
import { constants, createPublicKey, verify, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto'

/** Bytes; larger ones are not looked at. */
const MAX_TOKEN = 64 * 1024
const MAX_KEYS = 256

interface Algorithm {
  readonly hash: string
  readonly type: 'rsa' | 'ec'
  readonly curve?: string
  options(key: KeyObject): VerifyKeyObjectInput
}

const rsa = (hash: string): Algorithm => ({ hash, type: 'rsa', options: (key) => ({ key }) })
const pss = (hash: string): Algorithm => ({
  hash,
  type: 'rsa',
  options: (key) => ({
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  }),
})
const ecdsa = (hash: string, curve: string): Algorithm => ({
  hash,
  type: 'ec',
  curve,
  options: (key) => ({ key, dsaEncoding: 'ieee-p1363' }),
})

const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['RS256', rsa('sha256')],
  ['RS384', rsa('sha384')],
  ['RS512', rsa('sha512')],
  ['PS256', pss('sha256')],
  ['PS384', pss('sha384')],
  ['PS512', pss('sha512')],
  ['ES256', ecdsa('sha256', 'prime256v1')],
  ['ES384', ecdsa('sha384', 'secp384r1')],
  ['ES512', ecdsa('sha512', 'secp521r1')],
])

export interface IdToken {
  readonly algorithm: string
  readonly keyId: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: string
  readonly signature: Buffer
}

/** Takes a token apart; nothing in it is to be believed yet. Undefined: no such token. */
export function parseIdToken(token: string): IdToken | undefined {
  if (token.length > MAX_TOKEN) return undefined
  const parts = token.split('.')
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return undefined
  const [header, claims] = [decoded(parts[0]!), decoded(parts[1]!)]
  if (header === undefined || claims === undefined || header['crit'] !== undefined) return undefined
  const { alg, kid } = header
  if (typeof alg !== 'string') return undefined
  return {
    algorithm: alg,
    keyId: typeof kid === 'string' && kid !== '' ? kid : undefined,
    claims,
    signed: `${parts[0]}.${parts[1]}`,
    signature: Buffer.from(parts[2]!, 'base64url'),
  }
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

export interface PublicKey {
  readonly id: string | undefined
  /** The only algorithm it is for, if it says so. */
  readonly algorithm: string | undefined
  readonly key: KeyObject
}

/** Reads a JSON Web Key Set. Keys that are not for signatures, or of unknown kinds, are left out. @throws Error */
export function readKeySet(text: string): PublicKey[] {
  const { keys } = JSON.parse(text) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('the key set has no keys')
  const out: PublicKey[] = []
  for (const each of keys.slice(0, MAX_KEYS) as unknown[]) {
    if (typeof each !== 'object' || each === null) continue
    const { kty, use, kid, alg, n, e, crv, x, y } = each as Record<string, unknown>
    if (use !== undefined && use !== 'sig') continue
    // Only what is public, so that a set with a private or a symmetric key is never more than that.
    const jwk = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : undefined
    if (jwk === undefined) continue
    try {
      const key = createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' })
      if (kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) > 16_384) continue
      out.push({
        id: typeof kid === 'string' ? kid : undefined,
        algorithm: typeof alg === 'string' ? alg : undefined,
        key,
      })
    } catch {
      // One key that cannot be read does not spoil the others.
    }
  }
  return out
}

/** Whether one of the keys signed the token: the one that it names, or any if it names none. */
export function isSigned(token: IdToken, keys: readonly PublicKey[]): boolean {
  const algorithm = algorithms.get(token.algorithm)
  if (algorithm === undefined) return false
  return keys.some(({ id, algorithm: only, key }) => {
    if (token.keyId !== undefined && id !== token.keyId) return false
    if (only !== undefined && only !== token.algorithm) return false
    if (key.asymmetricKeyType !== algorithm.type) return false
    if (algorithm.curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== algorithm.curve) return false
    return verify(algorithm.hash, Buffer.from(token.signed), algorithm.options(key), token.signature)
  })
}

/** Whether tokens with this algorithm can be checked at all. */
export function isKnownAlgorithm(name: string): boolean {
  return algorithms.has(name)
}
