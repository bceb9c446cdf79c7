/** JSON Web Tokens as service accounts use them: ES256 only, compact form. */
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

/** Bytes; real ones have about 1 KiB. */
const MAX_TOKEN = 16 * 1024

/** A P-256 key pair, or a public key that only verifies. */
export interface TokenKey {
  /** base64url of the SHA-256 of the public key's DER form, as Kubernetes names keys. */
  readonly id: string
  readonly publicKey: KeyObject
  readonly privateKey?: KeyObject
}

/** @throws TypeError when the key is not on P-256 */
export function tokenKey(key: KeyObject): TokenKey {
  const publicKey = key.type === 'public' ? key : createPublicKey(key)
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new TypeError('not a P-256 key')
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const id = createHash('sha256').update(der).digest('base64url')
  return key.type === 'private' ? { id, publicKey, privateKey: key } : { id, publicKey }
}

/** @throws TypeError without a private key */
export function signToken(key: TokenKey, claims: object): string {
  if (key.privateKey === undefined) throw new TypeError('key cannot sign')
  const text = `${encode({ alg: 'ES256', kid: key.id })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

export interface ParsedToken {
  readonly keyId: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: string
  readonly signature: Buffer
}

/** Takes a token apart; nothing in it is to be believed yet. Undefined: no such token. */
export function parseToken(token: string): ParsedToken | undefined {
  if (token.length > MAX_TOKEN) return undefined
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  const header = decode(parts[0]!)
  const claims = decode(parts[1]!)
  const signature = bytes(parts[2]!)
  if (header === undefined || claims === undefined || signature === undefined) return undefined
  if (header['alg'] !== 'ES256' || header['crit'] !== undefined) return undefined
  const kid = header['kid']
  return {
    keyId: typeof kid === 'string' && kid !== '' ? kid : undefined,
    claims,
    signed: `${parts[0]}.${parts[1]}`,
    signature,
  }
}

/** Whether one of the keys signed the token. A token that names a known key is asked of that one only. */
export function isSignedBy(token: ParsedToken, keys: readonly TokenKey[]): boolean {
  const named = keys.filter((key) => key.id === token.keyId)
  return (named.length > 0 ? named : keys).some((key) =>
    verify('sha256', Buffer.from(token.signed), { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, token.signature),
  )
}

/** The JSON Web Key Set of `/openid/v1/jwks`. */
export function keySet(keys: readonly TokenKey[]): { keys: object[] } {
  return {
    keys: keys.map(({ id, publicKey }) => {
      const { crv, x, y } = publicKey.export({ format: 'jwk' })
      return { use: 'sig', kty: 'EC', kid: id, crv, alg: 'ES256', x, y }
    }),
  }
}

/** `/.well-known/openid-configuration` */
export function issuerConfiguration(issuer: string, jwksUri: string): object {
  return {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string): Record<string, unknown> | undefined {
  const raw = bytes(part)
  if (raw === undefined) return undefined
  try {
    const value: unknown = JSON.parse(raw.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Strict: the one spelling of each value, so that no second form of a token passes as another one. */
function bytes(part: string): Buffer | undefined {
  const raw = Buffer.from(part, 'base64url')
  return raw.toString('base64url') === part ? raw : undefined
}
