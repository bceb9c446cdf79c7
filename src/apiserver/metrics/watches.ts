/** What watches are sent. */
import type { Cell, Counter, Distribution, Histogram } from './family.ts'
import type { Registry } from './registry.ts'

/** Bytes. */
const SIZES = Array.from({ length: 8 }, (_, i) => 1024 * 2 ** i)
/** Seconds. */
const LISTS = [
  0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300,
] as const
const SERIES = 500

type Info = Readonly<Record<'group' | 'version' | 'resource', string>>

export class WatchMetrics {
  readonly #events: Counter
  readonly #sizes: Histogram
  readonly #lists: Histogram

  constructor(registry: Registry) {
    const more = { stability: 'BETA', series: SERIES } as const
    const labels = ['group', 'resource', 'version']
    this.#events = registry.counter({
      name: 'apiserver_watch_events_total',
      help: 'Events sent to watchers.',
      labels,
      ...more,
    })
    this.#sizes = registry.histogram({
      name: 'apiserver_watch_events_sizes',
      help: 'Bytes of events sent to watchers.',
      labels,
      buckets: SIZES,
      ...more,
    })
    this.#lists = registry.histogram({
      name: 'apiserver_watch_list_duration_seconds',
      help: 'Seconds until a watch that begins with what there is had sent it.',
      labels: ['group', 'resource', 'scope', 'version'],
      buckets: LISTS,
      ...more,
    })
  }

  /** Where one watch is counted. */
  of({ group, resource, version }: Info, scope: string): WatchCount {
    const labels = [group, resource, version]
    return new WatchCount(this.#events.at(labels), this.#sizes.at(labels), (seconds) =>
      this.#lists.observe(seconds, [group, resource, scope, version]),
    )
  }
}

export class WatchCount {
  readonly #events: Cell
  readonly #sizes: Distribution
  /** The initial state was sent, so many seconds after the watch began. */
  readonly listed: (seconds: number) => void

  constructor(events: Cell, sizes: Distribution, listed: (seconds: number) => void) {
    this.#events = events
    this.#sizes = sizes
    this.listed = listed
  }

  /** Several events of so many bytes together were sent: each counts with the mean. */
  sent(events: number, bytes: number): void {
    this.#events.value += events
    this.#sizes.observe(bytes / events, events)
  }
}
