/** What an API server counts of its requests, under upstream's names. */
import type { ResourceInfo } from '../../machinery/types/table.ts'
import type { Cell, Counter, Distribution, Gauge, Histogram } from './family.ts'
import type { Registry } from './registry.ts'

/** Upstream's, in seconds. */
const SLI = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60] as const
const DURATIONS = [0.005, 0.025, ...SLI] as const
const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const
const BODIES = Array.from({ length: 31 }, (_, i) => 50_000 + 100_000 * i)

/** Histograms are dear: so many label sets of them are kept. */
const SERIES = 500

const WHERE = ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'] as const
const DETAILED = ['component', 'dry_run', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'] as const

/** What requests of one kind are about. All of it comes from the catalog and from what the server itself knows. */
export interface Route {
  /** Undefined for paths. */
  readonly info: Pick<ResourceInfo, 'group' | 'version' | 'resource'> | undefined
  /** `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH`, `APPLY`, `DELETE`, `CONNECT`. */
  readonly verb: string
  /** Of paths: the path. */
  readonly subresource: string
  readonly scope: '' | 'resource' | 'namespace' | 'cluster'
  /** Nobody waits for its end: a watch. */
  readonly endless: boolean
}

export class RequestMetrics {
  readonly total: Counter
  readonly #durations: Histogram
  readonly #sli: Histogram
  readonly #sizes: Histogram
  readonly #bodies: Histogram
  readonly #terminations: Counter
  readonly #aborts: Counter
  readonly #late: Counter
  readonly #deprecated: Gauge
  readonly #validations: Histogram
  readonly #longRunning: Gauge
  readonly #inFlight: readonly [reading: Cell, mutating: Cell]
  readonly #inQueue: readonly [reading: Cell, mutating: Cell]
  readonly #routes = new WeakMap<object, Map<string, RouteMetrics>>()

  constructor(registry: Registry) {
    const name = (rest: string): string => `apiserver_${rest}`
    this.total = registry.counter({
      name: name('request_total'),
      stability: 'STABLE',
      help: 'Requests answered, by what they were about and how they ended.',
      labels: ['code', ...DETAILED],
    })
    this.#durations = registry.histogram({
      name: name('request_duration_seconds'),
      stability: 'STABLE',
      help: 'Seconds from the arrival of a request to its answer.',
      labels: DETAILED,
      buckets: DURATIONS,
      series: SERIES,
    })
    this.#sli = registry.histogram({
      name: name('request_sli_duration_seconds'),
      stability: 'ALPHA',
      help: 'The same without the time that webhooks took and that the request waited for its turn.',
      labels: WHERE,
      buckets: SLI,
      series: SERIES,
    })
    this.#sizes = registry.histogram({
      name: name('response_sizes'),
      stability: 'STABLE',
      help: 'Bytes of the answers to reads.',
      labels: WHERE,
      buckets: SIZES,
      series: SERIES,
    })
    this.#bodies = registry.histogram({
      name: name('request_body_size_bytes'),
      stability: 'ALPHA',
      help: 'Bytes of the bodies of requests.',
      labels: ['group', 'resource', 'verb'],
      buckets: BODIES,
      series: SERIES,
    })
    this.#terminations = registry.counter({
      name: name('request_terminations_total'),
      stability: 'ALPHA',
      help: 'Requests that the server ended to protect itself.',
      labels: ['code', ...WHERE],
      series: SERIES,
    })
    this.#aborts = registry.counter({
      name: name('request_aborts_total'),
      stability: 'ALPHA',
      help: 'Requests that were given up without an answer.',
      labels: WHERE.filter((label) => label !== 'component'),
      series: SERIES,
    })
    this.#late = registry.counter({
      name: name('request_post_timeout_total'),
      stability: 'ALPHA',
      help: 'Requests whose work went on behind their time-out, by how it ended.',
      labels: ['source', 'status'],
    })
    this.#deprecated = registry.gauge({
      name: name('requested_deprecated_apis'),
      stability: 'STABLE',
      help: 'Deprecated resources that were asked for.',
      labels: ['group', 'removed_release', 'resource', 'subresource', 'version'],
      series: SERIES,
    })
    this.#validations = registry.histogram({
      name: 'field_validation_request_duration_seconds',
      stability: 'ALPHA',
      help: 'Seconds of requests by the field validation that they ask for.',
      labels: ['field_validation'],
      buckets: SLI,
    })
    this.#longRunning = registry.gauge({
      name: name('longrunning_requests'),
      stability: 'STABLE',
      help: 'Watches and other requests without an end that are open.',
      labels: WHERE,
      series: SERIES,
    })
    const pair = (rest: string, help: string, stability: 'STABLE' | 'ALPHA'): readonly [Cell, Cell] => {
      const gauge = registry.gauge({ name: name(rest), help, stability, labels: ['request_kind'] })
      return [gauge.at(['readOnly']), gauge.at(['mutating'])]
    }
    this.#inFlight = pair('current_inflight_requests', 'Requests that are being answered, by kind.', 'STABLE')
    this.#inQueue = pair('current_inqueue_requests', 'Requests that wait for their turn, by kind.', 'ALPHA')
  }

  /** Where requests of one kind are counted. `owner` is what the route belongs to and ends with. */
  route(owner: object, { info, verb, subresource, scope, endless }: Route, dryRun = ''): RouteMetrics {
    let routes = this.#routes.get(owner)
    if (routes === undefined) this.#routes.set(owner, (routes = new Map<string, RouteMetrics>()))
    const key = `${verb} ${scope} ${subresource} ${dryRun} ${endless}`
    let found = routes.get(key)
    if (found === undefined) {
      const { group = '', resource = '', version = '' } = info ?? {}
      const component = info === undefined ? '' : 'apiserver'
      const detailed = [component, dryRun, group, resource, scope, subresource, verb, version]
      routes.set(key, (found = new RouteMetrics(this, detailed, endless)))
    }
    return found
  }

  durationsAt(detailed: readonly string[]): Distribution {
    return this.#durations.at(detailed)
  }

  sliAt(where: readonly string[]): Distribution {
    return this.#sli.at(where)
  }

  sizesAt(where: readonly string[]): Distribution {
    return this.#sizes.at(where)
  }

  bodiesAt(group: string, resource: string, verb: string): Distribution {
    return this.#bodies.at([group, resource, verb])
  }

  /** A request was ended with 429 or 504, or by a failure of the server. */
  terminated(route: RouteMetrics, code: number): void {
    this.#terminations.add([String(code), ...route.where])
  }

  /** A request was not let in: it was answered with 429. */
  dropped(route: RouteMetrics): void {
    this.total.at(['429', ...route.detailed]).value++
  }

  /** A client went away before its answer. */
  aborted(route: RouteMetrics): void {
    this.#aborts.add(route.where.slice(1))
  }

  /** The work of a request that had been answered with 504 ended. */
  late(source: 'rest-handler' | 'timeout-handler', status: 'ok' | 'error' | 'pending'): void {
    this.#late.add([source, status])
  }

  deprecated(route: RouteMetrics): void {
    const [, group, resource, , subresource, , version] = route.where as [string, ...string[]]
    this.#deprecated.set(1, [group!, '', resource!, subresource!, version!])
  }

  /** Upstream makes the series and observes nothing. */
  validated(how: string): void {
    this.#validations.at([how])
  }

  /** A request without an end begins (1) or ends (-1). */
  longRunning(route: RouteMetrics, by: 1 | -1): void {
    this.#longRunning.at(route.where).value += by
  }

  /** A short request begins or ends. */
  inFlight(mutating: boolean, by: 1 | -1): void {
    this.#inFlight[mutating ? 1 : 0].value += by
  }

  inQueue(mutating: boolean, by: 1 | -1): void {
    this.#inQueue[mutating ? 1 : 0].value += by
  }
}

