import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../machinery/object.ts'
import { tenantPod, tenantView } from '../fixture.ts'
import { toTenantEvent } from './event.ts'

function event(host: KubeObject, message: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${host.metadata.name!}.17f0`, namespace: host.metadata.namespace!, uid: 'e', resourceVersion: '9' },
    involvedObject: { kind: 'Pod', apiVersion: 'v1', name: host.metadata.name!, namespace: host.metadata.namespace!, uid: 'h', fieldPath: 'spec.containers{c}' },
    related: { kind: 'Node', name: 'secret' },
    message,
    reason: 'Pulled',
    type: 'Normal',
    count: 3,
    source: { component: 'kubelet', host: 'node-1' },
  } // prettier-ignore
}

for (const mode of ['namespaces', 'single'] as const) {
  const { tenant } = tenantView({ mode })
  const pod = tenantPod()
  const host: KubeObject = {
    metadata: { name: tenant.placement.name('shop', 'web'), namespace: tenant.placement.namespace('shop'), uid: 'h' },
  }
  const { name, namespace } = host.metadata

  test(`${mode}: an event speaks of the tenant's object`, () => {
    const got = toTenantEvent(event(host, `pod ${namespace}/${name} and ${name} of a team`), host, pod, tenant)
    assert.deepEqual(got, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'web.17f0', namespace: 'shop' },
      involvedObject: {
        kind: 'Pod',
        apiVersion: 'v1',
        name: 'web',
        namespace: 'shop',
        uid: 'u-web',
        resourceVersion: '7',
        fieldPath: 'spec.containers{c}',
      },
      message: 'pod shop/web and web of a team',
      reason: 'Pulled',
      type: 'Normal',
      count: 3,
      source: { component: 'kubelet', host: 'node-1' },
    })
  })
}

test('a name with signs that replacing knows stays as it is', () => {
  const { tenant } = tenantView()
  const host: KubeObject = { metadata: { name: 'web', namespace: tenant.placement.namespace('shop'), uid: 'h' } }
  const pod = tenantPod()
  assert.equal(toTenantEvent(event(host, 'cost $& $1 (web)'), host, pod, tenant)['message'], 'cost $& $1 (web)')
})
