/**
 * How many writes may be under way towards the host at once. The host's answers decide: a
 * 429, a time-out or a latency far above the best seen halves the number, a run of good
 * answers adds one (additive increase, multiplicative decrease).
 */
export interface LimiterOptions {
  /** @default 32 */
  readonly initial?: number
  /** @default 2 */
  readonly min?: number
  /** @default 256 */
  readonly max?: number
  /** Milliseconds since some moment. */
  now(): number
}

/** Workers beyond the limit, for work that turns out to write nothing. */
const SPARE = 16

export class Limiter {
  readonly #options: Required<LimiterOptions>
  #limit: number
  #inFlight = 0
  #good = 0
  #best = Number.POSITIVE_INFINITY
  #lastCut = Number.NEGATIVE_INFINITY
  readonly #waiting: (() => void)[] = []
  #changed = Promise.withResolvers<void>()
  #closed = false

  constructor(options: LimiterOptions) {
    this.#options = { initial: 32, min: 2, max: 256, ...options }
    this.#limit = this.#options.initial
  }

  get limit(): number {
    return this.#limit
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Resolves when one more may start. */
  async acquire(): Promise<void> {
    if (this.#inFlight < this.#limit) this.#inFlight++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /**
   * Resolves when the worker of this number is wanted: little more work is taken from the fair queues than may go on,
   * because what was taken waits in no fair order.
   */
  async seat(worker: number): Promise<void> {
    while (!this.#closed && worker >= this.#limit + SPARE) await this.#changed.promise
  }

  /** Lets all workers go. */
  close(): void {
    this.#closed = true
    this.#changed.resolve()
  }

  /** Ends one. `trouble`: the host refused or did not answer; `milliseconds`: how long it took. */
  release(milliseconds: number, trouble: boolean): void {
    this.#inFlight--
    const now = this.#options.now()
    this.#best = Math.min(this.#best * 1.001, Math.max(1, milliseconds))
    const slow = milliseconds > 500 && milliseconds > this.#best * 50
    if (trouble || slow) {
      this.#good = 0
      // One cut for each round trip: the answers that follow belong to the old number.
      if (now - this.#lastCut > Math.max(100, milliseconds)) {
        this.#limit = Math.max(this.#options.min, Math.floor(this.#limit / 2))
        this.#lastCut = now
      }
    } else if (++this.#good >= this.#limit && this.#limit < this.#options.max) {
      this.#good = 0
      this.#limit++
      this.#changed.resolve()
      this.#changed = Promise.withResolvers()
    }
    // A place is taken for the one who waits, so that nobody slips in before it runs.
    while (this.#waiting.length > 0 && this.#inFlight < this.#limit) {
      this.#inFlight++
      this.#waiting.shift()!()
    }
  }
}
