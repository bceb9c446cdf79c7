/** IP addresses and prefixes as the API checks them (`util/validation/ip.go`), with its texts. */

/** 4 or 16 bytes. `mapped`: written as an IPv4-mapped IPv6 address. `sloppy`: octets had leading zeros. */
export interface Address {
  readonly bytes: Uint8Array
  readonly mapped: boolean
  readonly sloppy: boolean
}

const MAX_TEXT = 64

function parseV4(text: string): { bytes: number[]; sloppy: boolean } | undefined {
  const parts = text.split('.', 5)
  if (parts.length !== 4) return undefined
  const bytes: number[] = []
  let sloppy = false
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part)) return undefined
    const value = Number(part)
    if (value > 255) return undefined
    if (part.length > 1 && part.startsWith('0')) sloppy = true
    bytes.push(value)
  }
  return { bytes, sloppy }
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::', 3)
  if (halves.length > 2) return undefined
  let sloppy = false
  const groups = (half: string, last: boolean): number[] | undefined => {
    if (half === '') return []
    const out: number[] = []
    const parts = half.split(':', 10)
    for (const [i, part] of parts.entries()) {
      if (last && i === parts.length - 1 && part.includes('.')) {
        const tail = parseV4(part)
        if (tail === undefined) return undefined
        sloppy = tail.sloppy
        out.push((tail.bytes[0]! << 8) | tail.bytes[1]!, (tail.bytes[2]! << 8) | tail.bytes[3]!)
      } else {
        if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
        out.push(Number.parseInt(part, 16))
      }
    }
    return out
  }
  const head = groups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const gap = 8 - head.length - tail.length
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined
  const words = [...head, ...Array.from({ length: gap }, () => 0), ...tail]
  const bytes = new Uint8Array(16)
  for (const [i, word] of words.entries()) {
    bytes[2 * i] = word >> 8
    bytes[2 * i + 1] = word & 255
  }
  const mapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff
  return { bytes: mapped ? bytes.subarray(12) : bytes, mapped, sloppy }
}

/** Reads an address; leading zeros in octets are taken as decimal, and told. `undefined`: no address. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_TEXT) return undefined
  if (text.includes(':')) return parseV6(text)
  const v4 = parseV4(text)
  return v4 === undefined ? undefined : { bytes: Uint8Array.from(v4.bytes), mapped: false, sloppy: v4.sloppy }
}

/** RFC 5952; a mapped address as IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!)
  let from = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let n = 0
    while (i + n < 8 && words[i + n] === 0) n++
    if (n > length) {
      from = i
      length = n
    }
    if (n > 0) i += n
  }
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':')
  return from < 0 ? hex(words) : `${hex(words.slice(0, from))}::${hex(words.slice(from + length))}`
}

/** Errors of an address in the long-standing fields, under StrictIPCIDRValidation unless `strict` is false. */
export function isIp(value: string, strict = true): string[] {
  const address = parseAddress(value)
  if (address === undefined) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
  if (!strict) return []
  if (address.sloppy) return ['must not have leading 0s']
  return address.mapped ? ['must not be an IPv4-mapped IPv6 address'] : []
}

/** Errors of an address in fields that want the canonical form. */
export function isCanonicalIp(value: string): string[] {
  const errors = isIp(value)
  if (errors.length > 0) return errors
  const canonical = formatAddress(parseAddress(value)!.bytes)
  return canonical === value ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
}

/** A prefix: the address as written, and its length in bits. */
export interface Prefix {
  readonly address: Address
  readonly bits: number
  readonly sloppy: boolean
}

/** `10.0.0.0/8`. Length relative to the written form, so up to 128 for mapped addresses. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.lastIndexOf('/')
  if (slash < 0) return undefined
  const address = parseAddress(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (address === undefined || !/^[0-9]{1,8}$/.test(length)) return undefined
  const max = address.mapped || address.bytes.length === 16 ? 128 : 32
  const bits = Number(length)
  if (bits > max) return undefined
  return { address, bits, sloppy: address.sloppy || (length.length > 1 && length.startsWith('0')) }
}

/** The address with everything beyond `bits` cleared. */
export function maskAddress(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - 8 * i))) & 255)
}

/** Errors of a subnet in the long-standing fields, under StrictIPCIDRValidation unless `strict` is false. */
export function isCidr(value: string, strict = true): string[] {
  const prefix = parsePrefix(value)
  if (prefix === undefined) return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
  if (!strict) return []
  if (prefix.sloppy) return ['must not have leading 0s in IP or prefix length']
  if (prefix.address.mapped) return ['must not have an IPv4-mapped IPv6 address']
  const { bytes } = prefix.address
  const same = maskAddress(bytes, prefix.bits).every((byte, i) => byte === bytes[i])
  return same ? [] : ['must not have bits set beyond the prefix length']
}

/** Errors of a subnet in fields that want the canonical form. */
export function isCanonicalCidr(value: string): string[] {
  const errors = isCidr(value)
  if (errors.length > 0) return errors
  const { address, bits } = parsePrefix(value)!
  const canonical = `${formatAddress(address.bytes)}/${bits}`
  return canonical === value ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
}
