import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { Call } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import type { TestCluster } from './fixture.ts'
import { call, pod, refusalOf, testCluster } from './fixture.ts'

/** Writes as named managers. */
function writer(cluster: TestCluster, path: string, name: string) {
  const target = (subresource?: string) => cluster.target(path, 'default', name, subresource)
  const as = (manager: string, more: Partial<Call> = {}): Call => ({ ...call, fieldManager: manager, ...more })
  return {
    apply: (manager: string, config: object, force = false, subresource?: string, more?: Partial<Call>) =>
      cluster.api.patch(as(manager, more), target(subresource), 'apply', structuredClone(config), force),
    update: (manager: string, object: KubeObject, subresource?: string) =>
      cluster.api.update(as(manager), target(subresource), structuredClone(object)).then((w) => w.object),
    merge: (manager: string, body: object, subresource?: string) =>
      cluster.api.patch(as(manager), target(subresource), 'merge', body).then((w) => w.object),
    get: () => cluster.api.get(call, target()).then((s) => s.object),
  }
}

/** `a Apply v1 12:00:00 {"f:data":…}` */
function managersOf(object: KubeObject): string[] {
  return ((object.metadata.managedFields ?? []) as Record<string, string>[]).map((entry) => {
    const part = entry['subresource'] === undefined ? '' : `/${entry['subresource']}`
    const time = entry['time']?.slice(11, 19) ?? '-'
    return `${entry['manager']}${part} ${entry['operation']} ${entry['apiVersion']} ${time} ${JSON.stringify(entry['fieldsV1'])}`
  })
}

const config = (data: object, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', ...more },
  data,
})

test('apply creates, changes, shares and drops', async () => {
  const cluster = await testCluster()
  const map = writer(cluster, 'v1/configmaps', 'c')
  const first = await map.apply('a', config({ k: 'v', l: 'w' }))
  assert.equal(first.created, true)
  assert.equal(first.object.metadata.namespace, 'default')
  assert.deepEqual(managersOf(first.object), ['a Apply v1 00:00:00 {"f:data":{"f:k":{},"f:l":{}}}'])

  cluster.advance(60)
  const again = await map.apply('a', config({ k: 'v', l: 'w' }))
  assert.equal(again.created, false)
  assert.equal(again.object, first.object, 'the same apply writes nothing')

  const shared = await map.apply('b', config({ l: 'w' }))
  assert.deepEqual(managersOf(shared.object), [
    'b Apply v1 - {"f:data":{"f:l":{}}}',
    'a Apply v1 00:00:00 {"f:data":{"f:k":{},"f:l":{}}}',
  ])
  assert.notEqual(shared.object.metadata.resourceVersion, first.object.metadata.resourceVersion)

  const dropped = await map.apply('a', config({}))
  assert.deepEqual(dropped.object['data'], { l: 'w' })
  const gone = await map.apply('b', config({}))
  assert.equal(gone.object['data'], undefined)
})

test('a conflict names what it is about, and force wins', async () => {
  const cluster = await testCluster()
  const map = writer(cluster, 'v1/configmaps', 'c')
  await cluster.create(
    'v1/configmaps',
    { metadata: { name: 'c', namespace: 'default' }, data: { k: '1', l: '1' } },
    { ...call, fieldManager: 'kubectl-create' },
  )
  const conflict = await map.apply('me', config({ k: '2', l: '2', m: '2' })).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(conflict instanceof StatusError)
  assert.deepEqual(conflict.status, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Apply failed with 2 conflicts: conflicts with "kubectl-create" using v1:\n- .data.k\n- .data.l',
    reason: 'Conflict',
    details: {
      causes: ['.data.k', '.data.l'].map((field) => ({
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-create" using v1',
        field,
      })),
    },
    code: 409,
  })
  const before = cluster.api.range.revision
  const dry = await map.apply('me', config({ k: '2' }), true, undefined, { dryRun: true })
  assert.deepEqual(dry.object['data'], { k: '2', l: '1' })
  assert.equal(cluster.api.range.revision, before)
  const forced = await map.apply('me', config({ k: '2' }), true)
  assert.deepEqual(managersOf(forced.object), [
    'me Apply v1 00:00:00 {"f:data":{"f:k":{}}}',
    'kubectl-create Update v1 00:00:00 {"f:data":{".":{},"f:l":{}}}',
  ])
})

