/** Requests by flow schema and priority level, under the names of upstream's Priority and Fairness. */
import type { Cell, Counter, Distribution, Gauge, Histogram } from './family.ts'
import type { Registry } from './registry.ts'

/** Seconds. */
const DURATIONS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30] as const
const QUEUES = [0, 10, 25, 50, 100, 250, 500, 1000] as const
const SEATS = [1, 2, 4, 8, 16, 32, 64, 100] as const

const FLOW = ['flow_schema', 'priority_level'] as const
/** Schemas are a tenant's to make. */
const SERIES = 200

/** Why a request was not let in. */
export type Rejection = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

export class FlowMetrics {
  readonly dispatched: Counter
  readonly rejected: Counter
  readonly waiting: readonly [requests: Gauge, seats: Gauge]
  readonly executing: readonly [requests: Gauge, seats: Gauge]
  readonly waits: Histogram
  readonly executions: Histogram
  readonly queues: Histogram
  readonly seats: Histogram
  readonly #flows = new Map<string, Flowing>()

  constructor(registry: Registry) {
    const name = (rest: string): string => `apiserver_flowcontrol_${rest}`
    const more = { labels: FLOW, series: SERIES }
    this.dispatched = registry.counter({
      name: name('dispatched_requests_total'),
      stability: 'BETA',
      help: 'Requests that were let in.',
      ...more,
    })
    this.rejected = registry.counter({
      name: name('rejected_requests_total'),
      stability: 'BETA',
      help: 'Requests that were not let in, and why.',
      labels: [...FLOW, 'reason'],
      series: SERIES,
    })
    const pair = (what: string, help: string, seats: 'ALPHA' | 'BETA'): readonly [Gauge, Gauge] => [
      registry.gauge({ name: name(`${what}_requests`), help: `Requests that ${help}.`, stability: 'BETA', ...more }),
      registry.gauge({
        name: name(`${what}_seats`),
        help: `Seats of requests that ${help}.`,
        stability: seats,
        ...more,
      }),
    ]
    this.waiting = pair('current_inqueue', 'wait for their turn', 'ALPHA')
    this.executing = pair('current_executing', 'are being answered', 'BETA')
    this.waits = registry.histogram({
      name: name('request_wait_duration_seconds'),
      stability: 'BETA',
      help: 'Seconds that requests waited for their turn.',
      labels: ['execute', ...FLOW],
      buckets: DURATIONS,
      series: SERIES,
    })
    this.executions = registry.histogram({
      name: name('request_execution_seconds'),
      stability: 'ALPHA',
      help: 'Seconds of requests that were let in; of watches, of their start.',
      labels: [...FLOW, 'type'],
      buckets: DURATIONS,
      series: SERIES,
    })
    this.queues = registry.histogram({
      name: name('request_queue_length_after_enqueue'),
      stability: 'ALPHA',
      help: 'Requests that waited when one came, itself included.',
      buckets: QUEUES,
      ...more,
    })
    this.seats = registry.histogram({
      name: name('work_estimated_seats'),
      stability: 'ALPHA',
      help: 'Seats that requests take.',
      buckets: SEATS,
      ...more,
    })
  }

  /** Where requests of one schema are counted. */
  flow(schema: string, level: string): Flowing {
    const key = `${schema} ${level}`
    let found = this.#flows.get(key)
    if (found === undefined) {
      found = new Flowing(this, schema, level)
      // What is beyond the bound shares its cells: nothing is to be found again.
      if (this.#flows.size < SERIES) this.#flows.set(key, found)
    }
    return found
  }
}

/** Requests of one schema. */
export class Flowing {
  readonly #metrics: FlowMetrics
  readonly #labels: readonly [schema: string, level: string]
  /** Those of the exempt level never wait. */
  readonly #exempt: boolean
  readonly #dispatched: Cell
  readonly #executing: readonly [Cell, Cell]
  readonly #waiting: readonly [Cell, Cell]
  readonly #seats: Distribution
  readonly #executions: { regular?: Distribution; watch?: Distribution } = {}
  #waits: Distribution | undefined
  #queues: Distribution | undefined

  constructor(metrics: FlowMetrics, schema: string, level: string) {
    const labels = (this.#labels = [schema, level])
    this.#metrics = metrics
    this.#exempt = level === 'exempt'
    this.#dispatched = metrics.dispatched.at(labels)
    this.#executing = [metrics.executing[0].at(labels), metrics.executing[1].at(labels)]
    this.#waiting = [metrics.waiting[0].at(labels), metrics.waiting[1].at(labels)]
    this.#seats = metrics.seats.at(labels)
  }

  /** A request has to wait. */
  queued(seats: number): void {
    this.#waiting[0].value++
    this.#waiting[1].value += seats
    this.#length.observe(this.#waiting[0].value)
  }

  /** It waits no more. */
  unqueued(seats: number): void {
    this.#waiting[0].value--
    this.#waiting[1].value -= seats
  }

  get #length(): Distribution {
    return (this.#queues ??= this.#metrics.queues.at(this.#labels))
  }

  /** A request is let in. @param waited seconds; undefined: it was let in at once */
  begin(seats: number, waited: number | undefined): void {
    this.#dispatched.value++
    this.#executing[0].value++
    this.#executing[1].value += seats
    this.#seats.observe(seats)
    if (this.#exempt) return
    if (waited === undefined) this.#length.observe(1)
    this.#waits ??= this.#metrics.waits.at(['true', ...this.#labels])
    this.#waits.observe(waited ?? 0)
  }

  /** It ended; a watch has begun. */
  end(seats: number, type: 'regular' | 'watch', seconds: number): void {
    this.#executing[0].value--
    this.#executing[1].value -= seats
    const durations = (this.#executions[type] ??= this.#metrics.executions.at([...this.#labels, type]))
    durations.observe(seconds)
  }

  /** A request was not let in. */
  reject(why: Rejection, waited: number): void {
    this.#metrics.rejected.add([...this.#labels, why])
    this.#metrics.waits.observe(waited, ['false', ...this.#labels])
  }
}
