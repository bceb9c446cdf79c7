/** VirtualCluster objects: what a step must not do. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createCluster, createVirtualCluster, resources, type HostCluster, type VirtualCluster } from '../src/index.ts'
import { kubeconfigSecretName } from '../src/manager/virtual-cluster.ts'
import { eventually } from './support/eventually.ts'

const at = { namespace: 'tenantry' }
const object = (name: string) => ({
  apiVersion: 'tenantry.dev/v1alpha1',
  kind: 'VirtualCluster',
  metadata: { name },
  spec: {},
})

suite('the manager', () => {
  let host: HostCluster
  before(async () => {
    host = await createCluster({ nodes: 1 })
    await using first = await createVirtualCluster({ host, name: 'first' })
    assert.equal(first.object.status?.phase, 'Running')
  })
  after(() => host[Symbol.asyncDispose]())

  const gone = (name: string) =>
    eventually(`${name} is gone`, async () => {
      const { items } = await host.client.list(resources.virtualclusters, at)
      return !items.some((o) => o.metadata.name === name)
    })

  test('a Secret in the way is left alone, also at the end', async () => {
    const name = kubeconfigSecretName('blocked')
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { mine: 'YQ==' } }
    await host.client.create(resources.secrets, secret, at)
    await host.client.create(resources.virtualclusters, object('blocked'), at)
    const failed = await eventually('it failed', async () => {
      const now = await host.client.get<VirtualCluster>(resources.virtualclusters, 'blocked', at)
      return now.status?.phase === 'Failed' && now
    })
    assert.match(failed.status!.conditions!.find((c) => c.type === 'Ready')!.message, /is not this virtual cluster's/)
    await host.client.delete(resources.virtualclusters, 'blocked', at)
    await gone('blocked')
    assert.deepEqual((await host.client.get(resources.secrets, name, at))['data'], secret.data)
  })

  test('finalizers of others stay', async () => {
    const one = await createVirtualCluster({ host, name: 'kept' })
    const { name } = one.object.metadata as { name: string }
    const now = await host.client.get(resources.virtualclusters, name, at)
    const finalizers = [...now.metadata.finalizers!, 'example.com/other']
    await host.client.patch(resources.virtualclusters, name, { type: 'merge', body: { metadata: { finalizers } } }, at)
    await host.client.delete(resources.virtualclusters, name, at)
    await eventually('ours is off', async () => {
      const left = await host.client.get(resources.virtualclusters, name, at)
      return left.metadata.finalizers?.join() === 'example.com/other'
    })
    await host.client.patch(resources.virtualclusters, name, { type: 'json', body: [{ op: 'remove', path: '/metadata/finalizers' }] }, at) // prettier-ignore
    await gone(name)
    await host.client.create(resources.virtualclusters, object(name), at)
    await eventually('the same name serves again', async () => {
      const again = await host.client.get<VirtualCluster>(resources.virtualclusters, name, at)
      return again.status?.phase === 'Running'
    })
  })

  test('many deletions that wait keep no creation waiting', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `slow-${i}`)
    const all = await Promise.all(names.map((name) => createVirtualCluster({ host, name })))
    const held = (finalizers: string[]) =>
      Promise.all(
        all.map(
          (one, i) =>
          host.client
            .create(resources.configmaps, {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              metadata: {
                name: `held-${i}`,
                finalizers,
                labels: { 'tenantry.dev/managed-by': 'tenantry', 'tenantry.dev/cluster-uid': one.object.metadata.uid! },
              },
            }, at), // prettier-ignore
        ),
      )
    await held(['example.com/hold'])
    for (const name of names) await host.client.delete(resources.virtualclusters, name, at)
    await eventually('all wait', async () => {
      const { items } = await host.client.list<VirtualCluster>(resources.virtualclusters, at)
      return items.filter((o) => o.status?.phase === 'Terminating').length === names.length
    })
    await using quick = await createVirtualCluster({ host, name: 'quick' })
    assert.equal(quick.object.status?.phase, 'Running')
    for (let i = 0; i < names.length; i++)
      await host.client.patch(resources.configmaps, `held-${i}`, { type: 'json', body: [{ op: 'remove', path: '/metadata/finalizers' }] }, at) // prettier-ignore
    for (const name of names) await gone(name)
  })
})
