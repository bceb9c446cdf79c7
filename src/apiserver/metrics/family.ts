/** Metrics of one name. Labels are bounded: what comes beyond the bound is counted under `other`. */
import { braced, goFloat, head, labelText } from './text.ts'

export type Labels = readonly string[]

export interface MetricOptions {
  /** Such as `apiserver_request_total`. */
  readonly name: string
  readonly help: string
  /** What upstream promises of it; shown in the help text. @default nothing is said */
  readonly stability?: 'STABLE' | 'BETA' | 'ALPHA'
  /** Names of the labels; values are given in this order. @default none */
  readonly labels?: readonly string[]
  /** Label sets that are kept. @default 2000 */
  readonly series?: number
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending, without +Inf. */
  readonly buckets: readonly number[]
}

const SERIES = 2000

/** Label sets with a cell each. Cells may be kept by who counts often. */
abstract class Family<C> {
  readonly name: string
  readonly options: MetricOptions
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: C }>()

  constructor(options: MetricOptions) {
    this.name = options.name
    this.options = options
    // What has no labels is shown from the start.
    if ((options.labels ?? []).length === 0) this.at()
  }

  /** The cell of a label set; of `other` when there are too many. @throws TypeError for another number of labels */
  at(labels: Labels = []): C {
    const { labels: names = [], series = SERIES } = this.options
    if (labels.length !== names.length) throw new TypeError(`${labels.length} labels for ${names.length}`)
    const key = labels.length === 1 ? labels[0]! : labels.join('\0')
    const known = this.#cells.get(key)
    if (known !== undefined) return known.cell
    const full = this.#cells.size >= series
    const others = full ? names.map(() => 'other') : labels
    const other = full ? others.join('\0') : key
    const found = this.#cells.get(other)
    if (found !== undefined) return found.cell
    const cell = this.make()
    this.#cells.set(other, { labels: others, cell })
    return cell
  }

  /** Forgets one label set: its subject is gone. */
  delete(labels: Labels): void {
    this.#cells.delete(labels.join('\0'))
  }

  /** Starts anew; cells that somebody keeps stay. */
  reset(): void {
    for (const { cell } of this.#cells.values()) this.clear(cell)
  }

  render(): string {
    const { help, stability, labels = [] } = this.options
    let text = head(this.name, stability === undefined ? help : `[${stability}] ${help}`, this.type)
    const sorted = [...this.#cells].toSorted(([a], [b]) => (a < b ? -1 : 1))
    for (const [, { labels: values, cell }] of sorted) text += this.show(labelText(labels, values), cell)
    return sorted.length === 0 ? '' : text
  }

  protected abstract readonly type: string
  protected abstract make(): C
  protected abstract clear(cell: C): void
  protected abstract show(labels: string, cell: C): string
}

/** A number under a label set. */
export interface Cell {
  value: number
}

/** Numbers; one without labels may ask a function when it is read. */
abstract class Numbers extends Family<Cell> {
  readonly #read: (() => number) | undefined

  /** @param read the value at reading time, for what has no labels */
  constructor(options: MetricOptions, read?: () => number) {
    super(options)
    this.#read = read
  }

  override render(): string {
    if (this.#read !== undefined) this.at().value = this.#read()
    return super.render()
  }

  protected override make(): Cell {
    return { value: 0 }
  }

  protected override show(labels: string, { value }: Cell): string {
    return `${this.name}${braced(labels)} ${goFloat(value)}\n`
  }
}

/** Only grows. */
export class Counter extends Numbers {
  protected override get type(): string {
    return 'counter'
  }

  add(labels: Labels = [], by = 1): void {
    this.at(labels).value += by
  }

  protected override clear(cell: Cell): void {
    cell.value = 0
  }
}

/** Goes up and down. */
export class Gauge extends Numbers {
  protected override get type(): string {
    return 'gauge'
  }

  set(value: number, labels: Labels = []): void {
    this.at(labels).value = value
  }

  add(by: number, labels: Labels = []): void {
    this.at(labels).value += by
  }

  /** What is there now goes on being there. */
  protected override clear(): void {}
}

/** How values are distributed. */
export class Distribution {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #last = 0
  #bucket = 0
  #repeated = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array.from<number>({ length: bounds.length + 1 }).fill(0)
  }

  /** @param times how many there were of it */
  observe(value: number, times = 1): void {
    this.#settle()
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at++
    this.#counts[at]! += times
    this.#sum += value * times
    this.#last = value
    this.#bucket = at
  }

  /** One more that was not measured: it counts as the last that was. */
  repeat(): void {
    this.#repeated++
  }

  #settle(): void {
    if (this.#repeated === 0) return
    this.#counts[this.#bucket]! += this.#repeated
    this.#sum += this.#repeated * this.#last
    this.#repeated = 0
  }

  clear(): void {
    this.#counts.fill(0)
    this.#sum = 0
    this.#repeated = 0
  }

  /** Counts by bucket, the last without a bound. */
  read(): { readonly counts: readonly number[]; readonly sum: number } {
    this.#settle()
    return { counts: this.#counts, sum: this.#sum }
  }
}

export class Histogram extends Family<Distribution> {
  readonly #buckets: readonly number[]

  constructor(options: HistogramOptions) {
    super(options)
    this.#buckets = options.buckets
  }

  protected override get type(): string {
    return 'histogram'
  }

  observe(value: number, labels: Labels = []): void {
    this.at(labels).observe(value)
  }

  protected override make(): Distribution {
    return new Distribution((this.options as HistogramOptions).buckets)
  }

  protected override clear(cell: Distribution): void {
    cell.clear()
  }

  protected override show(labels: string, cell: Distribution): string {
    const { counts, sum } = cell.read()
    const start = labels === '' ? '' : `${labels},`
    let text = ''
    let total = 0
    for (const [i, count] of counts.entries()) {
      total += count
      const bound = i < this.#buckets.length ? goFloat(this.#buckets[i]!) : '+Inf'
      text += `${this.name}_bucket{${start}le="${bound}"} ${total}\n`
    }
    return `${text}${this.name}_sum${braced(labels)} ${goFloat(sum)}\n${this.name}_count${braced(labels)} ${total}\n`
  }
}
