/** Requests through a proxy that has found out who asks: upstream's request-header authentication. */
import { subjectOf } from '../../machinery/pki/certificate.ts'
import type { UserInfo } from '../contract.ts'
import { AUTHENTICATED } from './username.ts'

/** As kube-apiserver's `--requestheader-*` flags. Header names in lower case. */
export interface FrontProxyOptions {
  /** Common names of the proxies' certificates. Empty: any that the request-header authority signed. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraPrefixes: readonly string[]
}

export const FRONT_PROXY_NAME = 'front-proxy-client'

/** What clusters set up by kubeadm have. */
export const frontProxyDefaults: FrontProxyOptions = {
  allowedNames: [FRONT_PROXY_NAME],
  usernameHeaders: ['x-remote-user'],
  uidHeaders: ['x-remote-uid'],
  groupHeaders: ['x-remote-group'],
  extraPrefixes: ['x-remote-extra-'],
}

type Headers = Readonly<Record<string, string>>

/**
 * Whom the headers name; undefined when the certificate is no proxy's or they name nobody.
 *
 * @param certificate DER, verified against the request-header authority
 */
export function frontProxyUser(
  certificate: Buffer,
  headers: Headers,
  options: FrontProxyOptions = frontProxyDefaults,
): UserInfo | undefined {
  const name = first(headers, options.usernameHeaders)
  if (name === '' || !isAllowed(certificate, options.allowedNames)) return undefined
  const uid = first(headers, options.uidHeaders)
  const groups = options.groupHeaders.flatMap((header) => values(headers[header]))
  const extra: Record<string, readonly string[]> = Object.create(null) as Record<string, readonly string[]>
  for (const header of Object.keys(headers)) {
    const prefix = options.extraPrefixes.find((one) => header.startsWith(one))
    if (prefix !== undefined) extra[extraKey(header.slice(prefix.length))] = values(headers[header])
  }
  return {
    name,
    ...(uid !== '' && { uid }),
    groups: groups.includes(AUTHENTICATED) ? groups : [...groups, AUTHENTICATED],
    ...(Object.keys(extra).length > 0 && { extra }),
  }
}

function isAllowed(certificate: Buffer, names: readonly string[]): boolean {
  if (names.length === 0) return true
  try {
    return names.includes(subjectOf(certificate).commonName)
  } catch {
    return false
  }
}

/** Header values are bytes; names are UTF-8. */
const textOf = (value: string): string => Buffer.from(value, 'latin1').toString('utf8')

function first(headers: Headers, names: readonly string[]): string {
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined && value !== '') return textOf(value)
  }
  return ''
}

/** Repeated headers arrive joined with `, `. */
const values = (header: string | undefined): string[] =>
  header === undefined || header === '' ? [] : header.split(', ').map(textOf)

function extraKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}
