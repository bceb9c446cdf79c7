/** What an API server counts of its requests, under upstream's names. */
import { Registry } from './registry.ts'

/** One answered request. */
export interface RequestSample {
  readonly verb: string
  readonly group: string
  readonly version: string
  /** '' for what is no resource. */
  readonly resource: string
  readonly subresource: string
  readonly code: number
  /** From its arrival to its answer. */
  readonly seconds: number
}

/** Upstream's, in seconds. */
const DURATIONS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const
const WAITS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15] as const

const VERBS: ReadonlySet<string> = new Set([
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'connect',
  'proxy',
  'post',
  'put',
  'head',
  'options',
])

export interface RequestMetrics {
  observe(sample: RequestSample): void
  inFlight(mutating: boolean, by: 1 | -1): void
  longRunning(sample: Omit<RequestSample, 'code' | 'seconds'>, by: 1 | -1): void
  watched(sample: Pick<RequestSample, 'group' | 'version' | 'resource'>, events: number): void
  attempted(known: boolean): void
  dispatched(schema: string, level: string): void
  /** Wait in the fair share's queue, in seconds. A cluster has a series from its first wait until {@link forget}. */
  waited(cluster: string, seconds: number): void
  refused(cluster: string, why: string): void
  /** The cluster is gone or at rest. */
  forget(cluster: string): void
  /** The whole registry in text format. */
  render(): string
}

/** Registers the metrics. @throws TypeError when the registry has them already */
export function requestMetrics(registry: Registry = new Registry()): RequestMetrics {
  const labels = ['verb', 'group', 'version', 'resource', 'subresource']
  const total = registry.counter({
    name: 'apiserver_request_total',
    help: 'Requests answered, by verb, resource and code.',
    labels: [...labels, 'code'],
  })
  const duration = registry.histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Seconds from the arrival of a request to its answer, watches left out.',
    labels,
    buckets: DURATIONS,
    series: 500,
  })
  const waits = registry.histogram({
    name: 'tenantry_fairshare_wait_seconds',
    help: 'Seconds that requests waited for their fair share, by cluster.',
    labels: ['cluster'],
    buckets: WAITS,
  })
  const refusals = registry.counter({
    name: 'tenantry_fairshare_refused_total',
    help: 'Requests answered with 429, by cluster and reason.',
    labels: ['cluster', 'reason'],
  })
  const more = laterMetrics(registry)
  const reasons = new Map<string, Set<string>>()
  return {
    inFlight: (mutating, by) => more.inFlight().add(by, [mutating ? 'mutating' : 'readOnly']),
    longRunning({ verb, group, version, resource, subresource }, by) {
      const known = VERBS.has(verb) ? verb.toUpperCase() : 'other'
      more.longRunning().add(by, [known, group, version, resource, subresource])
    },
    watched: ({ group, version, resource }, events) => more.watched().add([group, version, resource], events),
    attempted: (known) => more.attempts().add([known ? 'success' : 'failure']),
    dispatched: (schema, level) => more.dispatched().add([schema, level]),
    observe({ verb, group, version, resource, subresource, code, seconds }) {
      const known = VERBS.has(verb) ? verb.toUpperCase() : 'other'
      const which = [known, group, version, resource, subresource]
      total.add([...which, String(code)])
      if (verb !== 'watch') duration.observe(seconds, which)
    },
    waited: (cluster, seconds) => waits.observe(seconds, [cluster]),
    refused(cluster, why) {
      refusals.add([cluster, why])
      const known = reasons.get(cluster)
      if (known === undefined) reasons.set(cluster, new Set([why]))
      else known.add(why)
    },
    forget(cluster) {
      waits.delete([cluster])
      for (const why of reasons.get(cluster) ?? []) refusals.delete([cluster, why])
      reasons.delete(cluster)
    },
    render: () => registry.render(),
  }
}

/** Made when they are first counted: most processes never have a watch, or have no flow schemas. */
function laterMetrics(registry: Registry) {
  const once = <M>(make: () => M): (() => M) => {
    let made: M | undefined
    return () => (made ??= make())
  }
  return {
    inFlight: once(() =>
      registry.gauge({
        name: 'apiserver_current_inflight_requests',
        help: 'Requests that are being answered, by kind.',
        labels: ['request_kind'],
      }),
    ),
    longRunning: once(() =>
      registry.gauge({
        name: 'apiserver_longrunning_requests',
        help: 'Watches and other requests without an end that are open.',
        labels: ['verb', 'group', 'version', 'resource', 'subresource'],
        series: 500,
      }),
    ),
    watched: once(() =>
      registry.counter({
        name: 'apiserver_watch_events_total',
        help: 'Events sent to watchers.',
        labels: ['group', 'version', 'resource'],
        series: 500,
      }),
    ),
    attempts: once(() =>
      registry.counter({
        name: 'authentication_attempts',
        help: 'Requests by whether it is known who asks.',
        labels: ['result'],
      }),
    ),
    dispatched: once(() =>
      registry.counter({
        name: 'apiserver_flowcontrol_dispatched_requests_total',
        help: 'Requests that were let in, by flow schema and priority level.',
        labels: ['flow_schema', 'priority_level'],
        series: 200,
      }),
    ),
  }
}
