/** Addresses and networks. */
import { formatAddress, maskAddress } from '../../ip.ts'
import type { Context } from '../context.ts'
import type { Implementation, Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { goQuote } from '../../quote.ts'
import { Failure, Opaque } from '../values.ts'
import { AddressError, isMapped, parseAddr, parsePrefix } from './netip.ts'

const NO_SUCH_OVERLOAD = new Failure('no such overload')

export class IpValue extends Opaque {
  readonly type = 'net.IP'
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    super()
    this.bytes = bytes
  }
  override get size(): number {
    return this.bytes.length
  }
  override equals(other: IpValue): boolean {
    return Buffer.compare(this.bytes, other.bytes) === 0
  }
  override toString(): string {
    return formatAddress(this.bytes)
  }
}

export class CidrValue extends Opaque {
  readonly type = 'net.CIDR'
  readonly bytes: Uint8Array
  readonly bits: number
  constructor(bytes: Uint8Array, bits: number) {
    super()
    this.bytes = bytes
    this.bits = bits
  }
  override get size(): number {
    return Math.ceil(this.bits / 8)
  }
  override equals(other: CidrValue): boolean {
    return this.bits === other.bits && Buffer.compare(this.bytes, other.bytes) === 0
  }
  override toString(): string {
    return `${formatAddress(this.bytes)}/${this.bits}`
  }
}

function attempt<T>(read: () => T, describe: (message: string) => string): T | Failure {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof AddressError)) throw error
    return new Failure(describe(error.message))
  }
}

function toIp(text: string): IpValue | Failure {
  const address = attempt(
    () => parseAddr(text),
    (message) => `IP Address ${goQuote(text.slice(0, 1000))} parse error during conversion from string: ${message}`,
  )
  if (address instanceof Failure) return address
  if (address.zone !== '') return new Failure(`IP address ${goQuote(text)} with zone value is not allowed`)
  if (isMapped(address.bytes)) return new Failure(`IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`)
  return new IpValue(address.bytes)
}

const PREFIX_ERROR = 'network address parse error during conversion from string: '

function toCidr(text: string): CidrValue | Failure {
  const prefix = attempt(
    () => parsePrefix(text),
    (message) => PREFIX_ERROR + PREFIX_ERROR + message,
  )
  if (prefix instanceof Failure) return prefix
  if (isMapped(prefix.bytes)) {
    return new Failure(`${PREFIX_ERROR}IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`)
  }
  return new CidrValue(prefix.bytes, prefix.bits)
}

function within(c: Context, cidr: CidrValue, bytes: Uint8Array, bits: number): boolean {
  c.labour(200)
  if (cidr.bytes.length !== bytes.length || cidr.bits > bits) return false
  return Buffer.compare(maskAddress(cidr.bytes, cidr.bits), maskAddress(bytes, cidr.bits)) === 0
}

function isLoopback({ bytes }: IpValue): boolean {
  return bytes.length === 4 ? bytes[0] === 127 : bytes[15] === 1 && bytes.subarray(0, 15).every((b) => b === 0)
}

function isUnspecified({ bytes }: IpValue): boolean {
  return bytes.every((b) => b === 0)
}

function isLinkLocalUnicast({ bytes }: IpValue): boolean {
  return bytes.length === 4 ? bytes[0] === 169 && bytes[1] === 254 : bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80
}

function isLinkLocalMulticast({ bytes }: IpValue): boolean {
  return bytes.length === 4
    ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0
    : bytes[0] === 0xff && (bytes[1]! & 0x0f) === 2
}

function isMulticast({ bytes }: IpValue): boolean {
  return bytes.length === 4 ? (bytes[0]! & 0xf0) === 0xe0 : bytes[0] === 0xff
}

function isGlobalUnicast(ip: IpValue): boolean {
  if (ip.bytes.length === 4 && ip.bytes.every((b) => b === 255)) return false
  return !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip)
}

function containsIp(c: Context, cidr: CidrValue, ip: unknown): unknown {
  return ip instanceof IpValue ? within(c, cidr, ip.bytes, ip.bytes.length * 8) : NO_SUCH_OVERLOAD
}

function containsCidr(c: Context, cidr: CidrValue, other: CidrValue | Failure): unknown {
  return other instanceof Failure ? other : within(c, cidr, other.bytes, other.bits)
}

function charged(run: (text: string) => unknown): Implementation {
  return (c, text: string) => {
    c.labour(100 + (text.length >> 2))
    return run(text)
  }
}

function test(name: string, id: string, run: (ip: IpValue) => boolean): Overload {
  return overload(name, id, 'net.IP.(): bool', (c, ip: IpValue) => {
    c.labour(30)
    return run(ip)
  })
}

export const NET: readonly Overload[] = [
  overload('ip', 'string_to_ip', '(string): net.IP', charged(toIp)),
  overload('ip', 'cidr_ip', 'net.CIDR.(): net.IP', (_, cidr: CidrValue) => new IpValue(cidr.bytes)),
  overload('family', 'ip_family', 'net.IP.(): int', (_, ip: IpValue) => (ip.bytes.length === 4 ? 4 : 6)),
  overload(
    'ip.isCanonical',
    'ip_is_canonical',
    '(string): bool',
    charged((text) => {
      const ip = toIp(text)
      return ip instanceof Failure ? ip : ip.toString() === text
    }),
  ),
  test('isUnspecified', 'ip_is_unspecified', isUnspecified),
  test('isLoopback', 'ip_is_loopback', isLoopback),
  test('isLinkLocalMulticast', 'ip_is_link_local_multicast', isLinkLocalMulticast),
  test('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
  test('isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast),
  overload(
    'isIP',
    'is_ip',
    '(string): bool',
    charged((text) => !(toIp(text) instanceof Failure)),
  ),
  overload('string', 'ip_to_string', '(net.IP): string', (c, ip: IpValue) => {
    c.labour(150)
    return ip.toString()
  }),
  overload('cidr', 'string_to_cidr', '(string): net.CIDR', charged(toCidr)),
  overload('containsIP', 'cidr_contains_ip_string', 'net.CIDR.(string): bool', (c, cidr: CidrValue, text: string) =>
    containsIp(c, cidr, toIp(text)),
  ),
  overload('containsIP', 'cidr_contains_ip_ip', 'net.CIDR.(net.IP): bool', (c, cidr: CidrValue, ip: IpValue) =>
    containsIp(c, cidr, ip),
  ),
  overload('containsCIDR', 'cidr_contains_cidr_string', 'net.CIDR.(string): bool', (c, cidr: CidrValue, text: string) =>
    containsCidr(c, cidr, toCidr(text)),
  ),
  overload('containsCIDR', 'cidr_contains_cidr', 'net.CIDR.(net.CIDR): bool', (c, cidr: CidrValue, other: CidrValue) =>
    containsCidr(c, cidr, other),
  ),
  overload('prefixLength', 'cidr_prefix_length', 'net.CIDR.(): int', (_, cidr: CidrValue) => cidr.bits),
  overload(
    'masked',
    'cidr_masked',
    'net.CIDR.(): net.CIDR',
    (_, cidr: CidrValue) => new CidrValue(maskAddress(cidr.bytes, cidr.bits), cidr.bits),
  ),
  overload(
    'isCIDR',
    'is_cidr',
    '(string): bool',
    charged((text) => !(toCidr(text) instanceof Failure)),
  ),
  overload('string', 'cidr_to_string', '(net.CIDR): string', (c, cidr: CidrValue) => {
    c.labour(150)
    return cidr.toString()
  }),
]
