import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, pod, refusalOf, testCluster } from '../registry/fixture.ts'
import type { TestCluster } from '../registry/fixture.ts'
import { createChain } from './chain.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { Reinvocation } from './reinvocation.ts'

const make = (cluster: TestCluster, extra: object = {}, name = 'a') =>
  cluster.create('v1/pods', pod(name, 'default', extra))

test('a pod gets its service account, token, tolerations and priority', async () => {
  const cluster = await testCluster()
  const { spec } = (await make(cluster)) as unknown as { spec: Record<string, unknown[]> }
  assert.equal(spec['serviceAccountName'], 'default')
  const [volume] = spec['volumes'] as [{ name: string; projected: { sources: object[] } }]
  assert.match(volume.name, /^kube-api-access-[a-z0-9]{5}$/)
  assert.deepEqual(
    volume.projected.sources.map((s) => Object.keys(s)[0]),
    ['serviceAccountToken', 'configMap', 'downwardAPI'],
  )
  const [container] = spec['containers'] as [{ volumeMounts: object[] }]
  assert.deepEqual(container.volumeMounts, [
    { name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
  ])
  assert.equal(spec['tolerations']!.length, 2)
  assert.deepEqual([spec['priority'], spec['preemptionPolicy']], [0, 'PreemptLowerPriority'])
})

test('service accounts: missing ones, no token, pull secrets, the race after a new namespace', async () => {
  const cluster = await testCluster()
  assert.equal(
    await refusalOf(make(cluster, { serviceAccountName: 'x' })),
    '403 Forbidden: pods "a" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
  )
  await cluster.create('v1/serviceaccounts', {
    metadata: { name: 'x', namespace: 'default' },
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: 'pull' }],
  })
  const { spec } = (await make(cluster, { serviceAccountName: 'x' })) as unknown as { spec: Record<string, unknown> }
  assert.deepEqual(spec['imagePullSecrets'], [{ name: 'pull' }])
  assert.equal(spec['volumes'], undefined)
  // Nothing waits in between: what is on its way to the disk counts.
  const results = await Promise.all([
    refusalOf(cluster.create('v1/namespaces', { metadata: { name: 'fresh' } })),
    refusalOf(cluster.create('v1/serviceaccounts', { metadata: { name: 'default', namespace: 'fresh' } })),
    refusalOf(cluster.create('v1/pods', pod('p', 'fresh'))),
  ])
  assert.deepEqual(results, ['no error', 'no error', 'no error'])
})

test('priority classes: resolved, refused, one default', async () => {
  const cluster = await testCluster()
  const group = 'scheduling.k8s.io/v1/priorityclasses'
  await cluster.create(group, { metadata: { name: 'high' }, value: 1000, globalDefault: true })
  assert.equal((await make(cluster))['spec'].priority, 1000)
  assert.equal(
    (await make(cluster, { priorityClassName: 'system-node-critical' }, 'b'))['spec'].priority,
    2_000_001_000,
  )
  assert.match(
    await refusalOf(make(cluster, { priorityClassName: 'nope' }, 'c')),
    /^403 Forbidden: pods "c" is forbidden: no PriorityClass with name nope was found/,
  )
  assert.match(
    await refusalOf(make(cluster, { priority: 7 }, 'c')),
    /the integer value of priority \(7\) must not be provided/,
  )
  const second = cluster.create(group, { metadata: { name: 'other' }, value: 1, globalDefault: true })
  assert.match(await refusalOf(second), /PriorityClass high is already marked as default/)
})

