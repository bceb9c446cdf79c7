import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import type { Pod } from '../objects.ts'
import type { Revision } from '../history.ts'
import { workloads } from '../resources.ts'
import { hostControllers } from '../sets.ts'
import type { DaemonSet } from './objects.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }
const host = (nodes: number): Promise<LoopCluster> => loopCluster(hostControllers({ ...FACTS, nodes }))

function set(name: string, more: object = {}): object {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'nginx:1' }] } }
  return { metadata: { name }, spec: { selector: { matchLabels: { app: name } }, template, ...more } }
}

const podsOf = async (cluster: LoopCluster, app: string): Promise<Pod[]> =>
  (await cluster.client.list<Pod>(resources.pods, { namespace: 'default', labelSelector: `app=${app}` })).items

const rolledOut = (cluster: LoopCluster, name: string, nodes: number): Promise<DaemonSet> =>
  cluster.until(`${name} on ${nodes} nodes`, async () => {
    const found = (await cluster.find(workloads.daemonsets, 'default', name)) as DaemonSet
    const { status, metadata } = found
    return (
      status?.observedGeneration === metadata.generation &&
      status?.desiredNumberScheduled === nodes &&
      (status?.updatedNumberScheduled ?? 0) === nodes &&
      (status?.numberAvailable ?? 0) === nodes &&
      found
    )
  })

const patch = (cluster: LoopCluster, name: string, spec: object): Promise<unknown> =>
  cluster.client.patch(workloads.daemonsets, name, { type: 'strategic', body: { spec } }, { namespace: 'default' })

const image = (text: string): object => ({ template: { spec: { containers: [{ name: 'main', image: text }] } } })

for (const [how, rollingUpdate] of [
  ['one by one', { maxUnavailable: 1, maxSurge: 0 }],
  ['with a surge', { maxUnavailable: 0, maxSurge: 1 }],
] as const) {
  test(`a pod on each node, updates ${how}, a roll-back restarts nothing that fits`, async () => {
    await using cluster = await host(3)
    await cluster.create(workloads.daemonsets, set('d', { updateStrategy: { type: 'RollingUpdate', rollingUpdate } }))
    await rolledOut(cluster, 'd', 3)
    const pods = await podsOf(cluster, 'd')
    assert.deepEqual(new Set(pods.map((pod) => pod.spec.nodeName)).size, 3)
    await patch(cluster, 'd', image('nginx:2'))
    await rolledOut(cluster, 'd', 3)
    await cluster.until('only new pods', async () => {
      const now = await podsOf(cluster, 'd')
      return now.length === 3 && now.every((pod) => pod.spec.containers[0]!.image === 'nginx:2')
    })
    const revisions = async (): Promise<number[]> =>
      (await cluster.client.list(workloads.controllerrevisions, { namespace: 'default' })).items
        .map((one) => one['revision'] as number)
        .toSorted((a, b) => a - b)
    assert.deepEqual(await revisions(), [1, 2])
    const { items } = await cluster.client.list(workloads.controllerrevisions, { namespace: 'default' })
    for (const { data } of items as Revision[]) {
      const { template } = data.spec
      assert.deepEqual(Object.keys(template), Object.keys(template).toSorted())
      assert.deepEqual(Object.keys(template.spec), Object.keys(template.spec).toSorted())
    }
    await patch(cluster, 'd', image('nginx:1'))
    await rolledOut(cluster, 'd', 3)
    assert.deepEqual(await revisions(), [2, 3])
    assert.deepEqual(cluster.complaints, [])
  })
}

test('nodes that come, go and are tainted; failed pods are made anew', async () => {
  await using cluster = await host(2)
  await cluster.create(workloads.daemonsets, set('d', {}))
  await rolledOut(cluster, 'd', 2)
  const taint = (taints: object[]): Promise<unknown> =>
    cluster.client.patch(resources.nodes, 'node-1', { type: 'merge', body: { spec: { taints } } })
  await taint([{ key: 'k', effect: 'NoExecute' }])
  await rolledOut(cluster, 'd', 1)
  await cluster.until('one pod', async () => (await podsOf(cluster, 'd')).length === 1)
  await taint([])
  await rolledOut(cluster, 'd', 2)
  const [pod] = await podsOf(cluster, 'd')
  const status = { ...pod!.status, phase: 'Failed', reason: 'Evicted' }
  await cluster.client.update(resources.pods, { ...pod!, status }, { subresource: 'status', namespace: 'default' })
  await cluster.until('another', async () => {
    const now = await podsOf(cluster, 'd')
    return (
      now.length === 2 &&
      now.every(({ metadata, status: is }) => metadata.uid !== pod!.metadata.uid && is?.phase === 'Running')
    )
  })
  assert.deepEqual(cluster.complaints, [])
})

test('a set for some nodes only', async () => {
  await using cluster = await host(3)
  const labels = { metadata: { labels: { disk: 'ssd' } } }
  await cluster.until('the nodes', async () => (await cluster.client.list(resources.nodes)).items.length === 3)
  await cluster.client.patch(resources.nodes, 'node-2', { type: 'merge', body: labels })
  const template = {
    metadata: { labels: { app: 'd' } },
    spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'main', image: 'nginx:1' }] },
  }
  await cluster.create(workloads.daemonsets, set('d', { template }))
  await rolledOut(cluster, 'd', 1)
  assert.deepEqual(
    (await podsOf(cluster, 'd')).map((pod) => pod.spec.nodeName),
    ['node-2'],
  )
})
