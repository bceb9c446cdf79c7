/** What the manager measures of its syncer: how long the work of each tenant waits, in each direction. */
import type { Registry } from '../apiserver/metrics/registry.ts'
import type { Tenant } from '../syncer/contract.ts'
import type { Direction } from '../syncer/queues.ts'

/** Seconds. */
const WAITS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60]
const DIRECTIONS: readonly Direction[] = ['down', 'up', 'events']

export interface SyncerMetrics {
  waited(direction: Direction, tenant: Tenant, milliseconds: number): void
  /** The tenant is gone: its series go too. */
  forget(tenant: Tenant): void
}

export function syncerMetrics(registry: Registry): SyncerMetrics {
  const waits = registry.histogram({
    name: 'tenantry_syncer_queue_wait_seconds',
    help: 'Seconds that work of a virtual cluster waited in the syncer, by direction.',
    labels: ['virtual_cluster', 'direction'],
    buckets: WAITS,
  })
  const label = (tenant: Tenant): string => `${tenant.namespace}/${tenant.name}`
  return {
    waited: (direction, tenant, milliseconds) => waits.observe(milliseconds / 1000, [label(tenant), direction]),
    forget(tenant) {
      for (const direction of DIRECTIONS) waits.delete([label(tenant), direction])
    },
  }
}
