/** X.509 certificates (RFC 5280) with ECDSA P-256: a CA and what it signs. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto'
import { parseAddress } from '../ip.ts'
import {
  bitString,
  boolean,
  children,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  read,
  sequence,
  set,
  tags,
  time,
  utf8,
} from './der.ts'
import type { Read } from './der.ts'

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  subjectAltName: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

const ALGORITHM = sequence(oid(OID.ecdsaWithSha256))
const DAY = 86_400_000

/** A certificate with its key, both as PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

/** A certificate authority: what it is, and the means to sign. */
export interface Ca extends Issued {
  readonly name: Buffer
  readonly keyId: Buffer
  readonly signer: KeyObject
}

export interface Validity {
  /** Milliseconds since the epoch. The certificate is valid from a minute before, for clocks that lag. */
  readonly now: number
  /** @default 3650 */
  readonly days?: number
}

/** Who or what a certificate is for. */
export interface Subject {
  /** The user name, for clients. */
  readonly commonName: string
  /** The groups, for clients. */
  readonly organizations?: readonly string[]
}

export interface Leaf extends Subject, Validity {
  readonly usage: 'server' | 'client'
  readonly dns?: readonly string[]
  /** IPv4 or IPv6 addresses as text. */
  readonly ips?: readonly string[]
}

/** Makes a new certificate authority. */
export function createCa(subject: Subject & Validity): Ca {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = nameOf(subject)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const keyId = keyIdOf(spki)
  const der = signed(privateKey, {
    issuer: name,
    subject: name,
    spki,
    ...periodOf(subject),
    extensions: [
      extension(OID.basicConstraints, true, sequence(boolean(true))),
      // digitalSignature, keyCertSign, cRLSign
      extension(OID.keyUsage, true, bitString(Buffer.from([0x86]), 1)),
      extension(OID.subjectKeyIdentifier, false, octetString(keyId)),
    ],
  })
  return { certificate: pem(der), key: keyPem(privateKey), name, keyId, signer: privateKey }
}

/** A CA from its PEM texts. @throws Error when they are none */
export function loadCa(texts: Issued): Ca {
  const signer = createPrivateKey(texts.key)
  const tbs = tbsOf(derOf(texts.certificate))
  const spki = createPublicKey(signer).export({ type: 'spki', format: 'der' })
  return { ...texts, name: tbs.subject, keyId: keyIdOf(spki), signer }
}

/** Makes a key and a certificate for it. */
export function issueCertificate(ca: Ca, leaf: Leaf): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { certificate: pem(signLeaf(ca, leaf, spki)), key: keyPem(privateKey) }
}

function signLeaf(ca: Ca, leaf: Leaf, spki: Buffer): Buffer {
  const extensions = [
    // digitalSignature
    extension(OID.keyUsage, true, bitString(Buffer.from([0x80]), 7)),
    extension(OID.extendedKeyUsage, false, sequence(oid(leaf.usage === 'server' ? OID.serverAuth : OID.clientAuth))),
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, ca.keyId))),
    extension(OID.subjectKeyIdentifier, false, octetString(keyIdOf(spki))),
  ]
  const names = [
    ...(leaf.dns ?? []).map((d) => implicit(2, dnsBytes(d))),
    ...(leaf.ips ?? []).map((ip) => implicit(7, addressBytes(ip))),
  ]
  if (names.length > 0) extensions.push(extension(OID.subjectAltName, false, sequence(...names)))
  return signed(ca.signer, { issuer: ca.name, subject: nameOf(leaf), spki, ...periodOf(leaf), extensions })
}

/** What is signed, as DER. */
export interface Tbs {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly spki: Buffer
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  readonly extensions: readonly Buffer[]
}

function periodOf({ now, days = 3650 }: Validity): Pick<Tbs, 'notBefore' | 'notAfter'> {
  return { notBefore: now - 60_000, notAfter: now + days * DAY }
}

