import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, pod, refusalOf, testCluster } from './fixture.ts'
import type { TestCluster } from './fixture.ts'
import type { Call } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

async function withMap(): Promise<{
  cluster: TestCluster
  map: KubeObject
  put: (o: KubeObject, dry?: boolean) => Promise<KubeObject>
}> {
  const cluster = await testCluster()
  const map = await cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'default' }, data: { k: '1' } })
  const target = cluster.target('v1/configmaps', 'default', 'a')
  return {
    cluster,
    map,
    put: async (object, dryRun = false) =>
      (await cluster.api.update({ ...call, dryRun }, target, structuredClone(object))).object,
  }
}

test('compare and swap by resourceVersion', async () => {
  const { map, put } = await withMap()
  const next = await put({ ...map, data: { k: '2' } })
  assert.notEqual(next.metadata.resourceVersion, map.metadata.resourceVersion)
  assert.equal(
    await refusalOf(put({ ...map, data: { k: '3' } })),
    `409 Conflict: Operation cannot be fulfilled on configmaps "a": ${MODIFIED}`,
  )
  const { resourceVersion: _any, ...metadata } = map.metadata
  assert.equal((await put({ ...map, metadata, data: { k: '4' } }))['data'].k, '4')
})

test('two updates of one state in the same turn: one wins; without a state both do', async () => {
  const { map, put } = await withMap()
  const results = await Promise.all(['2', '3'].map((k) => refusalOf(put({ ...map, data: { k } }))))
  assert.deepEqual(results, ['no error', `409 Conflict: Operation cannot be fulfilled on configmaps "a": ${MODIFIED}`])
  const { resourceVersion: _any, ...metadata } = map.metadata
  assert.deepEqual(await Promise.all(['4', '5'].map((k) => refusalOf(put({ ...map, metadata, data: { k } })))), [
    'no error',
    'no error',
  ])
})

test('an update that changes nothing has no revision and no event', async () => {
  const { cluster, map, put } = await withMap()
  const { range } = cluster.api
  const before = range.revision
  let events = 0
  const stop = range.watch('core/configmaps/', before, () => events++)
  const reordered = {
    data: map['data'],
    metadata: { ...map.metadata },
    kind: map.kind!,
    apiVersion: map.apiVersion!,
  }
  const same = await put(reordered)
  assert.equal(same.metadata.resourceVersion, map.metadata.resourceVersion)
  assert.equal(range.revision, before)
  assert.equal(events, 0)
  stop()
})

test('an unchanged answer waits for the write that it shows', async () => {
  const { cluster, map, put } = await withMap()
  const changed = { ...map, data: { k: '9' } }
  const first = put(changed)
  const { resourceVersion: _any, ...metadata } = map.metadata
  const second = await put({ ...changed, metadata })
  assert.ok(Number(second.metadata.resourceVersion) <= cluster.api.range.revision)
  assert.equal(second.metadata.resourceVersion, (await first).metadata.resourceVersion)
})

test('metadata that the server owns stays', async () => {
  const { map, put } = await withMap()
  const meddled = { ...map.metadata, creationTimestamp: '1999-01-01T00:00:00Z', generation: 99 }
  const next = await put({ ...map, metadata: meddled, data: { k: '2' } })
  assert.equal(next.metadata.creationTimestamp, map.metadata.creationTimestamp)
  assert.equal(next.metadata.generation, map.metadata.generation)
  assert.match(
    await refusalOf(put({ ...next, metadata: { ...next.metadata, uid: 'other' } })),
    // As a real kube-apiserver 1.37 words it.
    /^409 Conflict: Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: \/configmaps\/default\/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: /,
  )
  assert.match(
    await refusalOf(put({ ...next, metadata: { ...next.metadata, name: 'b' } })),
    /^400 BadRequest: the name of the object \(b\)/,
  )
})

