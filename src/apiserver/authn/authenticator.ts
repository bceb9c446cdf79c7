/**
 * Who asks: whom a front proxy names, then client certificate, then bearer token (a header, or a WebSocket's
 * subprotocol), then nobody in particular. What is shown and wrong is refused (401), never taken for anonymous.
 */
import { X509Certificate, createHash } from 'node:crypto'
import { subjectOf } from '../../machinery/pki/certificate.ts'
import type { UserInfo } from '../contract.ts'
import type { Exchange } from '../exchange.ts'
import { frontProxyUser, type FrontProxyOptions } from './front-proxy.ts'
import type { TokenNotes, TokenSource } from './bearer.ts'
import { webSocketToken } from './websocket-token.ts'
import { AUTHENTICATED, CREDENTIAL_ID_EXTRA, anonymous } from './username.ts'

export interface AuthenticatorOptions {
  readonly tokens: TokenSource
  /** @default certificates of proxies do not count */
  readonly frontProxy?: FrontProxyOptions
  /**
   * Whether a request without credentials may go on as system:anonymous; what it may do then is RBAC's.
   * @default every request may
   */
  mayBeAnonymous?(path: string): boolean
  /** Told for how many milliseconds a certificate that was shown still counts. */
  onCertificate?(left: number): void
  /** Milliseconds since the epoch. */
  now(): number
}

/** What is asked about a request. */
export type Credentials = Pick<
  Exchange,
  'path' | 'headers' | 'clientCertificate' | 'proxyCertificate' | 'certificateError'
>

interface CertificateUser {
  readonly user: UserInfo
  /** Milliseconds since the epoch. */
  readonly from: number
  readonly to: number
}

/** Undefined: 401. */
export type Authenticate = (
  request: Credentials,
  notes?: TokenNotes,
) => UserInfo | undefined | Promise<UserInfo | undefined>

export function authenticator(options: AuthenticatorOptions): Authenticate {
  // A connection shows one buffer with all its requests, and takes it along when it ends.
  const certificates = new WeakMap<Buffer, CertificateUser | 'nobody' | 'wrong'>()

  function byCertificate(certificate: Buffer): UserInfo | 'wrong' | undefined {
    let known = certificates.get(certificate)
    if (known === undefined) {
      known = readCertificate(certificate)
      certificates.set(certificate, known)
    }
    if (known === 'nobody') return undefined
    if (known === 'wrong') return known
    // The connection may be older than the end of the certificate.
    const now = options.now()
    options.onCertificate?.(known.to - now)
    return now < known.from || now > known.to ? 'wrong' : known.user
  }

  return (request, notes) => {
    if (request.proxyCertificate !== undefined && options.frontProxy !== undefined) {
      const user = frontProxyUser(request.proxyCertificate, request.headers, options.frontProxy)
      if (user !== undefined) return user
    }
    // A proxy's certificate proves nothing about who asks.
    const proxy = request.proxyCertificate !== undefined && request.clientCertificate === undefined
    let wrong = proxy || request.certificateError !== undefined
    if (request.clientCertificate !== undefined) {
      const user = byCertificate(request.clientCertificate)
      if (typeof user === 'object') return user
      wrong ||= user === 'wrong'
    }
    const bearer = bearerToken(request.headers['authorization'])
    const protocol = webSocketToken(request.headers)
    if (bearer !== undefined || protocol !== undefined) {
      const shown = [bearer, typeof protocol === 'object' ? protocol.token : undefined]
      return firstUser(
        options.tokens,
        shown.filter((token) => token !== undefined),
        notes,
      )
    }
    return wrong || options.mayBeAnonymous?.(request.path) === false ? undefined : anonymous
  }
}

/** Whose is the first of the tokens that is anybody's. In the caller's turn when the source knows at once. */
function firstUser(
  source: TokenSource,
  tokens: readonly string[],
  notes: TokenNotes | undefined,
): ReturnType<Authenticate> {
  const [token, ...rest] = tokens
  if (token === undefined) return undefined
  const result = source.check(token, undefined, notes)
  if (result instanceof Promise) return result.then(({ user }) => user ?? firstUser(source, rest, notes))
  return result.user ?? firstUser(source, rest, notes)
}

/** The token of `Bearer x`; other schemes are not ours and count as nothing. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [scheme = '', token = ''] = header.trim().split(' ')
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined
}

/** A certificate without a common name names nobody; one that cannot be read is refused. */
function readCertificate(raw: Buffer): CertificateUser | 'nobody' | 'wrong' {
  let subject: ReturnType<typeof subjectOf>
  try {
    subject = subjectOf(raw)
  } catch {
    return 'wrong'
  }
  if (subject.commonName === '') return 'nobody'
  const { validFromDate, validToDate } = new X509Certificate(raw)
  const id = `X509SHA256=${createHash('sha256').update(raw).digest('hex')}`
  const groups = subject.organizations.includes(AUTHENTICATED)
    ? subject.organizations
    : [...subject.organizations, AUTHENTICATED]
  const { uid } = subject
  const user: UserInfo = {
    name: subject.commonName,
    ...(uid !== '' && { uid }),
    groups,
    extra: { [CREDENTIAL_ID_EXTRA]: [id] },
  }
  return { user, from: validFromDate.getTime(), to: validToDate.getTime() }
}
