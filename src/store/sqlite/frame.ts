/**
 * Rows on their way between the event loop and the worker: one buffer for many rows. Cloning an object for each row
 * copies whole slabs of Node's buffer pool (numbers in docs/store.md).
 *
 * A row: range u32, key length u32, value length i32 (or what `kinds` says), zero u32, revision f64, created f64,
 * key, value; little endian.
 */

export interface Row {
  /** The range's number in the file. */
  readonly range: number
  readonly key: Buffer
  /** The value, or `tombstone` (a base entry was deleted), or `removed` (no row any more). */
  readonly value: Buffer | typeof tombstone | typeof removed
  readonly revision: number
  readonly created: number
}

export const tombstone = -1
export const removed = -2

const HEADER = 32

/** Bytes that a row takes. */
export function rowSize(keyBytes: number, valueBytes: number): number {
  return HEADER + keyBytes + valueBytes
}

/** Writes a row, gives the offset behind it. `key` is text or its UTF-8 bytes. */
export function writeRow(
  buffer: Buffer,
  at: number,
  range: number,
  key: string | Uint8Array,
  value: Uint8Array | typeof tombstone | typeof removed,
  revision: number,
  created: number,
): number {
  let end = at + HEADER
  if (typeof key === 'string') end += buffer.write(key, end, 'utf8')
  else {
    buffer.set(key, end)
    end += key.length
  }
  buffer.writeUInt32LE(range, at)
  buffer.writeUInt32LE(end - at - HEADER, at + 4)
  buffer.writeInt32LE(typeof value === 'number' ? value : value.length, at + 8)
  buffer.writeUInt32LE(0, at + 12)
  buffer.writeDoubleLE(revision, at + 16)
  buffer.writeDoubleLE(created, at + 24)
  if (typeof value === 'number') return end
  buffer.set(value, end)
  return end + value.length
}

/** The rows of a buffer; keys and values are views of it. */
export function* readRows(buffer: Buffer): Generator<Row> {
  for (let at = 0; at < buffer.length;) {
    const key = at + HEADER
    const value = key + buffer.readUInt32LE(at + 4)
    const length = buffer.readInt32LE(at + 8)
    const end = length < 0 ? value : value + length
    yield {
      range: buffer.readUInt32LE(at),
      key: buffer.subarray(key, value),
      value: length === tombstone ? tombstone : length === removed ? removed : buffer.subarray(value, end),
      revision: buffer.readDoubleLE(at + 16),
      created: buffer.readDoubleLE(at + 24),
    }
    at = end
  }
}
