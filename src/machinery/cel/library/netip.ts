/** Addresses and prefixes as Go's `net/netip` reads them, with its errors. */
import { goQuote } from '../../quote.ts'

/** What is wrong with a text. */
export class AddressError extends Error {}

/** Longer texts are no address: their start is quoted in the error only. */
const MAX_QUOTED = 1000

function problem(text: string, message: string, at = ''): AddressError {
  const where = at === '' ? '' : ` (at ${goQuote(at.slice(0, MAX_QUOTED))})`
  return new AddressError(`ParseAddr(${goQuote(text.slice(0, MAX_QUOTED))}): ${message}${where}`)
}

export interface ParsedAddress {
  /** 4 or 16. */
  readonly bytes: Uint8Array
  readonly zone: string
}

/** The four octets at the end of a text. */
function octets(text: string, part: string): number[] {
  const fields: number[] = []
  let value = 0
  let digits = 0
  for (let i = 0; i < part.length; i++) {
    const c = part[i]!
    if (c >= '0' && c <= '9') {
      if (digits === 1 && value === 0) throw problem(text, 'IPv4 field has octet with leading zero')
      value = value * 10 + Number(c)
      digits++
      if (value > 255) throw problem(text, 'IPv4 field has value >255')
    } else if (c === '.') {
      if (i === 0 || i === part.length - 1 || part[i - 1] === '.') {
        throw problem(text, 'IPv4 field must have at least one digit', part.slice(i))
      }
      if (fields.length === 3) throw problem(text, 'IPv4 address too long')
      fields.push(value)
      value = 0
      digits = 0
    } else throw problem(text, 'unexpected character', part.slice(i))
  }
  if (fields.length < 3) throw problem(text, 'IPv4 address too short')
  fields.push(value)
  return fields
}

/** @throws AddressError */
export function parseAddr(text: string): ParsedAddress {
  const first = /[.:%]/.exec(text)?.[0]
  if (first === '.') return { bytes: Uint8Array.from(octets(text, text)), zone: '' }
  if (first === ':') return parseV6(text)
  throw problem(text, first === '%' ? 'missing IPv6 address' : 'unable to parse IP')
}

function parseV6(text: string): ParsedAddress {
  const percent = text.indexOf('%')
  const zone = percent === -1 ? '' : text.slice(percent + 1)
  if (percent !== -1 && zone === '') throw problem(text, 'zone must be a non-empty string')
  let rest = percent === -1 ? text : text.slice(0, percent)
  const bytes: number[] = []
  let gap = -1
  if (rest.startsWith('::')) {
    gap = 0
    rest = rest.slice(2)
    if (rest === '') return { bytes: new Uint8Array(16), zone }
  }
  while (bytes.length < 16) {
    const [group = ''] = /^[0-9a-fA-F]*/.exec(rest.slice(0, 8)) ?? []
    if (group.length > 4) throw problem(text, 'each group must have 4 or less digits', rest)
    if (group === '') throw problem(text, 'each colon-separated field must have at least one digit', rest)
    if (rest[group.length] === '.') {
      if (gap < 0 && bytes.length !== 12) {
        throw problem(text, 'embedded IPv4 address must replace the final 2 fields of the address', rest)
      }
      if (bytes.length + 4 > 16) {
        throw problem(text, 'too many hex fields to fit an embedded IPv4 at the end of the address', rest)
      }
      bytes.push(...octets(text, rest))
      rest = ''
      break
    }
    const value = Number.parseInt(group, 16)
    bytes.push(value >> 8, value & 255)
    rest = rest.slice(group.length)
    if (rest === '') break
    if (!rest.startsWith(':')) throw problem(text, 'unexpected character, want colon', rest)
    if (rest.length === 1) throw problem(text, 'colon must be followed by more characters', rest)
    rest = rest.slice(1)
    if (rest.startsWith(':')) {
      if (gap >= 0) throw problem(text, 'multiple :: in address', rest)
      gap = bytes.length
      rest = rest.slice(1)
      if (rest === '') break
    }
  }
  if (rest !== '') throw problem(text, 'trailing garbage after address', rest)
  if (bytes.length < 16) {
    if (gap < 0) throw problem(text, 'address string too short')
    const missing = 16 - bytes.length
    bytes.splice(gap, 0, ...Array.from({ length: missing }, () => 0))
  } else if (gap >= 0) throw problem(text, 'the :: must expand to at least one field of zeros')
  return { bytes: Uint8Array.from(bytes), zone }
}

export function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255
}

/** @throws AddressError */
export function parsePrefix(text: string): { readonly bytes: Uint8Array; readonly bits: number } {
  const wrong = (message: string) =>
    new AddressError(`netip.ParsePrefix(${goQuote(text.slice(0, MAX_QUOTED))}): ${message}`)
  const slash = text.lastIndexOf('/')
  if (slash < 0) throw wrong("no '/'")
  let address: ParsedAddress
  try {
    address = parseAddr(text.slice(0, slash))
  } catch (error) {
    throw wrong((error as Error).message)
  }
  if (address.zone !== '') throw wrong('IPv6 zones cannot be present in a prefix')
  const length = text.slice(slash + 1)
  if ((length.length > 1 && !/^[1-9]/.test(length)) || !/^[+-]?\d{1,18}$/.test(length)) {
    throw wrong(`bad bits after slash: ${goQuote(length.slice(0, MAX_QUOTED))}`)
  }
  const bits = Number(length)
  if (bits < 0 || bits > address.bytes.length * 8) throw wrong('prefix length out of range')
  return { bytes: address.bytes, bits }
}
