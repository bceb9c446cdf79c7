import { resolve } from 'node:path'
import type { Entry, OpenOptions, Range, Store } from './contract.ts'
import { RenderCache } from './base.ts'
import { StoreError } from './error.ts'
import type { HistoryLimits } from './history.ts'
import { checkBase, compactAll, withDefaults, type StoreOptions } from './memory.ts'
import { StoredRange, type Owner, type Transaction } from './range.ts'
import { readRows, removed, rowSize, tombstone, writeRow } from './sqlite/frame.ts'
import type { Opened, Page, RangeRecord, Rows } from './sqlite/protocol.ts'
import { DatabaseThread } from './sqlite/thread.ts'

export interface SqliteOptions extends StoreOptions {
  /** The file; made if it is not there, its directory too. One process at a time may have it open. */
  readonly file: string
  /** Largest size of the file in bytes, without its log; writes beyond it fail with code `full`. @default no limit */
  readonly maxBytes?: number
  /** Size of the log in bytes at which it is moved into the file even under load. @default 32 MiB */
  readonly maxLogBytes?: number
}

/**
 * A store in one SQLite file for all ranges. One worker thread owns the file; all that is written while a commit is
 * under way goes into the next one. docs/store.md says why.
 * @throws StoreError (`locked`, `format`, `full`, `failed`)
 */
export async function sqliteStore(options: SqliteOptions): Promise<Store> {
  const file = resolve(options.file)
  const { onError } = withDefaults(options)
  const thread = await DatabaseThread.start(
    { file, maxBytes: options.maxBytes, maxLogBytes: options.maxLogBytes ?? 32 << 20 },
    onError,
  )
  return new SqliteStore(thread, options)
}

/** Most writes and bytes in one commit: what one turn of the event loop can hand out again without being felt. */
const BATCH_WRITES = 1024
const BATCH_BYTES = 4 << 20
/** Memory for the rows of a commit that is kept for the next one. */
const KEPT_BYTES = 8 << 20
/** Transactions that a range may put into a commit before it is another range's turn. */
const TURN = 32

interface Job<T> extends PromiseWithResolvers<T> {
  readonly id: string
}

interface OpenJob extends Job<Opened> {
  readonly record: RangeRecord
}

/** Transactions of one range; the first `taken` ones are in a commit already. */
interface Line {
  readonly transactions: Transaction[]
  taken: number
}

interface Batch {
  readonly opens: readonly OpenJob[]
  readonly transactions: readonly Transaction[]
  readonly drops: readonly Job<void>[]
}

class SqliteStore implements Store, Owner {
  readonly limits: HistoryLimits
  readonly rendered = new RenderCache()
  readonly now: () => number
  readonly onError: (error: unknown) => void
  readonly #seed: () => string
  readonly #thread: DatabaseThread
  readonly #ranges = new Map<string, Promise<StoredRange>>()
  readonly #open = new Set<StoredRange>()
  readonly #numbers = new WeakMap<StoredRange, number>()
  /** Ranges that have history. */
  readonly #remembering = new Set<StoredRange>()
  readonly #dropping = new Map<string, Promise<void>>()

  /** Transactions to be committed, by range, in the order of turns. */
  readonly #waiting = new Map<StoredRange, Line>()
  #opens: OpenJob[] = []
  #drops: Job<void>[] = []
  #committing: Batch | undefined
  /** Rows of the commit under way, of which there is one at a time: memory used again makes no garbage. */
  #memory = new SharedArrayBuffer(64 << 10)
  #scheduled = false
  #idle: PromiseWithResolvers<void> | undefined
  /** Why nothing can be written any more. */
  #ended: StoreError | undefined
  #closing: Promise<void> | undefined

  constructor(thread: DatabaseThread, options: StoreOptions) {
    const { history, now, seed, onError } = withDefaults(options)
    this.limits = history
    this.now = now
    this.#seed = seed
    this.onError = onError
    this.#thread = thread
  }

