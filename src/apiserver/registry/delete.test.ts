import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, pod, refusalOf, testCluster } from './fixture.ts'
import type { TestCluster } from './fixture.ts'
import type { DeleteOptions } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { StoreEvent } from '../../store/contract.ts'

const remove = (cluster: TestCluster, path: string, name: string, options: DeleteOptions = {}, namespace = 'default') =>
  cluster.api.delete(call, cluster.target(path, namespace, name), options)

async function bound(cluster: TestCluster, name: string, seconds = 30): Promise<void> {
  await cluster.create('v1/pods', pod(name, 'default', { terminationGracePeriodSeconds: seconds }))
  const binding = { metadata: { name }, target: { name: 'n1' } }
  await cluster.api.create(call, cluster.target('v1/pods', 'default', name, 'binding'), binding)
}

test('an object that nothing keeps is gone; the event has its last state at the deletion', async () => {
  const cluster = await testCluster()
  const made = await cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'default' } })
  const events: StoreEvent[] = []
  cluster.api.range.watch('core/configmaps/', cluster.api.range.revision, (e) => events.push(e))
  const result = await remove(cluster, 'v1/configmaps', 'a')
  assert.deepEqual(result, { deleted: { name: 'a', uid: made.metadata.uid } })
  const [event] = events
  assert.equal(event!.type, 'delete')
  assert.equal(objectOf(event!.entry).metadata.resourceVersion, String(event!.revision))
  assert.equal(objectOf(event!.entry).metadata.deletionTimestamp, undefined)
  assert.equal(await refusalOf(remove(cluster, 'v1/configmaps', 'a')), '404 NotFound: configmaps "a" not found')
})

test('finalizers keep it until the last is taken off', async () => {
  const cluster = await testCluster()
  const made = await cluster.create('v1/configmaps', {
    metadata: { name: 'a', namespace: 'default', finalizers: ['example.com/x', 'example.com/y'] },
  })
  const { pending } = await remove(cluster, 'v1/configmaps', 'a')
  assert.equal(pending!.object.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  assert.equal(pending!.object.metadata.deletionGracePeriodSeconds, 0)
  assert.equal((await remove(cluster, 'v1/configmaps', 'a')).pending!.entry.revision, pending!.entry.revision)
  const again = cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'default' } })
  assert.equal(await refusalOf(again), '409 AlreadyExists: object is being deleted: configmaps "a" already exists')
  const target = cluster.target('v1/configmaps', 'default', 'a')
  const added = { metadata: { finalizers: ['example.com/x', 'example.com/z'] } }
  assert.match(
    await refusalOf(cluster.api.patch(call, target, 'merge', added)),
    /no new finalizers can be added if the object is being deleted/,
  )
  await cluster.api.patch(call, target, 'merge', { metadata: { finalizers: ['example.com/y'] } })
  const last = await cluster.api.patch(call, target, 'merge', { metadata: { finalizers: null } })
  assert.equal(last.object.metadata.uid, made.metadata.uid)
  assert.match(await refusalOf(cluster.api.get(call, target)), /^404/)
})

test('preconditions', async () => {
  const cluster = await testCluster()
  const made = await cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'default' } })
  assert.match(
    await refusalOf(remove(cluster, 'v1/configmaps', 'a', { preconditions: { uid: 'x' } })),
    /^409 Conflict: .*the UID in the precondition \(x\) does not match the UID in record/,
  )
  assert.match(
    await refusalOf(remove(cluster, 'v1/configmaps', 'a', { preconditions: { resourceVersion: '1' } })),
    /^409 Conflict: .*the ResourceVersion in the precondition \(1\)/,
  )
  const { uid, resourceVersion } = made.metadata
  await remove(cluster, 'v1/configmaps', 'a', { preconditions: { uid: uid!, resourceVersion: resourceVersion! } })
})

test('propagation policies are finalizers', async () => {
  const cluster = await testCluster()
  for (const [policy, finalizer] of [
    ['Orphan', 'orphan'],
    ['Foreground', 'foregroundDeletion'],
  ] as const) {
    await cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'default' } })
    const { pending } = await remove(cluster, 'v1/configmaps', 'a', { propagationPolicy: policy })
    assert.deepEqual(pending!.object.metadata.finalizers, [finalizer])
    // Background takes the mark off again, and with it the object.
    const { deleted } = await remove(cluster, 'v1/configmaps', 'a', { propagationPolicy: 'Background' })
    assert.ok(deleted)
  }
  assert.match(
    await refusalOf(remove(cluster, 'v1/configmaps', 'a', { propagationPolicy: 'Wrong' as 'Orphan' })),
    /^422 Invalid: .*propagationPolicy: Unsupported value: "Wrong"/,
  )
})