/** The certificate as DER. */
export function signed(key: KeyObject, tbs: Tbs): Buffer {
  const serial = randomBytes(16)
  serial[0]! &= 0x7f
  serial[0]! |= 0x40
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    ALGORITHM,
    tbs.issuer,
    sequence(time(tbs.notBefore), time(tbs.notAfter)),
    tbs.subject,
    tbs.spki,
    explicit(3, sequence(...tbs.extensions)),
  )
  return sequence(body, ALGORITHM, bitString(sign('sha256', body, key)))
}

function nameOf(subject: Subject): Buffer {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)))
  return sequence(
    ...(subject.organizations ?? []).map((o) => attribute(OID.organization, o)),
    attribute(OID.commonName, subject.commonName),
  )
}

/** An extension as certificates have it. */
export function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value))
}

/** The identifier of a public key. */
export function keyIdOf(spki: Buffer): Buffer {
  const key = children(read(spki, 0).content)[1]!.content.subarray(1)
  return createHash('sha1').update(key).digest()
}

/** Four or sixteen bytes. @throws RangeError when the text is no address */
function addressBytes(ip: string): Buffer {
  const address = parseAddress(ip)
  if (address === undefined) throw new RangeError(`not an IP address: ${JSON.stringify(ip)}`)
  return Buffer.from(address.bytes)
}

/** @throws RangeError when the text cannot stand in a certificate */
function dnsBytes(name: string): Buffer {
  if (!/^[!-~]+$/.test(name)) throw new RangeError(`not a DNS name: ${JSON.stringify(name)}`)
  return Buffer.from(name, 'ascii')
}

export function pem(der: Buffer, label = 'CERTIFICATE'): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

/** The bytes inside a PEM text. */
export function derOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
}

function tbsOf(der: Buffer): { readonly subject: Buffer; readonly spki: Buffer } {
  const fields = children(read(read(der, 0).content, 0).content)
  const skip = fields[0]!.tag === 0xa0 ? 1 : 0
  const again = (field: { tag: number; content: Buffer }) =>
    field.tag === 0x30 ? sequence(field.content) : field.content
  return { subject: again(fields[skip + 4]!), spki: again(fields[skip + 5]!) }
}

/** SHA-256 of the public key (SubjectPublicKeyInfo) in hex: what pins a certificate. */
export function spkiHash(der: Buffer): string {
  return createHash('sha256').update(tbsOf(der).spki).digest('hex')
}

/**
 * The subject of a certificate, read from its bytes: every attribute apart, whatever text is in it. The last common name
 * counts, as in Go's crypto/x509.
 *
 * @throws RangeError when the bytes are no certificate, or a name is in an encoding that could hide another
 */
export function subjectOf(der: Buffer): {
  readonly commonName: string
  readonly organizations: readonly string[]
  /** Kubernetes' own attribute 1.3.6.1.4.1.57683.2; '' if there is none. */
  readonly uid: string
} {
  let commonName = ''
  const organizations: string[] = []
  const uids: string[] = []
  for (const relative of children(read(tbsOf(der).subject, 0).content)) {
    for (const attribute of children(relative.content)) {
      const [type, value] = children(attribute.content)
      if (type === undefined || value === undefined) continue
      const id = type.content.toString('hex')
      if (id === '550403') commonName = textOf(value)
      else if (id === '55040a') organizations.push(textOf(value))
      else if (id === UID_ATTRIBUTE) uids.push(textOf(value))
    }
  }
  if (uids.length > 1) throw new RangeError(`expected 1 UID, but found multiple: ${uids.join(', ')}`)
  if (uids[0] === '') throw new RangeError('UID cannot be an empty string')
  return { commonName, organizations, uid: uids[0] ?? '' }
}

const UID_ATTRIBUTE = '2b0601040183c25302'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A directory string: UTF8String, PrintableString or IA5String. Bytes that are no UTF-8 are no name. */
function textOf({ tag, content }: Read): string {
  if (tag !== tags.utf8 && tag !== tags.printable && tag !== 0x16) {
    throw new RangeError('the subject has a string of an unknown type')
  }
  try {
    return strict.decode(content)
  } catch (error) {
    throw new RangeError('the subject is no UTF-8', { cause: error })
  }
}
