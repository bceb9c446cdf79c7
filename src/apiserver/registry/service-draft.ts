/** What one write of a service takes from the pools. */
import type { FieldError } from '../../machinery/field.ts'
import { invalid } from '../../machinery/field.ts'
import { errors } from '../../machinery/status.ts'
import type { PortPool, ServiceIps } from './ip-pool.ts'

/** What was taken for one write. Exactly one of both functions is called. */
export interface Reservation {
  /** The write happened: what it no longer needs is free. */
  commit(): void
  /** The write did not happen: what it took is free. */
  revert(): void
}

/** Where a cluster's addresses and node ports come from. */
export interface Pools {
  readonly ips: ServiceIps
  readonly ports: PortPool
}

/** Takes from the pools and remembers what it took. */
export class Draft implements Reservation {
  readonly #pools: Pools
  readonly #name: string
  readonly #ips: string[] = []
  readonly #ports = new Set<number>()
  readonly #freeIps: string[] = []
  readonly #freePorts: number[] = []

  constructor(pools: Pools, name: string) {
    this.#pools = pools
    this.#name = name
  }

  invalid(list: readonly FieldError[]): never {
    throw errors.invalid({ group: '', kind: 'Service' }, this.#name, list)
  }

  ip(wanted: string, shown: readonly string[]): string {
    if (wanted === '') {
      const ip = this.#pools.ips.allocate()
      if (ip === undefined) {
        throw errors.internal(`failed to allocate a serviceIP for Service ${JSON.stringify(this.#name)}: range is full`)
      }
      this.#ips.push(ip)
      return ip
    }
    const why = this.#pools.ips.claim(wanted)
    if (why !== undefined) this.invalid([invalid('spec.clusterIPs', shown, `failed to allocate IP ${wanted}: ${why}`)])
    this.#ips.push(wanted)
    return wanted
  }

  port(wanted: number | undefined, path: string): number {
    if (wanted === undefined || wanted === 0) {
      const port = this.#pools.ports.allocate()
      if (port === undefined) throw errors.internal('failed to allocate a nodePort: range is full')
      this.#ports.add(port)
      return port
    }
    if (this.#ports.has(wanted)) return wanted
    const why = this.#pools.ports.claim(wanted)
    if (why !== undefined) this.invalid([invalid(path, wanted, why)])
    this.#ports.add(wanted)
    return wanted
  }

  free(ips: Iterable<string>, ports: Iterable<number>): void {
    this.#freeIps.push(...ips)
    this.#freePorts.push(...ports)
  }

  commit(): void {
    for (const ip of this.#freeIps) this.#pools.ips.release(ip)
    for (const port of this.#freePorts) this.#pools.ports.release(port)
  }

  revert(): void {
    for (const ip of this.#ips) this.#pools.ips.release(ip)
    for (const port of this.#ports) this.#pools.ports.release(port)
  }
}
