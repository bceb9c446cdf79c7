/**
 * Fair sharing of one process between its packed clusters. It stands in front of everything that a tenant can load:
 * a request runs when it has its seats, waits in its tenant's queue else, and is told to come back later when too many
 * wait already; while it runs it shares the event loop ({@link Turns}). Watches are counted apart, since they hold memory
 * and not the processor, and ask for turns only.
 */
import { availableParallelism } from 'node:os'
import { errors, type StatusError } from '../../machinery/status.ts'
import type { Seat } from '../contract.ts'
import { Rounds } from './rounds.ts'
import { Turns } from './turns.ts'

export interface FairShareOptions {
  /** Requests (by cost) that run at a time in this process. @default 64 */
  readonly seats?: number
  /** Requests that one cluster may have waiting. @default 512 */
  readonly queue?: number
  /** Requests of all clusters that may wait. @default 16 384 */
  readonly total?: number
  /** Seats that a cluster gets each round. @default 4 */
  readonly quantum?: number
  /** Seats that each cluster may have whatever others hold; as many again for what is urgent. @default 8 */
  readonly reserve?: number
  /** Milliseconds that a cluster may use the event loop before others have their turn. @default 0.5 */
  readonly slice?: number
  /** Longest wait in milliseconds. @default 15 000 */
  readonly maxWait?: number
  /** Watches and other long-running requests that one cluster may have open. @default 4096 */
  readonly longRunning?: number
  /** Told how long each admitted request waited, in seconds. Not called for those that did not wait. @default none */
  readonly onWait?: (cluster: string, seconds: number) => void
  /** Told of each refused request. @default none */
  readonly onRefuse?: (cluster: string, why: 'queue-full' | 'time-out' | 'long-running') => void
  /** Monotonic milliseconds. @default performance.now */
  readonly clock?: () => number
}

/** Gives back what was counted. Calling it again does nothing. */
export type Release = () => void

/** What a request asks for. */
export interface Asked {
  /** Seats: 1 for one object, more for lists. @default 1 */
  readonly cost?: number
  /** Whether it goes before its tenant's other requests. @default false */
  readonly urgent?: boolean
  /** Ends the wait. Looked at only when it must wait. */
  readonly signal?: AbortSignal
}

/** A request that was let in. */
export interface Held extends Seat {
  /** Gives its seats back. Calling it again does nothing. */
  release(): void
}

interface Waiter {
  readonly since: number
  admit(): void
  refuse(error: unknown): void
}

const RETRY_AFTER = 1
/** All that may wait have been let in already; they wait as long as it takes. */
const HELPERS = { seats: Math.max(1, availableParallelism() - 1), reserve: 0, quantum: 1, queue: 1e6, maxWait: 300_000 }

export class FairShare {
  readonly #options: FairShareOptions
  readonly #rounds: Rounds<Waiter>
  readonly #turns: Turns
  readonly #clock: () => number
  /** Seats that there are. */
  readonly seats: number
  /** Only clusters that have some. */
  readonly #long = new Map<string, number>()
  #helpers: FairShare | undefined
  #armed = false

