import type { BaseEntry, Entry, RangeIdentity } from './contract.ts'
import { checkKey, compareKeys, isBefore, isNotBehind, partition } from './key.ts'

/** A base array with its keys in order; one for all ranges that share the array. */
interface BaseIndex {
  readonly entries: readonly BaseEntry[]
  readonly keys: readonly string[]
  readonly positions: ReadonlyMap<string, number>
}

const indexes = new WeakMap<readonly BaseEntry[], BaseIndex>()

function indexOf(entries: readonly BaseEntry[]): BaseIndex {
  const known = indexes.get(entries)
  if (known !== undefined) return known
  const keys = entries.map((entry) => entry.key)
  for (const [i, key] of keys.entries()) {
    checkKey(key)
    if (i > 0 && compareKeys(keys[i - 1]!, key) >= 0) throw new TypeError(`base entries are not sorted at key ${key}`)
  }
  const index = { entries, keys, positions: new Map(keys.map((key, i) => [key, i])) }
  indexes.set(entries, index)
  return index
}

/**
 * Rendered base entries of all ranges of a store, the most recently used ones. Rendering is repeatable, so that
 * forgetting one costs time only; keeping all would cost each idle range as much as its own copy of the base.
 */
export class RenderCache {
  readonly #limit: number
  readonly #ranges = new Map<BaseLayer, Map<number, Entry>>()
  #size = 0

  constructor(limit = 1024) {
    this.#limit = limit
  }

  get(layer: BaseLayer, position: number): Entry | undefined {
    const entries = this.#ranges.get(layer)
    if (entries === undefined) return undefined
    const entry = entries.get(position)
    if (entry !== undefined) {
      // Maps keep the order of insertion: a used layer moves to the end.
      this.#ranges.delete(layer)
      this.#ranges.set(layer, entries)
    }
    return entry
  }

  set(layer: BaseLayer, position: number, entry: Entry): void {
    let entries = this.#ranges.get(layer)
    if (entries === undefined) this.#ranges.set(layer, (entries = new Map()))
    if (!entries.has(position)) this.#size++
    entries.set(position, entry)
    while (this.#size > this.#limit) {
      const [oldest, rendered] = this.#ranges.entries().next().value!
      if (oldest === layer && this.#ranges.size === 1) {
        rendered.delete(rendered.keys().next().value!)
        this.#size--
      } else this.forget(oldest)
    }
  }

  forget(layer: BaseLayer): void {
    this.#size -= this.#ranges.get(layer)?.size ?? 0
    this.#ranges.delete(layer)
  }
}

/** The base as one range sees it: without the keys that the range wrote or deleted. */
export class BaseLayer {
  readonly #index: BaseIndex
  readonly #identity: RangeIdentity
  readonly #cache: RenderCache
  /** Positions of hidden entries, ascending. */
  #hidden: number[] = []

  constructor(entries: readonly BaseEntry[], identity: RangeIdentity, cache: RenderCache) {
    this.#index = indexOf(entries)
    this.#identity = identity
    this.#cache = cache
  }

  is(entries: readonly BaseEntry[]): boolean {
    return this.#index.entries === entries
  }

  /** Whether the base has the key, hidden or not. */
  has(key: string): boolean {
    return this.#index.positions.has(key)
  }

  get(key: string): Entry | undefined {
    const position = this.#index.positions.get(key)
    return position === undefined || this.#isHidden(position) ? undefined : this.render(position)
  }

  /** From now on the range has its own word on this key. */
  hide(key: string): void {
    const position = this.#index.positions.get(key)
    if (position === undefined || this.#isHidden(position)) return
    this.#hidden.splice(this.#hiddenBefore(position), 0, position)
  }

  first(from: string): number {
    return partition(this.#index.keys, isBefore, from)
  }

  end(prefix: string): number {
    return partition(this.#index.keys, isNotBehind, prefix)
  }

  key(position: number): string {
    return this.#index.keys[position]!
  }

  /** The first position from this one on that is not hidden. */
  visible(position: number): number {
    if (this.#hidden.length === 0) return position
    for (let i = this.#hiddenBefore(position); this.#hidden[i] === position; i++) position++
    return position
  }

  /** Visible entries in [from, to). */
  count(from: number, to: number): number {
    return to <= from ? 0 : to - from - (this.#hiddenBefore(to) - this.#hiddenBefore(from))
  }

  render(position: number): Entry {
    const known = this.#cache.get(this, position)
    if (known !== undefined) return known
    const base = this.#index.entries[position]!
    const { bytes, object } = base.render(this.#identity)
    const entry: Entry = { key: base.key, bytes, revision: 1, created: 1, object }
    this.#cache.set(this, position, entry)
    return entry
  }

  #isHidden(position: number): boolean {
    return this.#hidden.length > 0 && this.#hidden[this.#hiddenBefore(position)] === position
  }

  #hiddenBefore(position: number): number {
    let low = 0
    let high = this.#hidden.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#hidden[middle]! < position) low = middle + 1
      else high = middle
    }
    return low
  }
}
