import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import { controllerOf } from '../meta.ts'
import type { Pod } from '../objects.ts'
import { workloads } from '../resources.ts'
import { hostControllers } from '../sets.ts'
import type { StatefulSet } from './objects.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }
const host = (): Promise<LoopCluster> => loopCluster(hostControllers({ ...FACTS, nodes: 2 }))

function set(name: string, replicas: number, more: object = {}): object {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'nginx:1' }] } }
  return {
    metadata: { name },
    spec: { replicas, serviceName: name, selector: { matchLabels: { app: name } }, template, ...more },
  }
}

const find = async (cluster: LoopCluster, name: string): Promise<StatefulSet> =>
  (await cluster.find(workloads.statefulsets, 'default', name)) as StatefulSet

const podsOf = async (cluster: LoopCluster, app: string): Promise<Pod[]> =>
  (await cluster.client.list<Pod>(resources.pods, { namespace: 'default', labelSelector: `app=${app}` })).items

const claims = async (cluster: LoopCluster): Promise<string[]> =>
  (await cluster.client.list(workloads.persistentvolumeclaims, { namespace: 'default' })).items.map(
    ({ metadata }) => metadata.name!,
  )

/** As `kubectl rollout status` sees it. */
const rolledOut = (cluster: LoopCluster, name: string): Promise<StatefulSet> =>
  cluster.until(`${name} rolled out`, async () => {
    const found = await find(cluster, name)
    const { status, spec, metadata } = found
    return (
      status?.observedGeneration === metadata.generation &&
      (status?.readyReplicas ?? 0) === spec.replicas &&
      (status?.updatedReplicas ?? 0) === spec.replicas &&
      status?.replicas === spec.replicas &&
      status?.currentRevision === status?.updateRevision &&
      found
    )
  })

const patch = (cluster: LoopCluster, name: string, spec: object): Promise<unknown> =>
  cluster.client.patch(workloads.statefulsets, name, { type: 'strategic', body: { spec } }, { namespace: 'default' })

const image = (text: string): object => ({ template: { spec: { containers: [{ name: 'main', image: text }] } } })

test('pods come one after the other, with names, and go highest first', async () => {
  await using cluster = await host()
  const born: string[] = []
  let tooEarly = false
  cluster.client.informer<Pod>(resources.pods).onEvent(({ type, object }) => {
    if (type === 'delete') return void born.push(`-${object.metadata.name!}`)
    if (type !== 'add') return
    born.push(object.metadata.name!)
    const before = cluster.client.informer<Pod>(resources.pods).list('default')
    tooEarly ||= before.some((pod) => pod !== object && pod.status?.phase !== 'Running')
  })
  await cluster.create(workloads.statefulsets, set('db', 3))
  const done = await rolledOut(cluster, 'db')
  assert.deepEqual(born, ['db-0', 'db-1', 'db-2'])
  assert.equal(tooEarly, false)
  const [first] = await podsOf(cluster, 'db')
  assert.equal(first!.spec.hostname, 'db-0')
  assert.equal(first!.spec.subdomain, 'db')
  assert.equal(first!.metadata.labels!['apps.kubernetes.io/pod-index'], '0')
  assert.equal(first!.metadata.labels!['controller-revision-hash'], done.status!.currentRevision)
  await patch(cluster, 'db', { replicas: 1 })
  await cluster.until('one pod', async () => (await podsOf(cluster, 'db')).length === 1)
  assert.deepEqual(born, ['db-0', 'db-1', 'db-2', '-db-2', '-db-1'])
  await rolledOut(cluster, 'db')
  assert.deepEqual(cluster.complaints, [])
})

