/**
 * Fair sharing of the event loop. Between two looks at its sockets a tenant may use it for a slice of time; whoever
 * wants more waits for the next round, in which tenants take turns. So what one tenant does can make others wait for a
 * slice and for the longest piece of work that cannot be cut, and no longer.
 *
 * Work asks at its start and between its pieces ({@link Turns.enter}). What it uses until the next one asks is measured
 * and counted as its tenant's. Nothing is kept for tenants that do nothing, and no timer runs.
 */

export interface TurnsOptions {
  /** Milliseconds of a tenant between two looks at the sockets. @default 0.5 */
  readonly slice?: number
  /** Monotonic milliseconds. @default performance.now */
  readonly clock?: () => number
  /** Calls once, after the loop has looked at its sockets. @default setImmediate */
  readonly later?: (run: () => void) => void
  /** Calls once everything has run that can run without looking at sockets. @default a tick behind the microtasks */
  readonly behind?: (run: () => void) => void
}

/** What waits, in order; taking from the front costs nothing. */
class Line {
  #items: (() => void)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: () => void): void {
    this.#items.push(item)
  }

  shift(): (() => void) | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head++
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= 256 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}

interface Tenant {
  readonly id: string
  /** Milliseconds that it used and that no round has paid yet. */
  spent: number
  readonly urgent: Line
  readonly ordinary: Line
}

export class Turns {
  readonly #slice: number
  readonly #clock: () => number
  readonly #later: (run: () => void) => void
  readonly #behind: (run: () => void) => void
  /** Tenants that did something in this round, or wait. */
  readonly #tenants = new Map<string, Tenant>()
  /** Those with something waiting, in the order of their turns. */
  readonly #row = new Set<Tenant>()
  #waiting = 0
  /** Whether a round is under way. */
  #open = false
  /** Who is using the loop, and since when. */
  #user: Tenant | undefined
  #since = 0
  /** When the work on what waited must end, while it is under way. */
  #until = Infinity

  constructor(options: TurnsOptions = {}) {
    this.#slice = options.slice ?? 0.5
    this.#clock = options.clock ?? (() => performance.now())
    this.#later = options.later ?? ((run) => void setImmediate(run))
    // A tick that a microtask asks for comes after all microtasks.
    this.#behind = options.behind ?? ((run) => queueMicrotask(() => process.nextTick(run)))
  }

  /** What waits for its turn. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Asks for the loop. Undefined: go on at once, in the same call, so that the time counts for the right one. What is
   * urgent goes before the rest of the same tenant.
   */
  enter(id: string, urgent = false): Promise<void> | undefined {
    if (!this.#open) this.#start()
    const tenant = this.#tenant(id)
    const now = this.#clock()
    this.#charge(now)
    const first = tenant.urgent.length === 0 && (urgent || tenant.ordinary.length === 0)
    if (first && tenant.spent < this.#slice && now < this.#until) {
      this.#user = tenant
      return undefined
    }
    this.#waiting++
    this.#row.add(tenant)
    return new Promise((resolve) => (urgent ? tenant.urgent : tenant.ordinary).push(resolve))
  }

  /** Counts work that was done for a tenant where nobody could ask, in milliseconds. */
  charge(id: string, milliseconds: number): void {
    if (!this.#open) this.#start()
    this.#tenant(id).spent += milliseconds
  }

  #tenant(id: string): Tenant {
    let tenant = this.#tenants.get(id)
    if (tenant === undefined) {
      tenant = { id, spent: 0, urgent: new Line(), ordinary: new Line() }
      this.#tenants.set(id, tenant)
    }
    return tenant
  }

  #start(): void {
    this.#open = true
    this.#user = undefined
    this.#later(this.#round)
  }

  /** The time since somebody asked last is that one's. */
  #charge(now: number): void {
    if (this.#user !== undefined) this.#user.spent += now - this.#since
    this.#since = now
    this.#user = undefined
  }

  /** The loop has looked at its sockets: each tenant gets a slice. */
  readonly #round = (): void => {
    this.#charge(this.#clock())
    if (this.#waiting === 0) {
      this.#tenants.clear()
      this.#open = false
      return
    }
    for (const tenant of this.#tenants.values()) {
      tenant.spent = Math.max(0, tenant.spent - this.#slice)
      if (tenant.spent === 0 && !this.#row.has(tenant)) this.#tenants.delete(tenant.id)
    }
    this.#until = this.#since + this.#slice
    this.#step()
  }

  /** Lets one that waits go on, and comes back when it has done what it can. */
  readonly #step = (): void => {
    const now = this.#clock()
    this.#charge(now)
    const next = now < this.#until ? this.#next() : undefined
    if (next === undefined) {
      this.#until = Infinity
      this.#later(this.#round)
      return
    }
    this.#user = next
    this.#waiting--
    ;(next.urgent.shift() ?? next.ordinary.shift())!()
    // To the end of the row.
    this.#row.delete(next)
    if (next.urgent.length + next.ordinary.length > 0) this.#row.add(next)
    this.#behind(this.#step)
  }

  /** The tenant whose turn it is. */
  #next(): Tenant | undefined {
    for (const tenant of this.#row) if (tenant.spent < this.#slice) return tenant
    return undefined
  }
}
