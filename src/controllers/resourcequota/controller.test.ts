import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { StatusError } from '../../machinery/status.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import { workloads } from '../resources.ts'
import { hostControllers } from '../sets.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }
const host = (): Promise<LoopCluster> => loopCluster(hostControllers({ ...FACTS, nodes: 1 }))

function quota(hard: Record<string, string>, more: object = {}): object {
  return { metadata: { name: 'q' }, spec: { hard, ...more } }
}

function pod(name: string, requests: object | undefined, more: object = {}): object {
  const container = { name: 'a', image: 'a', ...(requests === undefined ? {} : { resources: { requests } }) }
  return { metadata: { name }, spec: { containers: [container], ...more } }
}

async function usedIs(cluster: LoopCluster, used: Record<string, string>): Promise<void> {
  let last: unknown
  await cluster
    .until(`used ${JSON.stringify(used)}`, async () => {
      last = (await cluster.find(workloads.resourcequotas, 'default', 'q'))?.['status']?.used
      return JSON.stringify(sorted(last)) === JSON.stringify(sorted(used))
    })
    .catch((error: unknown) => {
      throw new Error(`used is ${JSON.stringify(last)}`, { cause: error })
    })
}

const sorted = (map: unknown): unknown => Object.entries((map ?? {}) as object).toSorted(([a], [b]) => (a < b ? -1 : 1))

