import { randomBytes } from 'node:crypto'
import type { OpenOptions, Range, Store } from './contract.ts'
import { RenderCache } from './base.ts'
import { StoreError } from './error.ts'
import { defaultLimits, type HistoryLimits } from './history.ts'
import { StoredRange, type Owner, type Transaction } from './range.ts'

/** Options that every store has. */
export interface StoreOptions {
  /** How much history each range keeps for watches and lists at older revisions. @default 10,000 events, 8 MiB */
  readonly history?: Partial<HistoryLimits>
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
  /** 16 random bytes in hex, for a new range. @default from the system's generator */
  readonly seed?: () => string
  /** Gets what a watch's listener threw, and failures that belong to no call. Must not throw. @default a process warning */
  readonly onError?: (error: unknown) => void
}

/** The options with their defaults. */
export function withDefaults(options: StoreOptions): Required<StoreOptions> & { readonly history: HistoryLimits } {
  return {
    history: { ...defaultLimits, ...options.history },
    now: options.now ?? Date.now,
    seed: options.seed ?? (() => randomBytes(16).toString('hex')),
    onError: options.onError ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error))),
  }
}

/** A store that lives as long as its process: acknowledged means that all readers see it. */
export function memoryStore(options: StoreOptions = {}): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store, Owner {
  readonly limits: HistoryLimits
  readonly rendered = new RenderCache()
  readonly now: () => number
  readonly onError: (error: unknown) => void
  readonly #seed: () => string
  readonly #ranges = new Map<string, StoredRange>()
  /** Ranges that have history. */
  readonly #remembering = new Set<StoredRange>()
  #waiting: Transaction[] = []
  #idle: PromiseWithResolvers<void> | undefined
  #closed = false

  constructor(options: StoreOptions) {
    const { history, now, seed, onError } = withDefaults(options)
    this.limits = history
    this.now = now
    this.#seed = seed
    this.onError = onError
  }

  async open(id: string, { base }: OpenOptions = {}): Promise<Range> {
    this.#checkOpen()
    let range = this.#ranges.get(id)
    if (range === undefined) {
      range = new StoredRange(this, { id, seed: this.#seed(), createdAt: this.now() }, 1, base)
      this.#ranges.set(id, range)
    } else checkBase(range, base)
    return range
  }

  async ids(): Promise<readonly string[]> {
    this.#checkOpen()
    return [...this.#ranges.keys()]
  }

  async drop(id: string): Promise<void> {
    this.#checkOpen()
    const range = this.#ranges.get(id)
    if (range === undefined) return
    this.#ranges.delete(id)
    range.close(new StoreError('dropped', `range ${id} was dropped`))
    await this.#idle?.promise
    this.#remembering.delete(range)
  }

  compact(olderThan: number): void {
    compactAll(this.#remembering, this.now() - olderThan)
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      for (const range of this.#ranges.values()) range.close(new StoreError('closed', 'the store is closed'))
    }
    await this.#idle?.promise
    this.#ranges.clear()
    this.#remembering.clear()
  }

  submit(transaction: Transaction): void {
    this.#waiting.push(transaction)
    if (this.#idle !== undefined) return
    this.#idle = Promise.withResolvers()
    // Not a microtask: writers that wait for each other in memory alone would keep the event loop from everything else.
    setImmediate(() => this.#commit())
  }

  #commit(): void {
    const transactions = this.#waiting
    const idle = this.#idle
    this.#waiting = []
    this.#idle = undefined
    for (const transaction of transactions) {
      this.#remembering.add(transaction.range)
      transaction.range.committed(transaction)
    }
    idle?.resolve()
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'the store is closed')
  }
}

/** A range has one base as long as it is open. */
export function checkBase(range: StoredRange, base: OpenOptions['base']): void {
  if (base === undefined || range.hasBase(base)) return
  throw new TypeError(`range ${range.identity.id} is open with another base`)
}

/** Forgets history from before a time; ranges without any leave the set. */
export function compactAll(ranges: Set<StoredRange>, before: number): void {
  for (const range of ranges) {
    range.compactBefore(before)
    if (range.remembered === 0) ranges.delete(range)
  }
}