test('writes of every kind are recorded', async () => {
  const cluster = await testCluster()
  const asKubelet: Call = { ...call, fieldManager: 'controller' }
  await cluster.create(
    'v1/pods',
    { ...pod('p'), metadata: { name: 'p', namespace: 'default', labels: { a: 'b' } } },
    asKubelet,
  )
  const p = writer(cluster, 'v1/pods', 'p')
  cluster.advance(1)
  const status = await p.merge(
    'kubelet',
    { metadata: { labels: { x: 'y' } }, spec: { nodeName: 'n' }, status: { phase: 'Running' } },
    'status',
  )
  assert.deepEqual(managersOf(status).slice(1), [
    'kubelet/status Update v1 00:00:01 {"f:metadata":{"f:labels":{"f:x":{}}},"f:status":{"f:phase":{}}}',
  ])
  assert.match(
    managersOf(status)[0]!,
    /^controller Update v1 00:00:00 \{"f:metadata":\{"f:labels":\{"\.":\{\},"f:a":\{\}\}\},"f:spec":\{"f:containers":\{"k:\{\\"name\\":\\"main\\"\}":\{"\.":\{\},"f:image":\{\},/,
  )
  assert.ok(!managersOf(status)[0]!.includes('serviceAccount'), "what admission adds is nobody's")

  await cluster.api.create(call, cluster.target('v1/pods', 'default', 'p', 'binding'), {
    metadata: { name: 'p' },
    target: { kind: 'Node', name: 'n' },
  })
  const bound = await p.get()
  assert.equal(bound['spec'].nodeName, 'n')
  assert.deepEqual(managersOf(bound), managersOf(status), 'a binding is not recorded')

  await cluster.api.delete(call, cluster.target('v1/pods', 'default', 'p'), {})
  const deleted = await p.get()
  assert.ok(deleted.metadata.deletionTimestamp !== undefined)
  assert.deepEqual(managersOf(deleted), managersOf(status))
})

test('time stays when nothing else changes', async () => {
  const cluster = await testCluster()
  const map = writer(cluster, 'v1/configmaps', 'c')
  const object = await cluster.create(
    'v1/configmaps',
    { metadata: { name: 'c', namespace: 'default' }, data: { k: '1' } },
    { ...call, fieldManager: 'a' },
  )
  cluster.advance(5)
  const same = await map.update('b', object)
  assert.equal(same.metadata.resourceVersion, object.metadata.resourceVersion)
  const changed = await map.update('a', { ...same, data: { k: '2' } })
  assert.deepEqual(managersOf(changed), ['a Update v1 00:00:05 {"f:data":{".":{},"f:k":{}}}'])
})

test('managers can be forgotten, and named', async () => {
  const cluster = await testCluster()
  const map = writer(cluster, 'v1/configmaps', 'c')
  const object = await cluster.create(
    'v1/configmaps',
    { metadata: { name: 'c', namespace: 'default' }, data: { k: '1' } },
    call,
  )
  assert.deepEqual(managersOf(object), ['unknown Update v1 00:00:00 {"f:data":{".":{},"f:k":{}}}'])
  const none = await map.update('b', { ...object, metadata: { ...object.metadata, managedFields: [{}] } })
  assert.equal(none.metadata.managedFields, undefined)
  const still = await map.merge('b', { data: { k: '2' } })
  assert.equal(still.metadata.managedFields, undefined)
  const applied = await map.apply('a', config({ l: '3' }))
  assert.deepEqual(managersOf(applied.object), [
    'a Apply v1 00:00:00 {"f:data":{"f:l":{}}}',
    'before-first-apply Update v1 00:00:00 {"f:data":{".":{},"f:k":{}}}',
  ])
  const entry = {
    manager: 'z',
    operation: 'Apply',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': { 'f:k': {} } },
  }
  const named = await map.update('b', {
    ...applied.object,
    metadata: { ...applied.object.metadata, managedFields: [entry] },
  })
  assert.deepEqual(managersOf(named), ['z Apply v1 - {"f:data":{"f:k":{}}}'])
})

test('scale takes replicas from whoever has them', async () => {
  const cluster = await testCluster()
  const labels = { app: 'x' }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  }
  const d = writer(cluster, 'apps/v1/deployments', 'd')
  await d.apply('me', deployment)
  const scaled = await d.merge('kubectl', { spec: { replicas: 3 } }, 'scale')
  assert.equal(scaled['spec'].replicas, 3)
  const object = await d.get()
  assert.equal(object['spec'].replicas, 3)
  assert.deepEqual(managersOf(object).slice(1), ['kubectl/scale Update apps/v1 - {"f:spec":{"f:replicas":{}}}'])
  assert.equal(
    await refusalOf(d.apply('me', deployment)),
    '409 Conflict: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
  )
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'd' }, spec: { replicas: 5 } }
  assert.equal(
    await refusalOf(d.apply('hpa', scale, false, 'scale')),
    '409 Conflict: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using autoscaling/v1: .spec.replicas',
  )
  const applied = await d.apply('hpa', scale, true, 'scale')
  assert.equal(applied.object['spec'].replicas, 5)
  const after = await d.get()
  assert.equal(after['spec'].replicas, 5)
  assert.deepEqual(
    managersOf(after).filter((text) => text.includes('replicas')),
    ['hpa/scale Apply apps/v1 - {"f:spec":{"f:replicas":{}}}'],
  )
})

test('what cannot be applied', async () => {
  const cluster = await testCluster()
  const map = writer(cluster, 'v1/configmaps', 'c')
  const apply = (body: object, subresource?: string): Promise<string> =>
    refusalOf(map.apply('a', body, false, subresource))
  assert.equal(await apply({ ...config({}), kind: 'Secret' }), '400 BadRequest: invalid object type: /v1, Kind=Secret')
  const versions: readonly (readonly [apiVersion: unknown, kind: unknown, told: string])[] = [
    [1.5, 'ConfigMap', '/, Kind=ConfigMap'],
    ['v1', 2, '/v1, Kind='],
    ['a/b/c', 'ConfigMap', '/, Kind='],
    [{}, [], '/, Kind='],
  ]
  for (const [apiVersion, kind, told] of versions)
    assert.equal(await apply({ ...config({}), apiVersion, kind }), `400 BadRequest: invalid object type: ${told}`)
  assert.equal(await apply(config({}, { managedFields: [] })), '400 BadRequest: metadata.managedFields must be nil')
  assert.equal(
    await apply(config({ k: 1 })),
    '500 : failed to create typed patch object (/c; /v1, Kind=ConfigMap): .data.k: expected string, got &value.valueUnstructured{Value:1}',
  )
  assert.equal(
    await apply({ ...config({}), nope: 1 }),
    '500 : failed to create typed patch object (/c; /v1, Kind=ConfigMap): .nope: field not declared in schema',
  )
  assert.equal(
    await apply(config({}, { name: 'd' })),
    '400 BadRequest: the name of the object (d) does not match the name on the URL (c)',
  )
  assert.match(await apply(config({}, { uid: 'u' })), /^409 Conflict: .*uid mismatch/)
  const p = writer(cluster, 'v1/pods', 'p')
  const status = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, status: { phase: 'Running' } }
  assert.equal(await refusalOf(p.apply('a', status, false, 'status')), '404 NotFound: pods "p" not found')
  await map.apply('a', config({ k: 'v' }))
  assert.match(
    await apply(config({ k: 'w' }, { resourceVersion: '1' })),
    /^409 Conflict: .*the object has been modified/,
  )
})

test('an apply that changes nothing but managers leaves the object as it is, in its order', async () => {
  const cluster = await testCluster()
  const metadata = { name: 'a', namespace: 'default' }
  const revision = { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata, revision: 1, data: { z: 1, a: 2 } }
  await cluster.create('apps/v1/controllerrevisions', revision)
  const target = cluster.target('apps/v1/controllerrevisions', 'default', 'a')
  // Data is compared as text; what went through a patch has sorted members, and would be another.
  const { object } = await cluster.api.patch({ ...call, fieldManager: 'm' }, target, 'apply', structuredClone(revision))
  assert.equal(JSON.stringify(object['data']), '{"z":1,"a":2}')
  assert.ok(object.metadata.managedFields!.some((entry) => (entry as { manager: string }).manager === 'm'))
})
