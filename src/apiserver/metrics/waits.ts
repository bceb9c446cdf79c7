/** What the process measures of its fair share between clusters, for its operator. */
import type { Registry } from './registry.ts'

/** Seconds. */
const WAITS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15] as const

export interface WaitMetrics {
  /** Wait in the fair share's queue, in seconds. A cluster has a series from its first wait until {@link forget}. */
  waited(cluster: string, seconds: number): void
  refused(cluster: string, why: string): void
  /** The cluster is gone or at rest. */
  forget(cluster: string): void
}

/** Registers the metrics. @throws TypeError when the registry has them already */
export function waitMetrics(registry: Registry): WaitMetrics {
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
  const reasons = new Map<string, Set<string>>()
  return {
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
  }
}