test('limit ranges: defaults, minima, maxima, ratios', async () => {
  const cluster = await testCluster()
  const limits = [
    {
      type: 'Container',
      default: { cpu: '1' },
      defaultRequest: { cpu: '500m' },
      min: { cpu: '100m' },
      max: { cpu: '2' },
      maxLimitRequestRatio: { cpu: '4' },
    },
    { type: 'Pod', max: { cpu: '3' } },
  ]
  await cluster.create('v1/limitranges', { metadata: { name: 'l', namespace: 'default' }, spec: { limits } })
  const made = await make(cluster)
  assert.deepEqual(made['spec'].containers[0].resources, { limits: { cpu: '1' }, requests: { cpu: '500m' } })
  assert.equal(
    made.metadata.annotations!['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu request for container main; cpu limit for container main',
  )
  const said = (resources: object, count = 1) => {
    const containers = Array.from({ length: count }, (_, i) => ({ name: `c${i}`, image: 'x', resources }))
    return refusalOf(make(cluster, { containers }, 'b'))
  }
  assert.equal(
    await said({ requests: { cpu: '50m' }, limits: { cpu: '150m' } }),
    '403 Forbidden: pods "b" is forbidden: minimum cpu usage per Container is 100m, but request is 50m',
  )
  assert.match(
    await said({ requests: { cpu: '1' }, limits: { cpu: '2500m' } }),
    /maximum cpu usage per Container is 2, but limit is 2500m/,
  )
  assert.match(
    await said({ requests: { cpu: '100m' }, limits: { cpu: '1' } }),
    /cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000/,
  )
  assert.match(
    await said({ requests: { cpu: '1' }, limits: { cpu: '1' } }, 4),
    /maximum cpu usage per Pod is 3, but limit is 4/,
  )
})

test('runtime classes: overhead and placement', async () => {
  const cluster = await testCluster()
  assert.match(
    await refusalOf(make(cluster, { runtimeClassName: 'kata' })),
    /pod rejected: RuntimeClass "kata" not found/,
  )
  assert.equal(await refusalOf(make(cluster, { runtimeClassName: '' })), '500 : resource name may not be empty')
  await cluster.create('node.k8s.io/v1/runtimeclasses', {
    metadata: { name: 'kata' },
    handler: 'kata',
    overhead: { podFixed: { cpu: '250m' } },
    scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'kata', operator: 'Exists' }] },
  })
  const { spec } = (await make(cluster, { runtimeClassName: 'kata' })) as unknown as { spec: Record<string, unknown> }
  assert.deepEqual(spec['overhead'], { cpu: '250m' })
  assert.deepEqual(spec['nodeSelector'], { sandbox: 'yes' })
  assert.equal((spec['tolerations'] as object[]).length, 3)
  const conflict = make(cluster, { runtimeClassName: 'kata', nodeSelector: { sandbox: 'no' } }, 'b')
  assert.match(
    await refusalOf(conflict),
    /conflict: runtimeClass.scheduling.nodeSelector\[sandbox\] = yes; pod.spec.nodeSelector\[sandbox\] = no/,
  )
})

test('new nodes wait; claims get the default class', async () => {
  const cluster = await testCluster()
  const node = await cluster.create('v1/nodes', { metadata: { name: 'n' } })
  assert.deepEqual(node['spec'].taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  await cluster.create('storage.k8s.io/v1/storageclasses', {
    metadata: { name: 'fast', annotations },
    provisioner: 'x',
  })
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const claim = await cluster.create('v1/persistentvolumeclaims', {
    metadata: { name: 'c', namespace: 'default' },
    spec,
  })
  assert.equal(claim['spec'].storageClassName, 'fast')
})

test('the chain: a second run of the mutating pass when somebody from outside changed the object', async () => {
  const log: string[] = []
  const plugin = (name: string, changes: boolean): AdmissionPlugin => ({
    name,
    handles: () => true,
    mutate(request) {
      if (changes) (request.reinvocation ??= new Reinvocation()).wanted = true
      log.push(`${name}${request.reinvocation?.again === true ? ' again' : ''}`)
    },
  })
  const cluster = await testCluster({ plugins: [plugin('a', false), plugin('b', true), plugin('c', false)] })
  log.length = 0
  await cluster.create('v1/configmaps', { metadata: { name: 'x', namespace: 'default' } })
  assert.deepEqual(log, ['a', 'b', 'c', 'a again', 'b again', 'c again'])
})

test('the chain: order, one choice per kind, and waiting where a plug-in waits', async () => {
  const log: string[] = []
  const plugin = (name: string, wait: boolean): AdmissionPlugin => ({
    name,
    handles: (operation) => operation === 'CREATE',
    mutate: () => {
      log.push(`mutate ${name}`)
      return wait ? Promise.resolve() : undefined
    },
    validate: () => void log.push(`validate ${name}`),
  })
  const cluster = await testCluster({ plugins: [plugin('a', false), plugin('b', true), plugin('c', false)] })
  assert.deepEqual(log.splice(0, 6), ['mutate a', 'mutate b', 'mutate c', 'validate a', 'validate b', 'validate c'])
  log.length = 0
  await cluster.api.delete(call, cluster.target('v1/namespaces', '', 'default'), {})
  assert.deepEqual(log, [])
  const request = {
    operation: 'CREATE',
    resource: cluster.target('v1/pods').resource,
    subresource: '',
  } as AdmissionRequest
  assert.equal(createChain([plugin('x', false)]).mutate(request), undefined)
})
