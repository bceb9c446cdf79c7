/** Connections into the pods of a virtual cluster: they are the host's pods, reached through the host's API server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCluster, createVirtualCluster, resources } from '../src/index.ts'
import { ownAddress } from './aggregation/sample-apiserver.ts'
import { startKubelet } from './connect/kubelet.ts'
import { Admin } from './connect/world.ts'
import { eventually } from './support/eventually.ts'
import { Kubectl } from './support/kubectl.ts'
import { findKubectl, skipWithout } from './support/kubernetes.ts'
import { goProgram } from './support/programs.ts'

const program = goProgram('kubelet')
const skip = skipWithout(program, 'test/clients/kubelet') || skipWithout(findKubectl(), 'kubectl')

const PODS = '/api/v1/namespaces/default/pods'

test('a tenant’s connections reach its pods on the host, and nothing else', { skip }, async () => {
  const address = ownAddress()
  await using host = await createCluster({ nodes: 0 })
  const admin = new Admin(host.kubeconfig)
  await using kubelet = await startKubelet(program!, admin.ca, address)
  await admin.make('/api/v1/nodes', { metadata: { name: 'one' } })
  const room = { cpu: '4', memory: '4Gi', pods: '10' }
  await admin.patch('/api/v1/nodes/one/status', {
    status: {
      capacity: room,
      allocatable: room,
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: new Date().toISOString().replace(/\.\d+/, '') }],
      addresses: [{ type: 'InternalIP', address }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
    },
  })
  await admin.patch('/api/v1/nodes/one', { spec: { taints: null } })
  await using tenant = await createVirtualCluster({ host, name: 'team' })
  const own = new Admin(tenant.kubeconfig)
  await eventually('the account is there', async () => {
    const { code } = await own.ask('GET', '/api/v1/namespaces/default/serviceaccounts/default')
    return code === 200
  })
  const spec = {
    containers: [{ name: 'main', image: 'i', ports: [{ containerPort: kubelet.page }] }],
    automountServiceAccountToken: false,
  }
  await own.make(PODS, { metadata: { name: 'web', labels: { app: 'web' } }, spec })
  await own.make('/api/v1/namespaces/default/services', {
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: kubelet.page }] },
  })
  const labelSelector = `tenantry.dev/cluster-uid=${tenant.object.metadata.uid!}`
  const pod = await eventually('the pod is bound on the host', async () => {
    const { items } = await host.client.list(resources.pods, { labelSelector })
    return items.find((each) => each['spec'].nodeName === 'one')
  })
  const { namespace, name } = pod.metadata
  const state = { running: { startedAt: new Date().toISOString().replace(/\.\d+/, '') } }
  await admin.patch(`/api/v1/namespaces/${namespace!}/pods/${name!}/status`, {
    status: {
      phase: 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'main', image: 'i', imageID: 'i', ready: true, restartCount: 0, state }],
    },
  })
  await eventually('the tenant sees it run', async () => {
    const { text } = await own.ask('GET', `${PODS}/web`)
    return text.includes('"phase":"Running"')
  })

  using kubectl = new Kubectl(findKubectl()!, tenant.kubeconfig)
  for (const websockets of ['true', 'false']) {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: websockets }
    const command = ['exec', '-i', 'web', '--', 'sh', '-c', 'echo $POD; cat; exit 3']
    const { stdout, code } = await kubectl.try(command, { env, stdin: 'typed' })
    assert.deepEqual([stdout, code], [`${name!}\ntyped`, 3])
  }

  const told = async (path: string) => {
    const { code, text } = await own.ask('GET', path)
    return code === 200 ? (JSON.parse(text) as { uri: string }).uri : `${code} ${text}`
  }
  assert.equal(await told(`${PODS}/web/proxy/a?b=c`), '/a?b=c')
  await eventually('the Service has endpoints on the host', async () => {
    return (await told('/api/v1/namespaces/default/services/web:http/proxy/x')) === '/x'
  })

  // What the tenant says of addresses counts for nothing.
  const elsewhere = { podIP: '169.254.169.254', podIPs: [{ ip: '169.254.169.254' }] }
  await own.patch(`${PODS}/web/status`, { status: elsewhere })
  assert.equal(await told(`${PODS}/web/proxy/a`), '/a')
  await own.make('/api/v1/nodes', { metadata: { name: 'mine' } })
  await own.make(PODS, { metadata: { name: 'odd' }, spec: { ...spec, nodeName: 'mine', hostNetwork: true } })
  const { text } = await own.ask('POST', `${PODS}/odd/exec?command=true&stdout=true`, undefined, {
    connection: 'Upgrade',
    upgrade: 'SPDY/3.1',
  })
  assert.equal((JSON.parse(text) as { message: string }).message, 'pod odd does not have a host assigned')
  const node = await own.ask('GET', '/api/v1/nodes/one/proxy/pods')
  assert.equal(node.code, 503)
  assert.match(node.text, /nodes of the host are not reached through a virtual cluster/)

  // This kubelet does not end pods.
  await own.ask('DELETE', `${PODS}/web?gracePeriodSeconds=0`)
  await own.ask('DELETE', `${PODS}/odd?gracePeriodSeconds=0`)
  await admin.ask('DELETE', `/api/v1/namespaces/${namespace!}/pods/${name!}?gracePeriodSeconds=0`)
})