/** Verbs whose answers' sizes are counted. */
const READS: ReadonlySet<string> = new Set(['GET', 'LIST', 'WATCH'])

/** Requests of one kind. */
export class RouteMetrics {
  readonly #metrics: RequestMetrics
  /** Values of the labels but for the dry run. */
  readonly where: readonly string[]
  readonly detailed: readonly string[]
  /** Whether sizes of answers are counted. */
  readonly reads: boolean
  readonly #timed: boolean
  readonly #codes = new Map<number, Cell>()
  #durations: Distribution | undefined
  #sli: Distribution | undefined
  #sizes: Distribution | undefined
  #bodies: Distribution | undefined

  constructor(metrics: RequestMetrics, detailed: readonly string[], endless: boolean) {
    this.#metrics = metrics
    this.detailed = detailed
    this.where = detailed.toSpliced(1, 1)
    this.#timed = !endless && detailed[1] === ''
    this.reads = READS.has(detailed[6]!)
  }

  /**
   * One was answered.
   *
   * @param seconds from its arrival to its answer
   * @param elsewhere seconds of these that it waited for its turn and for webhooks
   */
  done(code: number, seconds: number, elsewhere: number): void {
    let cell = this.#codes.get(code)
    if (cell === undefined) {
      cell = this.#metrics.total.at([String(code), ...this.detailed])
      this.#codes.set(code, cell)
    }
    cell.value++
    ;(this.#durations ??= this.#metrics.durationsAt(this.detailed)).observe(seconds)
    if (!this.#timed) return
    ;(this.#sli ??= this.#metrics.sliAt(this.where)).observe(Math.max(0, seconds - elsewhere))
  }

  /** Bytes of an answer to a read. */
  answered(bytes: number): void {
    ;(this.#sizes ??= this.#metrics.sizesAt(this.where)).observe(bytes)
  }

  /** Bytes of a request's body. */
  received(verb: string, bytes: number): void {
    this.#bodies ??= this.#metrics.bodiesAt(this.where[1]!, this.where[2]!, verb)
    this.#bodies.observe(bytes)
  }
}
