import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { loopCluster } from '../fixture.ts'
import { controllerOf } from '../meta.ts'
import type { Pod, ReplicaSet } from '../objects.ts'
import { workloads } from '../resources.ts'
import { hostControllers } from '../sets.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }

test('a ReplicationController makes, adopts, releases and removes pods', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  const containers = [{ name: 'main', image: 'nginx:1' }]
  await cluster.create(resources.pods, { metadata: { name: 'stray', labels: { app: 'rc' } }, spec: { containers } })
  await cluster.create(workloads.replicationcontrollers, {
    metadata: { name: 'rc' },
    spec: { replicas: 2, template: { metadata: { labels: { app: 'rc' } }, spec: { containers } } },
  })
  const find = async (): Promise<ReplicaSet> =>
    (await cluster.find(workloads.replicationcontrollers, 'default', 'rc')) as ReplicaSet
  await cluster.until('two ready', async () => (await find()).status?.availableReplicas === 2)
  const pods = async (): Promise<Pod[]> => (await cluster.client.list<Pod>(resources.pods)).items
  assert.deepEqual(
    (await pods()).map((pod) => controllerOf(pod)?.kind),
    ['ReplicationController', 'ReplicationController'],
  )
  assert.equal((await find()).status!.terminatingReplicas, undefined)
  const label = { metadata: { labels: { app: 'other' } } }
  await cluster.client.patch(resources.pods, 'stray', { type: 'merge', body: label }, { namespace: 'default' })
  await cluster.until('a third pod', async () => (await pods()).length === 3 && (await find()).status!.replicas === 2)
  assert.equal(controllerOf((await pods()).find((pod) => pod.metadata.name === 'stray')!), undefined)
  const body = { spec: { replicas: 0 } }
  await cluster.client.patch(workloads.replicationcontrollers, 'rc', { type: 'merge', body }, { namespace: 'default' })
  await cluster.until('none', async () => (await find()).status!.replicas === 0 && (await pods()).length === 1)
  assert.deepEqual(cluster.complaints, [])
})
