/**
 * Deficit round robin over tenants, pure: who may run now, who waits, who is refused. Seats are the unit of load;
 * a request takes `cost` of them while it runs. A tenant alone may use all seats; where several wait, each round gives
 * each the same number of seats, whatever its requests cost and however many it has. A few seats are each tenant's own:
 * nobody waits for them because others hold theirs for long.
 */

export interface RoundsOptions {
  /** Seats in use at a time. */
  readonly seats: number
  /** Requests that one tenant may have waiting. */
  readonly queue: number
  /** Requests of all tenants that may wait. */
  readonly total: number
  /** Seats that a tenant is given each round. */
  readonly quantum: number
  /** Seats that each tenant may have whatever the others hold. @default 0 */
  readonly reserve?: number
}

interface Waiting<T> {
  readonly item: T
  readonly cost: number
}

interface Tenant<T> {
  readonly id: string
  readonly queue: Waiting<T>[]
  /** Index of the queue's head: what is before it has gone. */
  head: number
  deficit: number
  /** Whether the running round has given it its quantum. */
  served: boolean
}

export class Rounds<T> {
  readonly #options: RoundsOptions
  /** Only tenants with something waiting. */
  readonly #tenants = new Map<string, Tenant<T>>()
  /** The same, in the order of their turns. */
  #ring: Tenant<T>[] = []
  /** Seats in use by tenant, of those that have some. */
  readonly #held = new Map<string, number>()
  /** Tenants whose first may have come to fit into their own seats since somebody asked who is next. */
  readonly #freed = new Set<string>()
  #turn = 0
  #used = 0
  #waiting = 0

  constructor(options: RoundsOptions) {
    this.#options = options
  }

  /** Seats in use. */
  get used(): number {
    return this.#used
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Seats that a request of this cost takes: never more than there are. */
  seatsOf(cost: number): number {
    return Math.max(1, Math.min(cost, this.#options.seats))
  }

  /** Takes seats at once if there are enough and nobody waits for them, or out of the tenant's own. */
  enter(id: string, seats: number): boolean {
    const free = this.#waiting === 0 && this.#used + seats <= this.#options.seats
    if (!free && (this.#tenants.has(id) || !this.#isReserved(id, seats))) return false
    this.#hold(id, seats)
    return true
  }

  #isReserved(id: string, seats: number): boolean {
    return (this.#held.get(id) ?? 0) + seats <= (this.#options.reserve ?? 0)
  }

  #hold(id: string, seats: number): void {
    this.#used += seats
    this.#held.set(id, (this.#held.get(id) ?? 0) + seats)
  }

  /** Lets a request wait for {@link next}; false: too many wait already. */
  queue(id: string, cost: number, item: T): boolean {
    const seats = this.seatsOf(cost)
    const tenant = this.#tenants.get(id)
    const mine = tenant === undefined ? 0 : tenant.queue.length - tenant.head
    if (mine >= this.#options.queue || this.#waiting >= this.#options.total) return false
    this.#waiting++
    const waiting = { item, cost: seats }
    if (tenant === undefined) this.#join({ id, queue: [waiting], head: 0, deficit: 0, served: false })
    else tenant.queue.push(waiting)
    return true
  }

  /** Gives seats back. */
  release(id: string, seats: number): void {
    this.#used -= seats
    const left = this.#held.get(id)! - seats
    if (left > 0) this.#held.set(id, left)
    else this.#held.delete(id)
    if (this.#tenants.has(id)) this.#freed.add(id)
  }

  /** The next request that fits, with its seats taken; undefined while none does. */
  next(): { id: string; item: T; seats: number } | undefined {
    for (const id of this.#freed) {
      const tenant = this.#tenants.get(id)
      const head = tenant?.queue[tenant.head]
      if (head !== undefined && this.#isReserved(id, head.cost)) return this.#start(tenant!, head)
      this.#freed.delete(id)
    }
    while (this.#ring.length > 0) {
      const tenant = this.#ring[this.#turn]!
      if (!tenant.served) {
        tenant.served = true
        tenant.deficit += this.#options.quantum
      }
      const head = tenant.queue[tenant.head]!
      if (head.cost > tenant.deficit) {
        this.#pass(tenant)
        continue
      }
      // Whoever's turn it is keeps it until there is room: large requests are not passed by for ever.
      if (this.#used + head.cost > this.#options.seats) return undefined
      tenant.deficit -= head.cost
      return this.#start(tenant, head)
    }
    return undefined
  }

  #start(tenant: Tenant<T>, { item, cost }: Waiting<T>): { id: string; item: T; seats: number } {
    this.#hold(tenant.id, cost)
    this.#take(tenant)
    return { id: tenant.id, item, seats: cost }
  }

  /** Takes a waiting request out. Whether it was there. */
  withdraw(id: string, item: T): boolean {
    const tenant = this.#tenants.get(id)
    const at = tenant?.queue.findIndex((waiting, i) => i >= tenant.head && waiting.item === item) ?? -1
    if (tenant === undefined || at < 0) return false
    tenant.queue.splice(at, 1)
    this.#waiting--
    if (tenant.queue.length === tenant.head) this.#leave(tenant)
    // What comes next may fit where this did not.
    else this.#freed.add(id)
    return true
  }

  /** The longest waiting request of each tenant that has one. */
  *heads(): Generator<{ id: string; item: T }> {
    for (const tenant of this.#ring) yield { id: tenant.id, item: tenant.queue[tenant.head]!.item }
  }

  #join(tenant: Tenant<T>): void {
    this.#tenants.set(tenant.id, tenant)
    // Behind all others: the tenant before whose turn it is.
    this.#ring.splice(this.#turn, 0, tenant)
    if (this.#ring.length > 1) this.#turn++
  }

  #leave(tenant: Tenant<T>): void {
    this.#tenants.delete(tenant.id)
    const at = this.#ring.indexOf(tenant)
    this.#ring.splice(at, 1)
    if (at < this.#turn) this.#turn--
    if (this.#turn >= this.#ring.length) this.#turn = 0
  }

  #pass(tenant: Tenant<T>): void {
    tenant.served = false
    this.#turn = (this.#turn + 1) % this.#ring.length
  }

  #take(tenant: Tenant<T>): void {
    this.#waiting--
    tenant.head++
    if (tenant.head === tenant.queue.length) {
      this.#leave(tenant)
      return
    }
    // The room of what has gone is given back now and then, not each time.
    if (tenant.head < 64 || tenant.head * 2 < tenant.queue.length) return
    tenant.queue.splice(0, tenant.head)
    tenant.head = 0
  }
}
