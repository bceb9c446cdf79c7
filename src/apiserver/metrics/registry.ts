/**
 * Metrics in Prometheus' text format. Labels are bounded: a metric keeps at most `series` label sets, and counts what
 * comes beyond them under `other`, so that nothing a tenant chooses makes memory grow.
 */

export type Labels = readonly string[]

export interface MetricOptions {
  /** Such as `apiserver_request_total`. */
  readonly name: string
  readonly help: string
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

/** What one metric shows. */
interface Metric {
  readonly name: string
  render(lines: string[]): void
}

/** Label sets of one metric with a value each. */
class Series<V> {
  readonly #names: readonly string[]
  readonly #limit: number
  readonly #make: () => V
  readonly #values = new Map<string, V>()

  constructor(options: MetricOptions, make: () => V) {
    this.#names = options.labels ?? []
    this.#limit = options.series ?? SERIES
    this.#make = make
  }

  at(labels: Labels): V {
    if (labels.length !== this.#names.length) throw new TypeError(`${labels.length} labels for ${this.#names.length}`)
    const text = labelText(this.#names, labels)
    const known = this.#values.get(text)
    if (known !== undefined) return known
    const key =
      this.#values.size < this.#limit
        ? text
        : labelText(
            this.#names,
            this.#names.map(() => 'other'),
          )
    let value = this.#values.get(key)
    if (value === undefined) this.#values.set(key, (value = this.#make()))
    return value
  }

  delete(labels: Labels): void {
    this.#values.delete(labelText(this.#names, labels))
  }

  *[Symbol.iterator](): Generator<[string, V]> {
    yield* this.#values
  }
}

/** Only grows. */
export class Counter implements Metric {
  readonly name: string
  readonly #help: string
  readonly #series: Series<{ value: number }>

  constructor(options: MetricOptions) {
    this.name = options.name
    this.#help = options.help
    this.#series = new Series(options, () => ({ value: 0 }))
  }

  add(labels: Labels = [], by = 1): void {
    this.#series.at(labels).value += by
  }

  /** Forgets one label set: its subject is gone. */
  delete(labels: Labels): void {
    this.#series.delete(labels)
  }

  render(lines: string[]): void {
    head(lines, this.name, this.#help, 'counter')
    for (const [labels, { value }] of this.#series) lines.push(`${this.name}${braced(labels)} ${value}`)
  }
}

/** Goes up and down; or asks a function when it is read. */
export class Gauge implements Metric {
  readonly name: string
  readonly #help: string
  readonly #series: Series<{ value: number }>
  readonly #read: (() => number) | undefined

  /** @param read the value at reading time, for a gauge without labels */
  constructor(options: MetricOptions, read?: () => number) {
    this.name = options.name
    this.#help = options.help
    this.#series = new Series(options, () => ({ value: 0 }))
    this.#read = read
  }

  set(value: number, labels: Labels = []): void {
    this.#series.at(labels).value = value
  }

  add(by: number, labels: Labels = []): void {
    this.#series.at(labels).value += by
  }

  delete(labels: Labels): void {
    this.#series.delete(labels)
  }

  render(lines: string[]): void {
    if (this.#read !== undefined) this.set(this.#read())
    head(lines, this.name, this.#help, 'gauge')
    for (const [labels, { value }] of this.#series) lines.push(`${this.name}${braced(labels)} ${value}`)
  }
}

interface Distribution {
  readonly counts: Float64Array
  sum: number
}

/** How values are distributed. */
export class Histogram implements Metric {
  readonly name: string
  readonly #help: string
  readonly #buckets: readonly number[]
  readonly #series: Series<Distribution>

  constructor(options: HistogramOptions) {
    this.name = options.name
    this.#help = options.help
    this.#buckets = options.buckets
    const size = options.buckets.length + 1
    this.#series = new Series(options, () => ({ counts: new Float64Array(size), sum: 0 }))
  }

  observe(value: number, labels: Labels = []): void {
    const found = this.#series.at(labels)
    let at = 0
    while (at < this.#buckets.length && value > this.#buckets[at]!) at++
    found.counts[at]! += 1
    found.sum += value
  }

  delete(labels: Labels): void {
    this.#series.delete(labels)
  }

  render(lines: string[]): void {
    head(lines, this.name, this.#help, 'histogram')
    for (const [labels, { counts, sum }] of this.#series) {
      const start = labels === '' ? '' : `${labels},`
      let total = 0
      for (const [i, count] of counts.entries()) {
        total += count
        const bound = i < this.#buckets.length ? String(this.#buckets[i]) : '+Inf'
        lines.push(`${this.name}_bucket{${start}le="${bound}"} ${total}`)
      }
      lines.push(`${this.name}_sum${braced(labels)} ${sum}`, `${this.name}_count${braced(labels)} ${total}`)
    }
  }
}

/** The metrics of a process. */
export class Registry {
  readonly #metrics = new Map<string, Metric>()

  /** @throws TypeError when the name is taken */
  add<M extends Metric>(metric: M): M {
    if (this.#metrics.has(metric.name)) throw new TypeError(`metric ${metric.name} is there already`)
    this.#metrics.set(metric.name, metric)
    return metric
  }

  counter(options: MetricOptions): Counter {
    return this.add(new Counter(options))
  }

  gauge(options: MetricOptions, read?: () => number): Gauge {
    return this.add(new Gauge(options, read))
  }

  histogram(options: HistogramOptions): Histogram {
    return this.add(new Histogram(options))
  }

  /** All of them in the text format 0.0.4. */
  render(): string {
    const lines: string[] = []
    for (const metric of this.#metrics.values()) metric.render(lines)
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`
  }
}

function head(lines: string[], name: string, help: string, type: string): void {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  lines.push(`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`)
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}

function labelText(names: readonly string[], values: Labels): string {
  let text = ''
  for (const [i, name] of names.entries()) text += `${i === 0 ? '' : ','}${name}="${escaped(values[i]!)}"`
  return text
}

function escaped(value: string): string {
  if (!/["\\\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
