import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../machinery/object.ts'
import { tenantPod, tenantView } from '../fixture.ts'
import { pods } from './pod.ts'

const view = tenantView()
const condition = (type: string, status: string, more: object = {}) => ({ type, status, ...more })

/** A pod of the host with this spec and status. */
function hostPod(spec: object = {}, status: object = {}, metadata: object = {}): KubeObject {
  const made = pods.toHost(tenantPod(), view) as { object: KubeObject }
  return {
    ...made.object,
    metadata: { ...made.object.metadata, ...metadata },
    spec: { ...made.object['spec'], ...spec },
    status,
  }
}

function change(tenantSpec: Record<string, unknown>, hostSpec: object) {
  const desired = pods.toHost(tenantPod(tenantSpec), view) as { object: KubeObject }
  return pods.change(desired.object, hostPod(hostSpec))
}

const image = (name: string, image_: string) => ({ name, image: image_ })

test('change: nothing', () => assert.equal(change({}, {}), undefined))

test('change: images, by the container’s name; containers that the host added stay', () => {
  const spec = {
    containers: [image('a', 'one:2'), image('b', 'two')],
    initContainers: [image('i', 'init:2')],
  }
  const host = {
    containers: [image('sidecar', 'proxy'), image('a', 'one:1'), image('b', 'two')],
    initContainers: [image('i', 'init:1')],
  }
  assert.deepEqual(change(spec, host), {
    type: 'strategic',
    body: { spec: { containers: [image('a', 'one:2')], initContainers: [image('i', 'init:2')] } },
  })
})

test('change: a deadline, tolerations that came, gates that went', () => {
  const toleration = { key: 'a', operator: 'Exists' }
  const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists' }
  const body = change(
    { activeDeadlineSeconds: 5, tolerations: [toleration], schedulingGates: [{ name: 'b' }] },
    { activeDeadlineSeconds: 9, tolerations: [own], schedulingGates: [{ name: 'a' }, { name: 'b' }] },
  )?.body
  assert.deepEqual(body, {
    spec: {
      activeDeadlineSeconds: 5,
      tolerations: [own, toleration],
      schedulingGates: [{ $patch: 'replace' }, { name: 'b' }],
    },
  })
})

test('change: what only the host decides is no difference', () => {
  const host = { nodeName: 'n', priority: 5, serviceAccountName: 'default', affinity: {}, tolerations: [{ key: 'x' }] }
  assert.equal(change({}, host), undefined)
})

test('up: the node first, then the status', () => {
  const host = hostPod({ nodeName: 'node-1' }, { phase: 'Running', podIP: '10.1.1.1' })
  const status = { phase: 'Running', podIP: '10.1.1.1', qosClass: 'Burstable' }
  const pod = tenantPod({}, { status: { phase: 'Pending', qosClass: 'Burstable' } })
  assert.deepEqual(pods.toTenant!(pod, host, view), { bind: 'node-1', status })
  assert.deepEqual(pods.toTenant!(tenantPod({ nodeName: 'node-1' }, { status }), host, view), {})
})

test('up: generations are the tenant’s', () => {
  const host = hostPod({}, { observedGeneration: 3, conditions: [condition('Ready', 'True', { observedGeneration: 3 })] }, { generation: 3 }) // prettier-ignore
  const pod = tenantPod({}, { status: { phase: 'Pending', observedGeneration: 1 } })
  pod.metadata.generation = 8
  const seen = (generation: number) => {
    host.metadata.generation = generation
    const { observedGeneration, conditions } = pods.toTenant!(pod, host, view).status as KubeObject
    return [observedGeneration, conditions[0].observedGeneration]
  }
  assert.deepEqual(seen(3), [8, 8])
  assert.deepEqual(seen(4), [1, 1], 'the kubelet is behind')
})

const gated = { readinessGates: [{ conditionType: 'example.com/a' }, { conditionType: 'Ready' }] }

test('up: conditions of readiness gates stay the tenant’s, written only over what was read', () => {
  const host = hostPod(gated, { conditions: [condition('Ready', 'False'), condition('example.com/a', 'False')] })
  const pod = tenantPod(gated, { status: { conditions: [condition('example.com/a', 'True'), condition('Ready', 'True')] } }) // prettier-ignore
  const upward = pods.toTenant!(pod, host, view)
  assert.deepEqual(upward, {
    exact: true,
    status: { conditions: [condition('Ready', 'False'), condition('example.com/a', 'True')], qosClass: undefined },
  })
})

test('down: conditions of readiness gates, but none of the kubelet’s', () => {
  const pod = tenantPod(gated, {
    status: { conditions: [condition('example.com/a', 'True', { observedGeneration: 4 }), condition('Ready', 'True')] },
  })
  const host = (status: string) => hostPod(gated, { conditions: [condition('example.com/a', status)] })
  assert.deepEqual(pods.statusChange!(pod, host('False')), { conditions: [condition('example.com/a', 'True')] })
  assert.deepEqual(pods.statusChange!(pod, hostPod(gated)), { conditions: [condition('example.com/a', 'True')] })
  assert.equal(pods.statusChange!(pod, host('True')), undefined)
  assert.equal(pods.statusChange!(tenantPod({}, { status: pod['status'] }), host('False')), undefined)
})

test('a token for each account and audience; no audience and an empty one are the same', () => {
  const names = (account: string, audience?: string) => {
    const sources = [{ serviceAccountToken: { path: 't', ...(audience !== undefined && { audience }) } }]
    const pod = tenantPod({ serviceAccountName: account, volumes: [{ name: 'v', projected: { sources } }] })
    const made = pods.toHost(pod, view) as { object: KubeObject }
    return made.object['spec'].volumes[0].projected.sources[0].secret.name as string
  }
  assert.equal(names('a'), names('a', ''))
  assert.equal(new Set([names('a'), names('b'), names('a', 'x'), names('a', 'b')]).size, 4)
})
