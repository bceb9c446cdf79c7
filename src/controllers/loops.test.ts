import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { loopCluster, type LoopCluster } from './fixture.ts'
import { annotation } from './meta.ts'
import { isReady } from './pods.ts'
import type { Deployment, Pod, ReplicaSet } from './objects.ts'
import { hostControllers } from './sets.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }
const host = (nodes = 3): Promise<LoopCluster> => loopCluster(hostControllers({ ...FACTS, nodes }))

function deployment(name: string, replicas: number, image = 'nginx:1', extra: object = {}): object {
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
      ...extra,
    },
  }
}

async function podsOf(cluster: LoopCluster, app: string): Promise<Pod[]> {
  const { items } = await cluster.client.list<Pod>(resources.pods, {
    namespace: 'default',
    labelSelector: `app=${app}`,
  })
  return items
}

/** As `kubectl rollout status` sees it. */
async function rolledOut(cluster: LoopCluster, name: string): Promise<Deployment | undefined> {
  const object = (await cluster.find(resources.deployments, 'default', name)) as Deployment
  const { status, spec, metadata } = object
  const done =
    (status?.observedGeneration ?? 0) >= metadata.generation! &&
    (status?.updatedReplicas ?? 0) === spec.replicas &&
    (status?.replicas ?? 0) === spec.replicas &&
    (status?.availableReplicas ?? 0) === spec.replicas
  return done ? object : undefined
}

test('a namespace gets its account, its CA and the service kubernetes its endpoints', async () => {
  await using cluster = await host(0)
  await cluster.create(resources.namespaces, { metadata: { name: 'team' } })
  await cluster.until('the account', () => cluster.find(resources.serviceaccounts, 'team', 'default'))
  const map = await cluster.until('the CA', () => cluster.find(resources.configmaps, 'team', 'kube-root-ca.crt'))
  assert.deepEqual(map['data'], { 'ca.crt': 'CA TEXT' })
  await cluster.client.update(resources.configmaps, { ...map, data: { 'ca.crt': 'evil' } }, { namespace: 'team' })
  await cluster.until('the CA again', async () => {
    const now = await cluster.find(resources.configmaps, 'team', 'kube-root-ca.crt')
    return now?.['data']['ca.crt'] === 'CA TEXT'
  })
  await cluster.client.delete(resources.serviceaccounts, 'default', { namespace: 'team' })
  await cluster.until('the account again', () => cluster.find(resources.serviceaccounts, 'team', 'default'))
  const slice = await cluster.until('the slice', () => cluster.find(resources.endpointslices, 'default', 'kubernetes'))
  assert.deepEqual(slice['endpoints'], [{ addresses: ['192.0.2.1'], conditions: { ready: true } }])
  const service = await cluster.find(resources.services, 'default', 'kubernetes')
  assert.equal(service!['spec'].clusterIP, '10.96.0.1')
  assert.deepEqual(cluster.complaints, [])
})

