import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, pod, refusalOf, testCluster } from '../registry/fixture.ts'
import type { TestCluster } from '../registry/fixture.ts'
import { StatusError } from '../../machinery/status.ts'
import { requestOf } from '../../machinery/pki/request.fixture.ts'

const bind = (cluster: TestCluster, name: string, node = 'n1', metadata: object = {}) =>
  cluster.api.create(call, cluster.target('v1/pods', 'default', name, 'binding'), {
    metadata: { name, ...metadata },
    target: { kind: 'Node', name: node },
  })

const get = async (cluster: TestCluster, path: string, name: string, subresource?: string) =>
  (await cluster.api.get(call, cluster.target(path, 'default', name, subresource))).object

test('binding: once, with its annotations, and the condition that says so', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/pods', pod('a'))
  const { object } = await bind(cluster, 'a', 'n1', { annotations: { x: 'y' } })
  assert.equal(object['status'], 'Success')
  const bound = await get(cluster, 'v1/pods', 'a')
  assert.equal(bound['spec'].nodeName, 'n1')
  assert.deepEqual(bound.metadata.annotations, { x: 'y' })
  const condition = bound['status'].conditions.find((c: { type: string }) => c.type === 'PodScheduled')
  assert.equal(condition.status, 'True')
  assert.equal(
    await refusalOf(bind(cluster, 'a', 'n2')),
    '409 Conflict: Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"',
  )
  assert.equal(await refusalOf(bind(cluster, 'a', '')), '500 : target.name: Required value')
  assert.equal(await refusalOf(bind(cluster, 'zz')), '404 NotFound: pods "zz" not found')
  await cluster.create('v1/pods', pod('b'))
  assert.match(await refusalOf(bind(cluster, 'b', 'n1', { uid: 'other' })), /^409 Conflict: .*Precondition failed: UID/)
  const posted = { metadata: { name: 'b' }, target: { name: 'n9' } }
  await cluster.api.create(call, cluster.target('v1/bindings', 'default'), posted)
  assert.equal((await get(cluster, 'v1/pods', 'b'))['spec'].nodeName, 'n9')
})

test('two schedulers at once: one binds', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/pods', pod('a'))
  const results = await Promise.all(['n1', 'n2'].map((node) => refusalOf(bind(cluster, 'a', node))))
  assert.equal(results[0], 'no error')
  assert.match(results[1]!, /^409 Conflict/)
})

test('scale shows and sets replicas', async () => {
  const cluster = await testCluster()
  const template = { metadata: { labels: { a: 'b' } }, spec: pod('x')['spec'] }
  const spec = { replicas: 2, selector: { matchLabels: { a: 'b' } }, template }
  await cluster.create('apps/v1/deployments', { metadata: { name: 'd', namespace: 'default' }, spec })
  const shown = await get(cluster, 'apps/v1/deployments', 'd', 'scale')
  assert.deepEqual(
    [shown.kind, shown.apiVersion, shown['spec'], shown['status']],
    ['Scale', 'autoscaling/v1', { replicas: 2 }, { replicas: 0, selector: 'a=b' }],
  )
  const target = cluster.target('apps/v1/deployments', 'default', 'd', 'scale')
  const patched = await cluster.api.patch(call, target, 'merge', { spec: { replicas: 5 } })
  assert.deepEqual(patched.object['spec'], { replicas: 5 })
  const deployment = await get(cluster, 'apps/v1/deployments', 'd')
  assert.equal(deployment['spec'].replicas, 5)
  assert.equal(deployment.metadata.generation, 2)
  assert.match(
    await refusalOf(cluster.api.update(call, target, structuredClone(shown))),
    /^409 Conflict: .*the object has been modified/,
  )
  const negative = cluster.api.patch(call, target, 'merge', { spec: { replicas: -1 } })
  assert.match(
    await refusalOf(negative),
    /^422 Invalid: Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0/,
  )
  // What a real kube-apiserver 1.37 answered.
  const elsewhere = { ...structuredClone(shown), metadata: { name: 'd', namespace: 'other' } }
  assert.equal(
    await refusalOf(cluster.api.update(call, target, elsewhere)),
    '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
  )
  await cluster.api.patch(call, target, 'merge', { spec: { replicas: 0 } })
  assert.equal((await get(cluster, 'apps/v1/deployments', 'd'))['spec'].replicas, 0)
})

async function guarded(disruptionsAllowed: number): Promise<TestCluster> {
  const cluster = await testCluster()
  const labels = { app: 'x' }
  for (const name of ['a', 'b']) {
    const made = pod(name)
    made.metadata.labels = labels
    await cluster.create('v1/pods', made)
    await bind(cluster, name)
    const ready = { conditions: [{ type: 'Ready', status: 'True' }], phase: 'Running' }
    await cluster.api.patch(call, cluster.target('v1/pods', 'default', name, 'status'), 'strategic', { status: ready })
  }
  const budget = {
    metadata: { name: 'pdb', namespace: 'default' },
    spec: { selector: { matchLabels: labels }, minAvailable: 1 },
  }
  await cluster.create('policy/v1/poddisruptionbudgets', budget)
  const status = {
    observedGeneration: 1,
    disruptionsAllowed,
    currentHealthy: 2,
    desiredHealthy: 2 - disruptionsAllowed,
    expectedPods: 2,
  }
  await cluster.api.patch(call, cluster.target('policy/v1/poddisruptionbudgets', 'default', 'pdb', 'status'), 'merge', {
    status,
  })
  return cluster
}

