/** Sets of completion indexes, written as `0,2-4,7`. Immutable. */

interface Interval {
  readonly first: number
  readonly last: number
}

export class Indexes {
  static readonly NONE = new Indexes([])
  readonly #intervals: readonly Interval[]

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals
  }

  static of(indexes: Iterable<number>): Indexes {
    const sorted = [...indexes].toSorted((a, b) => a - b)
    return new Indexes(joined(sorted.map((index) => ({ first: index, last: index }))))
  }

  /** What is below `completions` in a text; parts that cannot be read are left out. */
  static parse(text: string | undefined, completions: number): Indexes {
    if (text === undefined || text === '') return Indexes.NONE
    const intervals: Interval[] = []
    for (const part of text.split(',')) {
      const match = /^([0-9]{1,10})(?:-([0-9]{1,10}))?$/.exec(part)
      if (match === null) continue
      const first = Number(match[1])
      if (first >= completions) break
      const last = Math.min(match[2] === undefined ? first : Number(match[2]), completions - 1)
      if (last >= first) intervals.push({ first, last })
    }
    return new Indexes(joined(intervals.toSorted((a, b) => a.first - b.first)))
  }

  with(indexes: Iterable<number>): Indexes {
    return this.union(Indexes.of(indexes))
  }

  union(other: Indexes): Indexes {
    if (other.#intervals.length === 0) return this
    const all = [...this.#intervals, ...other.#intervals].toSorted((a, b) => a.first - b.first)
    return new Indexes(joined(all))
  }

  has(index: number): boolean {
    let [low, high] = [0, this.#intervals.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#intervals[middle]!.last >= index) high = middle
      else low = middle + 1
    }
    const interval = this.#intervals[low]
    return interval !== undefined && interval.first <= index
  }

  /** How many indexes there are. */
  get size(): number {
    return this.#intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  }

  /** How many indexes both have. */
  overlap(other: Indexes): number {
    let count = 0
    for (let [i, j] = [0, 0]; i < this.#intervals.length && j < other.#intervals.length;) {
      const [a, b] = [this.#intervals[i]!, other.#intervals[j]!]
      count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1)
      if (a.last <= b.last) i++
      if (b.last <= a.last) j++
    }
    return count
  }

  /** The lowest indexes below `below` that are not in it, at most `count`. */
  missing(count: number, below: number): number[] {
    const out: number[] = []
    let candidate = 0
    for (const { first, last } of [...this.#intervals, { first: below, last: below }]) {
      for (; candidate < Math.min(first, below) && out.length < count; candidate++) out.push(candidate)
      if (out.length === count) break
      candidate = Math.max(candidate, last + 1)
    }
    return out
  }

  toString(): string {
    const parts = this.#intervals.map(({ first, last }) => {
      if (first === last) return String(first)
      return `${first}${last === first + 1 ? ',' : '-'}${last}`
    })
    return parts.join(',')
  }
}

/** Sorted intervals without overlaps and neighbours. */
function joined(sorted: readonly Interval[]): Interval[] {
  const out: Interval[] = []
  for (const interval of sorted) {
    const previous = out.at(-1)
    if (previous === undefined || interval.first > previous.last + 1) out.push(interval)
    else if (interval.last > previous.last) out[out.length - 1] = { first: previous.first, last: interval.last }
  }
  return out
}
