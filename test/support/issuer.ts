/** An OpenID Connect issuer on this machine: its documents over TLS, and tokens with any algorithm. */
import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createCa, issueCertificate } from '../../src/machinery/pki/certificate.ts'

export interface IssuerKey {
  readonly id: string
  readonly algorithm: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface Issuer extends AsyncDisposable {
  readonly url: string
  /** PEM of its authority. */
  readonly ca: string
  /** Published keys; change it to rotate. */
  keys: readonly IssuerKey[]
  /** What else it answers, by path; it gets the Authorization header. */
  readonly documents: Map<string, (authorization: string | undefined) => string>
  /** How often the key set was asked for. */
  readonly asked: number
  token(claims: object, key?: IssuerKey, header?: object): string
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

export function issuerKey(id: string, algorithm: string): IssuerKey {
  const curve = CURVES[algorithm]
  const pair =
    curve === undefined
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: curve })
  return { id, algorithm, ...pair }
}

export function signed(key: IssuerKey, claims: object, header: object = {}): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encode({ alg: key.algorithm, kid: key.id, ...header })}.${encode(claims)}`
  const hash = `sha${key.algorithm.slice(2)}`
  const options = key.algorithm.startsWith('ES')
    ? { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const }
    : key.algorithm.startsWith('PS')
      ? { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { key: key.privateKey }
  return `${text}.${sign(hash, Buffer.from(text), options).toString('base64url')}`
}

export async function startIssuer(keys: readonly IssuerKey[]): Promise<Issuer> {
  const now = Date.now()
  const authority = createCa({ commonName: 'issuer-ca', now })
  const { certificate, key } = issueCertificate(authority, {
    commonName: 'issuer',
    usage: 'server',
    ips: ['127.0.0.1'],
    dns: ['localhost'],
    now,
  })
  let asked = 0
  const documents: Issuer['documents'] = new Map()
  const server = createServer({ cert: certificate, key }, (request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }))
    } else if (request.url === '/keys') {
      asked++
      const set = issuer.keys.map(({ id, algorithm, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid: id,
        alg: algorithm,
        use: 'sig',
      }))
      response.end(JSON.stringify({ keys: set }))
    } else {
      const document = documents.get(request.url ?? '')
      response.statusCode = document === undefined ? 404 : 200
      response.end(document?.(request.headers.authorization))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: authority.certificate,
    keys,
    documents,
    get asked() {
      return asked
    },
    token: (claims: object, by = keys[0]!, header: object = {}) => signed(by, claims, header),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return issuer
}
