/**
 * The store: revisioned key-value ranges, one for each cluster.
 *
 * Guarantees, for every implementation (contract.suite.ts holds them):
 *  1. One revision per range. It grows by one with each committed write and never goes
 *     back, also not after a kill: a revision that anybody has seen is on disk.
 *  2. Compare-and-swap: a write with `expect` happens only if the key's newest revision,
 *     committed or pending, is that one (0: the key does not exist).
 *  3. Acknowledged means synced: the promise of a write resolves after its commit is on
 *     disk. Readers and watchers see a write only then, all in the same order.
 *  4. A watch from revision N delivers every event > N once, in order, or throws Compacted.
 *  5. `list` at a revision shows the range exactly as it was then, or throws Compacted.
 *  6. Entries are immutable; a reader may keep them for ever.
 *  7. Nothing here blocks the event loop on a sync or a checkpoint, and a range at rest owns no timer.
 */

/** What a write stores. `object` is the decoded form of `bytes`, kept for readers if given. */
export interface Encoded {
  readonly bytes: Buffer
  readonly object?: unknown
}

/** One key's value at one revision. */
export interface Entry {
  readonly key: string
  /** Canonical JSON. */
  readonly bytes: Buffer
  /** The revision that wrote this value. */
  readonly revision: number
  /** The revision that created the key. */
  readonly created: number
  /** Decoded form of `bytes`, filled by a reader that needs it, and dropped again (decoded.ts). Never mutate what it refers to. */
  object?: unknown
}

/** `entry` of a delete is the last state re-encoded by the deleter, at the deletion's own revision. */
export interface StoreEvent {
  readonly type: 'put' | 'delete'
  readonly revision: number
  readonly entry: Entry
  readonly previous: Entry | undefined
}

/** One write of a transaction. `encode` gets the revision that the write will have. */
export type Write =
  | { readonly type: 'put'; readonly key: string; readonly expect?: number; encode(revision: number): Encoded }
  | { readonly type: 'delete'; readonly key: string; readonly expect?: number; encode(revision: number): Encoded }

export interface ListOptions {
  /** At most so many entries. @default all */
  readonly limit?: number
  /** Start at this key (inclusive). @default the prefix */
  readonly start?: string
  /** As of this revision. @default the newest committed */
  readonly revision?: number
}

export interface ListResult {
  readonly entries: readonly Entry[]
  /** The revision that the entries belong to. */
  readonly revision: number
  /** Entries behind the limit. */
  readonly remaining: number
}

/** A shared object that a range has before anything is written: bootstrap roles and the like. */
export interface BaseEntry {
  readonly key: string
  /** Rendered for one range when somebody reads it; `identity` makes uid and times of their own. */
  render(identity: RangeIdentity): Encoded
}

export interface RangeIdentity {
  readonly id: string
  /** Random 16 bytes in hex, made with the range. */
  readonly seed: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** All state of one cluster. Keys are `<group or core>/<resource>/<namespace or empty>/<name>`. */
export interface Range {
  readonly identity: RangeIdentity
  /** Newest committed revision. At least 1. */
  readonly revision: number
  /** Watches and lists below this revision throw Compacted. */
  readonly compacted: number
  /** Newest committed value. */
  get(key: string): Entry | undefined
  /** Newest value, also one whose commit is under way: the base of a read-modify-write. */
  latest(key: string): Entry | undefined
  /** Keys that begin with `prefix`, in byte order. */
  list(prefix: string, options?: ListOptions): ListResult
  /** Number of committed keys with this prefix. */
  count(prefix: string): number
  /**
   * Writes all or none, at consecutive revisions. Rejects with RevisionMismatch, also when a delete finds no key,
   * or with what `encode` threw, or with a StoreError; nothing is written then.
   */
  write(writes: readonly Write[]): Promise<readonly Entry[]>
  /**
   * A number that is another one after every committed change under this prefix; it may change without one. What was
   * made of a `list` of the prefix is good as long as it stays the same. For a few prefixes, such as one of each kind.
   */
  changed(prefix: string): number
  /**
   * Calls `listener` for every committed event under `prefix` (`<group>/<resource>/` at least, or '' for all) with
   * revision > `from`, first the past ones, in order and within the commit's turn. Returns the way to stop it.
   * @throws Compacted
   */
  watch(prefix: string, from: number, listener: (event: StoreEvent) => void): () => void
  /** Forgets history below `revision`. Current values stay. */
  compact(revision: number): void
}

export interface OpenOptions {
  /** Sorted by key. One array is shared by all ranges that use it. A written or deleted key hides its base entry. */
  readonly base?: readonly BaseEntry[]
}

export interface Store {
  /** Opens a range, making it if it does not exist. Opening twice gives the same range. */
  open(id: string, options?: OpenOptions): Promise<Range>
  /** Ids of all ranges, open or not. */
  ids(): Promise<readonly string[]>
  /** Deletes a range and all its state, durably. */
  drop(id: string): Promise<void>
  /**
   * Forgets, in every open range, history older than so many milliseconds. Ranges without history cost nothing;
   * one owner in the process calls it now and then, for all ranges.
   */
  compact(olderThan: number): void
  /** Waits for pending commits, then frees everything. */
  close(): Promise<void>
}

/** A compare-and-swap failed. */
export class RevisionMismatch extends Error {
  readonly key: string
  /** The revision asked for; -1: any, as long as the key exists. */
  readonly expected: number
  /** The newest revision of the key, 0 if it does not exist. */
  readonly actual: number

  constructor(key: string, expected: number, actual: number) {
    super(`key ${key}: expected revision ${expected}, found ${actual}`)
    this.name = 'RevisionMismatch'
    this.key = key
    this.expected = expected
    this.actual = actual
  }
}

/** History before `compacted` is gone. */
export class Compacted extends Error {
  readonly revision: number
  readonly compacted: number

  constructor(revision: number, compacted: number) {
    super(`revision ${revision} has been compacted, oldest is ${compacted}`)
    this.name = 'Compacted'
    this.revision = revision
    this.compacted = compacted
  }
}
