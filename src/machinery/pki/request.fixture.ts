/** Certificate requests for tests. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { parseAddress } from '../ip.ts'
import { extension, pem } from './certificate.ts'
import { bitString, element, implicit, integer, oid, sequence, set, utf8 } from './der.ts'

/** A request as PEM, and its key. */
export function requestOf(subject: {
  readonly commonName: string
  readonly organizations?: readonly string[]
  readonly dns?: readonly string[]
  readonly ips?: readonly string[]
}): { readonly request: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const attribute = (type: string, value: string): Buffer => set(sequence(oid(type), utf8(value)))
  const names = [
    ...(subject.dns ?? []).map((name) => implicit(2, Buffer.from(name))),
    ...(subject.ips ?? []).map((ip) => implicit(7, Buffer.from(parseAddress(ip)!.bytes))),
  ]
  const wanted = sequence(
    oid('1.2.840.113549.1.9.14'),
    set(sequence(extension('2.5.29.17', false, sequence(...names)))),
  )
  const info = sequence(
    integer(Buffer.from([0])),
    sequence(
      ...(subject.organizations ?? []).map((name) => attribute('2.5.4.10', name)),
      attribute('2.5.4.3', subject.commonName),
    ),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa0, ...(names.length === 0 ? [] : [wanted])),
  )
  const signature = bitString(sign('sha256', info, privateKey))
  const der = sequence(info, sequence(oid('1.2.840.10045.4.3.2')), signature)
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { request: pem(der, 'CERTIFICATE REQUEST'), key }
}
