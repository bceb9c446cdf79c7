import { dropDecoded, keepDecoded } from './decoded.ts'
import type { BaseEntry, Entry, ListOptions, ListResult, Range, RangeIdentity, StoreEvent, Write } from './contract.ts'
import { Compacted, RevisionMismatch } from './contract.ts'
import { BaseLayer, type RenderCache } from './base.ts'
import { History, type HistoryLimits } from './history.ts'
import { checkKey, compareKeys, isBefore, isNotBehind } from './key.ts'
import { SortedKeys } from './sorted.ts'
import { Watchers } from './watchers.ts'

/** A write on its way to the disk. */
export interface Change {
  readonly type: 'put' | 'delete'
  readonly entry: Entry
}

/** What one call of `write` wrote. The owner of the range settles it: `committed`, or `aborted` for all of the range. */
export interface Transaction {
  readonly range: StoredRange
  readonly changes: readonly Change[]
  resolve(entries: readonly Entry[]): void
  reject(error: Error): void
}

/** What the ranges of one store share. */
export interface Owner {
  readonly limits: HistoryLimits
  readonly rendered: RenderCache
  /** Milliseconds since the epoch. */
  now(): number
  readonly onError: (error: unknown) => void
  /** Takes a transaction to be committed; never in the caller's turn. */
  submit(transaction: Transaction): void
}

/**
 * A range in memory: the whole of a memory store's range, the readers' side of a file's. Committed state, pending
 * writes on top of it (seen by writers only), the newest history below it, the shared base under everything.
 */
export class StoredRange implements Range {
  readonly identity: RangeIdentity
  readonly #owner: Owner
  readonly #base: BaseLayer | undefined
  readonly #entries = new Map<string, Entry>()
  readonly #keys = new SortedKeys()
  readonly #history: History
  readonly #watchers: Watchers
  #revision: number
  /** The newest change of each key that has changes under way. */
  #pending: Map<string, Change> | undefined
  #pendingRevision: number
  #closed: Error | undefined
  #encoding = false

  constructor(owner: Owner, identity: RangeIdentity, revision: number, base: readonly BaseEntry[] | undefined) {
    this.#owner = owner
    this.identity = identity
    this.#revision = revision
    this.#pendingRevision = revision
    this.#base = base === undefined || base.length === 0 ? undefined : new BaseLayer(base, identity, owner.rendered)
    this.#history = new History(revision, owner.limits)
    this.#watchers = new Watchers(owner.onError)
  }

  /** When something under a prefix changed last, for the prefixes that somebody asks about. */
  readonly #changes = new Map<string, number>()

  get revision(): number {
    return this.#revision
  }

