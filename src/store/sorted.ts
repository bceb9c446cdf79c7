import { compareKeys, isBefore, partition } from './key.ts'

const CHUNK = 256

/**
 * A sorted set of keys in chunks of at most 256: adding and removing moves at most one chunk's keys, finding is binary,
 * and a rank costs one addition for each chunk before it (400 for 100,000 keys).
 */
export class SortedKeys {
  #chunks: string[][] = []

  /** Adds a key; one that is there already stays once. */
  add(key: string): void {
    const chunks = this.#chunks
    const tail = chunks.at(-1)
    if (tail === undefined) {
      chunks.push([key])
      return
    }
    if (compareKeys(tail.at(-1)!, key) < 0) {
      // Keys that arrive in order fill chunks completely.
      if (tail.length < CHUNK) tail.push(key)
      else chunks.push([key])
      return
    }
    const at = this.#chunkOf(isBefore, key)
    const chunk = chunks[at]!
    const index = partition(chunk, isBefore, key)
    if (chunk[index] === key) return
    chunk.splice(index, 0, key)
    if (chunk.length > CHUNK) chunks.splice(at + 1, 0, chunk.splice(CHUNK >> 1))
  }

  remove(key: string): void {
    const at = this.#chunkOf(isBefore, key)
    const chunk = this.#chunks[at]
    if (chunk === undefined) return
    const index = partition(chunk, isBefore, key)
    if (chunk[index] !== key) return
    chunk.splice(index, 1)
    if (chunk.length === 0) {
      this.#chunks.splice(at, 1)
      return
    }
    const next = this.#chunks[at + 1]
    if (next !== undefined && chunk.length + next.length <= CHUNK >> 1) {
      for (const other of next) chunk.push(other)
      this.#chunks.splice(at + 1, 1)
    }
  }

  /** The place of the first key for which `test` no longer holds (see `partition`). */
  seek(test: (key: string, bound: string) => boolean, bound: string): Cursor {
    const at = this.#chunkOf(test, bound)
    const chunk = this.#chunks[at]
    return new Cursor(this.#chunks, at, chunk === undefined ? 0 : partition(chunk, test, bound))
  }

  /** The first chunk whose last key does not pass. */
  #chunkOf(test: (key: string, bound: string) => boolean, bound: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (test(this.#chunks[middle]!.at(-1)!, bound)) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** A place between two keys. Valid until the set changes. */
export class Cursor {
  readonly #chunks: readonly string[][]
  #chunk: number
  #index: number

  constructor(chunks: readonly string[][], chunk: number, index: number) {
    this.#chunks = chunks
    this.#chunk = chunk
    this.#index = index
  }

  /** The key behind the place. */
  get key(): string | undefined {
    return this.#chunks[this.#chunk]?.[this.#index]
  }

  next(): void {
    this.#index++
    if (this.#index < (this.#chunks[this.#chunk]?.length ?? 0)) return
    this.#chunk++
    this.#index = 0
  }

  /** Keys between this place and a later one, at least 0. */
  until(end: Cursor): number {
    if (end.#chunk <= this.#chunk) return end.#chunk < this.#chunk ? 0 : Math.max(0, end.#index - this.#index)
    let count = end.#index - this.#index
    for (let i = this.#chunk; i < end.#chunk; i++) count += this.#chunks[i]!.length
    return count
  }
}
