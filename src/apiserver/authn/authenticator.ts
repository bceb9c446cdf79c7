/**
 * Who asks: client certificate, then service account token, then nobody in particular. What is shown and wrong is
 * refused (401), never taken for anonymous.
 */
import { X509Certificate, createHash } from 'node:crypto'
import type { UserInfo } from '../contract.ts'
import type { Exchange } from '../exchange.ts'
import type { ServiceAccountTokens } from './tokens.ts'
import { AUTHENTICATED, CREDENTIAL_ID_EXTRA, anonymous } from './username.ts'

/** The names in a certificate's subject that make a user. */
export interface CertificateSubject {
  /** '' if there is none. */
  readonly commonName: string
  readonly organizations: readonly string[]
  /** OID 1.3.6.1.4.1.57683.2 */
  readonly uid?: string
}

export interface AuthenticatorOptions {
  readonly tokens: ServiceAccountTokens
  /** Reads the subject of a certificate in DER, value by value; undefined if it cannot be read. */
  readonly subjectOf: (certificate: Buffer) => CertificateSubject | undefined
  /** Whether requests without credentials may go on as system:anonymous; what they may do is RBAC's. @default true */
  readonly anonymous?: boolean
  /** Milliseconds since the epoch. */
  now(): number
}

/** What is asked about a request. */
export type Credentials = Pick<Exchange, 'headers' | 'clientCertificate' | 'certificateError'>

interface CertificateUser {
  readonly user: UserInfo
  /** Milliseconds since the epoch. */
  readonly from: number
  readonly to: number
}

/** Undefined: 401. */
export type Authenticate = (request: Credentials) => UserInfo | undefined

export function authenticator(options: AuthenticatorOptions): Authenticate {
  // A connection shows one buffer with all its requests, and takes it along when it ends.
  const certificates = new WeakMap<Buffer, CertificateUser | 'nobody'>()

  function byCertificate(certificate: Buffer): UserInfo | 'wrong' | undefined {
    let known = certificates.get(certificate)
    if (known === undefined) {
      known = readCertificate(certificate, options.subjectOf) ?? 'nobody'
      certificates.set(certificate, known)
    }
    if (known === 'nobody') return undefined
    // The connection may be older than the end of the certificate.
    const now = options.now()
    return now < known.from || now > known.to ? 'wrong' : known.user
  }

  return (request) => {
    let wrong = request.certificateError !== undefined
    if (request.clientCertificate !== undefined) {
      const user = byCertificate(request.clientCertificate)
      if (typeof user === 'object') return user
      wrong ||= user === 'wrong'
    }
    const token = bearerToken(request.headers['authorization'])
    if (token !== undefined) {
      const result = options.tokens.check(token)
      if (result.user !== undefined) return result.user
      return undefined
    }
    return wrong || options.anonymous === false ? undefined : anonymous
  }
}

/** The token of `Bearer x`; other schemes are not ours and count as nothing. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [scheme = '', token = ''] = header.trim().split(' ')
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined
}

function readCertificate(raw: Buffer, subjectOf: AuthenticatorOptions['subjectOf']): CertificateUser | undefined {
  const subject = subjectOf(raw)
  if (subject === undefined || subject.commonName === '') return undefined
  const { validFromDate, validToDate } = new X509Certificate(raw)
  const id = `X509SHA256=${createHash('sha256').update(raw).digest('hex')}`
  const user: UserInfo = {
    name: subject.commonName,
    ...(subject.uid !== undefined && { uid: subject.uid }),
    groups: [...subject.organizations.filter((group) => group !== AUTHENTICATED), AUTHENTICATED],
    extra: { [CREDENTIAL_ID_EXTRA]: [id] },
  }
  return { user, from: validFromDate.getTime(), to: validToDate.getTime() }
}
