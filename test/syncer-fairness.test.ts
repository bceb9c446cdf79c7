/** Tenants beside each other in one syncer: who waits for whom, and what trouble in one direction does to the other. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFairQueue } from '../src/client/fair-queue.ts'
import type { Client } from '../src/client/contract.ts'
import {
  createCluster,
  createVirtualCluster,
  resources,
  StatusError,
  type HostCluster,
  type KubeObject,
  type TestVirtualCluster,
} from '../src/index.ts'
import type { Tenant } from '../src/syncer/contract.ts'
import { placement } from '../src/syncer/placement.ts'
import { Syncer } from '../src/syncer/syncer.ts'
import { eventually } from './support/eventually.ts'

const at = { namespace: 'default' }
const MANY = 600

const service = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { clusterIP: 'None', selector: { app: name }, ports: [{ port: 80 }] },
})

/** The client with one call changed. */
function changed(client: Client, calls: Partial<Client>): Client {
  return new Proxy(client, {
    get(target, name) {
      const own = (calls as Record<string | symbol, unknown>)[name]
      if (own !== undefined) return own
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

const trouble = () =>
  new StatusError({ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', reason: 'InternalError', message: 'trouble', code: 500 }) // prettier-ignore

suite('tenants beside each other', () => {
  let host: HostCluster
  let greedy: TestVirtualCluster
  let small: TestVirtualCluster

  before(async () => {
    host = await createCluster({ nodes: 1 })
    greedy = await createVirtualCluster({ host, name: 'greedy' })
    small = await createVirtualCluster({ host, name: 'small' })
    const { syncer } = await host.manager()
    for (const tenant of [greedy, small]) syncer.remove(tenant.object.metadata.uid!)
  })
  after(async () => {
    await greedy[Symbol.asyncDispose]()
    await small[Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  })

  async function asTenant(cluster: TestVirtualCluster, change: (client: Client) => Client = (c) => c): Promise<Tenant> {
    const { namespace, name, uid } = cluster.object.metadata as { namespace: string; name: string; uid: string }
    const plane = (await host.manager()).controlPlane(uid)!
    const place = placement({ mode: 'namespaces', uid, namespace, name })
    return { uid, namespace, name, client: change(plane.client), placement: place, nodeView: 'needed', weight: 1, api: plane.endpoint } // prettier-ignore
  }

  async function onHost(cluster: TestVirtualCluster): Promise<KubeObject[]> {
    const uid = cluster.object.metadata.uid!
    return (await host.client.list(resources.services, { labelSelector: `tenantry.dev/cluster-uid=${uid}` })).items
  }

  async function run<T>(client: Client, body: (syncer: Syncer, waits: Map<string, number>) => Promise<T>): Promise<T> {
    const waits = new Map<string, number>()
    const syncer = new Syncer({
      host: client,
      newQueue: () => createFairQueue({ flowConcurrency: 64 }),
      now: Date.now,
      scanInterval: 0,
      onWait: (direction, tenant, milliseconds) => {
        const key = `${direction} ${tenant.uid}`
        waits.set(key, Math.max(waits.get(key) ?? 0, milliseconds))
      },
    })
    await syncer.start()
    try {
      return await body(syncer, waits)
    } finally {
      await syncer.stop()
    }
  }

  test('down: one who brings much does not make the other wait', async () => {
    for (let i = 0; i < MANY; i++) await greedy.client.create(resources.services, service(`s${i}`), at)
    const slow: Client['create'] = async (...args) => {
      await sleep(10)
      return host.client.create(...args)
    }
    await run(changed(host.client, { create: slow }), async (syncer, waits) => {
      await syncer.add(await asTenant(small))
      await syncer.add(await asTenant(greedy))
      await eventually('the greedy one is on its way', async () => (await onHost(greedy)).length > 20)
      await small.client.create(resources.services, service('only'), at)
      await eventually('the small one is there', async () => (await onHost(small)).length === 1)
      const ahead = (await onHost(greedy)).length
      assert.ok(ahead < MANY / 2, `${ahead} of ${MANY} were served first`)
      const uids = [small, greedy].map((t) => t.object.metadata.uid!)
      await eventually('all is there', async () => (await onHost(greedy)).length === MANY)
      const [mine, theirs] = uids.map((uid) => waits.get(`down ${uid}`)!)
      assert.ok(mine! < theirs! / 3, `waited ${mine} ms beside ${theirs} ms`)
    })
  })

  test('up: the same', async () => {
    const slow = (client: Client) =>
      changed(client, {
        patch: async (...args) => {
          await sleep(250)
          return client.patch(...args)
        },
      })
    const status = (text: string) => ({
      conditions: [{ type: 'Seen', status: 'True', reason: text, message: '', lastTransitionTime: '2030-01-01T00:00:00Z' }],
    }) // prettier-ignore
    const seen = async (cluster: TestVirtualCluster) =>
      (await cluster.client.list(resources.services, at)).items.filter((s) => s['status']?.conditions?.length > 0)
        .length
    const mark = (one: KubeObject) =>
      host.client.patch(
        resources.services,
        one.metadata.name!,
        { type: 'merge', body: { status: status('Yes') } },
        { namespace: one.metadata.namespace!, subresource: 'status' },
      )
    await run(host.client, async (syncer) => {
      await syncer.add(await asTenant(small, slow))
      await syncer.add(await asTenant(greedy, slow))
      await Promise.all((await onHost(greedy)).map((one) => mark(one)))
      const before = await seen(greedy)
      assert.ok(before < MANY / 2, `${before} of ${MANY} are served already`)
      for (const one of await onHost(small)) await mark(one)
      await eventually('the small one knows', async () => (await seen(small)) === 1)
      const between = (await seen(greedy)) - before
      assert.ok(between < MANY / 2, `${between} of ${MANY} were served first`)
      await eventually('all know', async () => (await seen(greedy)) === MANY)
    })
  })

  test('a tenant that does not answer keeps no other from its status', async () => {
    const never = new AbortController()
    const hung = (client: Client) =>
      changed(client, {
        patch: async (...args) => {
          await new Promise((resolve) => never.signal.addEventListener('abort', resolve))
          return client.patch(...args)
        },
      })
    const mark = (one: KubeObject, reason: string) =>
      host.client.patch(
        resources.services,
        one.metadata.name!,
        { type: 'merge', body: { status: { conditions: [{ type: 'Hung', status: 'True', reason, message: '', lastTransitionTime: '2030-01-01T00:00:00Z' }] } } },
        { namespace: one.metadata.namespace!, subresource: 'status' },
      ) // prettier-ignore
    await run(host.client, async (syncer) => {
      await syncer.add(await asTenant(greedy, hung))
      await syncer.add(await asTenant(small))
      for (const one of await onHost(greedy)) await mark(one, 'A')
      for (const one of await onHost(small)) await mark(one, 'B')
      await eventually('the other is served', async () => {
        const one = await small.client.get(resources.services, 'only', at)
        return one['status'].conditions?.[0]?.type === 'Hung'
      })
      never.abort()
    })
  })

  test('a status that cannot be written keeps no spec from the host', async () => {
    const failing = (client: Client) =>
      changed(client, {
        patch: async (resource, name, patch, query) => {
          if (query?.subresource === 'status') throw trouble()
          return client.patch(resource, name, patch, query)
        },
      })
    await run(host.client, async (syncer) => {
      await syncer.add(await asTenant(small, failing))
      await small.client.create(resources.services, service('new'), at)
      await eventually('the new one is there', async () => (await onHost(small)).length === 2)
      const body = { spec: { selector: { app: 'other' } } }
      await small.client.patch(resources.services, 'only', { type: 'merge', body }, at)
      await eventually('the change is there', async () =>
        (await onHost(small)).some((s) => s['spec'].selector.app === 'other'),
      )
    })
  })

  test('a spec that cannot be written keeps no status from the tenant', async () => {
    const refuse = () => Promise.reject(trouble())
    await run(changed(host.client, { create: refuse, patch: refuse }), async (syncer) => {
      await syncer.add(await asTenant(small))
      await small.client.create(resources.services, service('stuck'), at)
      const [one] = await onHost(small)
      await host.client.patch(
        resources.services,
        one!.metadata.name!,
        {
          type: 'merge',
          body: {
            status: {
              conditions: [
                { type: 'Late', status: 'True', reason: 'C', message: '', lastTransitionTime: '2030-01-01T00:00:00Z' },
              ],
            },
          },
        },
        { namespace: one!.metadata.namespace!, subresource: 'status' },
      )
      await eventually('the status came', async () => {
        const now = await small.client.get(resources.services, one!.metadata.name!, at)
        return now['status'].conditions?.[0]?.type === 'Late'
      })
      assert.equal(
        (await onHost(small)).some((s) => s.metadata.name === 'stuck'),
        false,
      )
    })
  })
})
