import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { findCondition } from '../conditions.ts'
import { loopCluster } from '../fixture.ts'
import type { Pod } from '../objects.ts'
import { isReady } from '../pods.ts'
import { hostControllers } from '../sets.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }

function pod(name: string, priority: number, cpu: string, more: object = {}): object {
  const containers = [{ name: 'main', image: 'nginx', resources: { requests: { cpu } } }]
  return { metadata: { name, ...more }, spec: { priorityClassName: `p${priority}`, containers } }
}

test('an important pod takes the place of a less important one, which is told so and may end in peace', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  const find = async (name: string) => (await cluster.find(resources.pods, 'default', name)) as Pod | undefined
  const ready = async (name: string): Promise<boolean> => {
    const found = await find(name)
    return found !== undefined && isReady(found)
  }
  for (const value of [1, 2, 3])
    await cluster.create(resources.priorityclasses, { metadata: { name: `p${value}` }, value })
  await cluster.create(resources.pods, pod('low', 1, '100', { finalizers: ['example.com/look'] }))
  await cluster.create(resources.pods, pod('medium', 2, '100'))
  await cluster.until('both', async () => (await ready('low')) && (await ready('medium')))

  await cluster.create(resources.pods, pod('high', 3, '100'))
  await cluster.until('the nomination', async () => (await find('high'))?.status?.nominatedNodeName === 'node-1')
  const low = await cluster.until('the victim', async () => {
    const found = await find('low')
    return found?.metadata.deletionTimestamp === undefined ? undefined : found
  })
  const condition = findCondition(low.status?.conditions, 'DisruptionTarget')!
  assert.equal(condition.status, 'True')
  assert.equal(condition.reason, 'PreemptionByScheduler')
  assert.equal(condition.message, 'default-scheduler: preempting to accommodate a higher priority pod')
  assert.equal(low.metadata.deletionGracePeriodSeconds, 30)

  // It would fit where the victim was, but another waits for that.
  await cluster.create(resources.pods, pod('late', 1, '100'))
  await cluster.until('the important one', () => ready('high'))
  assert.ok(await ready('medium'))
  const late = await cluster.until('the late one', async () => {
    const found = await find('late')
    return findCondition(found?.status?.conditions, 'PodScheduled')?.status === 'False' ? found : undefined
  })
  assert.equal(late.spec.nodeName, undefined)
  assert.equal((await find('high'))!.status!.nominatedNodeName, undefined)
  const events = (await cluster.client.list(resources.events, { namespace: 'default' })).items
  assert.equal(events.filter((event) => event['reason'] === 'Preempted').length, 1)
  assert.deepEqual(cluster.complaints, [])
})

test('a pod whose host port is held by another of its node is rejected, and never runs', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  const bound = (name: string): object => ({
    metadata: { name },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'main', image: 'nginx', ports: [{ containerPort: 80, hostPort: 8080 }] }],
    },
  })
  const find = async (name: string) => (await cluster.find(resources.pods, 'default', name)) as Pod
  await cluster.create(resources.pods, bound('first'))
  await cluster.until('the first', async () => isReady(await find('first')))
  await cluster.create(resources.pods, bound('second'))
  const second = await cluster.until('the second', async () => {
    const found = await find('second')
    return found.status?.phase === 'Failed' ? found : undefined
  })
  assert.equal(second.status!.reason, 'NodePorts')
  assert.match(second.status!.message!, /^Pod was rejected: Predicate NodePorts failed: /)
  assert.equal(second.status!.containerStatuses, undefined)
  await cluster.client.delete(resources.pods, 'first', { namespace: 'default', gracePeriodSeconds: 0 })
  await cluster.create(resources.pods, bound('third'))
  await cluster.until('the third', async () => isReady(await find('third')))
})
