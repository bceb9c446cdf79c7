import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, pod, refusalOf, testCluster } from './fixture.ts'
import { Unreadable } from '../contract.ts'
import type { PatchType } from '../contract.ts'
import { errors } from '../../machinery/status.ts'

async function withPod() {
  const cluster = await testCluster()
  const made = await cluster.create('v1/pods', pod('a'))
  const target = cluster.target('v1/pods', 'default', 'a')
  const patch = async (type: PatchType, body: unknown, asked = call) =>
    (await cluster.api.patch(asked, target, type, body)).object
  return { cluster, made, target, patch }
}

test('the three patch types', async () => {
  const { made, patch } = await withPod()
  assert.deepEqual((await patch('merge', { metadata: { labels: { a: '1' } } })).metadata.labels, { a: '1' })
  const test = [
    { op: 'test', path: '/metadata/labels/a', value: '1' },
    { op: 'add', path: '/metadata/labels/b', value: '2' },
  ]
  assert.deepEqual((await patch('json', test)).metadata.labels, { a: '1', b: '2' })
  const strategic = { spec: { containers: [{ name: 'main', image: 'nginx:2' }] } }
  const patched = await patch('strategic', strategic)
  assert.equal(patched['spec'].containers[0].image, 'nginx:2')
  assert.deepEqual(patched['spec'].containers[0].volumeMounts, made['spec'].containers[0].volumeMounts)
  // What was stored is untouched.
  assert.equal(made['spec'].containers[0].image, 'nginx')
})

test('a patch that fails, or does not fit the kind', async () => {
  const { patch } = await withPod()
  assert.equal(
    await refusalOf(patch('json', [{ op: 'test', path: '/metadata/name', value: 'b' }])),
    '422 Invalid: the server rejected our request due to an error in our request',
  )
  assert.match(
    await refusalOf(patch('merge', { spec: { containers: 'many' } })),
    /^422 Invalid: .*cannot unmarshal string/,
  )
  const strict = { ...call, fieldValidation: 'Strict' as const }
  assert.equal(
    await refusalOf(patch('merge', { spec: { wrong: 1 } }, strict)),
    '400 BadRequest: strict decoding error: unknown field "spec.wrong"',
  )
  const warnings: string[] = []
  await patch('merge', { spec: { wrong: 1 } }, { ...call, warnings })
  assert.deepEqual(warnings, ['unknown field "spec.wrong"'])
  assert.equal(await refusalOf(patch('apply', {})), '400 BadRequest: invalid object type: /, Kind=')
})

test('a refusal shows an empty list as the patch sent it, and no other one', async () => {
  const cluster = await testCluster()
  const spec = { hard: { pods: '1' }, scopes: ['Terminating'] }
  await cluster.create('v1/resourcequotas', { metadata: { name: 'q', namespace: 'default' }, spec })
  const target = cluster.target('v1/resourcequotas', 'default', 'q')
  const said = (type: PatchType, scopes: readonly [] | null) => {
    const body = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { ...spec, scopes } }
    return refusalOf(cluster.api.patch({ ...call, fieldManager: 'm' }, target, type, body, true))
  }
  const refused = (shown: string) =>
    `422 Invalid: ResourceQuota "q" is invalid: spec.scopes: Invalid value: ${shown}: field is immutable`
  assert.equal(await said('merge', []), refused('[]'))
  assert.equal(await said('apply', []), refused('[]'))
  assert.equal(await said('merge', null), refused('null'))
})

test('patches in the same turn all happen; one that names an old state does not', async () => {
  const { made, patch } = await withPod()
  await Promise.all(['a', 'b', 'c'].map((key) => patch('merge', { metadata: { annotations: { [key]: 'x' } } })))
  const all = await patch('merge', { metadata: { annotations: { d: 'x' } } })
  assert.deepEqual(Object.keys(all.metadata.annotations!).toSorted(), ['a', 'b', 'c', 'd'])
  assert.match(
    await refusalOf(
      patch('merge', { metadata: { resourceVersion: made.metadata.resourceVersion, labels: { x: 'y' } } }),
    ),
    /^409 Conflict: Operation cannot be fulfilled on pods "a": the object has been modified/,
  )
})

