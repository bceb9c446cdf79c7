/** What one write of a service takes from the pools. */
import type { FieldError } from '../../machinery/field.ts'
import { invalid } from '../../machinery/field.ts'
import { errors } from '../../machinery/status.ts'
import type { PortPool, ServiceIps } from './ip-pool.ts'
import { TAKEN } from './ip-pool.ts'

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

/** What a dry run answers for a port that would be chosen: the one behind those that were named. */
function dummyPort(named: ReadonlySet<number>): number {
  return (named.size === 0 ? 32_768 : Math.max(0, ...named)) + 1
}

/** Takes from the pools and remembers what it took. */
export class Draft implements Reservation {
  readonly #pools: Pools
  readonly #name: string
  readonly #dryRun: boolean
  readonly #ips: string[] = []
  readonly #ports = new Set<number>()
  readonly #freeIps: string[] = []
  readonly #freePorts: number[] = []

  /** `dryRun`: ports are not taken; one that is named must be free only, wherever it lies. As upstream has it. */
  constructor(pools: Pools, name: string, dryRun: boolean) {
    this.#pools = pools
    this.#name = name
    this.#dryRun = dryRun
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
      const port = this.#dryRun ? dummyPort(this.#ports) : this.#pools.ports.allocate()
      if (port === undefined) throw errors.internal('failed to allocate a nodePort: range is full')
      this.#ports.add(port)
      return port
    }
    const why = this.#claim(wanted)
    if (why !== undefined) this.invalid([invalid(path, wanted, why)])
    return wanted
  }

  healthPort(wanted: number | undefined): number {
    if (wanted === undefined || wanted === 0) return this.port(wanted, '')
    const why = this.#claim(wanted)
    if (why !== undefined) {
      throw errors.internal(`failed to allocate requested HealthCheck NodePort ${wanted}: ${why}`)
    }
    return wanted
  }

  #claim(port: number): string | undefined {
    if (this.#ports.has(port)) return undefined
    const { ports } = this.#pools
    const taken = this.#dryRun && ports.has(port) ? TAKEN : undefined
    const why = this.#dryRun ? taken : ports.claim(port)
    if (why === undefined) this.#ports.add(port)
    return why
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
    if (!this.#dryRun) for (const port of this.#ports) this.#pools.ports.release(port)
  }
}
