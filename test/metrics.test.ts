/** What an operator sees of tenants' waits, and a tenant does not see of others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCluster, createVirtualCluster, resources } from '../src/index.ts'
import { eventually } from './support/eventually.ts'

test('waits by tenant on the host, nothing of it in a tenant', async () => {
  await using host = await createCluster()
  await using red = await createVirtualCluster({ host, name: 'red' })
  await using blue = await createVirtualCluster({ host, name: 'blue' })
  for (const tenant of [red, blue]) {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'x:1' }] },
    }
    await tenant.client.create(resources.pods, pod, { namespace: 'default' })
    await eventually(
      'it runs',
      async () =>
        (await tenant.client.get(resources.pods, 'p', { namespace: 'default' }))['status']?.phase === 'Running',
    )
  }
  const onHost = await host.client.raw('GET', '/metrics')
  for (const name of ['red', 'blue']) {
    for (const direction of ['down', 'up']) {
      assert.match(
        onHost,
        new RegExp(
          `tenantry_syncer_queue_wait_seconds_count\\{virtual_cluster="tenantry/${name}",direction="${direction}"\\} [1-9]`,
        ),
      )
    }
  }
  await red.client.raw('GET', '/version')
  const inTenant = await red.client.raw('GET', '/metrics')
  assert.match(inTenant, /apiserver_request_total/)
  assert.doesNotMatch(inTenant, /blue|tenantry\/|virtual\//)
})
