import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from '../apiserver/metrics/registry.ts'
import type { Tenant } from '../syncer/contract.ts'
import { syncerMetrics } from './metrics.ts'

test('waits are counted for each tenant and direction, and forgotten with the tenant', () => {
  const registry = new Registry()
  const metrics = syncerMetrics(registry)
  const tenant = { namespace: 'tenantry', name: 'a' } as Tenant
  metrics.waited('down', tenant, 20)
  metrics.waited('up', tenant, 2)
  const text = registry.render()
  assert.match(text, /tenantry_syncer_queue_wait_seconds_count\{virtual_cluster="tenantry\/a",direction="down"\} 1/)
  assert.match(text, /_bucket\{virtual_cluster="tenantry\/a",direction="down",le="0.01"\} 0/)
  assert.match(text, /_bucket\{virtual_cluster="tenantry\/a",direction="up",le="0.005"\} 1/)
  metrics.forget(tenant)
  assert.doesNotMatch(registry.render(), /tenantry\/a/)
})