test('a patch of status leaves the rest alone', async () => {
  const { cluster, target } = await withPod()
  const body = { status: { phase: 'Running' }, spec: { activeDeadlineSeconds: 5 } }
  const { object } = await cluster.api.patch(call, { ...target, subresource: 'status' }, 'merge', body)
  assert.equal(object['status'].phase, 'Running')
  assert.equal(object['spec'].activeDeadlineSeconds, undefined)
})

test('__proto__ in a patch is data', async () => {
  const { patch } = await withPod()
  const body = JSON.parse('{"metadata":{"annotations":{"__proto__":"x"}}}') as unknown
  await refusalOf(patch('merge', body))
  assert.equal(({} as { x?: string }).x, undefined)
})

test('integers that a patch makes too large are cut to 32 bits, except by merge and JSON patches', async () => {
  const cluster = await testCluster()
  const spec = { selector: { a: 'b' }, template: { metadata: { labels: { a: 'b' } }, spec: pod('p')['spec'] } }
  await cluster.create('v1/replicationcontrollers', { metadata: { name: 'a', namespace: 'default' }, spec })
  const target = cluster.target('v1/replicationcontrollers', 'default', 'a')
  const huge = { spec: { replicas: 2_147_483_648 } }
  // What a real kube-apiserver 1.37 answered.
  const negative = 'spec.replicas: Invalid value: -2147483648: must be greater than or equal to 0'
  assert.equal(
    await refusalOf(cluster.api.patch(call, target, 'strategic', huge)),
    `422 Invalid: ReplicationController "a" is invalid: ${negative}`,
  )
  const apply = { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'a' }, ...huge }
  assert.equal(
    await refusalOf(cluster.api.patch({ ...call, fieldManager: 'm' }, target, 'apply', apply, true)),
    `422 Invalid: ReplicationController "a" is invalid: ${negative}`,
  )
  assert.match(await refusalOf(cluster.api.patch(call, target, 'merge', huge)), /cannot unmarshal number 2147483648/)
})

test('a strategic patch words bad base64 in its own way', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/secrets', { metadata: { name: 's', namespace: 'default' } })
  const target = cluster.target('v1/secrets', 'default', 's')
  const body = { data: { key: 'not base64!' } }
  const why = 'illegal base64 data at input byte 3'
  // What a real kube-apiserver 1.37 answered.
  assert.match(
    await refusalOf(cluster.api.patch(call, target, 'strategic', body)),
    new RegExp(`error decoding from json: ${why}$`),
  )
  assert.match(await refusalOf(cluster.api.patch(call, target, 'merge', body)), new RegExp(`": ${why}$`))
})

test('a patch that takes the version away is refused where an update needs one', async () => {
  const cluster = await testCluster()
  const strip = { metadata: { $retainKeys: ['name', 'namespace', 'labels'], labels: { a: 'b' } } }
  await cluster.create('coordination.k8s.io/v1/leases', { metadata: { name: 'a', namespace: 'default' }, spec: {} })
  const lease = cluster.target('coordination.k8s.io/v1/leases', 'default', 'a')
  // What a real kube-apiserver 1.37 answered.
  assert.equal(
    await refusalOf(cluster.api.patch(call, lease, 'strategic', strip)),
    '422 Invalid: leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  )
  const parentRef = { resource: 'services', name: 's', namespace: 'default' }
  await cluster.create('networking.k8s.io/v1/ipaddresses', { metadata: { name: '10.0.0.1' }, spec: { parentRef } })
  const ip = cluster.target('networking.k8s.io/v1/ipaddresses', '', '10.0.0.1')
  assert.equal(await refusalOf(cluster.api.patch(call, ip, 'strategic', strip)), 'no error')
  await cluster.create('v1/configmaps', { metadata: { name: 'a', namespace: 'default' } })
  const map = cluster.target('v1/configmaps', 'default', 'a')
  assert.deepEqual((await cluster.api.patch(call, map, 'strategic', strip)).object.metadata.labels, { a: 'b' })
})

test('a patch that cannot be read is refused after the object was found', async () => {
  const { cluster, target } = await withPod()
  const unreadable = new Unreadable(errors.badRequest('no'))
  assert.equal(await refusalOf(cluster.api.patch(call, target, 'merge', unreadable)), '400 BadRequest: no')
  const absent = { ...target, name: 'absent' }
  assert.equal(
    await refusalOf(cluster.api.patch(call, absent, 'merge', unreadable)),
    '404 NotFound: pods "absent" not found',
  )
})
