/** URLs as Go's `net/url` reads them, with its errors. Texts are bytes inside: one character a byte. */
import { goQuote } from '../../quote.ts'
import { AddressError, parseAddr } from './netip.ts'

export interface GoUrl {
  readonly scheme: string
  readonly opaque: string
  /** With its `@`, as Go writes it again. */
  readonly user: string
  readonly host: string
  readonly omitHost: boolean
  readonly escapedPath: string
  readonly path: string
  readonly query: string
  readonly forceQuery: boolean
  readonly fragment: string
}

export class UrlError extends Error {}

type Mode = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment'

const UNRESERVED = /[A-Za-z0-9\-_.~]/
const ALLOWED: Readonly<Record<Mode, RegExp>> = {
  path: /[A-Za-z0-9\-_.~$&+,/:;=@]/,
  host: /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/,
  zone: /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/,
  user: /[A-Za-z0-9\-_.~$&+,;=]/,
  query: UNRESERVED,
  fragment: /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/,
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function escape(bytes: string, mode: Mode): string {
  let out = ''
  for (const c of bytes) {
    if (ALLOWED[mode].test(c)) out += c
    else if (c === ' ' && mode === 'query') out += '+'
    else out += `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

function badEscape(bytes: string): UrlError {
  return new UrlError(`invalid URL escape ${goQuote(textOf(bytes))}`)
}

/** @throws UrlError */
function unescape(bytes: string, mode: Mode): string {
  let out = ''
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    if (c === '%') {
      const hex = bytes.slice(i + 1, i + 3)
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) throw badEscape(bytes.slice(i, i + 3))
      const value = String.fromCharCode(Number.parseInt(hex, 16))
      const percent = hex === '25'
      if (mode === 'host' && value.charCodeAt(0) < 0x80 && !percent) throw badEscape(bytes.slice(i, i + 3))
      if (mode === 'zone' && !percent && value !== ' ' && !ALLOWED.host.test(value))
        throw badEscape(bytes.slice(i, i + 3))
      out += value
      i += 2
    } else if (c === '+' && mode === 'query') out += ' '
    else if ((mode === 'host' || mode === 'zone') && c < '\u0080' && !ALLOWED.host.test(c)) {
      throw new UrlError(`invalid character ${goQuote(c)} in host name`)
    } else out += c
  }
  return out
}

function isPort(text: string): boolean {
  return text === '' || /^:\d*$/.test(text)
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[')
  if (open > 0) throw new UrlError('invalid IP-literal')
  if (open === 0) return parseLiteral(host)
  const colon = host.indexOf(':')
  if (colon !== -1) {
    const strict = scheme === 'http' || scheme === 'https'
    const port = host.slice(strict ? colon : host.lastIndexOf(':'))
    if (!isPort(port)) throw new UrlError(`invalid port ${goQuote(textOf(port))} after host`)
  }
  return unescape(host, 'host')
}

function parseLiteral(host: string): string {
  const close = host.lastIndexOf(']')
  if (close < 0) throw new UrlError("missing ']' in host")
  const port = host.slice(close + 1)
  if (!isPort(port)) throw new UrlError(`invalid port ${goQuote(textOf(port))} after host`)
  const name = host.slice(1, close)
  const zone = name.indexOf('%25')
  const plain =
    zone === -1 ? unescape(name, 'host') : unescape(name.slice(0, zone), 'host') + unescape(name.slice(zone), 'zone')
  try {
    if (parseAddr(textOf(plain)).bytes.length === 4) throw new UrlError('invalid IP-literal')
  } catch (error) {
    if (!(error instanceof AddressError)) throw error
    throw new UrlError(`invalid host: ${error.message}`)
  }
  return `[${plain}]${unescape(port, 'host')}`
}

function parseAuthority(scheme: string, authority: string): { user: string; host: string } {
  const at = authority.lastIndexOf('@')
  const host = parseHost(scheme, authority.slice(at + 1))
  if (at < 0) return { user: '', host }
  const info = authority.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(info)) throw new UrlError('net/url: invalid userinfo')
  const colon = info.indexOf(':')
  if (colon === -1) return { user: `${escape(unescape(info, 'user'), 'user')}@`, host }
  const name = escape(unescape(info.slice(0, colon), 'user'), 'user')
  return { user: `${name}:${escape(unescape(info.slice(colon + 1), 'user'), 'user')}@`, host }
}

/** The scheme and what follows its colon. */
function splitScheme(text: string): [string, string] {
  const found = /^[A-Za-z][A-Za-z0-9+\-.]*:/.exec(text)?.[0]
  if (found !== undefined) return [found.slice(0, -1).toLowerCase(), text.slice(found.length)]
  if (text.startsWith(':')) throw new UrlError('missing protocol scheme')
  return ['', text]
}

function escapedPath(path: string, raw: string): string {
  if (
    raw !== escape(path, 'path') &&
    Array.from(raw).every((c) => /[!$&'()*+,;=:@[\]%]/.test(c) || ALLOWED.path.test(c))
  ) {
    return raw
  }
  return path === '*' ? '*' : escape(path, 'path')
}

function parse(text: string, viaRequest: boolean): GoUrl {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new UrlError('net/url: invalid control character in URL')
  if (text === '' && viaRequest) throw new UrlError('empty url')
  const none = {
    scheme: '',
    opaque: '',
    user: '',
    host: '',
    omitHost: false,
    query: '',
    forceQuery: false,
    fragment: '',
  }
  if (text === '*') return { ...none, path: '*', escapedPath: '*' }
  const [scheme, after] = splitScheme(text)
  const mark = after.indexOf('?')
  const forceQuery = mark !== -1 && mark === after.length - 1
  let rest = mark === -1 ? after : after.slice(0, mark)
  const query = mark === -1 ? '' : after.slice(mark + 1)
  const base = { ...none, scheme, query, forceQuery }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...base, opaque: rest, path: '', escapedPath: '' }
    if (viaRequest) throw new UrlError('invalid URI for request')
    if (rest.split('/', 1)[0]!.includes(':')) throw new UrlError('first path segment in URL cannot contain colon')
  }
  let user = ''
  let host = ''
  let omitHost = false
  if ((scheme !== '' || (!viaRequest && !rest.startsWith('///'))) && rest.startsWith('//')) {
    const slash = rest.indexOf('/', 2)
    const authority = slash === -1 ? rest.slice(2) : rest.slice(2, slash)
    rest = slash === -1 ? '' : rest.slice(slash)
    ;({ user, host } = parseAuthority(scheme, authority))
  } else if (scheme !== '' && rest.startsWith('/')) omitHost = true
  const path = unescape(rest, 'path')
  return { ...base, user, host, omitHost, path, escapedPath: escapedPath(path, rest) }
}

function named(text: string, read: () => GoUrl): GoUrl {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UrlError)) throw error
    throw new UrlError(`parse ${goQuote(text)}: ${error.message}`)
  }
}

/** An absolute URL or an absolute path, without a fragment. @throws UrlError */
export function parseRequestUri(text: string): GoUrl {
  return named(text, () => parse(bytesOf(text), true))
}

/** @throws UrlError */
export function parseUrl(text: string): GoUrl {
  const hash = text.indexOf('#')
  const front = hash === -1 ? text : text.slice(0, hash)
  const url = named(front, () => parse(bytesOf(front), false))
  if (hash === -1 || hash === text.length - 1) return url
  return named(text, () => {
    const raw = bytesOf(text.slice(hash + 1))
    return { ...url, fragment: escape(unescape(raw, 'fragment'), 'fragment') }
  })
}

/** As `String()` writes it. */
export function formatUrl(url: GoUrl): string {
  let out = url.scheme === '' ? '' : `${url.scheme}:`
  if (url.opaque !== '') out += url.opaque
  else {
    const { host, user } = url
    const empty = url.omitHost && host === '' && user === ''
    if ((url.scheme !== '' || host !== '' || user !== '') && !empty) {
      if (host !== '' || url.path !== '' || user !== '') out += '//'
      out += user + escape(host, 'host')
    }
    if (url.escapedPath !== '' && !url.escapedPath.startsWith('/') && host !== '') out += '/'
    out += url.escapedPath
  }
  if (url.forceQuery || url.query !== '') out += `?${url.query}`
  return url.fragment === '' ? out : `${out}#${url.fragment}`
}

export function splitHostPort(hostPort: string): { host: string; port: string } {
  const colon = hostPort.lastIndexOf(':')
  let host = hostPort
  let port = ''
  if (colon !== -1 && isPort(host.slice(colon))) {
    port = host.slice(colon + 1)
    host = host.slice(0, colon)
  }
  return { host: host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host, port }
}

/** Parameters of a query; more are none, as in Go. */
const MAX_PARAMETERS = 10_000

export function parseQuery(query: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const parts = query.split('&', MAX_PARAMETERS + 1)
  if (parts.length > MAX_PARAMETERS) return found
  for (const part of parts) {
    if (part === '' || part.includes(';')) continue
    const equals = part.indexOf('=')
    try {
      const key = textOf(unescape(equals === -1 ? part : part.slice(0, equals), 'query'))
      const value = textOf(equals === -1 ? '' : unescape(part.slice(equals + 1), 'query'))
      const known = found.get(key)
      if (known === undefined) found.set(key, [value])
      else known.push(value)
    } catch (error) {
      if (!(error instanceof UrlError)) throw error
    }
  }
  return found
}
