/** Which addresses a cluster may call. Pure. */
import { maskAddress, parseAddress, parsePrefix } from '../../machinery/ip.ts'

/** Ranges as `10.0.0.0/8`, `fe80::/10`. What is allowed wins over what is denied. */
export interface ReachOptions {
  /** @default {@link SENSITIVE} */
  readonly denied?: readonly string[]
  /** @default none */
  readonly allowed?: readonly string[]
}

/**
 * What tenants of a shared process must not reach through it: the process itself and its node's services (loopback and
 * the unspecified address, which the kernel takes for it), metadata services of clouds, multicast and broadcast. IPv6
 * forms that a gateway translates to IPv4 are looked at as the IPv4 address.
 */
export const SENSITIVE: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Metadata of Alibaba Cloud, and of AWS over IPv6.
  '100.100.100.200/32',
  'fd00:ec2::254/128',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
]

/** Whether an address may be dialled. */
export type Reach = (address: string) => boolean

/** For clusters of the operator. */
export const everywhere: Reach = () => true

/** @throws TypeError for what is no range */
export function reach({ denied = SENSITIVE, allowed = [] }: ReachOptions): Reach {
  const no = denied.map(matcher)
  const yes = allowed.map(matcher)
  return (text) => {
    const address = parseAddress(text)
    if (address === undefined) return false
    const bytes = embedded(address.bytes)
    return yes.some((matches) => matches(bytes)) || !no.some((matches) => matches(bytes))
  }
}

function matcher(range: string): (bytes: Uint8Array) => boolean {
  const prefix = parsePrefix(range)
  if (prefix === undefined) throw new TypeError(`${JSON.stringify(range)} is no address range, such as 10.0.0.0/8`)
  const { bits } = prefix
  const want = maskAddress(prefix.address.bytes, bits)
  return (bytes) => bytes.length === want.length && maskAddress(bytes, bits).every((byte, i) => byte === want[i])
}

/** The first 12 bytes of addresses with an IPv4 address in their last 4: NAT64, and the deprecated `::1.2.3.4`. */
const CARRIERS = ['64:ff9b::', '::'].map((text) => parseAddress(text)!.bytes.subarray(0, 12))

function embedded(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 16) return bytes
  const carried = CARRIERS.some((head) => head.every((byte, i) => byte === bytes[i]))
  const tail = bytes.subarray(12)
  // `::` and `::1` are addresses of their own.
  const own = tail[0] === 0 && tail[1] === 0 && tail[2] === 0 && tail[3]! <= 1
  if (carried && !own) return tail
  // 6to4: 2002:AABB:CCDD::/48
  return bytes[0] === 0x20 && bytes[1] === 0x02 ? bytes.subarray(2, 6) : bytes
}
