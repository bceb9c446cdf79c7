/**
 * - `closed`: the store was closed.
 * - `dropped`: the range was dropped.
 * - `locked`: another process holds the file.
 * - `full`: no room on the disk or under the file's limit. The store stays usable.
 * - `failed`: the disk or the worker failed. The store refuses all writes from then on; what it acknowledged is on disk.
 * - `format`: the file is no store, or of a newer version.
 */
export type StoreErrorCode = 'closed' | 'dropped' | 'locked' | 'full' | 'failed' | 'format'

/** A store cannot do what was asked, whatever the keys are. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreError'
    this.code = code
  }
}
