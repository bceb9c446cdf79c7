/** The metrics of one cluster, or of a process. */
import { Counter, Gauge, Histogram, type HistogramOptions, type MetricOptions } from './family.ts'

type Metric = Counter | Gauge | Histogram

export class Registry {
  readonly #metrics = new Map<string, Metric>()
  readonly #before: (() => void)[] = []

  /** @throws TypeError when the name is taken */
  add<M extends Metric>(metric: M): M {
    if (this.#metrics.has(metric.name)) throw new TypeError(`metric ${metric.name} is there already`)
    this.#metrics.set(metric.name, metric)
    return metric
  }

  counter(options: MetricOptions, read?: () => number): Counter {
    return this.add(new Counter(options, read))
  }

  gauge(options: MetricOptions, read?: () => number): Gauge {
    return this.add(new Gauge(options, read))
  }

  histogram(options: HistogramOptions): Histogram {
    return this.add(new Histogram(options))
  }

  /** Calls `work` before each reading: for gauges whose labels are read off something. */
  onRender(work: () => void): void {
    this.#before.push(work)
  }

  /** Counters and histograms start anew. */
  reset(): void {
    for (const metric of this.#metrics.values()) metric.reset()
  }

  /** Each metric's text by its name: families of several registries may stand in one answer. */
  texts(): Map<string, string> {
    for (const work of this.#before) work()
    return new Map([...this.#metrics].map(([name, metric]) => [name, metric.render()]))
  }

  /** All of them in the text format 0.0.4, by name. */
  render(): string {
    return inOrder(this.texts())
  }
}

/** Texts of families, in the order of their names. */
export function inOrder(texts: ReadonlyMap<string, string>): string {
  return [...texts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]) => text)
    .join('')
}