test('a pod on a node gets its grace, which may only become shorter', async () => {
  const cluster = await testCluster()
  await bound(cluster, 'a')
  const before = (await cluster.api.get(call, cluster.target('v1/pods', 'default', 'a'))).object.metadata.generation!
  const { pending } = await remove(cluster, 'v1/pods', 'a')
  assert.equal(pending!.object.metadata.deletionGracePeriodSeconds, 30)
  assert.equal(pending!.object.metadata.deletionTimestamp, '2026-01-01T00:00:30Z')
  assert.equal(pending!.object.metadata.generation, before + 1)
  const longer = await remove(cluster, 'v1/pods', 'a', { gracePeriodSeconds: 60 })
  assert.equal(longer.pending!.object.metadata.deletionGracePeriodSeconds, 30)
  cluster.advance(3)
  const shorter = await remove(cluster, 'v1/pods', 'a', { gracePeriodSeconds: 10 })
  assert.equal(shorter.pending!.object.metadata.deletionTimestamp, '2026-01-01T00:00:10Z')
  assert.ok((await remove(cluster, 'v1/pods', 'a', { gracePeriodSeconds: 0 })).deleted)
})

test('a pod without a node, or one that has ended, goes at once', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/pods', pod('a'))
  assert.ok((await remove(cluster, 'v1/pods', 'a')).deleted)
  await bound(cluster, 'b')
  const target = cluster.target('v1/pods', 'default', 'b', 'status')
  await cluster.api.patch(call, target, 'merge', { status: { phase: 'Succeeded' } })
  assert.ok((await remove(cluster, 'v1/pods', 'b')).deleted)
})

test('namespaces end by finalize; three stay', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/namespaces', { metadata: { name: 'n' } })
  const { pending } = await remove(cluster, 'v1/namespaces', 'n', {}, '')
  assert.equal(pending!.object['status'].phase, 'Terminating')
  assert.deepEqual(pending!.object['spec'].finalizers, ['kubernetes'])
  const target = cluster.target('v1/namespaces', '', 'n', 'finalize')
  await cluster.api.update(call, target, { ...structuredClone(pending!.object), spec: {} })
  assert.match(await refusalOf(cluster.api.get(call, cluster.target('v1/namespaces', '', 'n'))), /^404/)
  assert.equal(
    await refusalOf(remove(cluster, 'v1/namespaces', 'default', {}, '')),
    '403 Forbidden: namespaces "default" is forbidden: this namespace may not be deleted',
  )
})

test('another uid in the precondition is refused in the words of the kind', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/namespaces', { metadata: { name: 'n' } })
  const event = { involvedObject: { namespace: 'default' }, reason: 'r', type: 'Normal' }
  await cluster.create('v1/events', { metadata: { name: 'e', namespace: 'default' }, ...event })
  const uid = '00000000-0000-0000-0000-000000000009'
  // What a real kube-apiserver 1.37 answered.
  assert.match(
    await refusalOf(remove(cluster, 'v1/namespaces', 'n', { preconditions: { uid } }, '')),
    /^409 Conflict: Operation cannot be fulfilled on namespaces "n": Precondition failed: UID in precondition: 0{8}-.*9, UID in object meta: /,
  )
  assert.match(
    await refusalOf(remove(cluster, 'events.k8s.io/v1/events', 'e', { preconditions: { uid } })),
    /^409 Conflict: Operation cannot be fulfilled on Event "e": the UID in the precondition \(0{8}-.*9\) does not match the UID in record/,
  )
})

test('a collection: selected objects, each by its own rules', async () => {
  const cluster = await testCluster()
  for (let i = 0; i < 200; i++) {
    const labels = { half: String(i % 2) }
    const finalizers = i === 1 ? { finalizers: ['example.com/x'] } : {}
    await cluster.create('v1/configmaps', { metadata: { name: `m${i}`, namespace: 'default', labels, ...finalizers } })
  }
  const target = cluster.target('v1/configmaps', 'default')
  const gone = await cluster.api.deleteCollection(call, target, {}, { labelSelector: 'half=1' })
  assert.equal(gone.length, 100)
  const left = await cluster.api.list(call, target, {})
  assert.equal(left.entries.length, 101)
  assert.deepEqual(
    left.entries
      .map(objectOf)
      .filter((o) => o.metadata.labels?.['half'] === '1')
      .map((o) => o.metadata.deletionTimestamp),
    ['2026-01-01T00:00:00Z'],
  )
})
