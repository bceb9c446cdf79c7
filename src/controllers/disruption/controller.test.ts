import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { StatusError } from '../../machinery/status.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import type { Pod } from '../objects.ts'
import { hostControllers } from '../sets.ts'
import type { Budget } from './budget.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }

function deployment(name: string, replicas: number): object {
  const containers = [{ name: 'main', image: 'nginx:1' }]
  const template = { metadata: { labels: { app: name } }, spec: { containers } }
  return { metadata: { name }, spec: { replicas, selector: { matchLabels: { app: name } }, template } }
}

const statusOf = async (cluster: LoopCluster): Promise<Budget['status']> =>
  ((await cluster.find(resources.poddisruptionbudgets, 'default', 'b')) as Budget).status

const allows = (cluster: LoopCluster, allowed: number, healthy: number): Promise<unknown> =>
  cluster.until(`${allowed} disruptions`, async () => {
    const status = await statusOf(cluster)
    return status?.disruptionsAllowed === allowed && status.currentHealthy === healthy
  })

async function evict(cluster: LoopCluster, name: string): Promise<string> {
  try {
    const where = { namespace: 'default', name, subresource: 'eviction' }
    await cluster.client.create(resources.pods, { metadata: { name, namespace: 'default' } }, where)
    return 'evicted'
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return `${error.code} ${error.status.details?.causes?.[0]?.message}`
  }
}

const podNames = async (cluster: LoopCluster): Promise<string[]> =>
  (await cluster.client.list<Pod>(resources.pods, { namespace: 'default' })).items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((pod) => pod.metadata.name!)

test('a budget lets as many pods go as it says, again and again', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 2 }))
  await cluster.create(resources.poddisruptionbudgets, {
    metadata: { name: 'b' },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
  })
  await allows(cluster, 0, 0)
  await cluster.create(resources.deployments, deployment('web', 3))
  await allows(cluster, 1, 3)
  const before = await podNames(cluster)
  assert.equal(await evict(cluster, before[0]!), 'evicted')
  assert.match(await evict(cluster, before[1]!), /^429 The disruption budget b /)
  await allows(cluster, 1, 3)
  assert.equal(await evict(cluster, before[1]!), 'evicted')
  await allows(cluster, 1, 3)
  assert.equal((await statusOf(cluster))!.expectedPods, 3)
  const status = await statusOf(cluster)
  assert.deepEqual(
    [status!.observedGeneration, status!.desiredHealthy, status!.conditions![0]!.reason, status!.disruptedPods],
    [1, 2, 'SufficientPods', undefined],
  )
  const body = { spec: { maxUnavailable: 0 } }
  await cluster.client.patch(resources.poddisruptionbudgets, 'b', { type: 'merge', body }, { namespace: 'default' })
  await allows(cluster, 0, 3)
  assert.equal((await statusOf(cluster))!.observedGeneration, 2)
  const [third] = await podNames(cluster)
  assert.equal(await evict(cluster, third!), '429 The disruption budget b needs 3 healthy pods and has 3 currently')
  assert.deepEqual(cluster.complaints, [])
})

test('pods of custom resources are counted by their scale; without one nothing may go', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
  const version = { name: 'v1', served: true, storage: true, schema, subresources: { scale } }
  await cluster.create(resources.customresourcedefinitions, {
    metadata: { name: 'gangs.example.com' },
    spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'gangs', kind: 'Gang' }, versions: [version] },
  })
  const gangs = { group: 'example.com', version: 'v1', resource: 'gangs', kind: 'Gang', namespaced: true }
  const gang = await cluster.until('the kind', async () => {
    try {
      return await cluster.create(gangs, {
        apiVersion: 'example.com/v1',
        kind: 'Gang',
        metadata: { name: 'g' },
        spec: { replicas: 4 },
      })
    } catch (error) {
      if (error instanceof StatusError) return undefined
      throw error
    }
  })
  await cluster.create(resources.poddisruptionbudgets, {
    metadata: { name: 'b' },
    spec: { minAvailable: '50%', selector: {} },
  })
  const member = (name: string, uid: string): Promise<unknown> =>
    cluster.create(resources.pods, {
      metadata: {
        name,
        ownerReferences: [{ apiVersion: 'example.com/v1', kind: 'Gang', name: 'g', uid, controller: true }],
      },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    })
  for (const name of ['x', 'y', 'z']) await member(name, gang.metadata.uid!)
  await allows(cluster, 1, 3)
  assert.equal((await statusOf(cluster))!.expectedPods, 4)
  assert.equal((await statusOf(cluster))!.desiredHealthy, 2)
})