  constructor(options: FairShareOptions = {}) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
    const { seats = 64, queue = 512, total = 16_384, quantum = 4, reserve = 8 } = options
    this.seats = seats
    this.#rounds = new Rounds({ seats, queue, total, quantum, reserve })
    this.#turns = new Turns(options.slice === undefined ? {} : { slice: options.slice })
  }

  /** Seats in use and requests waiting, now. */
  get load(): { readonly seats: number; readonly waiting: number } {
    return { seats: this.#rounds.used, waiting: this.#rounds.waiting }
  }

  /**
   * Lets a request in: at once, or when it is its turn.
   *
   * @throws StatusError 429 with retryAfterSeconds when too many wait or it waited too long; the signal's reason
   */
  admit(cluster: string, asked: Asked = {}): Held | Promise<Held> {
    const { cost = 1, urgent = false } = asked
    // Lines of their own: requests of one kind do not keep those of the other from their seats.
    const line = urgent ? `${cluster}!` : cluster
    const seats = this.#rounds.seatsOf(cost)
    const held = new HeldSeats(this, cluster, line, seats, urgent)
    if (this.#rounds.enter(line, seats)) {
      const turn = this.#turns.enter(cluster, urgent)
      return turn === undefined ? held : turn.then(() => held)
    }
    return this.#queue(cluster, line, seats, asked.signal)
      .then(() => this.#turns.enter(cluster, urgent))
      .then(() => held)
  }

  /** Asks for the loop: {@link Turns.enter}. */
  turn(cluster: string, urgent = false): Promise<void> | undefined {
    return this.#turns.enter(cluster, urgent)
  }

  /** Takes seats as soon as there are some. @throws as {@link admit} */
  async take(cluster: string, line: string, seats: number): Promise<void> {
    if (!this.#rounds.enter(line, seats)) await this.#queue(cluster, line, seats, undefined)
  }

  #queue(cluster: string, line: string, seats: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const waiting = Promise.withResolvers<void>()
    const stop = new AbortController()
    const waiter: Waiter = {
      since: this.#clock(),
      admit: () => {
        stop.abort()
        waiting.resolve()
      },
      refuse: (error) => {
        stop.abort()
        waiting.reject(error)
      },
    }
    if (!this.#rounds.queue(line, seats, waiter)) {
      this.#options.onRefuse?.(cluster, 'queue-full')
      return Promise.reject(tooMany())
    }
    signal?.addEventListener(
      'abort',
      () => {
        if (this.#rounds.withdraw(line, waiter)) waiter.refuse(signal.reason)
        this.#advance()
      },
      { once: true, signal: stop.signal },
    )
    this.#arm()
    return waiting.promise
  }

  /** Runs work of other threads than the loop's, as much at a time as leaves the loop a processor. */
  async pack<T>(cluster: string, work: () => Promise<T>): Promise<T> {
    const helpers = (this.#helpers ??= new FairShare({ ...HELPERS, clock: this.#clock }))
    await helpers.take(cluster, cluster, 1)
    try {
      return await work()
    } finally {
      helpers.give(cluster, 1)
    }
  }

  /** Gives seats back. */
  give(line: string, seats: number): void {
    this.#rounds.release(line, seats)
    this.#advance()
  }

  /** Counts a watch or another request without an end. @throws StatusError 429 */
  admitLongRunning(cluster: string): Release {
    const open = this.#long.get(cluster) ?? 0
    if (open >= (this.#options.longRunning ?? 4096)) {
      this.#options.onRefuse?.(cluster, 'long-running')
      throw tooMany()
    }
    this.#long.set(cluster, open + 1)
    let over = false
    return () => {
      if (over) return
      over = true
      const left = this.#long.get(cluster)! - 1
      if (left === 0) this.#long.delete(cluster)
      else this.#long.set(cluster, left)
    }
  }

  /** Long-running requests of a cluster. */
  longRunning(cluster: string): number {
    return this.#long.get(cluster) ?? 0
  }

  #advance(): void {
    if (this.#rounds.waiting === 0) return
    for (let next = this.#rounds.next(); next !== undefined; next = this.#rounds.next()) {
      this.#options.onWait?.(clusterOf(next.id), (this.#clock() - next.item.since) / 1000)
      next.item.admit()
    }
  }

  /** One timer for all that wait, and none when nobody does. */
  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    const pause = Math.max(50, this.#maxWait / 4)
    setTimeout(() => {
      this.#armed = false
      this.#expire()
      if (this.#rounds.waiting > 0) this.#arm()
    }, pause).unref()
  }

  get #maxWait(): number {
    return this.#options.maxWait ?? 15_000
  }

  #expire(): void {
    const oldest = this.#clock() - this.#maxWait
    for (;;) {
      const late = [...this.#rounds.heads()].filter(({ item }) => item.since <= oldest)
      if (late.length === 0) break
      for (const { id, item } of late) {
        this.#rounds.withdraw(id, item)
        this.#options.onRefuse?.(clusterOf(id), 'time-out')
        item.refuse(tooMany())
      }
    }
    this.#advance()
  }
}

class HeldSeats implements Held {
  readonly #share: FairShare
  readonly #cluster: string
  readonly #line: string
  readonly #seats: number
  readonly #urgent: boolean
  #state: 'held' | 'lent' | 'over' = 'held'

  constructor(share: FairShare, cluster: string, line: string, seats: number, urgent: boolean) {
    this.#share = share
    this.#cluster = cluster
    this.#line = line
    this.#seats = seats
    this.#urgent = urgent
  }

  release(): void {
    if (this.#state === 'held') this.#share.give(this.#line, this.#seats)
    this.#state = 'over'
  }

  turn(): Promise<void> | undefined {
    return this.#share.turn(this.#cluster, this.#urgent)
  }

  async without<T>(work: () => Promise<T>): Promise<T> {
    // Within another wait, or after its end, there is nothing to lend.
    if (this.#state !== 'held') return work()
    this.#state = 'lent'
    this.#share.give(this.#line, this.#seats)
    try {
      return await work()
    } finally {
      await this.#back()
    }
  }

  pack<T>(work: () => Promise<T>): Promise<T> {
    return this.#share.pack(this.#cluster, work)
  }

  async #back(): Promise<void> {
    if (this.#isOver()) return
    await this.#share.take(this.#cluster, this.#line, this.#seats)
    if (this.#isOver()) this.#share.give(this.#line, this.#seats)
    else this.#state = 'held'
  }

  /** It may be released while it waits. */
  #isOver(): boolean {
    return this.#state === 'over'
  }
}

const clusterOf = (line: string): string => (line.endsWith('!') ? line.slice(0, -1) : line)

function tooMany(): StatusError {
  return errors.tooManyRequests('The apiserver is currently overloaded, please try again later.', RETRY_AFTER)
}
