/** Free lists of service addresses and node ports. In memory; the stored services are the truth. */
import { parseAddress, parsePrefix } from '../../machinery/ip.ts'

/** Where cluster IPs come from. One per cluster and address family. */
export interface ServiceIps {
  /** Takes a free address; undefined when all are taken. */
  allocate(): string | undefined
  /** Takes this address. Answers why not, in upstream's words. */
  claim(ip: string): string | undefined
  /** Gives an address back; one that is not taken is left alone. */
  release(ip: string): void
  /** The first usable address, kept for the service `default/kubernetes`. */
  readonly first: string
}

const toText = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.')

function toNumber(text: string): number | undefined {
  const bytes = parseAddress(text)?.bytes
  if (bytes === undefined || bytes.length !== 4) return undefined
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
}

/**
 * A pool of numbers. New ones come from behind the first `reserved` (kept for those whom users choose) as long as
 * there are any, from a random place on.
 */
function numberPool(low: number, high: number, reserved: number, random: () => number) {
  const taken = new Set<number>()
  const scan = (from: number, to: number): number | undefined => {
    const size = to - from + 1
    if (size <= 0) return undefined
    const start = Math.floor(random() * size)
    for (let i = 0; i < size; i++) {
      const n = from + ((start + i) % size)
      if (!taken.has(n)) return n
    }
    return undefined
  }
  return {
    taken,
    allocate(skip?: number): number | undefined {
      const hidden = skip !== undefined && !taken.has(skip)
      if (hidden) taken.add(skip)
      const n = scan(low + reserved, high) ?? scan(low, low + reserved - 1)
      if (hidden) taken.delete(skip)
      if (n !== undefined) taken.add(n)
      return n
    },
  }
}

/** A pool over an IPv4 CIDR, without its network and broadcast address. @throws Error for a CIDR that is none */
export function ipPool(cidr: string, random: () => number): ServiceIps {
  const prefix = parsePrefix(cidr)
  const base = prefix === undefined ? undefined : toNumber(cidr.slice(0, cidr.indexOf('/')))
  if (prefix === undefined || base === undefined || prefix.bits > 30 || prefix.bits < 8) {
    throw new Error(`service CIDR ${JSON.stringify(cidr)} is not an IPv4 range between /8 and /30`)
  }
  const size = 2 ** (32 - prefix.bits)
  const network = base - (base % size)
  const low = network + 1
  const high = network + size - 2
  const reserved = Math.min(Math.max(16, Math.floor(size / 16)), 256, high - low)
  const pool = numberPool(low, high, reserved, random)
  return {
    first: toText(low),
    allocate() {
      const n = pool.allocate(low)
      return n === undefined ? undefined : toText(n)
    },
    claim(ip) {
      const n = toNumber(ip)
      if (n === undefined || n < low || n > high) {
        return 'the provided network does not match the current range'
      }
      if (pool.taken.has(n)) return 'provided IP is already allocated'
      pool.taken.add(n)
      return undefined
    },
    release(ip) {
      const n = toNumber(ip)
      if (n !== undefined) pool.taken.delete(n)
    },
  }
}

/** Why a node port cannot be had. */
export const TAKEN = 'provided port is already allocated'

/** Node ports. */
export interface PortPool {
  /** Whether somebody has the port. */
  has(port: number): boolean
  allocate(): number | undefined
  claim(port: number): string | undefined
  release(port: number): void
}

/** A pool over `low`–`high`. */
export function portPool(low: number, high: number, random: () => number): PortPool {
  const size = high - low + 1
  const pool = numberPool(low, high, Math.min(Math.max(16, Math.floor(size / 32)), 128, size - 1), random)
  return {
    has: (port) => pool.taken.has(port),
    allocate: () => pool.allocate(),
    claim(port) {
      if (port < low || port > high) {
        return `provided port is not in the valid range. The range of valid ports is ${low}-${high}`
      }
      if (pool.taken.has(port)) return TAKEN
      pool.taken.add(port)
      return undefined
    },
    release: (port) => void pool.taken.delete(port),
  }
}
