/**
 * Fair sharing of one process between its packed clusters. It stands in front of everything that a tenant can load:
 * a request runs when it has its seats, waits in its tenant's queue else, and is told to come back later when too many
 * wait already. Watches are counted apart, since they hold memory and not the processor.
 */
import { errors, type StatusError } from '../../machinery/status.ts'
import { Rounds } from './rounds.ts'

export interface FairShareOptions {
  /** Requests (by cost) that run at a time in this process. @default 64 */
  readonly seats?: number
  /** Requests that one cluster may have waiting. @default 512 */
  readonly queue?: number
  /** Requests of all clusters that may wait. @default 16 384 */
  readonly total?: number
  /** Seats that a cluster gets each round. @default 4 */
  readonly quantum?: number
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

/** Gives back what an admission took. Calling it again does nothing. */
export type Release = () => void

interface Waiter {
  readonly cluster: string
  readonly since: number
  admit(release: Release): void
  refuse(error: unknown): void
}

const RETRY_AFTER = 1

export class FairShare {
  readonly #options: FairShareOptions
  readonly #rounds: Rounds<Waiter>
  readonly #clock: () => number
  /** Only clusters that have some. */
  readonly #long = new Map<string, number>()
  #armed = false

  constructor(options: FairShareOptions = {}) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
    const { seats = 64, queue = 512, total = 16_384, quantum = 4 } = options
    this.#rounds = new Rounds({ seats, queue, total, quantum })
  }

  /** Seats in use and requests waiting, now. */
  get load(): { readonly seats: number; readonly waiting: number } {
    return { seats: this.#rounds.used, waiting: this.#rounds.waiting }
  }

  /**
   * Waits for a request's turn.
   *
   * @param cost seats it takes: 1 for one object, more for lists
   * @param signal ends the wait
   * @throws StatusError 429 with retryAfterSeconds when too many wait or it waited too long; the signal's reason
   */
  admit(cluster: string, cost: number, signal?: AbortSignal): Release | Promise<Release> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const seats = this.#rounds.seatsOf(cost)
    if (this.#rounds.enter(seats)) return this.#release(seats)
    const waiting = Promise.withResolvers<Release>()
    const stop = new AbortController()
    const waiter: Waiter = {
      cluster,
      since: this.#clock(),
      admit: (release) => {
        stop.abort()
        waiting.resolve(release)
      },
      refuse: (error) => {
        stop.abort()
        waiting.reject(error)
      },
    }
    if (!this.#rounds.queue(cluster, cost, waiter)) {
      this.#options.onRefuse?.(cluster, 'queue-full')
      return Promise.reject(tooMany())
    }
    signal?.addEventListener(
      'abort',
      () => {
        if (this.#rounds.withdraw(cluster, waiter)) waiter.refuse(signal.reason)
        this.#advance()
      },
      { once: true, signal: stop.signal },
    )
    this.#arm()
    return waiting.promise
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

  #release(seats: number): Release {
    let over = false
    return () => {
      if (over) return
      over = true
      this.#rounds.release(seats)
      this.#advance()
    }
  }

  #advance(): void {
    if (this.#rounds.waiting === 0) return
    for (let next = this.#rounds.next(); next !== undefined; next = this.#rounds.next()) {
      this.#options.onWait?.(next.id, (this.#clock() - next.item.since) / 1000)
      next.item.admit(this.#release(next.seats))
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
        this.#options.onRefuse?.(id, 'time-out')
        item.refuse(tooMany())
      }
    }
    this.#advance()
  }
}

function tooMany(): StatusError {
  return errors.tooManyRequests('The apiserver is currently overloaded, please try again later.', RETRY_AFTER)
}