test('generation follows the spec, not status or metadata', async () => {
  const cluster = await testCluster()
  const template = { metadata: { labels: { a: 'b' } }, spec: pod('x')['spec'] }
  const made = await cluster.create('apps/v1/replicasets', {
    metadata: { name: 'r', namespace: 'default' },
    spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template },
  })
  assert.equal(made.metadata.generation, 1)
  const target = cluster.target('apps/v1/replicasets', 'default', 'r')
  const labelled = await cluster.api.update(call, target, {
    ...structuredClone(made),
    metadata: { ...made.metadata, labels: { x: 'y' } },
  })
  assert.equal(labelled.object.metadata.generation, 1)
  const status = {
    ...structuredClone(labelled.object),
    status: { replicas: 1 },
    spec: { ...made['spec'], replicas: 5 },
  }
  const stated = await cluster.api.update(call, { ...target, subresource: 'status' }, status)
  assert.equal(stated.object['spec'].replicas, 1)
  assert.equal(stated.object['status'].replicas, 1)
  assert.equal(stated.object.metadata.generation, 1)
  const scaled = { ...structuredClone(stated.object), spec: { ...structuredClone(made['spec']), replicas: 5 } }
  assert.equal((await cluster.api.update(call, target, scaled)).object.metadata.generation, 2)
})

test('PUT of what is not there: 404, or made where the kind allows it', async () => {
  const cluster = await testCluster()
  const map = { metadata: { name: 'z', namespace: 'default' } }
  assert.equal(
    await refusalOf(cluster.api.update(call, cluster.target('v1/configmaps', 'default', 'z'), map)),
    '404 NotFound: configmaps "z" not found',
  )
  const lease = { metadata: { name: 'l', namespace: 'default' }, spec: {} }
  const written = await cluster.api.update(call, cluster.target('coordination.k8s.io/v1/leases', 'default', 'l'), lease)
  assert.equal(written.created, true)
})

test('a dry run changes nothing', async () => {
  const { cluster, map, put } = await withMap()
  const before = cluster.api.range.revision
  assert.equal((await put({ ...map, data: { k: '2' } }, true))['data'].k, '2')
  assert.equal(cluster.api.range.revision, before)
})

test('what a client sent as an empty list has a manager; null has none', async () => {
  const { cluster } = await withMap()
  const fields = async (name: string, asked: Partial<Call>) => {
    const object = { metadata: { name }, spec: { drivers: null } }
    const { metadata } = await cluster.create('storage.k8s.io/v1/csinodes', object, { ...call, ...asked })
    return metadata.managedFields?.map((entry) => (entry as { fieldsV1: unknown }).fieldsV1)
  }
  // As a real kube-apiserver 1.37 tells them apart.
  assert.deepEqual(await fields('null', {}), undefined)
  const emptied = [{ path: ['spec', 'drivers'], empty: [] as const }]
  assert.deepEqual(await fields('empty', { emptied }), [{ 'f:spec': { 'f:drivers': {} } }])
})

test('an update with an empty list of managers resets them', async () => {
  const { cluster, map } = await withMap()
  assert.equal(map.metadata.managedFields?.length, 1)
  const target = cluster.target('v1/configmaps', 'default', 'a')
  const { managedFields: _all, ...metadata } = map.metadata
  const emptied = [{ path: ['metadata', 'managedFields'], empty: [] as const }]
  const { object } = await cluster.api.update({ ...call, emptied }, target, { ...map, metadata })
  assert.equal(object.metadata.managedFields, undefined)
})

test('a dry run that makes what is missing answers with the version that was sent', async () => {
  const cluster = await testCluster()
  const target = cluster.target('coordination.k8s.io/v1/leases', 'default', 'a')
  const lease = { metadata: { name: 'a', namespace: 'default', resourceVersion: '7' }, spec: {} }
  const dry = await cluster.api.update({ ...call, dryRun: true }, target, structuredClone(lease))
  assert.deepEqual([dry.created, dry.object.metadata.resourceVersion], [true, '7'])
  assert.equal((await cluster.api.update(call, target, lease)).created, true)
})
