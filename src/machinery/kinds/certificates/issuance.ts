/** What a signer says of the certificate that it issued for a PodCertificateRequest. */
import { createPublicKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { invalid, required, tooLong } from '../../field.ts'
import { readRequestDer } from '../../pki/request.ts'
import type { Errors } from '../checks.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'

const CHAIN = 'status.certificateChain'
const MAX_CHAIN = 100 * 1024
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** How far from now a certificate may begin. */
const SKEW = 5 * MINUTE
/** How far from its ends it may be renewed. */
const MARGIN = 10 * MINUTE

interface Times {
  readonly notBefore: string
  readonly notAfter: string
  readonly beginRefreshAt: string
}

/**
 * Everything wrong with the status of an issued request: the chain, that its leaf is for the key that was asked for, and
 * that the times are the leaf's and fit what was asked for. As upstream, the first mistake that others may follow from is
 * told alone; nobody verifies the chain.
 *
 * @param now the present time, as metadata has it
 */
export function issuance(status: Json, spec: Json, now: string, out: Errors): void {
  const chain: string = status.certificateChain ?? ''
  if (Buffer.byteLength(chain) > MAX_CHAIN) {
    out.push(tooLong(CHAIN, MAX_CHAIN))
    return
  }
  const blocks = pemBlocks(chain)
  const leaf = leafOf(blocks[0], chain, out)
  if (leaf === undefined) return
  const before = out.length
  names(leaf.subjectAltName ?? '', out)
  if (!isSame(leaf, spec)) {
    out.push(invalid(CHAIN, chain, 'leaf certificate was not issued to the requested public key'))
    return
  }
  for (const [field, detail] of TIMES) if (!isSet(status[field])) out.push(required(`status.${field}`, detail))
  if (out.length > before || !times(status as Times, leaf, spec.maxExpirationSeconds, now, out)) return
  for (const { label, der } of blocks.slice(1)) {
    if (label !== 'CERTIFICATE') {
      // The word as upstream spells it.
      out.push(invalid(CHAIN, chain, 'issued certificate chain must consist entirely of CERTFICATE PEM blocks'))
      return
    }
    if (parsed(der) !== undefined) continue
    out.push(invalid(CHAIN, chain, 'intermediate certificate does not parse as valid X.509'))
    return
  }
}

const CONSISTENT = 'must be present and consistent with the issued certificate'
const TIMES = [
  ['notBefore', CONSISTENT],
  ['notAfter', CONSISTENT],
  ['beginRefreshAt', 'must be present and in the range [notbefore+10min, notafter-10min]'],
] as const

interface Block {
  readonly label: string
  readonly der: Buffer
}

const BLOCK = /^-----BEGIN ([^\n-]*)-----[ \t\r]*\n((?:(?!-----)[^\n]*\n)*)-----END \1-----[ \t\r]*$/gm

function pemBlocks(text: string): Block[] {
  return Array.from(text.matchAll(BLOCK), ([, label = '', body = '']) => {
    const lines = body.split('\n').filter((line) => !line.includes(':'))
    return { label, der: Buffer.from(lines.join(''), 'base64') }
  })
}

function parsed(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

function leafOf(block: Block | undefined, chain: string, out: Errors): X509Certificate | undefined {
  const refuse = (detail: string): undefined => void out.push(invalid(CHAIN, chain, detail))
  if (block === undefined) return refuse('issued certificate chain must contain at least one certificate')
  if (block.label !== 'CERTIFICATE') {
    return refuse('issued certificate chain must consist entirely of CERTIFICATE PEM blocks')
  }
  return parsed(block.der) ?? refuse('leaf certificate does not parse as valid X.509')
}

const NAME = /(DNS|email):("(?:[^"\\]|\\.)*"|[^,]*)/g
const ADDRESS =
  /^[^\s@<>()[\]\\,;:".]+(?:\.[^\s@<>()[\]\\,;:".]+)*@(?:[^\s@<>()[\]\\,;:".]+(?:\.[^\s@<>()[\]\\,;:".]+)*|\[[^\]]*\])$/

/** @param alternatives the subject's alternative names as Node writes them: `DNS:a, email:b` */
function names(alternatives: string, out: Errors): void {
  for (const [, kind, text = ''] of alternatives.matchAll(NAME)) {
    const name = text.startsWith('"') ? String(JSON.parse(text)) : text
    if (kind === 'email') {
      if (!ADDRESS.test(name))
        out.push(invalid(CHAIN, name, 'leaf certificate should not contain invalid EmailAddress'))
      continue
    }
    if (name === '') out.push(invalid(CHAIN, name, 'leaf certificate should not contain empty DNSName'))
    if (name.includes('..')) out.push(invalid(CHAIN, name, "leaf certificate's DNSName should not contain '..'"))
    if (name.startsWith('.') || name.endsWith('.')) {
      out.push(invalid(CHAIN, name, "leaf certificate's DNSName should not start or end with '.'"))
    }
  }
}

function isSame(leaf: X509Certificate, { stubPKCS10Request }: Json): boolean {
  // The request was accepted once: it can be read.
  const { spki } = readRequestDer(Buffer.from(String(stubPKCS10Request ?? ''), 'base64'))
  let key: KeyObject
  try {
    key = leaf.publicKey
  } catch {
    return false
  }
  return key.equals(createPublicKey({ key: spki, format: 'der', type: 'spki' }))
}

/** False when one is wrong. */
function times(status: Times, leaf: X509Certificate, most: number, now: string, out: Errors): boolean {
  const [begin, end] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  const refuse = (field: keyof Times, detail: string): false => {
    out.push(invalid(`status.${field}`, status[field], detail))
    return false
  }
  const notBefore = Date.parse(status.notBefore)
  if (notBefore !== begin) {
    return refuse('notBefore', 'must be set to the NotBefore time encoded in the leaf certificate')
  }
  if (Math.abs(notBefore - Date.parse(now)) >= SKEW) {
    return refuse('notBefore', "must be set to within 5 minutes of kube-apiserver's current time")
  }
  if (Date.parse(status.notAfter) !== end) {
    return refuse('notAfter', 'must be set to the NotAfter time encoded in the leaf certificate')
  }
  const lifetime = end - begin
  // As Go writes a duration: in nanoseconds.
  const shown = BigInt(lifetime) * 1_000_000n
  if (lifetime < HOUR) {
    out.push(invalid(CHAIN, shown, 'leaf certificate lifetime must be >= 1 hour'))
    return false
  }
  if (lifetime > most * 1000) {
    out.push(invalid(CHAIN, shown, `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${most})`))
    return false
  }
  const refresh = Date.parse(status.beginRefreshAt)
  if (refresh < begin + MARGIN) return refuse('beginRefreshAt', 'must be at least 10 minutes after status.notBefore')
  if (refresh > end - MARGIN) return refuse('beginRefreshAt', 'must be at least 10 minutes before status.notAfter')
  return true
}
