/** DER (X.690): the few types that certificates need, written and read. */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** One element: tag, length, content. */
export function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = content.length === 1 ? content[0]! : Buffer.concat(content)
  return Buffer.concat([header(tag, body.length), body])
}

function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([tag, 0x80 | bytes.length, ...bytes])
}

export const sequence = (...content: readonly Buffer[]): Buffer => element(tags.sequence, ...content)
export const set = (...content: readonly Buffer[]): Buffer => element(tags.set, ...content)
export const octetString = (content: Buffer): Buffer => element(tags.octetString, content)
export const bitString = (content: Buffer, unused = 0): Buffer =>
  element(tags.bitString, Buffer.from([unused]), content)
export const utf8 = (text: string): Buffer => element(tags.utf8, Buffer.from(text, 'utf8'))
export const boolean = (value: boolean): Buffer => element(tags.boolean, Buffer.from([value ? 0xff : 0]))
/** `[n] EXPLICIT` */
export const explicit = (n: number, content: Buffer): Buffer => element(0xa0 | n, content)
/** `[n] IMPLICIT` of a primitive type */
export const implicit = (n: number, content: Buffer): Buffer => element(0x80 | n, content)

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const body = bytes.subarray(start)
  return element(tags.integer, body[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), body]) : body)
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const parts = dotted.split('.').map(Number)
  const bytes = [parts[0]! * 40 + parts[1]!]
  for (const part of parts.slice(2)) {
    const septets = [part & 0x7f]
    for (let rest = part >>> 7; rest > 0; rest >>>= 7) septets.unshift((rest & 0x7f) | 0x80)
    bytes.push(...septets)
  }
  return element(tags.oid, Buffer.from(bytes))
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
export function time(milliseconds: number): Buffer {
  const text = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
  return Number(text.slice(0, 4)) < 2050
    ? element(tags.utcTime, Buffer.from(text.slice(2), 'ascii'))
    : element(tags.generalizedTime, Buffer.from(text, 'ascii'))
}

/** One element that was read. */
export interface Read {
  readonly tag: number
  readonly content: Buffer
  /** Index behind the element. */
  readonly end: number
}

/**
 * Reads the element at `at`.
 *
 * @throws RangeError when the bytes end before the element does
 */
export function read(bytes: Buffer, at: number): Read {
  const tag = bytes.readUInt8(at)
  let length = bytes.readUInt8(at + 1)
  let start = at + 2
  if (length >= 0x80) {
    const count = length & 0x7f
    if (count === 0 || count > 4) throw new RangeError('a length that DER does not know')
    length = bytes.readUIntBE(start, count)
    start += count
  }
  if (start + length > bytes.length) throw new RangeError('the element is longer than its bytes')
  return { tag, content: bytes.subarray(start, start + length), end: start + length }
}

/** The elements inside a constructed one. */
export function children(content: Buffer): Read[] {
  const out: Read[] = []
  for (let at = 0; at < content.length;) {
    const next = read(content, at)
    out.push(next)
    at = next.end
  }
  return out
}
