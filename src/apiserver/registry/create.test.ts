import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, pod, refusalOf, testCluster } from './fixture.ts'
import { normalize } from '../../machinery/codec/normalize.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { RevisionMismatch } from '../../store/contract.ts'
import { objectOf } from '../contract.ts'

test('a new object gets what only the server sets', async () => {
  const cluster = await testCluster()
  const created = await cluster.create('v1/configmaps', {
    metadata: {
      name: 'a',
      namespace: 'default',
      uid: 'mine',
      creationTimestamp: '1999-01-01T00:00:00Z',
      generation: 7,
      labels: { x: 'y' },
    },
    data: { k: 'v' },
  })
  assert.match(created.metadata.uid!, /^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  assert.equal(created.metadata.creationTimestamp, '2026-01-01T00:00:00Z')
  assert.deepEqual(created.metadata.labels, { x: 'y' })
  const { entry } = await cluster.api.get(call, cluster.target('v1/configmaps', 'default', 'a'))
  assert.equal(created.metadata.resourceVersion, String(entry.revision))
  assert.match(entry.bytes.toString(), /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{"name":"a"/)
  assert.deepEqual(JSON.parse(entry.bytes.toString()), objectOf(entry))
})

test('refusals have upstream words', async () => {
  const cluster = await testCluster()
  const map = (metadata: object) => ({ metadata, data: {} })
  await cluster.create('v1/configmaps', map({ name: 'a', namespace: 'default' }))
  const said = async (metadata: object, namespace = 'default') =>
    refusalOf(cluster.api.create(call, cluster.target('v1/configmaps', namespace), map(metadata)))
  assert.equal(await said({ name: 'a' }), '409 AlreadyExists: configmaps "a" already exists')
  assert.equal(await said({ name: 'b' }, 'gone'), '404 NotFound: namespaces "gone" not found')
  assert.equal(
    await said({ name: 'b', namespace: 'other' }),
    '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
  )
  assert.equal(
    await said({ name: 'b', resourceVersion: '5' }),
    '500 : resourceVersion should not be set on objects to be created',
  )
  assert.match(
    await said({ name: 'UPPER' }),
    /^422 Invalid: ConfigMap "UPPER" is invalid: metadata.name: Invalid value: "UPPER"/,
  )
  assert.match(await said({}), /metadata.name: Required value: name or generateName is required/)
  assert.match(await said({ name: 'a/b' }), /^4(00|22)/)
})

test('a refusal shows empty lists and maps as they were sent', async () => {
  const cluster = await testCluster()
  const template = { metadata: { labels: {} }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const sent = { metadata: { name: 'r' }, spec: { selector: { a: 'b' }, template } }
  const type = typeTable.type('io.k8s.api.core.v1.ReplicationController')
  const { object, emptied } = normalize(sent, type)
  assert.ok(emptied !== undefined)
  const target = cluster.target('v1/replicationcontrollers', 'default')
  // As a real kube-apiserver 1.37 tells them apart.
  assert.match(
    await refusalOf(cluster.api.create({ ...call, emptied }, target, object as never)),
    /spec.template.metadata.labels: Invalid value: \{\}: `selector` does not match template `labels`/,
  )
  const without = normalize({ ...sent, spec: { ...sent.spec, template: { ...template, metadata: {} } } }, type)
  assert.match(
    await refusalOf(cluster.api.create(call, target, without.object as never)),
    /spec.template.metadata.labels: Invalid value: null/,
  )
})

test('what exists already is named as it was asked for', async () => {
  const cluster = await testCluster()
  const event = {
    metadata: { name: 'e', namespace: 'default' },
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
  }
  const made = { ...event, eventTime: '2026-01-01T00:00:00.000000Z', reportingController: 'c', reportingInstance: 'i' }
  const create = () => cluster.create('events.k8s.io/v1/events', { ...made, action: 'a', reason: 'r', type: 'Normal' })
  await create()
  assert.equal(await refusalOf(create()), '409 AlreadyExists: events.events.k8s.io "e" already exists')
})

test('generated names: eight tries, then 409', async () => {
  const cluster = await testCluster({ random: () => 0 })
  const make = () => cluster.create('v1/configmaps', { metadata: { generateName: 'x-', namespace: 'default' } })
  const first = await make()
  assert.match(first.metadata.name!, /^x-[a-z0-9]{5}$/)
  assert.equal(
    await refusalOf(make()),
    `409 AlreadyExists: configmaps "${first.metadata.name}" already exists, the server was not able to generate a unique name for the object`,
  )
})

test('two creates of one name in the same turn: one wins', async () => {
  const cluster = await testCluster()
  const results = await Promise.all(
    [1, 2].map(() => refusalOf(cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'default' } }))),
  )
  assert.deepEqual(results, ['no error', '409 AlreadyExists: configmaps "a" already exists'])
})

