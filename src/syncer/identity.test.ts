import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyMergePatch } from '../machinery/patch/merge.ts'
import type { KubeObject, StringMap } from '../machinery/object.ts'
import { tenantPod, tenantView } from './fixture.ts'
import { annotations, identityOf, labels, MANAGER, metadataChange, publicKeys, stamp } from './identity.ts'

const { tenant } = tenantView()

/** The host object for a tenant object with these labels and annotations. */
function hostOf(own: { labels?: StringMap; annotations?: StringMap }): KubeObject {
  const source = tenantPod()
  return stamp({ metadata: { name: 'web', namespace: 'h', ...own } }, source, tenant, { place: 'here' })
}

const hostile = fc.constantFrom(
  'app',
  'example.com/x',
  'tenantry.dev/managed-by',
  'tenantry.dev/cluster-uid',
  'tenantry.dev/uid',
  'tenantry.dev/name',
  'tenantry.dev/applied',
  'tenantry.dev/managed-labels',
  'a.tenantry.dev/uid',
  'vcluster.loft.sh/managed-by',
  'place',
  '__proto__',
  'constructor',
)
const map = fc
  .array(fc.tuple(hostile, fc.constantFrom('', 'v', 'w,x')), { maxLength: 6 })
  .map((pairs) => JSON.parse(`{${pairs.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`) as StringMap) // prettier-ignore

test('no choice of labels and annotations changes whose an object is', () => {
  fc.assert(
    fc.property(map, map, (l, a) => {
      const host = hostOf({ labels: l, annotations: a })
      assert.deepEqual(identityOf(host), { tenant: tenant.uid, namespace: 'shop', name: 'web', uid: 'u-web' })
      assert.equal(host.metadata.labels![labels.managedBy], MANAGER)
      assert.equal(host.metadata.labels!['place'], 'here')
      assert.equal(host.metadata.annotations![annotations.cluster], 'team/acme')
      assert.equal(Object.getPrototypeOf(host.metadata.labels), Object.prototype)
      for (const key of Object.keys(l))
        if (key === 'app' || key === '__proto__')
          assert.equal(Object.getOwnPropertyDescriptor(host.metadata.labels!, key)?.value, l[key])
    }),
  )
})

test('a patch brings the host to what is desired, keeps what others added, and then there is nothing to do', () => {
  fc.assert(
    fc.property(map, map, map, map, (l1, a1, l2, a2) => {
      const host = hostOf({ labels: l1, annotations: a1 })
      host.metadata.labels!['webhook.example/added'] = 'yes'
      host.metadata.annotations!['webhook.example/added'] = 'yes'
      const desired = hostOf({ labels: l2, annotations: a2 })
      const change = metadataChange(desired, host)
      const sent = JSON.parse(JSON.stringify({ metadata: change ?? {} })) as object
      const now = applyMergePatch(host, sent) as KubeObject
      const others = { 'webhook.example/added': 'yes' }
      assert.deepEqual(sorted(now.metadata.labels!), sorted({ ...desired.metadata.labels, ...others }))
      assert.deepEqual(sorted(now.metadata.annotations!), sorted({ ...desired.metadata.annotations, ...others }))
      assert.equal(metadataChange(desired, now), undefined)
    }),
  )
})

const sorted = (of: StringMap) => Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1))

test('the applied mark follows what is desired', () => {
  const mark = (own: { labels?: StringMap }) => hostOf(own).metadata.annotations![annotations.applied]
  assert.equal(mark({ labels: { a: '1' } }), mark({ labels: { a: '1' } }))
  assert.notEqual(mark({ labels: { a: '1' } }), mark({ labels: { a: '2' } }))
})

test('an object without every mark is nobody’s', () => {
  const host = hostOf({})
  for (const key of [labels.managedBy, labels.cluster]) {
    const less = structuredClone(host)
    delete less.metadata.labels![key]
    assert.equal(identityOf(less), undefined)
  }
  for (const key of [annotations.name, annotations.uid]) {
    const less = structuredClone(host)
    delete less.metadata.annotations![key]
    assert.equal(identityOf(less), undefined)
  }
  assert.equal(identityOf({ metadata: { name: 'x' } }), undefined)
})

test('maps of many keys', () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`example.com/k${i}`, 'v']))
  const host = hostOf({ labels: many })
  assert.equal(Object.keys(publicKeys(many)).length, 20_000)
  const change = metadataChange(hostOf({}), host) as { labels: Record<string, null> }
  assert.equal(Object.keys(change.labels).length, 20_000)
})
