import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, refusalOf, testCluster } from './fixture.ts'
import type { TestCluster } from './fixture.ts'
import { ipPool, portPool } from './ip-pool.ts'
import { createApi } from './api.ts'
import { allowAll, sequence } from './fixture.ts'

const make = (cluster: TestCluster, name: string, spec: object = {}) =>
  cluster.create('v1/services', {
    metadata: { name, namespace: 'default' },
    spec: { ports: [{ port: 80, protocol: 'TCP' }], selector: { a: 'b' }, ...spec },
  })
const remove = (cluster: TestCluster, name: string) =>
  cluster.api.delete(call, cluster.target('v1/services', 'default', name), {})
const patch = async (cluster: TestCluster, name: string, spec: object, asked = call) =>
  (await cluster.api.patch(asked, cluster.target('v1/services', 'default', name), 'merge', { spec })).object

test('a service gets its address, family and ports with the answer', async () => {
  const cluster = await testCluster()
  const { spec } = (await make(cluster, 'a', { type: 'NodePort' })) as unknown as { spec: Record<string, never> }
  assert.match(spec['clusterIP']!, /^10\.96\.\d+\.\d+$/)
  assert.deepEqual(spec['clusterIPs'], [spec['clusterIP']])
  assert.deepEqual([spec['ipFamilies'], spec['ipFamilyPolicy']], [['IPv4'], 'SingleStack'])
  const [{ nodePort }] = spec['ports'] as unknown as [{ nodePort: number }]
  assert.ok(nodePort >= 30_000 && nodePort <= 32_767)
  assert.equal((await make(cluster, 'h', { clusterIP: 'None' }))['spec'].clusterIP, 'None')
  const external = await make(cluster, 'e', { type: 'ExternalName', externalName: 'x.example', ports: [] })
  assert.equal(external['spec'].clusterIP, undefined)
  assert.equal((await make(cluster, 'kubernetes'))['spec'].clusterIP, '10.96.0.1')
})

test('addresses are never given twice, also not in the same turn, until the range is full', async () => {
  const cluster = await testCluster({ serviceCidr: '10.0.0.0/27' })
  const made = await Promise.all(Array.from({ length: 29 }, (_, i) => make(cluster, `s${i}`)))
  assert.equal(new Set(made.map((s) => s['spec'].clusterIP)).size, 29)
  await make(cluster, 'kubernetes')
  assert.equal(
    await refusalOf(make(cluster, 'more')),
    '500 InternalError: Internal error occurred: failed to allocate a serviceIP for Service "more": range is full',
  )
  await remove(cluster, 's7')
  assert.equal((await make(cluster, 'more'))['spec'].clusterIP, made[7]!['spec'].clusterIP)
})

