import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootstrapEntries, bootstrapUid } from './entries.ts'

const identity = { id: 'a', seed: '00112233445566778899aabbccddeeff', createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678) }

function text(key: string, options = {}): string {
  return bootstrapEntries(options)
    .find((entry) => entry.key === key)!
    .render(identity)
    .bytes.toString()
}

test('the set is that of Kubernetes 1.37, sorted and unique', () => {
  const keys = bootstrapEntries().map((entry) => entry.key)
  assert.deepEqual(keys, [...new Set(keys)].sort())
  const counts = new Map<string, number>()
  for (const key of keys) {
    const resource = key.split('/')[1]!
    counts.set(resource, (counts.get(resource) ?? 0) + 1)
  }
  assert.deepEqual(Object.fromEntries(counts), {
    apiservices: 22,
    configmaps: 1,
    namespaces: 4,
    flowschemas: 11,
    prioritylevelconfigurations: 8,
    servicecidrs: 1,
    clusterrolebindings: 54,
    clusterroles: 73,
    rolebindings: 7,
    roles: 7,
    priorityclasses: 2,
  })
})

test('bytes have the order of Go, and a uid and times of their cluster', () => {
  assert.equal(
    text('core/namespaces//default'),
    `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"default","uid":"${bootstrapUid(identity.seed, 'core/namespaces//default')}","resourceVersion":"1","creationTimestamp":"2026-01-02T03:04:05Z","labels":{"kubernetes.io/metadata.name":"default"}},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}`,
  )
  assert.match(
    text('rbac.authorization.k8s.io/rolebindings/kube-system/system:controller:cloud-provider'),
    /^\{"kind":"RoleBinding","apiVersion":"rbac.authorization.k8s.io\/v1","metadata":\{"name":"system:controller:cloud-provider","namespace":"kube-system","uid":"[-0-9a-f]{36}","resourceVersion":"1","creationTimestamp":"2026-01-02T03:04:05Z","labels":\{"kubernetes.io\/bootstrapping":"rbac-defaults"\},"annotations":\{"rbac.authorization.kubernetes.io\/autoupdate":"true"\}\},"subjects":\[\{"kind":"ServiceAccount","name":"cloud-provider","namespace":"kube-system"\}\],"roleRef":/,
  )
  assert.match(
    text('core/configmaps/kube-system/kube-apiserver-legacy-service-account-token-tracking'),
    /"creationTimestamp":"2026-01-02T03:04:05Z"\},"data":\{"since":"2026-01-02"\}\}$/,
  )
  for (const entry of bootstrapEntries()) {
    const object = JSON.parse(entry.render(identity).bytes.toString()) as { metadata: { uid: string } }
    assert.match(object.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})

test('uids differ by cluster and by object, and stay', () => {
  const one = bootstrapUid(identity.seed, 'core/namespaces//default')
  assert.equal(one, bootstrapUid(identity.seed, 'core/namespaces//default'))
  assert.notEqual(one, bootstrapUid(identity.seed, 'core/namespaces//kube-system'))
  assert.notEqual(one, bootstrapUid('ff', 'core/namespaces//default'))
})

test('aggregated roles hold the rules of what they select', () => {
  const role = (name: string) =>
    (JSON.parse(text(`rbac.authorization.k8s.io/clusterroles//${name}`)) as { rules: object[] }).rules
  const [admin, edit, view] = [role('admin'), role('edit'), role('view')]
  assert.deepEqual(view, role('system:aggregate-to-view'))
  for (const rule of [...view, ...role('system:aggregate-to-edit')]) assert.ok(has(edit, rule))
  for (const rule of [...edit, ...role('system:aggregate-to-admin')]) assert.ok(has(admin, rule))
})

test('clusters share the array, and the CIDR is their own', () => {
  assert.equal(bootstrapEntries(), bootstrapEntries({ serviceCidr: '10.96.0.0/16' }))
  const cidr = text('networking.k8s.io/servicecidrs//kubernetes', { serviceCidr: '10.0.0.0/24,fd00::/112' })
  assert.match(cidr, /"spec":\{"cidrs":\["10.0.0.0\/24","fd00::\/112"\]\}/)
  assert.match(cidr, /"lastTransitionTime":"2026-01-02T03:04:05Z"/)
})

function has(rules: readonly object[], rule: object): boolean {
  return rules.some((one) => JSON.stringify(one) === JSON.stringify(rule))
}
