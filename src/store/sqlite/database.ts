import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { readRows, removed, rowSize, tombstone, writeRow } from './frame.ts'
import type { DatabaseOptions, Opened, Page, RangeRecord } from './protocol.ts'

/** "TNRY" */
const APPLICATION = 0x544e5259
const VERSION = 1

/** Bytes of one page of rows: large enough to be cheap, small enough for one turn of the event loop. */
const PAGE_BYTES = 512 * 1024
/** Entries of dropped ranges removed in one transaction. */
const SLICE = 256

/**
 * Entries have a row number of their own (and an index on their key): with the key as the table's own order, values
 * over a quarter of a page go to overflow pages and a commit writes nearly three times as much.
 */
const SCHEMA = `
  CREATE TABLE ranges (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    seed TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
  );
  CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    range INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB, -- NULL: a deleted base entry
    revision INTEGER NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (range, key)
  );
  -- Ranges that are gone, while their entries are being removed.
  CREATE TABLE dropped (range INTEGER PRIMARY KEY);
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};
`

/** The file is not a store that this version can use. */
export class FormatError extends Error {}

/** The store's file. Every call blocks: it lives in the worker. */
export class Database {
  readonly #db: DatabaseSync
  readonly #put: StatementSync
  readonly #remove: StatementSync
  readonly #setRevision: StatementSync
  readonly #findRange: StatementSync
  readonly #makeRange: StatementSync
  readonly #dropRange: StatementSync
  readonly #noteDropped: StatementSync
  readonly #page: StatementSync
  #garbage: number[]
  /** Bytes, about, that the log holds since the last checkpoint. */
  #logged: number

  constructor({ file, maxBytes }: DatabaseOptions) {
    // What a process left that was killed: without it, a log would grow from one short life to the next.
    this.#logged = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    const db = new DatabaseSync(file, { timeout: 0 })
    this.#db = db
    // Exclusive before anything is read: no shared memory file, and a second process is refused.
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()
    if (mode?.['journal_mode'] !== 'wal') throw new FormatError('the file system does not allow a write-ahead log')
    // FULL: each commit syncs the log before it returns. Checkpoints happen when housekeeping says so.
    db.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA cache_size = -2048;
      PRAGMA temp_store = MEMORY;
      PRAGMA secure_delete = FAST;
    `)
    db.exec('BEGIN EXCLUSIVE')
    this.#prepareSchema()
    db.exec('COMMIT')
    if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / 4096))}`)

