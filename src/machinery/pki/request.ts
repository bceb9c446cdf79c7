/** Certificate requests (PKCS #10, RFC 2986): read, checked, and turned into certificates. */
import { createPublicKey, verify } from 'node:crypto'
import { type Ca, derOf, extension, keyIdOf, pem, signed } from './certificate.ts'
import { bitString, children, element, implicit, octetString, oid, read, sequence, tags } from './der.ts'
import type { Read } from './der.ts'

export interface CertificateRequest {
  /** The subject and the public key as DER. */
  readonly subject: Buffer
  readonly spki: Buffer
  readonly commonName: string
  readonly organizations: readonly string[]
  /** Alternative names, as DER, and how many there are of each kind. */
  readonly names: readonly Buffer[]
  readonly dns: number
  readonly emails: number
  readonly uris: number
  readonly ips: number
}

const EXTENSION_REQUEST = oid('1.2.840.113549.1.9.14')
const SUBJECT_ALT_NAME = oid('2.5.29.17')
const SUBJECT_TAGS: Readonly<Record<number, 'emails' | 'dns' | 'uris' | 'ips'>> = {
  0x81: 'emails',
  0x82: 'dns',
  0x86: 'uris',
  0x87: 'ips',
}

/** Signature algorithms by the hexadecimal form of their OID, with the hash that node calls them by. */
const HASHES: ReadonlyMap<string, string | null> = new Map([
  [hex('1.2.840.10045.4.3.2'), 'sha256'],
  [hex('1.2.840.10045.4.3.3'), 'sha384'],
  [hex('1.2.840.10045.4.3.4'), 'sha512'],
  [hex('1.2.840.113549.1.1.11'), 'sha256'],
  [hex('1.2.840.113549.1.1.12'), 'sha384'],
  [hex('1.2.840.113549.1.1.13'), 'sha512'],
  [hex('1.3.101.112'), null],
])

function hex(dotted: string): string {
  return oid(dotted).toString('hex')
}

/**
 * Reads a request and checks that who asks has the key.
 *
 * @throws RangeError saying what is wrong with it
 */
export function readRequest(text: string): CertificateRequest {
  const block = /-----BEGIN ([^-\n]*)-----\r?\n[\s\S]*?-----END \1-----/.exec(text)
  if (block?.[1] !== 'CERTIFICATE REQUEST') throw new RangeError('PEM block type must be CERTIFICATE REQUEST')
  return readRequestDer(derOf(block[0]))
}

/** The signature is not made with the key of the request. */
export class WrongSignature extends RangeError {}

/**
 * As {@link readRequest}, of DER.
 *
 * @throws RangeError saying what is wrong with it
 */
export function readRequestDer(der: Buffer): CertificateRequest {
  try {
    return fromDer(der)
  } catch (error) {
    if (error instanceof RangeError) throw error
    throw new RangeError('the request cannot be read', { cause: error })
  }
}

function fromDer(der: Buffer): CertificateRequest {
  const [info, algorithm, signature] = children(sequenceOf(read(der, 0)))
  if (info === undefined || algorithm === undefined || signature === undefined) throw malformed()
  const [, subject, spki, attributes] = children(sequenceOf(info))
  if (subject === undefined || spki === undefined) throw malformed()
  const key = again(spki)
  checkSignature(again(info), again(children(sequenceOf(algorithm))[0]), signature, key)
  const names = attributes?.tag === 0xa0 ? alternativeNames(attributes) : []
  const counts = { dns: 0, emails: 0, uris: 0, ips: 0 }
  for (const { tag } of names) {
    const kind = SUBJECT_TAGS[tag]
    if (kind !== undefined) counts[kind]++
  }
  const { commonName, organizations } = namesIn(subject)
  const kept = names.filter(({ tag }) => SUBJECT_TAGS[tag] !== undefined).map(again)
  return { subject: again(subject), spki: key, commonName, organizations, names: kept, ...counts }
}

const malformed = (): RangeError => new RangeError('the request is malformed')

function sequenceOf(element_: Read): Buffer {
  if (element_.tag !== tags.sequence) throw malformed()
  return element_.content
}

/** The bytes of an element that was read. */
function again(part: Read | undefined): Buffer {
  if (part === undefined) throw malformed()
  return element(part.tag, part.content)
}

function checkSignature(info: Buffer, algorithm: Buffer, signature: Read, spki: Buffer): void {
  const hash = HASHES.get(algorithm.toString('hex'))
  if (hash === undefined) throw new RangeError('the request is signed by an unknown algorithm')
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  if (!verify(hash, info, key, signature.content.subarray(1))) {
    throw new WrongSignature('the signature of the request is wrong')
  }
}