async function outcome(what: Promise<unknown>): Promise<string> {
  try {
    await what
    return 'made'
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`
    throw error
  }
}

test('what is used is charged, refused beyond the limit, and given back', async () => {
  await using cluster = await host()
  await cluster.create(workloads.resourcequotas, quota({ pods: '2', 'requests.cpu': '1', 'count/configmaps': '2' }))
  await usedIs(cluster, { pods: '0', 'requests.cpu': '0', 'count/configmaps': '1' })
  const create = (object: object): Promise<string> => outcome(cluster.create(resources.pods, object))
  assert.equal(
    await create(pod('plain', undefined)),
    '403 pods "plain" is forbidden: failed quota: q: must specify requests.cpu for: a',
  )
  assert.equal(await create(pod('one', { cpu: '400m' })), 'made')
  await usedIs(cluster, { pods: '1', 'requests.cpu': '400m', 'count/configmaps': '1' })
  assert.equal(
    await create(pod('big', { cpu: '700m' })),
    '403 pods "big" is forbidden: exceeded quota: q, requested: requests.cpu=700m, used: requests.cpu=400m, limited: requests.cpu=1',
  )
  assert.equal(await create(pod('two', { cpu: '100m' })), 'made')
  assert.equal(
    await create(pod('three', { cpu: '100m' })),
    '403 pods "three" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
  )
  await cluster.client.delete(resources.pods, 'one', { namespace: 'default', gracePeriodSeconds: 0 })
  await usedIs(cluster, { pods: '1', 'requests.cpu': '100m', 'count/configmaps': '1' })
  assert.equal(await create(pod('three', { cpu: '900m' })), 'made')
  assert.equal(await outcome(cluster.create(resources.configmaps, { metadata: { name: 'a' } })), 'made')
  assert.match(
    await outcome(cluster.create(resources.configmaps, { metadata: { name: 'b' } })),
    /^403 configmaps "b" is forbidden: exceeded quota: q, requested: count\/configmaps=1, used: count\/configmaps=2/,
  )
  assert.deepEqual(cluster.complaints, [])
})

test('many writers together get exactly what there is', async () => {
  await using cluster = await host()
  await cluster.create(workloads.resourcequotas, quota({ pods: '5', 'count/secrets': '7' }))
  await usedIs(cluster, { pods: '0', 'count/secrets': '0' })
  const pods = Array.from({ length: 40 }, (_, i) => outcome(cluster.create(resources.pods, pod(`p${i}`, undefined))))
  const secrets = Array.from({ length: 40 }, (_, i) =>
    outcome(cluster.create(resources.secrets, { metadata: { name: `s${i}` } })),
  )
  const made = (results: string[]): number => results.filter((one) => one === 'made').length
  assert.deepEqual([made(await Promise.all(pods)), made(await Promise.all(secrets))], [5, 7])
  await usedIs(cluster, { pods: '5', 'count/secrets': '7' })
})

test('a refused, failed or dry write is not charged', async () => {
  await using cluster = await host()
  await cluster.create(workloads.resourcequotas, quota({ 'count/configmaps': '3' }))
  await usedIs(cluster, { 'count/configmaps': '1' })
  const map = { metadata: { name: 'a' } }
  await cluster.client.create(resources.configmaps, map, { namespace: 'default', dryRun: true })
  await cluster.create(resources.configmaps, map)
  assert.match(await outcome(cluster.create(resources.configmaps, map)), /^409/)
  assert.match(await outcome(cluster.create(resources.configmaps, { metadata: { name: 'A' } })), /^422/)
  const now = (await cluster.find(workloads.resourcequotas, 'default', 'q'))!
  assert.deepEqual(now['status'].used, { 'count/configmaps': '2' })
})

test('scopes: a quota is about what fits them, and finished pods are given back', async () => {
  await using cluster = await host()
  await cluster.create(workloads.resourcequotas, quota({ pods: '1' }, { scopes: ['NotBestEffort'] }))
  await usedIs(cluster, { pods: '0' })
  assert.equal(await outcome(cluster.create(resources.pods, pod('best', undefined))), 'made')
  const short = { restartPolicy: 'Never' }
  const command = { name: 'a', image: 'busybox', command: ['true'], resources: { requests: { cpu: '1m' } } }
  const brief = { metadata: { name: 'brief' }, spec: { ...short, containers: [command] } }
  assert.equal(await outcome(cluster.create(resources.pods, brief)), 'made')
  await cluster.until('it has ended', async () => {
    const found = await cluster.find(resources.pods, 'default', 'brief')
    return found?.['status'].phase === 'Succeeded'
  })
  await usedIs(cluster, { pods: '0' })
  assert.equal(await outcome(cluster.create(resources.pods, pod('next', { cpu: '1m' }))), 'made')
  assert.match(await outcome(cluster.create(resources.pods, pod('more', { cpu: '1m' }))), /^403/)
})

test('services are charged by what they take, and a change is charged by its difference', async () => {
  await using cluster = await host()
  await cluster.create(workloads.resourcequotas, quota({ services: '2', 'services.nodeports': '1' }))
  await usedIs(cluster, { services: '1', 'services.nodeports': '0' })
  await cluster.create(resources.services, { metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } })
  const patch = (spec: object): Promise<string> =>
    outcome(cluster.client.patch(resources.services, 'a', { type: 'merge', body: { spec } }, { namespace: 'default' }))
  assert.equal(await patch({ type: 'NodePort' }), 'made')
  await usedIs(cluster, { services: '2', 'services.nodeports': '1' })
  assert.match(
    await patch({
      ports: [
        { name: 'x', port: 80 },
        { name: 'y', port: 81 },
      ],
    }),
    /^403 services "a" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1/,
  )
  assert.equal(await patch({ type: 'ClusterIP' }), 'made')
  await usedIs(cluster, { services: '2', 'services.nodeports': '0' })
})

test('claims of devices are charged per class, and give back what they held', async () => {
  await using cluster = await host()
  const name = 'gpu.deviceclass.resource.k8s.io/devices'
  const claim = (called: string, request: object): object => ({
    metadata: { name: called },
    spec: { devices: { requests: [{ name: 'r', ...request }] } },
  })
  const create = (object: object): Promise<string> => outcome(cluster.create(workloads.resourceclaims, object))
  assert.equal(await create(claim('one', { exactly: { deviceClassName: 'gpu', count: 2 } })), 'made')
  await cluster.create(workloads.resourcequotas, quota({ [name]: '5' }))
  await usedIs(cluster, { [name]: '2' })
  const firstAvailable = [
    { name: 'a', deviceClassName: 'gpu', count: 1 },
    { name: 'b', deviceClassName: 'gpu', count: 3 },
  ]
  assert.equal(await create(claim('two', { firstAvailable })), 'made')
  await usedIs(cluster, { [name]: '5' })
  assert.equal(
    await create(claim('all', { exactly: { deviceClassName: 'gpu', allocationMode: 'All' } })),
    `403 resourceclaims.resource.k8s.io "all" is forbidden: exceeded quota: q, requested: ${name}=32, used: ${name}=5, limited: ${name}=5`,
  )
  await cluster.client.delete(workloads.resourceclaims, 'two', { namespace: 'default' })
  await usedIs(cluster, { [name]: '2' })
})
