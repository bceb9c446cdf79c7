import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../contract.ts'
import { call, pod, refusalOf, testCluster, type TestCluster } from '../registry/fixture.ts'

const LABEL = 'pod-security.kubernetes.io'

async function relabelled(cluster: TestCluster, labels: object): Promise<string[]> {
  const warnings: string[] = []
  const target = cluster.target('v1/namespaces', '', 'default')
  await cluster.api.patch({ ...call, warnings }, target, 'merge', { metadata: { labels } })
  return warnings
}

test('an enforced level refuses pods, and warns of workloads that would make them', async () => {
  const cluster = await testCluster()
  await relabelled(cluster, { [`${LABEL}/enforce`]: 'baseline' })
  assert.equal(
    await refusalOf(cluster.create('v1/pods', pod('p', 'default', { hostPID: true }))),
    '403 Forbidden: pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
  )
  await cluster.create('v1/pods', pod('fine'))
  const warnings: string[] = []
  const asked: Call = { ...call, warnings }
  const template = { metadata: { labels: { a: 'b' } }, spec: { ...pod('x')['spec'], hostPID: true } }
  const spec = { selector: { matchLabels: { a: 'b' } }, template }
  await cluster.create('apps/v1/deployments', { metadata: { name: 'd', namespace: 'default' }, spec }, asked)
  assert.deepEqual(warnings, ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'])
})

test('a level that is only warned of lets pods through with a warning', async () => {
  const cluster = await testCluster()
  await relabelled(cluster, { [`${LABEL}/warn`]: 'baseline', [`${LABEL}/warn-version`]: 'v1.30' })
  const warnings: string[] = []
  await cluster.create('v1/pods', pod('p', 'default', { hostPID: true }), { ...call, warnings })
  assert.deepEqual(warnings, ['would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)'])
})

test('a namespace hears what its pods violate, once for all that are alike; labels that are none are refused', async () => {
  const cluster = await testCluster()
  for (const name of ['b', 'a', 'c']) await cluster.create('v1/pods', pod(name, 'default', { hostPID: true }))
  await cluster.create('v1/pods', pod('ok'))
  assert.deepEqual(await relabelled(cluster, { [`${LABEL}/enforce`]: 'baseline' }), [
    'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 2 other pods): host namespaces',
  ])
  assert.deepEqual(await relabelled(cluster, { [`${LABEL}/enforce`]: 'privileged' }), [])
  assert.equal(
    await refusalOf(relabelled(cluster, { [`${LABEL}/enforce`]: 'strict' })),
    '422 Invalid: Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
  )
})

test('changes of a pod that runs are looked at only where they change what runs', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/pods', pod('p', 'default', { hostPID: true }))
  await relabelled(cluster, { [`${LABEL}/enforce`]: 'baseline' })
  const target = cluster.target('v1/pods', 'default', 'p')
  await cluster.api.patch(call, target, 'merge', { metadata: { labels: { x: 'y' } } })
  const image = { spec: { containers: [{ name: 'main', image: 'other' }] } }
  assert.match(await refusalOf(cluster.api.patch(call, target, 'strategic', image)), /^403 .* violates PodSecurity/)
})