function alternativeNames(attributes: Read): Read[] {
  for (const attribute of children(attributes.content)) {
    const [type, values] = children(attribute.content)
    if (type === undefined || values === undefined || !again(type).equals(EXTENSION_REQUEST)) continue
    for (const list of children(values.content)) {
      for (const one of children(list.content)) {
        const parts = children(one.content)
        if (!again(parts[0]).equals(SUBJECT_ALT_NAME)) continue
        const value = parts.at(-1)!
        return children(sequenceOf(read(value.content, 0)))
      }
    }
  }
  return []
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function namesIn(subject: Read): { commonName: string; organizations: string[] } {
  let commonName = ''
  const organizations: string[] = []
  for (const relative of children(subject.content)) {
    for (const attribute of children(relative.content)) {
      const [type, value] = children(attribute.content)
      if (type === undefined || value === undefined) throw malformed()
      const id = type.content.toString('hex')
      if (id !== '550403' && id !== '55040a') continue
      if (value.tag !== tags.utf8 && value.tag !== tags.printable && value.tag !== 0x16) {
        throw new RangeError('the subject has a string of an unknown type')
      }
      const text = strict.decode(value.content)
      if (id === '550403') commonName = text
      else organizations.push(text)
    }
  }
  return { commonName, organizations }
}

/** Usages as the API names them: bits of keyUsage, or OIDs of extendedKeyUsage. */
const KEY_USAGES: ReadonlyMap<string, number> = new Map([
  ['signing', 0],
  ['digital signature', 0],
  ['content commitment', 1],
  ['key encipherment', 2],
  ['data encipherment', 3],
  ['key agreement', 4],
  ['cert sign', 5],
  ['crl sign', 6],
  ['encipher only', 7],
  ['decipher only', 8],
])
const EXTENDED_USAGES: ReadonlyMap<string, string> = new Map([
  ['any', '2.5.29.37.0'],
  ['server auth', '1.3.6.1.5.5.7.3.1'],
  ['client auth', '1.3.6.1.5.5.7.3.2'],
  ['code signing', '1.3.6.1.5.5.7.3.3'],
  ['email protection', '1.3.6.1.5.5.7.3.4'],
  ['s/mime', '1.3.6.1.5.5.7.3.4'],
  ['ipsec end system', '1.3.6.1.5.5.7.3.5'],
  ['ipsec tunnel', '1.3.6.1.5.5.7.3.6'],
  ['ipsec user', '1.3.6.1.5.5.7.3.7'],
  ['timestamping', '1.3.6.1.5.5.7.3.8'],
  ['ocsp signing', '1.3.6.1.5.5.7.3.9'],
  ['microsoft sgc', '1.3.6.1.4.1.311.10.3.3'],
  ['netscape sgc', '2.16.840.1.113730.4.1'],
])

export const CERTIFICATE_USAGES: readonly string[] = [...KEY_USAGES.keys(), ...EXTENDED_USAGES.keys()]

/** The certificate that a request asks for, as PEM. Times are milliseconds since the epoch. */
export function signRequest(
  ca: Ca,
  request: CertificateRequest,
  options: { readonly usages: readonly string[]; readonly notBefore: number; readonly notAfter: number },
): string {
  const { usages, notBefore, notAfter } = options
  const bits = usages.flatMap((usage) => KEY_USAGES.get(usage) ?? [])
  const extended = [...new Set(usages.flatMap((usage) => EXTENDED_USAGES.get(usage) ?? []))]
  const extensions = [
    ...(bits.length === 0 ? [] : [extension('2.5.29.15', true, keyUsage(bits))]),
    ...(extended.length === 0 ? [] : [extension('2.5.29.37', false, sequence(...extended.map(oid)))]),
    // Not an authority.
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.14', false, octetString(keyIdOf(request.spki))),
    extension('2.5.29.35', false, sequence(implicit(0, ca.keyId))),
    ...(request.names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...request.names))]),
  ]
  const { subject, spki } = request
  return pem(signed(ca.signer, { issuer: ca.name, subject, spki, notBefore, notAfter, extensions }))
}

/** A bit string without trailing zeros. */
function keyUsage(bits: readonly number[]): Buffer {
  const last = Math.max(...bits)
  const bytes = Buffer.alloc((last >> 3) + 1)
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7)
  return bitString(bytes, 7 - (last & 7))
}
