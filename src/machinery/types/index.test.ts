import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../object.ts'
import { typeTable } from './index.ts'
import type {
  ClusterRole,
  ConfigMap,
  CustomResourceDefinition,
  Deployment,
  EndpointSlice,
  Event,
  Lease,
  Pod,
  Secret,
  Service,
} from './kinds.ts'
import type { FieldInfo, TypeInfo } from './table.ts'

const core = (name: string): TypeInfo => typeTable.type(`io.k8s.api.core.v1.${name}`)
const field = (type: TypeInfo, name: string): FieldInfo => type.byName.get(name)!

/** All types that can be reached from kinds. */
function reachable(): Set<TypeInfo> {
  const seen = new Set<TypeInfo>()
  const visit = (type: TypeInfo): void => {
    if (seen.has(type)) return
    seen.add(type)
    for (const f of type.fields) if (f.type !== undefined) visit(typeTable.type(f.type))
  }
  for (const r of typeTable.resources) visit(typeTable.type(r.type!))
  return seen
}

test('fields carry what normalisation, protobuf and patches need', () => {
  const containers = field(core('PodSpec'), 'containers')
  assert.deepEqual(
    { ...containers },
    {
      name: 'containers',
      number: 2,
      path: [],
      kind: 'object',
      container: 'list',
      wrapped: false,
      required: true,
      omit: 'never',
      pointer: false,
      immutable: false,
      type: 'io.k8s.api.core.v1.Container',
      listType: 'map',
      listMapKeys: ['name'],
      patchStrategy: ['merge'],
      patchMergeKey: 'name',
    },
  )
  assert.deepEqual(field(core('Volume'), 'hostPath').path, [2])
  assert.equal(field(core('Volume'), 'hostPath').number, 1)
  assert.equal(field(core('Probe'), 'httpGet').path.length, 1)
  assert.deepEqual(field(core('ContainerPort'), 'protocol').enum, ['SCTP', 'TCP', 'UDP'])
  assert.equal(field(core('Secret'), 'data').kind, 'bytes')
  const subject = typeTable.type('io.k8s.api.authorization.v1.SubjectAccessReviewSpec')
  assert.deepEqual([field(subject, 'extra').container, field(subject, 'extra').wrapped], ['map', true])
  const meta = typeTable.type('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')
  assert.equal(field(meta, 'creationTimestamp').omit, 'zero')
  assert.equal(core('ObjectReference').atomic, true)
})

test('kinds are found by group and version', () => {
  assert.equal(typeTable.kind('', 'v1', 'Pod')?.name, 'io.k8s.api.core.v1.Pod')
  assert.equal(
    typeTable.kind('apps', 'v1', 'DeleteOptions')?.name,
    'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  )
  assert.equal(typeTable.kind('', 'v1', 'Status')?.name, 'io.k8s.apimachinery.pkg.apis.meta.v1.Status')
  assert.equal(typeTable.kind('autoscaling', 'v1', 'Scale')?.name, 'io.k8s.api.autoscaling.v1.Scale')
  assert.equal(typeTable.kind('policy', 'v1', 'Eviction')?.name, 'io.k8s.api.policy.v1.Eviction')
  assert.equal(typeTable.kind('admission.k8s.io', 'v1', 'AdmissionReview')?.fields.length, 4)
  for (const [group, version, kind] of [
    ['', 'v1', 'PodSpec'],
    ['', 'v2', 'Pod'],
    ['apps', 'v1', 'Status'],
    ['', 'v1', '__proto__'],
  ] as const) {
    assert.equal(typeTable.kind(group, version, kind), undefined)
  }
  assert.throws(() => typeTable.type('io.k8s.api.core.v1.Nothing'), /the type table has no/)
})

test('resources stand in discovery order', () => {
  const order = [...new Set(typeTable.resources.map((r) => `${r.group}/${r.version}`))]
  assert.deepEqual(order.slice(0, 8), [
    '/v1',
    'apiregistration.k8s.io/v1',
    'apps/v1',
    'events.k8s.io/v1',
    'authentication.k8s.io/v1',
    'authorization.k8s.io/v1',
    'autoscaling/v2',
    'autoscaling/v1',
  ])
  const pods = typeTable.resource('', 'v1', 'pods')!
  assert.deepEqual(
    [pods.singular, pods.listKind, pods.shortNames, pods.categories],
    ['pod', 'PodList', ['po'], ['all']],
  )
  const eviction = pods.subresources.find((s) => s.name === 'eviction')!
  assert.deepEqual([eviction.group, eviction.version, eviction.kind], ['policy', 'v1', 'Eviction'])
  assert.equal(typeTable.resource('apps', 'v1', 'pods'), undefined)
})

test('every list kind, subresource kind and field type is in the table', () => {
  for (const r of typeTable.resources) {
    if (r.listKind !== '') assert.ok(typeTable.kind(r.group, r.version, r.listKind), r.listKind)
    for (const s of r.subresources) assert.ok(typeTable.kind(s.group, s.version, s.kind), `${r.resource}/${s.name}`)
  }
  assert.ok(reachable().size > 400)
})

test('no field is called like a member of Object.prototype, so that fields can be read without a check', () => {
  for (const type of reachable()) {
    for (const f of type.fields) assert.ok(!(f.name in Object.prototype), `${type.name}.${f.name}`)
  }
})

test('generated kinds are objects', () => {
  type Kinds = Pod | Service | ConfigMap | Secret | Event | Deployment | Lease | ClusterRole | EndpointSlice
  const asObject = (object: Kinds | CustomResourceDefinition): KubeObject => object
  const map: ConfigMap = { metadata: { name: 'a' }, data: { k: 'v' } }
  assert.equal(asObject(map).metadata.name, 'a')
})