test('updates go from the highest down, stop at the partition, and can be taken back', async () => {
  await using cluster = await host()
  await cluster.create(workloads.statefulsets, set('up', 3, { podManagementPolicy: 'Parallel' }))
  const first = (await rolledOut(cluster, 'up')).status!.currentRevision
  await patch(cluster, 'up', { ...image('nginx:2'), updateStrategy: { rollingUpdate: { partition: 2 } } })
  const images = async (): Promise<string[]> =>
    (await podsOf(cluster, 'up'))
      .map((pod) => `${pod.metadata.name!} ${pod.spec.containers[0]!.image!}`)
      .toSorted((a, b) => (a < b ? -1 : 1))
  await cluster.until('the canary', async () => {
    const found = await find(cluster, 'up')
    return found.status?.updatedReplicas === 1 && found.status.readyReplicas === 3
  })
  assert.deepEqual(await images(), ['up-0 nginx:1', 'up-1 nginx:1', 'up-2 nginx:2'])
  await cluster.client.delete(resources.pods, 'up-0', { namespace: 'default' })
  await cluster.until('it is back', async () => (await find(cluster, 'up')).status?.readyReplicas === 3)
  assert.equal((await images())[0], 'up-0 nginx:1')
  await patch(cluster, 'up', { updateStrategy: { rollingUpdate: { partition: 0 } } })
  await rolledOut(cluster, 'up')
  assert.deepEqual(await images(), ['up-0 nginx:2', 'up-1 nginx:2', 'up-2 nginx:2'])
  await patch(cluster, 'up', image('nginx:1'))
  const back = await rolledOut(cluster, 'up')
  assert.equal(back.status!.currentRevision, first)
  const revisions = (await cluster.client.list(workloads.controllerrevisions, { namespace: 'default' })).items
  assert.deepEqual(
    revisions.map((one) => one['revision'] as number).toSorted((a, b) => a - b),
    [2, 3],
  )
  assert.deepEqual(cluster.complaints, [])
})

test('claims are made for each pod, stay by default, and go when the set says so', async () => {
  await using cluster = await host()
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ]
  const policy = { whenDeleted: 'Delete', whenScaled: 'Delete' }
  await cluster.create(workloads.statefulsets, set('keep', 1, { volumeClaimTemplates }))
  await cluster.create(
    workloads.statefulsets,
    set('drop', 2, {
      volumeClaimTemplates,
      podManagementPolicy: 'Parallel',
      persistentVolumeClaimRetentionPolicy: policy,
    }),
  )
  await cluster.until('claims', async () => (await claims(cluster)).length === 3)
  assert.deepEqual(await claims(cluster), ['data-drop-0', 'data-drop-1', 'data-keep-0'])
  const owned = await cluster.until('an owner', async () => {
    const found = await cluster.find(workloads.persistentvolumeclaims, 'default', 'data-drop-1')
    return found?.metadata.ownerReferences !== undefined && found
  })
  assert.equal(controllerOf(owned)?.kind, 'StatefulSet')
  const kept = await cluster.find(workloads.persistentvolumeclaims, 'default', 'data-keep-0')
  assert.equal(kept!.metadata.ownerReferences, undefined)
  assert.equal(kept!.metadata.labels!['app'], 'keep')
  const [pod] = await podsOf(cluster, 'keep')
  assert.deepEqual((pod!.spec as unknown as { volumes: object[] }).volumes[0], {
    name: 'data',
    persistentVolumeClaim: { claimName: 'data-keep-0' },
  })
  await patch(cluster, 'drop', { replicas: 1 })
  await cluster.until('the claim of the second gone', async () => !(await claims(cluster)).includes('data-drop-1'))
  for (const name of ['keep', 'drop'])
    await cluster.client.delete(workloads.statefulsets, name, { namespace: 'default' })
  await cluster.until('only the kept one', async () => String(await claims(cluster)) === 'data-keep-0')
})

test('a failed pod is made anew under its name', async () => {
  await using cluster = await host()
  await cluster.create(workloads.statefulsets, set('again', 1))
  await rolledOut(cluster, 'again')
  const [pod] = await podsOf(cluster, 'again')
  const status = { ...pod!.status, phase: 'Failed', reason: 'Evicted' }
  await cluster.client.update(resources.pods, { ...pod!, status }, { subresource: 'status', namespace: 'default' })
  await cluster.until('another', async () => {
    const [now] = await podsOf(cluster, 'again')
    return now !== undefined && now.metadata.uid !== pod!.metadata.uid && now.metadata.name === 'again-0'
  })
  await rolledOut(cluster, 'again')
})