const evict = (cluster: TestCluster, name: string, asked = call) =>
  cluster.api.create(asked, cluster.target('v1/pods', 'default', name, 'eviction'), { metadata: { name } })

test('eviction takes from the budget, then is refused', async () => {
  const cluster = await guarded(1)
  await evict(cluster, 'a', { ...call, dryRun: true })
  assert.equal((await get(cluster, 'v1/pods', 'a')).metadata.deletionTimestamp, undefined)
  const results = await Promise.allSettled([evict(cluster, 'a'), evict(cluster, 'b')])
  assert.deepEqual(
    results.map((r) => r.status),
    ['fulfilled', 'rejected'],
  )
  const refused: unknown = results[1]!.status === 'rejected' ? results[1]!.reason : undefined
  assert.ok(refused instanceof StatusError)
  assert.equal(refused.code, 429)
  assert.equal(refused.message, "Cannot evict pod as it would violate the pod's disruption budget.")
  const message = 'The disruption budget pdb does not allow evicting pods currently'
  assert.deepEqual(refused.status.details?.causes, [{ reason: 'DisruptionBudget', message }])
  const gone = await get(cluster, 'v1/pods', 'a')
  assert.equal(gone.metadata.deletionTimestamp !== undefined, true)
  const target = gone['status'].conditions.find((c: { type: string }) => c.type === 'DisruptionTarget')
  assert.equal(target.reason, 'EvictionByEvictionAPI')
  const budget = await get(cluster, 'policy/v1/poddisruptionbudgets', 'pdb')
  assert.equal(budget['status'].disruptionsAllowed, 0)
  assert.deepEqual(Object.keys(budget['status'].disruptedPods), ['a'])
})

test('ephemeral containers are added, never taken away', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/pods', pod('a'))
  const target = cluster.target('v1/pods', 'default', 'a', 'ephemeralcontainers')
  const body = { spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox' }], activeDeadlineSeconds: 9 } }
  const { object } = await cluster.api.patch(call, target, 'strategic', body)
  assert.equal(object['spec'].ephemeralContainers[0].name, 'debug')
  assert.equal(object['spec'].activeDeadlineSeconds, undefined)
  const removal = cluster.api.patch(call, target, 'merge', { spec: { ephemeralContainers: null } })
  assert.match(await refusalOf(removal), /existing ephemeral containers "debug" may not be removed/)
})

test('who resizes a pod manages also what that cannot change', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/pods', pod('a'))
  const target = cluster.target('v1/pods', 'default', 'a', 'resize')
  const [{ name }] = (await get(cluster, 'v1/pods', 'a'))['spec'].containers as [{ name: string }]
  const body = { spec: { containers: [{ name, image: 'other' }] } }
  const asked = { ...call, fieldManager: 'resizer' }
  const { object } = await cluster.api.patch(asked, target, 'strategic', body)
  assert.notEqual(object['spec'].containers[0].image, 'other')
  // As kube-apiserver 1.37 has it: the endpoint names no fields that it leaves alone.
  const entry = object.metadata.managedFields!.find((e) => (e as { subresource?: string }).subresource === 'resize')
  assert.match(JSON.stringify(entry), /"f:image":\{\}/)
})

test('a certificate request: who asks is recorded, approval is a condition', async () => {
  const cluster = await testCluster()
  const spec = {
    request: Buffer.from(requestOf({ commonName: 'c' }).request).toString('base64'),
    signerName: 'example.com/x',
    usages: ['digital signature'],
    username: 'somebody else',
  }
  const made = await cluster.create('certificates.k8s.io/v1/certificatesigningrequests', {
    metadata: { name: 'c' },
    spec,
  })
  assert.equal(made['spec'].username, 'admin')
  const target = cluster.target('certificates.k8s.io/v1/certificatesigningrequests', '', 'c', 'approval')
  const conditions = [
    { type: 'Approved', status: 'True', reason: 'R' },
    { type: 'Failed', status: 'True' },
  ]
  const { object } = await cluster.api.update(call, target, {
    ...structuredClone(made),
    status: { conditions, certificate: 'AAAA' },
  })
  const times = { lastUpdateTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' }
  assert.deepEqual(
    object['status'].conditions,
    conditions.map((condition) => ({ ...condition, ...times })),
  )
  assert.equal(object['status'].certificate, undefined)
  const denied = structuredClone(object)
  denied['status'].conditions[0].type = 'Denied'
  assert.match(
    await refusalOf(cluster.api.update(call, target, denied)),
    /updates may not remove a condition of type "Approved"/,
  )
  const both = structuredClone(object)
  both['status'].conditions.push({ type: 'Denied', status: 'True' })
  assert.match(await refusalOf(cluster.api.update(call, target, both)), /mutually exclusive/)
  const status = { ...target, subresource: 'status' }
  both['status'].conditions.pop()
  both['status'].conditions[0].message = 'changed'
  const kept = await cluster.api.update(call, status, both)
  assert.equal(kept.object['status'].conditions[0].message, undefined)
})

test('a subresource that is not there is a 404', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/pods', pod('a'))
  assert.match(await refusalOf(cluster.api.get(call, cluster.target('v1/pods', 'default', 'a', 'nope'))), /^404/)
  assert.match(
    await refusalOf(cluster.api.delete(call, cluster.target('v1/pods', 'default', 'a', 'status'), {})),
    /^405/,
  )
})
