import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyMergePatch } from '../../machinery/patch/merge.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { tenantView } from '../fixture.ts'
import { services } from './service.ts'

const view = tenantView()

const service = (spec: object, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's' },
  spec,
  ...more,
})

/** What the host's service is after the change that the tenant's asks for. */
function after(tenant: object, host: object): KubeObject['spec'] {
  const desired = services.toHost(service(tenant), view) as { object: KubeObject }
  const change = services.change(desired.object, service(host))
  return change && (applyMergePatch(service(host), change.body) as KubeObject)['spec']
}

const given = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
const port = (port_: number, nodePort?: number) => ({
  port: port_,
  protocol: 'TCP',
  ...(nodePort !== undefined && { nodePort }),
})

test('change: addresses, node ports and defaults of the host are no difference', () => {
  const host = { ...given, type: 'NodePort', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster', ports: [port(80, 30080)] } // prettier-ignore
  assert.equal(after({ type: 'NodePort', ports: [port(80, 31111)] }, host), undefined)
})

test('change: a new port gets no node port from the tenant, old ones keep theirs', () => {
  const host = { ...given, type: 'NodePort', ports: [port(80, 30080)] }
  assert.deepEqual(after({ type: 'NodePort', ports: [port(443, 31111), port(80)] }, host).ports, [
    port(443),
    port(80, 30080),
  ])
})

test('change: node ports go with the type', () => {
  const host = { ...given, type: 'NodePort', ports: [port(80, 30080)] }
  assert.deepEqual(after({ type: 'ClusterIP', ports: [port(80)] }, host), { ...given, type: 'ClusterIP', ports: [port(80)] }) // prettier-ignore
})

test('change: what the tenant took away is taken away, keys of the selector too', () => {
  const host = {
    type: 'LoadBalancer',
    selector: { app: 'web', tier: 'a' },
    loadBalancerSourceRanges: ['10.0.0.0/8'],
    publishNotReadyAddresses: true,
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } },
    loadBalancerClass: 'the-hosts',
  }
  assert.deepEqual(after({ type: 'LoadBalancer', selector: { app: 'web' }, sessionAffinity: 'None' }, host), {
    type: 'LoadBalancer',
    selector: { app: 'web' },
    sessionAffinity: 'None',
    loadBalancerClass: 'the-hosts',
  })
})

test('change: no selector, and an empty one, select nothing', () => {
  for (const selector of [undefined, {}]) {
    const single = tenantView({ mode: 'single' })
    const made = services.toHost(service({ selector, type: 'ClusterIP' }), single) as { object: KubeObject }
    assert.equal(made.object['spec'].selector, undefined)
    const change = services.change(made.object, service({ type: 'ClusterIP', selector: { app: 'web' } }))
    assert.deepEqual(change, { type: 'merge', body: { spec: { selector: null } } })
  }
})

test('up: addresses, families and node ports', () => {
  const host = service({ ...given, type: 'NodePort', ports: [port(80, 30080), port(81, 30081)] }, { status: {} })
  const tenant = service({ type: 'NodePort', clusterIP: '10.9.9.9', ports: [port(81), port(80, 30080)] })
  assert.deepEqual(services.toTenant!(tenant, host, view), {
    patch: { spec: { ...given, ports: [port(81, 30081), port(80, 30080)] } },
  })
})

test('up: nothing while the types differ, for names, and when it is there', () => {
  const status = { loadBalancer: {} }
  const upward = (tenant: object, host: object) => services.toTenant!(service(tenant, { status }), service(host, { status }), view) // prettier-ignore
  assert.deepEqual(upward({ type: 'ClusterIP' }, { ...given, type: 'NodePort' }), {})
  assert.deepEqual(upward({ type: 'ExternalName' }, { type: 'ExternalName' }), {})
  assert.deepEqual(upward({ ...given, type: 'ClusterIP' }, { ...given, type: 'ClusterIP' }), {})
})

test('up: what comes up asks for nothing down', () => {
  const host = service({ ...given, type: 'NodePort', ports: [port(80, 30080)] })
  const { patch } = services.toTenant!(service({ type: 'NodePort', ports: [port(80)] }), host, view)
  const now = applyMergePatch(service({ type: 'NodePort', ports: [port(80)] }), patch!) as KubeObject
  assert.equal(after(now['spec'], host['spec']), undefined)
})
