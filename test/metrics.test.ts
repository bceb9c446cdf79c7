/** What an operator sees of tenants' waits, and a tenant does not see of others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pool } from 'undici'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
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
  await red.client.raw('GET', '/livez')
  const inTenant = await red.client.raw('GET', '/metrics')
  assert.match(inTenant, /apiserver_request_total/)
  assert.doesNotMatch(inTenant, /blue|tenantry\/|virtual\//)
})

test('upstream’s names, for those who may see them', async () => {
  await using cluster = await createCluster({ nodes: 0 })
  const { client } = cluster
  const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } })
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(cluster.kubeconfig)
  const pool = new Pool(server, { connections: 3, connect: { ca: ca!, cert: clientCertificate!, key: clientKey! } })
  const nobody = new Pool(server, { connections: 1, connect: { ca: ca! } })
  const path = '/api/v1/namespaces/default/configmaps'
  const watch = await pool.request({ method: 'GET', path: `${path}?watch=true` })
  await client.create(resources.configmaps, map('one'), { namespace: 'default' })
  const ask = async (from: Pool, what: string) => {
    const answer = await from.request({ method: 'GET', path: what })
    return { code: answer.statusCode, text: await answer.body.text(), headers: answer.headers }
  }
  const listed = await ask(pool, path)
  assert.match(String(listed.headers['x-kubernetes-pf-flowschema-uid']), /^[0-9a-f-]{36}$/)
  assert.match(String(listed.headers['x-kubernetes-pf-prioritylevel-uid']), /^[0-9a-f-]{36}$/)
  const text = await eventually('the event is counted', async () => {
    const { text: shown } = await ask(pool, '/metrics')
    return /apiserver_watch_events_total\{group="",resource="configmaps",version="v1"\} [1-9]/.test(shown) && shown
  })
  for (const expected of [
    /^apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1"\} 1$/m,
    /^apiserver_current_inflight_requests\{request_kind="readOnly"\} 1$/m,
    /^apiserver_longrunning_requests\{component="apiserver",group="",resource="configmaps",scope="namespace",subresource="",verb="WATCH",version="v1"\} 1$/m,
    /^apiserver_resource_objects\{group="",resource="configmaps"\} [1-9]/m,
    /^apiserver_storage_objects\{resource="deployments.apps"\} 0$/m,
    /^authentication_attempts\{result="success"\} [1-9]/m,
    /^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="exempt",priority_level="exempt"\} [1-9]/m,
    /^process_resident_memory_bytes [1-9]/m,
    /^workqueue_depth\{name="controllers"\} \d/m,
    /^workqueue_adds_total\{name="[a-z-]+"\} [1-9]/m,
  ])
    assert.match(text, expected)
  watch.body.on('error', () => undefined)
  watch.body.destroy()
  await eventually('the watch is counted off', async () =>
    /apiserver_longrunning_requests\{[^}]*verb="WATCH",[^}]*\} 0$/m.test((await ask(pool, '/metrics')).text),
  )
  assert.match((await ask(pool, '/metrics/slis')).text, /^kubernetes_healthcheck\{name="ping",type="livez"\} 1$/m)
  const shown = await ask(pool, '/metrics')
  assert.equal(shown.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores')
  const reset = await pool.request({ method: 'DELETE', path: '/metrics' })
  assert.equal(await reset.body.text(), 'metrics reset\n')
  assert.doesNotMatch((await ask(pool, '/metrics')).text, /^apiserver_request_total\{[^}]*configmaps[^}]*\} [1-9]/m)
  for (const hidden of ['/metrics', '/metrics/slis', '/debug/pprof/heap', '/debug/flags/v', '/configz'])
    assert.equal((await ask(nobody, hidden)).code, 403, hidden)
  for (const missing of [
    '/debug/pprof/heap',
    '/debug/flags/v',
    '/debug/api_priority_and_fairness/dump_priority_levels',
  ])
    assert.equal((await ask(pool, missing)).code, 404, missing)
  await Promise.all([pool.destroy(), nobody.destroy()])
})