test('chosen addresses and ports', async () => {
  const cluster = await testCluster()
  await make(cluster, 'a', {
    clusterIP: '10.96.3.4',
    type: 'NodePort',
    ports: [{ port: 80, protocol: 'TCP', nodePort: 30_100 }],
  })
  assert.match(
    await refusalOf(make(cluster, 'b', { clusterIP: '10.96.3.4' })),
    /^422 Invalid: Service "b" is invalid: spec.clusterIPs: Invalid value: \["10.96.3.4"\]: failed to allocate IP 10.96.3.4: provided IP is already allocated$/,
  )
  assert.match(
    await refusalOf(make(cluster, 'b', { clusterIP: '10.1.3.4' })),
    /failed to allocate IP 10.1.3.4: the provided network does not match the current range$/,
  )
  const port = (nodePort: number) =>
    refusalOf(make(cluster, 'b', { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', nodePort }] }))
  assert.match(
    await port(30_100),
    /spec.ports\[0\].nodePort: Invalid value: 30100: provided port is already allocated$/,
  )
  assert.match(await port(29_999), /provided port is not in the valid range. The range of valid ports is 30000-32767$/)
  // What the refused ones took on the way is free.
  assert.equal(await port(30_101), 'no error')
  assert.match(
    await refusalOf(make(cluster, 'd', { ipFamilyPolicy: 'RequireDualStack' })),
    /spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services/,
  )
  assert.match(
    await refusalOf(make(cluster, 'd', { ipFamilies: ['IPv6'] })),
    /spec.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster/,
  )
})

test('in a dry run a port that is named must be free, and one that is not is made up', async () => {
  const cluster = await testCluster()
  await make(cluster, 'a', { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', nodePort: 30_100 }] })
  const ports = (...nodePorts: (number | undefined)[]) => ({
    type: 'NodePort',
    ports: nodePorts.map((nodePort, i) => ({ name: `p${i}`, port: 80 + i, protocol: 'TCP', nodePort })),
  })
  const asked = { ...call, dryRun: true }
  const draft = async (spec: object) => {
    const target = cluster.target('v1/services', 'default', '')
    const object = { metadata: { name: 'b', namespace: 'default' }, spec }
    return (await cluster.api.create(asked, target, object as never)).object['spec'].ports as { nodePort: number }[]
  }
  const numbers = async (spec: object) => (await draft(spec)).map(({ nodePort }) => nodePort)
  assert.deepEqual(await numbers(ports(1, undefined, undefined)), [1, 2, 3])
  assert.deepEqual(await numbers(ports(undefined)), [32_769])
  // Upstream looks for the greatest from 0 on.
  assert.deepEqual(await numbers(ports(-1, undefined)), [-1, 1])
  assert.match(await refusalOf(draft(ports(30_100))), /provided port is already allocated$/)
})

test('the health check of a load balancer gets a node port, too', async () => {
  const cluster = await testCluster()
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_200 }
  await make(cluster, 'a', spec)
  assert.equal(
    await refusalOf(make(cluster, 'b', spec)),
    '500 InternalError: Internal error occurred: failed to allocate requested HealthCheck NodePort 30200: provided port is already allocated',
  )
})

test('updates keep, take and free', async () => {
  const cluster = await testCluster()
  const { clusterIP } = (await make(cluster, 'a'))['spec']
  const asNodePort = await patch(cluster, 'a', { type: 'NodePort' })
  const { nodePort } = asNodePort['spec'].ports[0]
  assert.equal(asNodePort['spec'].clusterIP, clusterIP)
  assert.ok(nodePort >= 30_000)
  const target = cluster.target('v1/services', 'default', 'a')
  const bare = structuredClone(asNodePort)
  delete bare['spec'].clusterIP
  delete bare['spec'].clusterIPs
  delete bare['spec'].ports[0].nodePort
  const kept = (await cluster.api.update(call, target, bare)).object['spec']
  assert.deepEqual([kept.clusterIP, kept.ports[0].nodePort], [clusterIP, nodePort])
  await patch(cluster, 'a', { type: 'ClusterIP' })
  assert.equal(
    (await make(cluster, 'b', { type: 'NodePort', ports: [{ port: 1, protocol: 'TCP', nodePort }] }))['spec'].ports[0]
      .nodePort,
    nodePort,
  )
  await patch(cluster, 'a', { type: 'ExternalName', externalName: 'x.example', clusterIP: null, clusterIPs: null })
  assert.equal((await make(cluster, 'c', { clusterIP }))['spec'].clusterIP, clusterIP)
})

test('only the one who brings the host’s address may change it', async () => {
  const cluster = await testCluster()
  const { clusterIP } = (await make(cluster, 'a'))['spec']
  const wanted = { clusterIP: '10.96.200.7', clusterIPs: ['10.96.200.7'] }
  assert.match(await refusalOf(patch(cluster, 'a', wanted)), /^422 Invalid: .*clusterIP/)
  const syncer = { user: { name: 'system:tenantry:syncer', groups: ['system:masters'] } }
  assert.equal((await patch(cluster, 'a', wanted, syncer))['spec'].clusterIP, '10.96.200.7')
  assert.equal((await make(cluster, 'b', { clusterIP }))['spec'].clusterIP, clusterIP)
  assert.match(await refusalOf(make(cluster, 'c', { clusterIP: '10.96.200.7' })), /already allocated/)
})

test('the pools come from what is stored', async () => {
  const first = await testCluster()
  await make(first, 'a', { clusterIP: '10.96.3.4' })
  const api = createApi({ range: first.api.range, authorizer: allowAll, random: sequence() })
  const again = {
    ...first,
    api,
    create: async (path: string, object: Parameters<TestCluster['create']>[1]) =>
      (await api.create(call, first.target(path, object.metadata.namespace), structuredClone(object))).object,
  }
  assert.match(await refusalOf(make(again, 'b', { clusterIP: '10.96.3.4' })), /already allocated/)
})

test('pools: every member once, then none', () => {
  const ips = ipPool('192.168.7.0/28', sequence())
  const taken = new Set<string>()
  for (let ip = ips.allocate(); ip !== undefined; ip = ips.allocate()) taken.add(ip)
  assert.equal(taken.size, 13)
  assert.equal(ips.claim(ips.first), undefined)
  assert.match(ips.claim('192.168.7.15')!, /does not match the current range/)
  ips.release('192.168.7.9')
  assert.equal(ips.allocate(), '192.168.7.9')
  assert.throws(() => ipPool('fd00::/64', sequence()), /is not an IPv4 range/)
  const ports = portPool(5, 9, sequence())
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => ports.allocate()).toSorted((a, b) => a! - b!),
    [5, 6, 7, 8, 9],
  )
  assert.equal(ports.allocate(), undefined)
})
