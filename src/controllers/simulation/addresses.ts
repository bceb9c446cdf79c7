/** Addresses of simulated nodes and their pods. Pure. */

/** Nodes with a large range; the others have a small one. The two kinds lie apart. */
const LARGE = 512

/** Hosts' addresses come from 100.64.0.0/10 (shared address space): no real node has one of these. */
export function nodeAddress(index: number): string {
  return text(((100 << 24) | (64 << 16)) + index + 1)
}

/** The pods' range of the node with this index: a /19 of 10.128.0.0/10 for the first 512, then a /24 of 10.192.0.0/10. */
export function podCidr(index: number): string {
  if (index < LARGE) return `${text(((10 << 24) | (128 << 16)) + index * 8192)}/19`
  return `${text(((10 << 24) | (192 << 16)) + (index - LARGE) * 256)}/24`
}

/** Gives addresses of one range to pods, each to one at a time. */
export class AddressPool {
  readonly #first: number
  readonly #size: number
  readonly #owners = new Map<number, string>()
  readonly #addresses = new Map<string, number>()
  #next = 0

  /** `cidr` is an IPv4 range of at least four addresses. @throws RangeError */
  constructor(cidr: string) {
    const [address = '', length = ''] = cidr.split('/')
    const bits = 32 - Number(length)
    const parts = address.split('.').map(Number)
    if (parts.length !== 4 || !(bits >= 2 && bits <= 24)) throw new RangeError(`no IPv4 range for pods: ${cidr}`)
    this.#first = parts.reduce((sum, part) => sum * 256 + part, 0) + 1
    this.#size = 2 ** bits - 2
  }

  /** The pod's address, the same as before if it has one; `undefined` when all are taken. */
  take(uid: string): string | undefined {
    const known = this.#addresses.get(uid)
    if (known !== undefined) return text(this.#first + known)
    for (let tries = 0; tries < this.#size; tries++) {
      const offset = this.#next
      this.#next = (this.#next + 1) % this.#size
      if (this.#owners.has(offset)) continue
      this.#set(offset, uid)
      return text(this.#first + offset)
    }
    return undefined
  }

  /** Notes an address that a pod has already. One that is not of this range, or taken, is left alone. */
  reserve(uid: string, address: string): void {
    const offset =
      address
        .split('.')
        .map(Number)
        .reduce((sum, part) => sum * 256 + part, 0) - this.#first
    if (!(offset >= 0 && offset < this.#size) || this.#owners.has(offset) || this.#addresses.has(uid)) return
    this.#set(offset, uid)
  }

  release(uid: string): void {
    const offset = this.#addresses.get(uid)
    if (offset === undefined) return
    this.#addresses.delete(uid)
    this.#owners.delete(offset)
  }

  #set(offset: number, uid: string): void {
    this.#owners.set(offset, uid)
    this.#addresses.set(uid, offset)
  }
}

function text(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}
