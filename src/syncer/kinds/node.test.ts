import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../machinery/object.ts'
import { isView, nodeDiffers, nodeView } from './node.ts'

const host = (more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'node-1',
    uid: 'h',
    labels: {
      'kubernetes.io/hostname': 'node-1',
      'topology.kubernetes.io/zone': 'a',
      'node.k8s.io/x': '1',
      'company.example/rack': '7',
      team: 'secret',
      'evilkubernetes.io/x': '1',
    },
    annotations: { 'company.example/owner': 'x' },
  },
  spec: { podCIDR: '10.0.0.0/24', providerID: 'cloud://1', taints: [{ key: 'a', effect: 'NoSchedule' }] },
  status: {
    capacity: { cpu: '4' },
    allocatable: { cpu: '3' },
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '1' }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    nodeInfo: { kubeletVersion: 'v1.37.1' },
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    images: [{ names: ['private/image'] }],
    volumesInUse: ['v'],
    ...more,
  },
})

test('a view has what a tenant may know', () => {
  assert.deepEqual(nodeView(host()), {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'node-1',
      labels: { 'kubernetes.io/hostname': 'node-1', 'topology.kubernetes.io/zone': 'a', 'node.k8s.io/x': '1' },
      annotations: { 'tenantry.dev/view': 'node' },
    },
    spec: {},
    status: {
      capacity: { cpu: '4' },
      allocatable: { cpu: '3' },
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '1' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      nodeInfo: { kubeletVersion: 'v1.37.1' },
    },
  })
})

test('a heartbeat is no difference, a condition is', () => {
  const view = nodeView(host())
  const beat = nodeView(host({ conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2' }] }))
  const down = nodeView(host({ conditions: [{ type: 'Ready', status: 'False', lastHeartbeatTime: '2' }] }))
  assert.equal(nodeDiffers(beat, view), false)
  assert.equal(nodeDiffers(down, view), true)
  assert.equal(nodeDiffers(nodeView(host({ allocatable: { cpu: '2' } })), view), true)
  assert.equal(nodeDiffers(view, { metadata: { name: 'node-1' } }), true)
})

test('only views are views', () => {
  assert.equal(isView(nodeView(host())), true)
  assert.equal(isView({ metadata: { name: 'mine' } }), false)
})