  async open(id: string, { base }: OpenOptions = {}): Promise<Range> {
    if (this.#ended !== undefined) throw this.#ended
    if (!id.isWellFormed()) throw new TypeError(`range id ${JSON.stringify(id)} is not well-formed`)
    let range = this.#ranges.get(id)
    if (range === undefined) {
      range = this.#load(id, base)
      this.#ranges.set(id, range)
      range.catch(() => {
        if (this.#ranges.get(id) === range) this.#ranges.delete(id)
      })
      return range
    }
    const opened = await range
    checkBase(opened, base)
    return opened
  }

  async ids(): Promise<readonly string[]> {
    if (this.#ended !== undefined) throw this.#ended
    return (await this.#thread.request({ type: 'ids' })).ids
  }

  async drop(id: string): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended
    const open = this.#ranges.get(id)
    const dropped = this.#drop(id, open)
    this.#ranges.delete(id)
    this.#dropping.set(id, dropped)
    try {
      await dropped
    } finally {
      if (this.#dropping.get(id) === dropped) this.#dropping.delete(id)
    }
  }

  compact(olderThan: number): void {
    compactAll(this.#remembering, this.now() - olderThan)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  submit(transaction: Transaction): void {
    const line = this.#waiting.get(transaction.range)
    if (line === undefined) this.#waiting.set(transaction.range, { transactions: [transaction], taken: 0 })
    else line.transactions.push(transaction)
    this.#schedule()
  }

  async #load(id: string, base: OpenOptions['base']): Promise<StoredRange> {
    await this.#dropping.get(id)?.catch(() => undefined)
    if (this.#ended !== undefined) throw this.#ended
    const record = { id, seed: this.#seed(), createdAt: this.now() }
    const job = { ...Promise.withResolvers<Opened>(), id, record }
    this.#opens.push(job)
    this.#schedule()
    const opened = await job.promise
    const { number, seed, createdAt, revision } = opened
    const range = new StoredRange(this, { id, seed, createdAt }, revision, base)
    this.#numbers.set(range, number)
    for (let page: Page = opened; ;) {
      const last = loadPage(range, page.rows)
      if (!page.more || last === undefined) break
      page = await this.#thread.request({ type: 'page', range: number, after: last })
    }
    // Ended meanwhile.
    if (this.#ended !== undefined) throw this.#ended
    this.#open.add(range)
    return range
  }

  async #drop(id: string, open: Promise<StoredRange> | undefined): Promise<void> {
    const before = this.#dropping.get(id)
    const range = await open?.catch(() => undefined)
    await before?.catch(() => undefined)
    if (this.#ended !== undefined) throw this.#ended
    if (range !== undefined) {
      const error = new StoreError('dropped', `range ${id} was dropped`)
      range.close(error)
      range.aborted()
      this.#reject(range, error)
    }
    const job = { ...Promise.withResolvers<void>(), id }
    this.#drops.push(job)
    this.#schedule()
    await job.promise
    if (range === undefined) return
    this.#open.delete(range)
    this.#remembering.delete(range)
  }

  async #close(): Promise<void> {
    if (this.#ended === undefined) {
      this.#end(new StoreError('closed', 'the store is closed'))
      if (!this.#isIdle) await (this.#idle ??= Promise.withResolvers()).promise
    }
    await this.#thread.close()
    this.#ranges.clear()
    this.#open.clear()
    this.#remembering.clear()
  }

  /** No more writes, for this reason. */
  #end(error: StoreError): void {
    this.#ended ??= error
    for (const range of this.#open) range.close(error)
  }

  get #isIdle(): boolean {
    return !this.#scheduled && this.#committing === undefined
  }

  /** After the events of this turn: what they all write goes into one commit. */
  #schedule(): void {
    if (!this.#isIdle) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#waiting.size === 0 && this.#opens.length === 0 && this.#drops.length === 0) {
      this.#idle?.resolve()
      return
    }
    const batch = this.#take()
    this.#committing = batch
    const rows = this.#rowsOf(batch.transactions)
    const opens = batch.opens.map((job) => job.record)
    const drops = batch.drops.map((job) => job.id)
    this.#thread.request({ type: 'commit', opens, rows, drops }).then(
      ({ opened }) => this.#committed(batch, opened),
      (error: StoreError) => this.#failed(batch, error),
    )
  }

  /** The next commit: ranges take turns, so that one with much to write does not keep the others waiting. */
  #take(): Batch {
    const transactions: Transaction[] = []
    let writes = 0
    let bytes = 0
    for (const [range, line] of this.#waiting) {
      const until = Math.min(line.taken + TURN, line.transactions.length)
      while (line.taken < until && writes < BATCH_WRITES && bytes < BATCH_BYTES) {
        const transaction = line.transactions[line.taken++]!
        transactions.push(transaction)
        writes += transaction.changes.length
        for (const { entry } of transaction.changes) bytes += entry.bytes.length
      }
      // To the end of the map, which this loop comes to again.
      this.#waiting.delete(range)
      if (line.taken < line.transactions.length) this.#waiting.set(range, line)
      if (line.taken * 2 > line.transactions.length) {
        line.transactions.splice(0, line.taken)
        line.taken = 0
      }
      if (writes >= BATCH_WRITES || bytes >= BATCH_BYTES) break
    }
    const batch = { opens: this.#opens, transactions, drops: this.#drops }
    this.#opens = []
    this.#drops = []
    return batch
  }

  #rowsOf(transactions: readonly Transaction[]): Rows {
    let size = 0
    for (const { changes } of transactions) {
      for (const { type, entry } of changes) {
        size += rowSize(Buffer.byteLength(entry.key), type === 'put' ? entry.bytes.length : 0)
      }
    }
    const memory = this.#memoryFor(size)
    const buffer = Buffer.from(memory)
    let at = 0
    for (const { range, changes } of transactions) {
      const number = this.#numbers.get(range)!
      for (const { type, entry } of changes) {
        const value = type === 'put' ? entry.bytes : range.covers(entry.key) ? tombstone : removed
        at = writeRow(buffer, at, number, entry.key, value, entry.revision, entry.created)
      }
    }
    return { buffer: memory, length: at }
  }

  #memoryFor(size: number): SharedArrayBuffer {
    if (size <= this.#memory.byteLength) return this.#memory
    const memory = new SharedArrayBuffer(2 ** Math.ceil(Math.log2(size)))
    if (memory.byteLength <= KEPT_BYTES) this.#memory = memory
    return memory
  }

  #committed(batch: Batch, opened: readonly Opened[]): void {
    this.#committing = undefined
    // The worker goes on while this turn hands out what it has done.
    this.#flush()
    for (const transaction of batch.transactions) {
      this.#remembering.add(transaction.range)
      transaction.range.committed(transaction)
    }
    for (const [i, job] of batch.opens.entries()) job.resolve(opened[i]!)
    for (const job of batch.drops) job.resolve()
  }

  #failed(batch: Batch, error: StoreError): void {
    this.#committing = undefined
    // A full disk may have room again. After any other failure nobody knows what the disk holds: no more writes.
    if (error.code !== 'full') this.#end(error)
    const ranges = new Set(batch.transactions.map(({ range }) => range))
    if (this.#ended !== undefined) for (const range of this.#waiting.keys()) ranges.add(range)
    for (const range of ranges) range.aborted()
    for (const job of [...batch.transactions, ...batch.opens, ...batch.drops]) job.reject(error)
    for (const range of ranges) this.#reject(range, error)
    if (this.#ended !== undefined) {
      for (const job of [...this.#opens.splice(0), ...this.#drops.splice(0)]) job.reject(this.#ended)
    }
    this.#flush()
  }

  /** Rejects what the range has waiting. */
  #reject(range: StoredRange, error: StoreError): void {
    const line = this.#waiting.get(range)
    this.#waiting.delete(range)
    for (const transaction of line?.transactions.slice(line.taken) ?? []) transaction.reject(error)
  }
}

/** Puts the rows of a page into the range, gives the last key. */
function loadPage(range: StoredRange, rows: ArrayBuffer): Uint8Array | undefined {
  let last: Uint8Array | undefined
  for (const { key: bytes, value, revision, created } of readRows(Buffer.from(rows))) {
    last = bytes
    const key = bytes.toString('utf8')
    const entry: Entry | undefined =
      typeof value === 'number' ? undefined : { key, bytes: value, revision, created, object: undefined }
    range.load(key, entry)
  }
  return last
}
