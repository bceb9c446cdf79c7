/** ClusterTrustBundle: certificates that a signer's certificates are checked with. */
import { X509Certificate } from 'node:crypto'
import { invalid, tooLong } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1123Subdomain } from '../../names.ts'
import { immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import type { Json } from '../json.ts'
import { signerName } from '../signer.ts'

const SIGNER = 'spec.signerName'
const BUNDLE = 'spec.trustBundle'
const MAX_BYTES = 1024 * 1024
/** What stands in messages instead of a bundle. */
const OMITTED = '<value omitted>'

const signerOf = (object: Json): string => object.spec?.signerName ?? ''
const bundleOf = (object: Json): string => object.spec?.trustBundle ?? ''

export const clusterTrustBundleRules: KindRules = {
  name: (name, object) => {
    const signer = signerOf(object)
    if (signer === '') {
      if (name.includes(':')) return ['ClusterTrustBundle without signer name must not have ":" in its name']
      return isDns1123Subdomain(name)
    }
    const prefix = `${signer.replaceAll('/', ':')}:`
    if (!name.startsWith(prefix)) {
      return [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`]
    }
    return isDns1123Subdomain(name.slice(prefix.length))
  },
  validate: (object, old): FieldError[] => {
    const out: Errors = []
    const signer = signerOf(object)
    if (signer !== '') signerName(signer, SIGNER, out)
    if (old === undefined || bundleOf(old) !== bundleOf(object)) trustAnchors(bundleOf(object), out)
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    immutable(signerOf(now), signerOf(old), SIGNER, out)
    return out
  },
  generation: false,
  unconditionalUpdate: false,
  fields: { [SIGNER]: signerOf },
}

const BLOCK = /^-----BEGIN ([^\n-]*)-----[ \t\r]*\n((?:(?!-----)[^\n]*\n)*)-----END \1-----[ \t\r]*$/gm

/** PEM blocks of certificates of authorities, each of them once, at least one. */
function trustAnchors(text: string, out: Errors): void {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    out.push(tooLong(BUNDLE, MAX_BYTES))
    return
  }
  const before = out.length
  const places = new Map<string, number[]>()
  let i = 0
  for (const [, label = '', body = ''] of text.matchAll(BLOCK)) {
    const at = i++
    const wrong = (what: string): void => void out.push(invalid(BUNDLE, OMITTED, `entry ${at} ${what}`))
    if (label !== 'CERTIFICATE') wrong(`has bad block type: ${label}`)
    else if (body.includes(':')) wrong('has PEM block headers')
    else {
      const bytes = Buffer.from(body, 'base64')
      const certificate = parse(bytes)
      if (certificate === undefined) wrong('does not parse as X.509')
      else if (!certificate.ca) wrong('does not have the CA bit set')
      else {
        const id = bytes.toString('latin1')
        const seen = places.get(id)
        if (seen === undefined) places.set(id, [at])
        else seen.push(at)
      }
    }
  }
  if (out.length > before) return
  if (places.size === 0) out.push(invalid(BUNDLE, OMITTED, 'at least one trust anchor must be provided'))
  for (const same of places.values()) {
    if (same.length > 1) out.push(invalid(BUNDLE, OMITTED, `duplicate trust anchor (indices [${same.join(' ')}])`))
  }
}

function parse(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}
