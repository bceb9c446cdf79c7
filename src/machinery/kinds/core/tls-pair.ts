/** Whether a certificate and a key of a Secret belong together, in the words of Go's crypto/tls. */
import { createPrivateKey, X509Certificate } from 'node:crypto'

const BLOCK = /-----BEGIN ([^\n-]{1,64})-----\r?\n[^-]*-----END \1-----/g
/** What is looked at of each; longer inputs are no certificate of anybody. */
const MAX_INPUT = 64 * 1024

interface Block {
  readonly type: string
  readonly text: string
}

function blocksOf(input: string): Block[] {
  return [...input.slice(0, MAX_INPUT).matchAll(BLOCK)].map(([text, type]) => ({ type: type!, text }))
}

const decoded = (base64: unknown): string =>
  typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString() : ''

/** What is wrong with a pair, both in base64; undefined when nothing is. */
export function pairProblem(certificate: unknown, key: unknown): string | undefined {
  const certificates = blocksOf(decoded(certificate))
  const first = certificates.find(({ type }) => type === 'CERTIFICATE')
  if (first === undefined) return noCertificate(certificates)
  const keys = blocksOf(decoded(key))
  const own = keys.find(({ type }) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'))
  if (own === undefined) return noKey(keys)
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(first.text)
  } catch {
    return 'x509: malformed certificate'
  }
  try {
    const secret = createPrivateKey(own.text)
    if (secret.asymmetricKeyType !== parsed.publicKey.asymmetricKeyType)
      return 'tls: private key type does not match public key type'
    return parsed.checkPrivateKey(secret) ? undefined : 'tls: private key does not match public key'
  } catch {
    return 'tls: failed to parse private key'
  }
}

function noCertificate(skipped: readonly Block[]): string {
  if (skipped.length === 0) return 'tls: failed to find any PEM data in certificate input'
  if (skipped.length === 1 && skipped[0]!.type.endsWith('PRIVATE KEY')) {
    return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(skipped)}`
}

function noKey(skipped: readonly Block[]): string {
  if (skipped.length === 0) return 'tls: failed to find any PEM data in key input'
  if (skipped.length === 1 && skipped[0]!.type === 'CERTIFICATE')
    return 'tls: found a certificate rather than a key in the PEM for the private key'
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(skipped)}`
}

const typesOf = (blocks: readonly Block[]): string => `[${blocks.map(({ type }) => type).join(' ')}]`
