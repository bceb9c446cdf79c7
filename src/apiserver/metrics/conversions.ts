/** Conversions of custom resources by webhook. */
import type { Counter, Histogram } from './family.ts'
import type { Registry } from './registry.ts'

/** Seconds. */
const CALLS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60] as const
const CONVERSIONS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)
/** Definitions are a tenant's to make. */
const SERIES = 200

export type ConversionFailure =
  | 'call_failure'
  | 'malformed_response_failure'
  | 'partial_response_failure'
  | 'invalid_converted_object_failure'

export class ConversionMetrics {
  readonly #calls: Counter
  readonly #durations: Histogram
  readonly #conversions: Histogram

  constructor(registry: Registry) {
    const labels = ['failure_type', 'result']
    this.#calls = registry.counter({
      name: 'apiserver_conversion_webhook_request_total',
      stability: 'ALPHA',
      help: 'Calls of conversion webhooks, by how they ended.',
      labels,
    })
    this.#durations = registry.histogram({
      name: 'apiserver_conversion_webhook_duration_seconds',
      stability: 'ALPHA',
      help: 'Seconds of calls of conversion webhooks.',
      labels,
      buckets: CALLS,
    })
    this.#conversions = registry.histogram({
      name: 'apiserver_crd_conversion_webhook_duration_seconds',
      stability: 'ALPHA',
      help: 'Seconds of conversions by webhook, by definition.',
      labels: ['crd_name', 'from_version', 'succeeded', 'to_version'],
      buckets: CONVERSIONS,
      series: SERIES,
    })
  }

  /** @param failure undefined: it went well */
  converted(
    definition: string,
    from: string,
    to: string,
    failure: ConversionFailure | undefined,
    seconds: number,
  ): void {
    const why = failure === undefined ? '' : `conversion_webhook_${failure}`
    const labels = [why, failure === undefined ? 'success' : 'failure']
    this.#calls.add(labels)
    this.#durations.observe(seconds, labels)
    this.#conversions.observe(seconds, [definition, from, String(failure === undefined), to])
  }
}