    this.#put = db.prepare(`
      INSERT INTO entries (range, key, value, revision, created) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (range, key) DO UPDATE
      SET value = excluded.value, revision = excluded.revision, created = excluded.created`)
    this.#remove = db.prepare('DELETE FROM entries WHERE range = ? AND key = ?')
    this.#setRevision = db.prepare('UPDATE ranges SET revision = ? WHERE number = ?')
    this.#findRange = db.prepare('SELECT number, seed, created_at, revision FROM ranges WHERE id = ?')
    this.#makeRange = db.prepare('INSERT INTO ranges (id, seed, created_at, revision) VALUES (?, ?, ?, 1)')
    this.#dropRange = db.prepare('DELETE FROM ranges WHERE id = ? RETURNING number')
    this.#noteDropped = db.prepare('INSERT INTO dropped (range) VALUES (?)')
    this.#page = db.prepare(
      'SELECT key, value, revision, created FROM entries WHERE range = ? AND key > ? ORDER BY key',
    )
    this.#page.setReturnArrays(true)
    this.#garbage = db
      .prepare('SELECT range FROM dropped')
      .all()
      .map((row) => row['range'] as number)
  }

  /** Everything or, when it throws, nothing; on disk when it returns. */
  commit(opens: readonly RangeRecord[], rows: Buffer, drops: readonly string[]): readonly Opened[] {
    const dropped: number[] = []
    const opened = this.#transaction(() => {
      const found = opens.map((range) => this.#open(range))
      this.#write(rows)
      for (const id of drops) {
        const number = this.#dropRange.get(id)?.['number'] as number | undefined
        if (number === undefined) continue
        this.#noteDropped.run(number)
        dropped.push(number)
      }
      return found
    })
    this.#logged += rows.length * 2 + 16_384
    this.#garbage.push(...dropped)
    return opened.map((range) => ({ ...range, ...this.page(range.number, new Uint8Array()) }))
  }

  /** The rows of a range behind a key, at least one if there is one. */
  page(range: number, after: Uint8Array): Page {
    const rows: [key: Uint8Array, value: Uint8Array | null, revision: number, created: number][] = []
    let size = 0
    let more = false
    for (const found of this.#page.iterate(range, after)) {
      // Rows are arrays after setReturnArrays, in the order of the statement's columns.
      const row = found as unknown as (typeof rows)[number]
      if (size >= PAGE_BYTES) {
        more = true
        break
      }
      rows.push(row)
      size += rowSize(row[0].length, row[1]?.length ?? 0)
    }
    const buffer = Buffer.allocUnsafeSlow(size)
    let at = 0
    for (const [key, value, revision, created] of rows) {
      at = writeRow(buffer, at, range, key, value ?? tombstone, revision, created)
    }
    return { rows: buffer.buffer, more }
  }

  ids(): readonly string[] {
    return this.#db
      .prepare('SELECT id FROM ranges ORDER BY id')
      .all()
      .map((row) => row['id'] as string)
  }

  /** Whether entries of dropped ranges are left. */
  get hasGarbage(): boolean {
    return this.#garbage.length > 0
  }

  /** Removes some entries of dropped ranges. */
  collect(): void {
    const range = this.#garbage[0]
    if (range === undefined) return
    const done = this.#transaction(() => {
      const { changes } = this.#db
        .prepare(`DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE range = ? LIMIT ${SLICE})`)
        .run(range)
      if (changes === SLICE) return false
      this.#db.prepare('DELETE FROM dropped WHERE range = ?').run(range)
      return true
    })
    this.#logged += SLICE * 4096
    if (done) this.#garbage.shift()
  }

  /** Bytes, about, that a checkpoint would move. */
  get logged(): number {
    return this.#logged
  }

  /** Moves the log into the file; the next commit begins the log anew. */
  checkpoint(): void {
    this.#logged = 0
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }

  close(): void {
    this.#db.close()
  }

  #prepareSchema(): void {
    const pragma = (name: string) => this.#db.prepare(`PRAGMA ${name}`).get()?.[name]
    const version = pragma('user_version')
    if (pragma('application_id') === APPLICATION) {
      if (version !== VERSION)
        throw new FormatError(`the file has version ${String(version)}, this program reads ${VERSION}`)
      return
    }
    const tables = this.#db.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']
    if (version !== 0 || tables !== 0) throw new FormatError('the file is a database of another program')
    this.#db.exec(SCHEMA)
  }

  #open({ id, seed, createdAt }: RangeRecord): Omit<Opened, keyof Page> {
    const found = this.#findRange.get(id)
    if (found !== undefined) {
      return {
        id,
        number: found['number'] as number,
        seed: found['seed'] as string,
        createdAt: found['created_at'] as number,
        revision: found['revision'] as number,
      }
    }
    const { lastInsertRowid } = this.#makeRange.run(id, seed, createdAt)
    return { id, number: Number(lastInsertRowid), seed, createdAt, revision: 1 }
  }

  #write(rows: Buffer): void {
    const revisions = new Map<number, number>()
    for (const { range, key, value, revision, created } of readRows(rows)) {
      if (value === removed) this.#remove.run(range, key)
      else this.#put.run(range, key, value === tombstone ? null : value, revision, created)
      revisions.set(range, revision)
    }
    for (const [range, revision] of revisions) this.#setRevision.run(revision, range)
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // Some failures end the transaction themselves.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }
}
