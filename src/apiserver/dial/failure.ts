/** What goes wrong on the way to a server, in the words of Go's client: users and tests match them. */
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** The time is over. */
export const DEADLINE = 'context deadline exceeded'

const CONNECT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  EACCES: 'connect: permission denied',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
}

const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
])

interface Coded {
  readonly code?: string
  readonly message: string
}

/** Before there is a connection. `authority` is `1.2.3.4:443`. */
export function connectFailure(error: unknown, authority: string): Error {
  const { code = '', message } = error as Coded
  const known = Object.hasOwn(CONNECT, code) ? CONNECT[code] : undefined
  if (known !== undefined) return new Error(`dial tcp ${authority}: ${known}`, { cause: error })
  return new Error(handshake(code, error as Coded) ?? message, { cause: error })
}

function handshake(code: string, error: Coded): string | undefined {
  const { message } = error
  if (code === 'ECONNRESET') return 'EOF'
  if (code === 'EPIPE') return 'write: broken pipe'
  if (message.includes('wrong version number')) return 'http: server gave HTTP response to HTTPS client'
  if (message.includes('packet length too long')) return 'tls: first record does not look like a TLS handshake'
  const alert = /alert number (\d+)/.exec(message)?.[1]
  if (alert !== undefined) return `remote error: tls: ${ALERTS[alert] ?? `alert(${alert})`}`
  return undefined
}

const ALERTS: Readonly<Record<string, string>> = {
  '40': 'handshake failure',
  '42': 'bad certificate',
  '46': 'unknown certificate',
  '48': 'unknown certificate authority',
  '70': 'protocol version not supported',
  '80': 'internal error',
  '112': 'unrecognized name',
  '116': 'certificate required',
  '120': 'no application protocol',
}

/**
 * Why a peer's certificate is not taken. `code`: what Node says of it. Go looks at the time and the name before it
 * looks for the authority. `now`: milliseconds since the epoch.
 */
export function certificateFailure(code: string, socket: TLSSocket, serverName: string, now: number): Error {
  return new Error(`tls: failed to verify certificate: x509: ${certificate(code, socket, serverName, now)}`)
}

function certificate(code: string, socket: TLSSocket, serverName: string, now: number): string {
  const peer = socket.getPeerX509Certificate()
  if (peer === undefined) return code
  const until = Date.parse(peer.validTo)
  const from = Date.parse(peer.validFrom)
  if (now > until || now < from) {
    const relation = now > until ? `after ${utc(until)}` : `before ${utc(from)}`
    return `certificate has expired or is not yet valid: current time ${utc(now)} is ${relation}`
  }
  const matches = isIP(serverName) === 0 ? peer.checkHost(serverName) : peer.checkIP(serverName)
  if (matches === undefined) return wrongName(peer.subjectAltName, peer.subject, serverName)
  if (UNKNOWN_AUTHORITY.has(code)) return 'certificate signed by unknown authority'
  return code === 'INVALID_PURPOSE' ? 'certificate specifies an incompatible key usage' : code
}

const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

function wrongName(names: string | undefined, subject: string | undefined, wanted: string): string {
  if (names === undefined) {
    return subject?.includes('CN=') === true
      ? 'certificate relies on legacy Common Name field, use SANs instead'
      : `certificate is not valid for any names, but wanted to match ${wanted}`
  }
  const wantsAddress = isIP(wanted) !== 0
  const prefix = wantsAddress ? 'IP Address:' : 'DNS:'
  const held = names.split(', ').flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []))
  if (held.length === 0) {
    return wantsAddress
      ? `cannot validate certificate for ${wanted} because it doesn't contain any IP SANs`
      : `certificate is not valid for any names, but wanted to match ${wanted}`
  }
  return `certificate is valid for ${held.join(', ')}, not ${wanted}`
}

/** After the request was sent. `limit`: bytes that an answer may have. */
export function answerFailure(error: unknown, limit: number): Error {
  const { code = '', message } = error as Coded
  const text = ((): string => {
    if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return `the answer has more than ${limit} bytes`
    if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'net/http: server response headers exceeded 16384 bytes; aborted'
    if (code.startsWith('HPE_') || (error as Error).name === 'HTTPParserError')
      return 'net/http: HTTP/1.x transport connection broken: malformed HTTP response'
    if (code === 'ECONNRESET') return 'read: connection reset by peer'
    if (code === 'EPIPE') return 'write: broken pipe'
    if (code === 'UND_ERR_SOCKET') return 'EOF'
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return DEADLINE
    return message
  })()
  return new Error(text, { cause: error })
}