test('a Deployment runs, updates, rolls back and scales', async () => {
  await using cluster = await host()
  // Pods that come before the last node are spread over the others.
  await cluster.until('nodes that take pods', async () => {
    const { items } = await cluster.client.list<KubeObject>(resources.nodes)
    return items.length === 3 && items.every(({ spec }) => ((spec as { taints?: unknown[] }).taints ?? []).length === 0)
  })
  await cluster.create(resources.deployments, deployment('web', 3))
  let object = await cluster.until('the rollout', () => rolledOut(cluster, 'web'))
  assert.equal(annotation(object, 'deployment.kubernetes.io/revision'), '1')
  assert.equal(object.metadata.generation, 1, "the controller's own notes are no new generation")
  assert.equal(new Set((await podsOf(cluster, 'web')).map((pod) => pod.spec.nodeName)).size, 3)
  assert.equal(new Set((await podsOf(cluster, 'web')).map((pod) => pod.status?.podIP)).size, 3)

  const image = (text: string) =>
    cluster.client.patch(
      resources.deployments,
      'web',
      { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'main', image: text }] } } } } },
      { namespace: 'default' },
    )
  await image('nginx:2')
  object = await cluster.until('the second rollout', () => rolledOut(cluster, 'web'))
  assert.equal(annotation(object, 'deployment.kubernetes.io/revision'), '2')
  assert.equal(object.metadata.generation, 2)
  await cluster.until('only new pods', async () => {
    const pods = await podsOf(cluster, 'web')
    return pods.length === 3 && pods.every((pod) => pod.spec.containers[0]!.image === 'nginx:2')
  })
  await image('nginx:1')
  object = await cluster.until('the rollback', () => rolledOut(cluster, 'web'))
  assert.equal(annotation(object, 'deployment.kubernetes.io/revision'), '3')
  const sets = (await cluster.client.list<ReplicaSet>(resources.replicasets, { namespace: 'default' })).items
  assert.deepEqual(
    sets.map((set) => `${annotation(set, 'deployment.kubernetes.io/revision')}: ${set.spec.replicas}`).toSorted(),
    ['2: 0', '3: 3'],
  )
  const old = sets.find((set) => set.spec.replicas === 3)!
  assert.equal(annotation(old, 'deployment.kubernetes.io/revision-history'), '1')
  const body = { spec: { replicas: 5 } }
  await cluster.client.patch(resources.deployments, 'web', { type: 'merge', body }, { namespace: 'default' })
  object = await cluster.until('five', () => rolledOut(cluster, 'web'))
  assert.deepEqual(
    object.status!.conditions!.map(({ type, status, reason }) => `${type}=${status} ${reason}`).toSorted(),
    ['Available=True MinimumReplicasAvailable', 'Progressing=True NewReplicaSetAvailable'],
  )
  assert.deepEqual(cluster.complaints, [])
})

test('no pod too many is ever made, and a deleted one is replaced', async () => {
  await using cluster = await host()
  let most = 0
  cluster.client.informer<Pod>(resources.pods).onEvent(() => {
    const live = cluster.client
      .informer<Pod>(resources.pods)
      .list()
      .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    most = Math.max(most, live.length)
  })
  await cluster.create(resources.deployments, deployment('many', 60))
  await cluster.until('sixty', () => rolledOut(cluster, 'many'))
  assert.equal(most, 60)
  const [first] = await podsOf(cluster, 'many')
  await cluster.client.delete(resources.pods, first!.metadata.name!, { namespace: 'default' })
  await cluster.until('another', async () => {
    const pods = await podsOf(cluster, 'many')
    return pods.length === 60 && !pods.some(({ metadata }) => metadata.uid === first!.metadata.uid)
  })
  await cluster.until('sixty again', () => rolledOut(cluster, 'many'))
  assert.equal(most, 60)
})

test('Recreate makes new pods only after the old ones have gone', async () => {
  await using cluster = await host()
  await cluster.create(resources.deployments, deployment('re', 2, 'a:1', { strategy: { type: 'Recreate' } }))
  await cluster.until('the rollout', () => rolledOut(cluster, 're'))
  let mixed = false
  cluster.client.informer<Pod>(resources.pods).onEvent(() => {
    const images = cluster.client
      .informer<Pod>(resources.pods)
      .list()
      .map((pod) => pod.spec.containers[0]!.image)
    if (new Set(images).size > 1) mixed = true
  })
  const containers = [{ name: 'main', image: 'a:2' }]
  const body = { spec: { template: { spec: { containers } } } }
  await cluster.client.patch(resources.deployments, 're', { type: 'strategic', body }, { namespace: 'default' })
  await cluster.until('the change', () => rolledOut(cluster, 're'))
  assert.equal(mixed, false)
})

test('a paused Deployment waits, and a bad image shows as no progress made', async () => {
  await using cluster = await host()
  await cluster.create(resources.deployments, deployment('p', 2))
  await cluster.until('the rollout', () => rolledOut(cluster, 'p'))
  const patch = (body: object) =>
    cluster.client.patch(resources.deployments, 'p', { type: 'strategic', body }, { namespace: 'default' })
  const containers = [{ name: 'main', image: 'nginx:404' }]
  await patch({ spec: { paused: true, template: { spec: { containers } } } })
  await cluster.until('the pause', async () => {
    const found = (await cluster.find(resources.deployments, 'default', 'p')) as Deployment
    return found.status!.conditions!.some(({ reason }) => reason === 'DeploymentPaused')
  })
  assert.equal((await cluster.client.list(resources.replicasets, { namespace: 'default' })).items.length, 1)
  await patch({ spec: { paused: false, progressDeadlineSeconds: 1 } })
  const stuck = await cluster.until('the deadline', async () => {
    const found = (await cluster.find(resources.deployments, 'default', 'p')) as Deployment
    return found.status!.conditions!.find(({ reason }) => reason === 'ProgressDeadlineExceeded')
  })
  assert.match(stuck.message!, /^ReplicaSet "p-[a-z0-9]+" has timed out progressing\.$/)
  const bad = (await podsOf(cluster, 'p')).find((pod) => pod.spec.containers[0]!.image === 'nginx:404')!
  assert.match(bad.status!.containerStatuses![0]!.state!.waiting!.reason!, /^(ErrImagePull|ImagePullBackOff)$/)
  assert.equal(bad.status!.phase, 'Pending')
})