test('a dry run answers the object and writes nothing', async () => {
  const cluster = await testCluster()
  const { range } = cluster.api
  const before = range.revision
  const object = await cluster.create('v1/pods', pod('a'), { ...call, dryRun: true })
  assert.ok(object.metadata.uid)
  assert.equal(range.revision, before)
  const service = {
    metadata: { name: 's', namespace: 'default' },
    spec: { clusterIP: '10.96.0.77', ports: [{ port: 80 }] },
  }
  await cluster.create('v1/services', service, { ...call, dryRun: true })
  // The address that the dry run took is free.
  assert.equal((await cluster.create('v1/services', service))['spec'].clusterIP, '10.96.0.77')
})

test('nothing is made in a namespace that ends', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/namespaces', { metadata: { name: 'n' } })
  await cluster.api.delete(call, cluster.target('v1/namespaces', '', 'n'), {})
  const made = cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'n' } })
  assert.equal(
    await refusalOf(made),
    '403 Forbidden: configmaps "a" is forbidden: unable to create new content in namespace n because it is being terminated',
  )
  await made.catch((error: { status: { details: { causes: unknown } } }) =>
    assert.deepEqual(error.status.details.causes, [
      { reason: 'NamespaceTerminating', message: 'namespace n is being terminated', field: 'metadata.namespace' },
    ]),
  )
})

test('a name never leaves its resource', async () => {
  const cluster = await testCluster()
  const role = { metadata: { name: '../../core/secrets/default/x' }, rules: [] }
  assert.match(await refusalOf(cluster.create('rbac.authorization.k8s.io/v1/clusterroles', role)), /^4(00|22)/)
  assert.match(
    await refusalOf(cluster.api.get(call, cluster.target('v1/configmaps', 'default/x', 'y'))),
    /^400 BadRequest: Namespace parameter invalid/,
  )
  assert.match(
    await refusalOf(cluster.api.get(call, cluster.target('v1/configmaps', 'default', 'x/y'))),
    /^400 BadRequest: Name parameter invalid/,
  )
})

test('a store that is overtaken is a 409', async () => {
  const cluster = await testCluster()
  const { range } = cluster.api
  const late = await testCluster({
    range: Object.create(range, {
      write: { value: () => Promise.reject(new RevisionMismatch('k', 0, 3)) },
      latest: { value: (key: string) => range.latest(key) },
      count: { value: (prefix: string) => range.count(prefix) },
      changed: { value: (prefix: string) => range.changed(prefix) },
      revision: { get: () => range.revision },
    }) as typeof range,
  }).catch((error: Error) => error.message)
  assert.equal(late, 'namespaces "default" already exists')
})

test('old events make room for new ones', async () => {
  const cluster = await testCluster()
  const make = (i: number) =>
    cluster.create('v1/events', {
      metadata: { name: `e${i}`, namespace: 'default' },
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      reason: 'R',
      type: 'Normal',
    })
  for (let i = 0; i < 200; i++) await make(i)
  cluster.advance(3500)
  for (let i = 200; i < 250; i++) await make(i)
  cluster.advance(200)
  for (let i = 250; i < 257; i++) await make(i)
  assert.equal(cluster.api.range.count('core/events/'), 57)
})
