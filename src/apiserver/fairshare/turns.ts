/**
 * Fair sharing of the event loop. Between two looks at its sockets a tenant may use it for a slice of time; whoever
 * wants more waits for the next round, in which tenants take turns. So what one tenant does can make others wait for a
 * slice and for the longest piece of work that cannot be cut, and no longer.
 *
 * Work asks at its start and between its pieces ({@link Turns.enter}). What it uses until the next one asks, or until it
 * has done what it can without the loop, is measured and counted as its tenant's. What nobody asked for (TLS, sockets,
 * collections of garbage) is the consequence of what was: it counts as that of the tenant that used most, up to as much again. While several
 * tenants are active, slices are short: the loop comes to its sockets the sooner.
 * Nothing is kept for tenants that do nothing, and no timer runs.
 */

export interface TurnsOptions {
  /** Milliseconds of a tenant between two looks at the sockets. @default 0.5 */
  readonly slice?: number
  /** The same while several tenants are active. @default 0.15, at most `slice` */
  readonly shared?: number
  /**
   * Milliseconds each second by which a tenant may exceed its slice and not pay: collections of garbage, and other
   * programs that take the processor, hit whoever runs. @default 20
   */
  readonly grace?: number
  /** Monotonic milliseconds. @default performance.now */
  readonly clock?: () => number
  /** Calls once, after the loop has looked at its sockets. @default setImmediate */
  readonly later?: (run: () => void) => void
  /** Calls once everything has run that can run without looking at sockets. @default a tick behind the microtasks */
  readonly behind?: (run: () => void) => void
}

/** Milliseconds for which tenants count as active together after they took turns. */
const TOGETHER = 50

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

/** What a tenant is forgiven: milliseconds that it had left at a time. */
interface Grace {
  left: number
  at: number
}

/** Seconds for which grace is gathered. */
const GRACE_SECONDS = 5
/** Tenants whose grace is remembered before those that have all of it are forgotten. */
const REMEMBERED = 256

interface Tenant {
  readonly id: string
  /** Milliseconds that it used and that no round has paid yet. */
  spent: number
  /** Milliseconds that it used in this round. */
  used: number
  readonly urgent: Line
  readonly ordinary: Line
}

export class Turns {
  readonly #alone: number
  readonly #shared: number
  readonly #grace: number
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
  /** Of those who exceeded their slice lately. */
  readonly #graces = new Map<string, Grace>()
  /** When the round before began. */
  #looked = 0
  /** Milliseconds of this round that nobody asked for. */
  #nobodys = 0
  /** Whether the end of what runs now has been asked for. */
  #ending = false
  /** Who asked last, and until when several count as active. */
  #last = ''
  #together = -Infinity
  /** Milliseconds of a tenant in this round. */
  #slice: number
  /** When the work on what waited must end, while it is under way. */
  #until = Infinity

  constructor(options: TurnsOptions = {}) {
    this.#alone = options.slice ?? 0.5
    this.#shared = Math.min(this.#alone, options.shared ?? 0.15)
    this.#slice = this.#alone
    this.#grace = options.grace ?? 20
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
    if (id !== this.#last) {
      if (this.#last !== '') {
        this.#together = now + TOGETHER
        this.#slice = this.#shared
      }
      this.#last = id
    }
    if (!this.#ending && this.#until === Infinity) {
      this.#ending = true
      this.#behind(this.#end)
    }
    const first = tenant.urgent.length === 0 && (urgent || tenant.ordinary.length === 0)
    // What is forgiven is not paid, but the sockets wait no longer for it.
    if (first && tenant.spent < this.#slice && tenant.used < this.#slice && now < this.#until) {
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
      tenant = { id, spent: 0, used: 0, urgent: new Line(), ordinary: new Line() }
      this.#tenants.set(id, tenant)
    }
    return tenant
  }

  #start(): void {
    this.#open = true
    this.#user = undefined
    this.#since = this.#clock()
    this.#nobodys = 0
    this.#looked = this.#since
    this.#slice = this.#since < this.#together ? this.#shared : this.#alone
    this.#later(this.#round)
  }

  /** The time since somebody asked last is that one's. */
  #charge(now: number): void {
    const used = now - this.#since
    if (this.#user === undefined) this.#nobodys += used
    else {
      this.#user.used += used
      this.#user.spent += used <= this.#slice ? used : used - this.#forgiven(this.#user.id, used - this.#slice, now)
    }
    this.#since = now
    this.#user = undefined
  }

  /** How much of an excess is not paid for. */
  #forgiven(id: string, excess: number, now: number): number {
    const most = this.#grace * GRACE_SECONDS
    const rate = this.#grace / 1000
    let grace = this.#graces.get(id)
    if (grace === undefined) {
      if (this.#graces.size >= REMEMBERED) {
        for (const [other, { left, at }] of this.#graces) {
          if (left + (now - at) * rate >= most) this.#graces.delete(other)
        }
      }
      this.#graces.set(id, (grace = { left: most, at: now }))
    }
    const has = Math.min(most, grace.left + (now - grace.at) * rate)
    const given = Math.min(has, excess)
    grace.left = has - given
    grace.at = now
    return given
  }

  /** What the loop called has been done: what it does next is not for whoever asked last. */
  readonly #end = (): void => {
    this.#ending = false
    if (this.#until === Infinity) this.#charge(this.#clock())
  }

  /** A tenant alone pays for nothing: nobody would use what it gives up. */
  #settle(): void {
    let most: Tenant | undefined
    for (const tenant of this.#tenants.values()) if (most === undefined || tenant.spent > most.spent) most = tenant
    if (most !== undefined && this.#slice < this.#alone) most.spent += Math.min(most.spent, this.#nobodys)
    this.#nobodys = 0
  }

  /** The loop has looked at its sockets: each tenant gets a slice. */
  readonly #round = (): void => {
    this.#charge(this.#clock())
    if (this.#waiting === 0) {
      this.#tenants.clear()
      this.#open = false
      return
    }
    this.#settle()
    this.#slice = this.#since < this.#together ? this.#shared : this.#alone
    // What others had meanwhile is what is owed to them.
    const passed = this.#since - this.#looked
    const others = Math.max(1, this.#tenants.size - 1)
    this.#looked = this.#since
    for (const tenant of this.#tenants.values()) {
      const had = (passed - tenant.used) / others
      tenant.spent = Math.max(0, tenant.spent - Math.max(this.#slice, had))
      tenant.used = 0
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