  get compacted(): number {
    return this.#history.compacted
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key) ?? this.#base?.get(key)
  }

  latest(key: string): Entry | undefined {
    const pending = this.#pending?.get(key)
    if (pending === undefined) return this.get(key)
    return pending.type === 'put' ? pending.entry : undefined
  }

  count(prefix: string): number {
    const written = this.#keys.seek(isBefore, prefix).until(this.#keys.seek(isNotBehind, prefix))
    return written + (this.#base?.count(this.#base.first(prefix), this.#base.end(prefix)) ?? 0)
  }

  list(prefix: string, options: ListOptions = {}): ListResult {
    const revision = options.revision ?? this.#revision
    this.#checkRevision(revision)
    if (revision > this.#revision)
      throw new RangeError(`revision ${revision} is not there yet, newest is ${this.#revision}`)
    const { start, limit = Number.POSITIVE_INFINITY } = options
    const from = start !== undefined && compareKeys(start, prefix) > 0 ? start : prefix

    const cursor = this.#keys.seek(isBefore, from)
    const base = this.#base
    let position = base?.first(from) ?? 0
    const end = base?.end(prefix) ?? 0
    let total = cursor.until(this.#keys.seek(isNotBehind, prefix)) + (base?.count(position, end) ?? 0)

    // States that later events replaced: put in the place of what is there now.
    const past = revision === this.#revision ? undefined : this.#past(revision, prefix, from)
    const restored: Entry[] = []
    if (past !== undefined) {
      for (const [key, entry] of past) {
        if (this.#entries.has(key) || base?.get(key) !== undefined) total--
        if (entry !== undefined) restored.push(entry)
      }
      restored.sort((a, b) => compareKeys(a.key, b.key))
      total += restored.length
    }

    const entries: Entry[] = []
    const wanted = Math.min(limit, total)
    let back = 0
    while (entries.length < wanted) {
      const written = cursor.key
      position = base?.visible(position) ?? 0
      const shared = position < end ? base!.key(position) : undefined
      const old = restored[back]
      // `wanted` ends the loop before the cursor leaves the prefix, unless replaced keys are skipped behind the last one.
      if (old !== undefined && isFirst(old.key, written) && isFirst(old.key, shared)) {
        entries.push(old)
        back++
      } else if (written !== undefined && isFirst(written, shared)) {
        if (past === undefined || !past.has(written)) entries.push(this.#entries.get(written)!)
        cursor.next()
      } else {
        if (past === undefined || !past.has(shared!)) entries.push(base!.render(position))
        position++
      }
    }
    return { entries, revision, remaining: total - entries.length }
  }

  write(writes: readonly Write[]): Promise<readonly Entry[]> {
    try {
      if (this.#closed !== undefined) throw this.#closed
      if (this.#encoding) throw new Error('a write began while another one was being encoded')
      const changes = this.#encode(writes)
      if (changes.length === 0) return Promise.resolve([])
      this.#pendingRevision += changes.length
      const pending = (this.#pending ??= new Map())
      for (const change of changes) pending.set(change.entry.key, change)
      const { promise, resolve, reject } = Promise.withResolvers<readonly Entry[]>()
      this.#owner.submit({ range: this, changes, resolve, reject })
      return promise
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  changed(prefix: string): number {
    let revision = this.#changes.get(prefix)
    if (revision === undefined) {
      if (this.#changes.size >= MAX_CHANGES) this.#changes.clear()
      this.#changes.set(prefix, (revision = this.#revision))
    }
    return revision
  }

  watch(prefix: string, from: number, listener: (event: StoreEvent) => void): () => void {
    this.#checkRevision(from)
    return this.#watchers.add(prefix, from, from < this.#revision ? this.#history.since(from) : [], listener)
  }

  compact(revision: number): void {
    this.#history.compact(Math.min(revision, this.#revision))
  }

  // The owner's side.

  /** Events of history. */
  get remembered(): number {
    return this.#history.size
  }

  compactBefore(time: number): void {
    this.#history.compactBefore(time)
  }

  hasBase(base: readonly BaseEntry[]): boolean {
    return this.#base?.is(base) ?? base.length === 0
  }

  /** Whether a delete of this key must be remembered because a base entry would show up again. */
  covers(key: string): boolean {
    return this.#base?.has(key) ?? false
  }

  /** Puts a stored entry in place while the range is being opened; `undefined` is a deleted base entry. */
  load(key: string, entry: Entry | undefined): void {
    this.#base?.hide(key)
    if (entry === undefined) return
    this.#entries.set(key, entry)
    this.#keys.add(key)
  }

  /** A transaction is on disk: from now on everybody sees it. Transactions arrive in the order of their revisions. */
  committed(transaction: Transaction): void {
    const events: StoreEvent[] = []
    const time = this.#owner.now()
    for (const { type, entry } of transaction.changes) {
      const { key, revision } = entry
      const previous = this.get(key)
      if (type === 'put') {
        if (!this.#entries.has(key)) this.#keys.add(key)
        this.#entries.set(key, entry)
      } else if (this.#entries.delete(key)) this.#keys.remove(key)
      this.#base?.hide(key)
      const event: StoreEvent = { type, revision, entry, previous }
      this.#history.push(event, time)
      events.push(event)
      if (this.#pending?.get(key)?.entry === entry) this.#pending.delete(key)
      this.#revision = revision
    }
    if (this.#pending?.size === 0) this.#pending = undefined
    if (this.#changes.size > 0) this.#note(events)
    for (const event of events) this.#watchers.notify(event)
    for (const { previous } of events) if (previous !== undefined) dropDecoded(previous)
    transaction.resolve(transaction.changes.map((change) => change.entry))
  }

  #note(events: readonly StoreEvent[]): void {
    for (const { entry, revision } of events) {
      for (const prefix of this.#changes.keys()) if (entry.key.startsWith(prefix)) this.#changes.set(prefix, revision)
    }
  }

  /** Nothing that is pending will be committed. The owner rejects the transactions. */
  aborted(): void {
    this.#pending = undefined
    this.#pendingRevision = this.#revision
  }

  /** Refuses writes with this error from now on. Reads go on. */
  close(error: Error): void {
    this.#closed = error
    if (this.#base !== undefined) this.#owner.rendered.forget(this.#base)
  }

  #encode(writes: readonly Write[]): Change[] {
    // Later writes of the transaction stand on earlier ones; undefined is a key that an earlier one deleted.
    const earlier = new Map<string, Entry | undefined>()
    const first = this.#pendingRevision + 1
    const created = writes.map((write, i) => {
      checkKey(write.key)
      const newest = earlier.has(write.key) ? earlier.get(write.key) : this.latest(write.key)
      check(write, newest)
      const since = newest?.created ?? first + i
      if (writes.length > 1) {
        const next = { key: write.key, bytes: nothing, revision: first + i, created: since }
        earlier.set(write.key, write.type === 'put' ? next : undefined)
      }
      return since
    })
    this.#encoding = true
    try {
      return writes.map((write, i): Change => {
        const { bytes, object } = write.encode(first + i)
        if (bytes.length > MAX_VALUE) throw new RangeError(`value of ${write.key} has ${bytes.length} bytes`)
        const entry: Entry = { key: write.key, bytes, revision: first + i, created: created[i]!, object }
        if (object !== undefined) keepDecoded(entry)
        return { type: write.type, entry }
      })
    } finally {
      this.#encoding = false
    }
  }

  #checkRevision(revision: number): void {
    if (revision < this.#history.compacted) throw new Compacted(revision, this.#history.compacted)
  }

  /** What the keys from `from` on that changed after `revision` were then. */
  #past(revision: number, prefix: string, from: string): Map<string, Entry | undefined> {
    const past = new Map<string, Entry | undefined>()
    const events = this.#history.since(revision)
    for (let i = events.length - 1; i >= 0; i--) {
      const { entry, previous } = events[i]!
      if (entry.key.startsWith(prefix) && compareKeys(entry.key, from) >= 0) past.set(entry.key, previous)
    }
    return past
  }
}

const nothing = Buffer.alloc(0)

/** Prefixes whose last change is followed. Few are asked about often; the others are asked again. */
const MAX_CHANGES = 16

/** Far above what an API server takes, far below what SQLite refuses: no value may be the reason of a failed commit. */
const MAX_VALUE = 64 << 20

function check(write: Write, newest: Entry | undefined): void {
  const actual = newest?.revision ?? 0
  if (write.expect !== undefined && write.expect !== actual) throw new RevisionMismatch(write.key, write.expect, actual)
  if (write.type === 'delete' && newest === undefined) throw new RevisionMismatch(write.key, write.expect ?? -1, 0)
}

function isFirst(key: string, other: string | undefined): boolean {
  return other === undefined || compareKeys(key, other) <= 0
}
