/** Messages between the event loop and the worker. Answers come in the order of the requests. */

/** A range to be found or made. */
export interface RangeRecord {
  readonly id: string
  readonly seed: string
  readonly createdAt: number
}

/** Rows at the beginning of a buffer that the worker may read until it has answered. */
export interface Rows {
  readonly buffer: SharedArrayBuffer
  readonly length: number
}

export type Request =
  /** One transaction of SQLite: ranges made, rows written, ranges dropped, in this order. */
  | {
      readonly type: 'commit'
      readonly opens: readonly RangeRecord[]
      readonly rows: Rows
      readonly drops: readonly string[]
    }
  /** The rows of a range behind a key. */
  | { readonly type: 'page'; readonly range: number; readonly after: Uint8Array }
  | { readonly type: 'ids' }
  | { readonly type: 'close' }

/** Some rows of a range, in the order of keys. */
export interface Page {
  readonly rows: ArrayBuffer
  /** Whether there are rows behind these. */
  readonly more: boolean
}

/** A range as it is on disk, with its first page. */
export interface Opened extends RangeRecord, Page {
  /** Its number in the file, never used again for another range. */
  readonly number: number
  readonly revision: number
}

export interface Failure {
  readonly type: 'failure'
  readonly message: string
  /** SQLite's extended result code, if it is SQLite that failed. */
  readonly code: number | undefined
}

export type Reply =
  | { readonly type: 'ready' }
  | { readonly type: 'committed'; readonly opened: readonly Opened[] }
  | ({ readonly type: 'page' } & Page)
  | { readonly type: 'ids'; readonly ids: readonly string[] }
  | { readonly type: 'closed' }
  | Failure
  /** Not an answer: housekeeping failed. Nothing acknowledged is at stake. */
  | { readonly type: 'trouble'; readonly failure: Failure }

export interface DatabaseOptions {
  readonly file: string
  /** Largest size of the file in bytes, without the log. */
  readonly maxBytes: number | undefined
  /** A log of about so many bytes is moved into the file before the next commit. */
  readonly maxLogBytes: number
}