test('a service has endpoints in both forms, and they follow readiness', async () => {
  await using cluster = await host()
  await cluster.create(resources.deployments, deployment('api', 2))
  await cluster.create(resources.services, {
    metadata: { name: 'api', labels: { team: 'a' } },
    spec: { selector: { app: 'api' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  })
  const slicesOf = async () =>
    (
      await cluster.client.list(resources.endpointslices, {
        namespace: 'default',
        labelSelector: 'kubernetes.io/service-name=api',
      })
    ).items
  const [slice] = await cluster.until('two endpoints', async () => {
    const slices = await slicesOf()
    return (
      slices.length === 1 &&
      slices[0]!['endpoints']?.filter((one: { conditions: { ready: boolean } }) => one.conditions.ready).length === 2 &&
      slices
    )
  })
  assert.deepEqual(slice!['ports'], [{ name: 'http', port: 8080, protocol: 'TCP' }])
  assert.equal(slice!.metadata.labels!['team'], 'a')
  const addresses = async () => {
    const found = await cluster.find(resources.endpoints, 'default', 'api')
    return (found?.['subsets']?.[0]?.addresses ?? []).length as number
  }
  await cluster.until('two addresses', async () => (await addresses()) === 2)
  const body = { spec: { replicas: 0 } }
  await cluster.client.patch(resources.deployments, 'api', { type: 'merge', body }, { namespace: 'default' })
  await cluster.until('none', async () => (await addresses()) === 0)
  await cluster.until('an empty slice', async () => {
    const slices = await slicesOf()
    return slices.length === 1 && (slices[0]!['endpoints'] ?? []).length === 0
  })
  await cluster.client.delete(resources.services, 'api', { namespace: 'default' })
  await cluster.until('no slices', async () => (await slicesOf()).length === 0)
  await cluster.until(
    'no endpoints',
    async () => (await cluster.find(resources.endpoints, 'default', 'api')) === undefined,
  )
})

for (const policy of ['Background', 'Foreground', 'Orphan'] as const) {
  test(`deleting a Deployment with ${policy} does to its sets and pods what it says`, async () => {
    await using cluster = await host()
    await cluster.create(resources.deployments, deployment('d', 3))
    await cluster.until('the rollout', () => rolledOut(cluster, 'd'))
    const setNames = async () => (await cluster.client.list(resources.replicasets, { namespace: 'default' })).items
    await cluster.client.delete(resources.deployments, 'd', { namespace: 'default', propagationPolicy: policy })
    if (policy === 'Foreground') {
      const owner = await cluster.find(resources.deployments, 'default', 'd')
      assert.deepEqual(owner?.metadata.finalizers, ['foregroundDeletion'])
    }
    await cluster.until(
      'the owner gone',
      async () => (await cluster.find(resources.deployments, 'default', 'd')) === undefined,
    )
    if (policy === 'Orphan') {
      const [set] = await setNames()
      assert.equal(set!.metadata.ownerReferences, undefined)
      assert.equal((await podsOf(cluster, 'd')).length, 3)
      return
    }
    if (policy === 'Foreground') assert.equal((await setNames()).length, 0)
    await cluster.until(
      'all gone',
      async () => (await setNames()).length === 0 && (await podsOf(cluster, 'd')).length === 0,
    )
    assert.deepEqual(cluster.complaints, [])
  })
}

test('a namespace goes with everything in it, pods first', async () => {
  await using cluster = await host()
  await cluster.create(resources.namespaces, { metadata: { name: 'gone' } })
  const pod = (name: string, finalizers: string[]) => ({
    metadata: { name, finalizers },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  })
  await cluster.until('the account', () => cluster.find(resources.serviceaccounts, 'gone', 'default'))
  await cluster.create(resources.pods, pod('held', ['example.com/hold']), 'gone')
  await cluster.create(resources.configmaps, { metadata: { name: 'data' } }, 'gone')
  await cluster.client.delete(resources.namespaces, 'gone')
  const conditions = await cluster.until('its conditions', async () => {
    const found = await cluster.find(resources.namespaces, '', 'gone')
    const list: { type: string; status: string }[] = found?.['status'].conditions ?? []
    return list.some(({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True') && list
  })
  assert.deepEqual(conditions.map(({ type }) => type).toSorted(), [
    'NamespaceContentRemaining',
    'NamespaceDeletionContentFailure',
    'NamespaceDeletionDiscoveryFailure',
    'NamespaceDeletionGroupVersionParsingFailure',
    'NamespaceFinalizersRemaining',
  ])
  assert.ok(await cluster.find(resources.configmaps, 'gone', 'data'))
  const body = { metadata: { finalizers: null } }
  await cluster.client.patch(resources.pods, 'held', { type: 'merge', body }, { namespace: 'gone' })
  await cluster.until('it is gone', async () => (await cluster.find(resources.namespaces, '', 'gone')) === undefined)
})

test('what fits nowhere says why, and runs once there is room', async () => {
  await using cluster = await host(2)
  await cluster.until('the nodes', async () => {
    const { items } = await cluster.client.list(resources.nodes)
    return items.length === 2 && items.every((node) => (node['spec'].taints ?? []).length === 0)
  })
  const container = { name: 'a', image: 'a', resources: { requests: { cpu: '1000' } } }
  await cluster.create(resources.pods, { metadata: { name: 'big' }, spec: { containers: [container] } })
  const condition = await cluster.until('the reason', async () => {
    const pod = (await cluster.find(resources.pods, 'default', 'big')) as Pod
    return pod.status?.conditions?.find(({ reason }) => reason === 'Unschedulable')
  })
  assert.equal(condition.message, '0/2 nodes are available: 2 Insufficient cpu.')
  const node = (await cluster.find(resources.nodes, '', 'node-1'))!
  const allocatable = { ...node['status'].allocatable, cpu: '2000' }
  await cluster.client.update(
    resources.nodes,
    { ...node, status: { ...node['status'], allocatable } },
    { subresource: 'status' },
  )
  await cluster.until('it runs', async () => {
    const pod = (await cluster.find(resources.pods, 'default', 'big')) as Pod
    return pod.spec.nodeName === 'node-1' && isReady(pod)
  })
  const events = (await cluster.client.list(resources.events, { namespace: 'default' })).items
  const texts = events.map((event) => `${event['reason'] as string}: ${event['message'] as string}`)
  assert.ok(texts.includes('FailedScheduling: 0/2 nodes are available: 2 Insufficient cpu.'))
  assert.ok(texts.includes('Scheduled: Successfully assigned default/big to node-1'))
})

test('commands decide how pods end', async () => {
  await using cluster = await host(1)
  const run = (name: string, command: string[], restartPolicy: string): Promise<KubeObject> =>
    cluster.create(resources.pods, {
      metadata: { name },
      spec: { restartPolicy, containers: [{ name: 'main', image: 'busybox', command }] },
    })
  await run('ok', ['true'], 'Never')
  await run('bad', ['sh', '-c', 'echo hello; exit 3'], 'Never')
  await run('loop', ['false'], 'Always')
  await run('nap', ['sleep', '1'], 'Never')
  const phase = async (name: string): Promise<string | undefined> =>
    ((await cluster.find(resources.pods, 'default', name)) as Pod).status?.phase
  await cluster.until('ok', async () => (await phase('ok')) === 'Succeeded')
  await cluster.until('bad', async () => (await phase('bad')) === 'Failed')
  const bad = (await cluster.find(resources.pods, 'default', 'bad')) as Pod
  assert.equal(bad.status!.containerStatuses![0]!.state!.terminated!.exitCode, 3)
  await cluster.until('loop', async () => {
    const pod = (await cluster.find(resources.pods, 'default', 'loop')) as Pod
    return pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff'
  })
  assert.equal(await phase('loop'), 'Running')
  assert.equal(await phase('nap'), 'Running')
  await cluster.until('nap', async () => (await phase('nap')) === 'Succeeded')
})
