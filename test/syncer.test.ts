/** The whole loop: tenants and a host in this process, and what happens behind the syncer's back. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createFairQueue } from '../src/client/fair-queue.ts'
import type { Client, Resource } from '../src/client/contract.ts'
import {
  createCluster,
  createVirtualCluster,
  resources,
  type HostCluster,
  type KubeObject,
  type TestVirtualCluster,
} from '../src/index.ts'
import type { Tenant } from '../src/syncer/contract.ts'
import { placement } from '../src/syncer/placement.ts'
import { Syncer } from '../src/syncer/syncer.ts'
import { eventually } from './support/eventually.ts'

const MANAGED = 'tenantry.dev/managed-by=tenantry'
const CLUSTER = 'tenantry.dev/cluster-uid'
const NAMESPACE = 'tenantry.dev/namespace'
const NAME = 'tenantry.dev/name'

const at = { namespace: 'default' }

function pod(name: string, spec: object = {}, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'nginx' }], ...spec },
  }
}

function configMap(name: string, data: Record<string, string>, namespace = 'default'): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

const uses = (configMapName: string) => ({ volumes: [{ name: 'v', configMap: { name: configMapName } }] })

function phase(client: Client, name: string, wanted = 'Running'): Promise<KubeObject> {
  return eventually(`pod ${name} is ${wanted}`, async () => {
    const now = await client.get(resources.pods, name, at)
    return now['status'].phase === wanted && now
  })
}

const missing = (client: Client, resource: Resource, name: string, where = at): Promise<true> =>
  eventually(`${resource.resource} ${name} is gone`, async () => {
    const { items } = await client.list(resource, where)
    return !items.some((o) => o.metadata.name === name)
  })

for (const mode of ['namespaces', 'single'] as const) {
  suite(`the syncer, placement ${mode}`, () => {
    let host: HostCluster
    let tenant: TestVirtualCluster
    let uid: string

    before(async () => {
      host = await createCluster({ nodes: 2 })
      tenant = await createVirtualCluster({ host, name: 'acme', placement: mode })
      uid = tenant.object.metadata.uid!
    })
    after(async () => {
      await tenant[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
    })

    async function onHost(resource: Resource, name?: string): Promise<KubeObject[]> {
      const { items } = await host.client.list(resource, { labelSelector: `${MANAGED},${CLUSTER}=${uid}` })
      return name === undefined ? items : items.filter((o) => o.metadata.annotations![NAME] === name)
    }

    const twin = (resource: Resource, name: string): Promise<KubeObject> =>
      eventually(`${name} is on the host`, async () => (await onHost(resource, name))[0])

    /** The tenant as a syncer of the test's own sees it. */
    async function asTenant(): Promise<Tenant> {
      const { namespace, name } = tenant.object.metadata as { namespace: string; name: string }
      const plane = (await host.manager()).controlPlane(uid)!
      return {
        uid,
        namespace,
        name,
        client: plane.client,
        placement: placement({ mode, uid, namespace, name }),
        nodeView: 'needed',
        weight: 1,
        api: plane.endpoint,
      }
    }

    async function eventsOf(name: string): Promise<string[]> {
      const { items } = await tenant.client.list(resources.events, at)
      return items.filter((e) => e['involvedObject'].name === name).map((e) => `${e['reason']}: ${e['message']}`)
    }

    test('the same name again is another object', async () => {
      const first = await tenant.client.create(resources.pods, pod('again'), at)
      await phase(tenant.client, 'again')
      const old = await twin(resources.pods, 'again')
      await tenant.client.delete(resources.pods, 'again', { ...at, gracePeriodSeconds: 0 })
      const second = await tenant.client.create(resources.pods, pod('again'), at)
      assert.notEqual(first.metadata.uid, second.metadata.uid)
      await phase(tenant.client, 'again')
      const now = await onHost(resources.pods, 'again')
      assert.deepEqual(
        now.map((p) => p.metadata.annotations!['tenantry.dev/uid']),
        [second.metadata.uid],
      )
      assert.notEqual(now[0]!.metadata.uid, old.metadata.uid)
      await tenant.client.delete(resources.pods, 'again', at)
      await missing(tenant.client, resources.pods, 'again')
    })

    test('a ConfigMap goes down when it is referred to, follows, is put right, and goes', async () => {
      await tenant.client.create(resources.configmaps, configMap('settings', { mode: 'fast' }), at)
      await tenant.client.create(resources.pods, pod('reader', uses('settings')), at)
      await phase(tenant.client, 'reader')
      const copy = await twin(resources.configmaps, 'settings')
      assert.equal(copy['data'].mode, 'fast')

      const change = (data: object) =>
        tenant.client.patch(resources.configmaps, 'settings', { type: 'merge', body: { data } }, at)
      await change({ mode: 'slow', more: '1' })
      await eventually(
        'the change went down',
        async () => (await twin(resources.configmaps, 'settings'))['data'].more === '1',
      )

      const hostAt = { namespace: copy.metadata.namespace! }
      const edit = { data: { mode: 'hacked' }, metadata: { annotations: { 'host.example/kept': 'yes' } } }
      await host.client.patch(resources.configmaps, copy.metadata.name!, { type: 'merge', body: edit }, hostAt)
      const right = await eventually('the edit was put right', async () => {
        const now = await twin(resources.configmaps, 'settings')
        return now['data'].mode === 'slow' && now
      })
      assert.equal(right.metadata.annotations!['host.example/kept'], 'yes', 'what is the host’s stays')

      await host.client.delete(resources.configmaps, copy.metadata.name!, hostAt)
      await eventually('it was made again', async () => {
        const [now] = await onHost(resources.configmaps, 'settings')
        return now !== undefined && now.metadata.uid !== copy.metadata.uid
      })

      await tenant.client.delete(resources.pods, 'reader', at)
      await eventually('nobody refers to it', async () => (await onHost(resources.configmaps, 'settings')).length === 0)
      await tenant.client.get(resources.configmaps, 'settings', at)
    })

    test('a Secret that comes after its pod, and is updated', async () => {
      const volumes = [{ name: 'v', secret: { secretName: 'later' } }]
      await tenant.client.create(resources.pods, pod('waiter', { volumes }), at)
      await twin(resources.pods, 'waiter')
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'later' }, data: { a: 'YQ==' } }
      await tenant.client.create(resources.secrets, secret, at)
      assert.equal((await twin(resources.secrets, 'later'))['data'].a, 'YQ==')
      await tenant.client.patch(resources.secrets, 'later', { type: 'merge', body: { data: { a: 'Yg==' } } }, at)
      await eventually('updated', async () => (await twin(resources.secrets, 'later'))['data'].a === 'Yg==')
      await tenant.client.delete(resources.pods, 'waiter', at)
      await tenant.client.delete(resources.secrets, 'later', at)
      await eventually('gone', async () => (await onHost(resources.secrets, 'later')).length === 0)
    })

    test('a host pod that is evicted or deleted takes the tenant’s with it', async () => {
      for (const how of ['evict', 'delete'] as const) {
        await tenant.client.create(resources.pods, pod(how), at)
        await phase(tenant.client, how)
        const { name, namespace } = (await twin(resources.pods, how)).metadata as { name: string; namespace: string }
        if (how === 'delete') await host.client.delete(resources.pods, name, { namespace })
        else {
          const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
          await host.client.create(resources.pods, eviction, { namespace, name, subresource: 'eviction' })
        }
        await missing(tenant.client, resources.pods, how)
        assert.deepEqual(await onHost(resources.pods, how), [])
      }
    })

    test('somebody else’s object in the place is left alone; when it goes, ours comes', async () => {
      const place = placement({ mode, uid, namespace: tenant.object.metadata.namespace!, name: 'acme' })
      const namespace = place.namespace('default')
      const foreign = configMap(place.name('default', 'taken'), { whose: 'host' }, namespace)
      const keeper = await tenant.client.create(resources.pods, pod('keeper'), at)
      await phase(tenant.client, keeper.metadata.name!)
      await host.client.create(resources.configmaps, foreign, { namespace })
      await tenant.client.create(resources.configmaps, configMap('taken', { whose: 'tenant' }), at)
      await tenant.client.create(resources.pods, pod('user', uses('taken')), at)
      await eventually('an event says so', async () =>
        (await eventsOf('taken')).some((e) => /^SyncError: .* is not this object's; it is left alone$/.test(e)),
      )
      const there = await host.client.get(resources.configmaps, foreign.metadata.name!, { namespace })
      assert.equal(there['data'].whose, 'host')
      assert.equal((await eventsOf('taken')).length, 1, 'said once')
      await host.client.delete(resources.configmaps, foreign.metadata.name!, { namespace })
      assert.equal((await twin(resources.configmaps, 'taken'))['data'].whose, 'tenant')
      for (const name of ['user', 'keeper']) await tenant.client.delete(resources.pods, name, at)
    })

    test('a copy of a host object that claims to be it is not', async () => {
      const config = await tenant.client.create(resources.configmaps, configMap('real', { a: '1' }), at)
      await tenant.client.create(resources.pods, pod('user2', uses('real')), at)
      const real = await twin(resources.configmaps, 'real')
      const { labels, annotations } = real.metadata as { labels: Record<string, string>; annotations: object }
      const fake = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'fake', labels, annotations },
        data: { a: 'f' },
      }
      await host.client.create(resources.configmaps, fake as KubeObject, at)
      const body = { data: { a: '2' } }
      await tenant.client.patch(resources.configmaps, config.metadata.name!, { type: 'merge', body }, at)
      await eventually('the real one changes', async () => {
        const where = { namespace: real.metadata.namespace! }
        return (await host.client.get(resources.configmaps, real.metadata.name!, where))['data'].a === '2'
      })
      assert.equal((await host.client.get(resources.configmaps, 'fake', at))['data'].a, 'f')
      await host.client.delete(resources.configmaps, 'fake', at)
      await tenant.client.delete(resources.pods, 'user2', at)
    })

    test('what is refused says so, and takes nothing down with it', async () => {
      await tenant.client.create(resources.configmaps, configMap('private', { a: '1' }), at)
      const bad = { ...uses('private'), hostNetwork: true }
      await tenant.client.create(resources.pods, pod('bad', bad), at)
      await tenant.client.create(resources.pods, pod('handmade', { ...uses('private'), nodeName: 'node-0' }), at)
      await eventually('both have an event', async () => {
        const [one, two] = [await eventsOf('bad'), await eventsOf('handmade')]
        return one.some((e) => /spec\.hostNetwork/.test(e)) && two.some((e) => /spec\.nodeName was set by hand/.test(e))
      })
      assert.deepEqual(await onHost(resources.configmaps, 'private'), [])
      assert.deepEqual([...(await onHost(resources.pods, 'bad')), ...(await onHost(resources.pods, 'handmade'))], [])
      for (const name of ['bad', 'handmade'])
        await tenant.client.delete(resources.pods, name, { ...at, gracePeriodSeconds: 0 })
    })

    test('readiness gates: the tenant decides, the host knows', async () => {
      const gate = 'example.com/ready'
      await tenant.client.create(resources.pods, pod('gated', { readinessGates: [{ conditionType: gate }] }), at)
      const ready = (p: KubeObject) =>
        p['status'].conditions?.find((c: { type: string }) => c.type === 'Ready')?.status as string | undefined
      assert.equal(ready(await phase(tenant.client, 'gated')), 'False')
      const set = (status: string) =>
        tenant.client.patch(
          resources.pods,
          'gated',
          { type: 'strategic', body: { status: { conditions: [{ type: gate, status }] } } },
          { ...at, subresource: 'status' },
        )
      for (const status of ['True', 'False']) {
        await set(status)
        await eventually(`Ready is ${status}`, async () => {
          const now = await tenant.client.get(resources.pods, 'gated', at)
          return ready(now) === status && ready(await twin(resources.pods, 'gated')) === status
        })
      }
      await tenant.client.delete(resources.pods, 'gated', at)
    })

    test('a Service changes its type', async () => {
      const spec = { selector: { app: 'web' }, ports: [{ port: 80 }] }
      const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec }
      await tenant.client.create(resources.services, service, at)
      const patch = (body: object) =>
        tenant.client.patch(resources.services, 'web', { type: 'merge', body: { spec: body } }, at)
      const same = (what: string, check: (spec: KubeObject['spec']) => boolean) =>
        eventually(what, async () => {
          const ours = await tenant.client.get(resources.services, 'web', at)
          const theirs = (await onHost(resources.services, 'web'))[0]
          return (
            theirs !== undefined &&
            check(theirs['spec']) &&
            ours['spec'].clusterIP === theirs['spec'].clusterIP &&
            ours['spec'].ports?.[0]?.nodePort === theirs['spec'].ports?.[0]?.nodePort
          )
        })
      await same('one cluster IP', (s) => s.type === 'ClusterIP' && s.clusterIP !== undefined)
      await patch({ type: 'NodePort', publishNotReadyAddresses: true, sessionAffinity: 'ClientIP' })
      await same('one node port', (s) => s.ports[0].nodePort > 0 && s.publishNotReadyAddresses === true)
      await patch({
        ports: [
          { port: 80, protocol: 'TCP' },
          { name: 'b', port: 81 },
        ].map((p) => ({ name: 'a', ...p })),
      })
      await same('two ports', (s) => s.ports.length === 2 && s.ports[1].nodePort > 0)
      await patch({
        type: 'ClusterIP',
        publishNotReadyAddresses: false,
        sessionAffinity: 'None',
        sessionAffinityConfig: null,
        ports: [{ port: 80 }],
      })
      await same(
        'back again',
        (s) =>
          s.type === 'ClusterIP' &&
          s.ports[0].nodePort === undefined &&
          (s.publishNotReadyAddresses ?? false) === false &&
          s.sessionAffinityConfig === undefined,
      )
      await tenant.client.delete(resources.services, 'web', at)
      await eventually('gone', async () => (await onHost(resources.services, 'web')).length === 0)
    })

    test('a cordoned node takes no new pods', async () => {
      await tenant.client.create(resources.pods, pod('first'), at)
      const node = (await phase(tenant.client, 'first'))['spec'].nodeName as string
      await eventually('the node is there', () => tenant.client.get(resources.nodes, node))
      await tenant.client.patch(resources.nodes, node, { type: 'merge', body: { spec: { unschedulable: true } } })
      for (const name of ['a', 'b', 'c']) {
        await tenant.client.create(resources.pods, pod(name), at)
        assert.notEqual((await phase(tenant.client, name))['spec'].nodeName, node)
      }
      await tenant.client.patch(resources.nodes, node, { type: 'merge', body: { spec: { unschedulable: null } } })
      const own = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'mine' } }
      await tenant.client.create(resources.nodes, own)
      await tenant.client.delete(resources.nodes, node)
      await eventually('a node with pods comes back', () => tenant.client.get(resources.nodes, node))
      await tenant.client.get(resources.nodes, 'mine')
      await tenant.client.delete(resources.nodes, 'mine')
      for (const name of ['first', 'a', 'b', 'c']) await tenant.client.delete(resources.pods, name, at)
      for (const name of ['first', 'a', 'b', 'c']) await missing(tenant.client, resources.pods, name)
    })

    test('a namespace is deleted while its pods end', async () => {
      const shop = { namespace: 'shop' }
      await tenant.client.create(resources.namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop' },
      })
      await tenant.client.create(resources.configmaps, configMap('settings', {}, 'shop'), shop)
      const slow = pod('slow', { ...uses('settings'), terminationGracePeriodSeconds: 2 }, { namespace: 'shop' })
      await eventually('the account is there', () =>
        tenant.client.get(resources.serviceaccounts, 'default', { namespace: 'shop' }),
      )
      await tenant.client.create(resources.pods, slow, shop)
      await eventually('running', async () => {
        const now = await tenant.client.get(resources.pods, 'slow', shop)
        return now['status'].phase === 'Running'
      })
      await tenant.client.delete(resources.pods, 'slow', shop)
      await tenant.client.delete(resources.namespaces, 'shop')
      await missing(tenant.client, resources.namespaces, 'shop', { namespace: '' })
      await eventually('nothing of it is on the host', async () => {
        for (const resource of [resources.pods, resources.configmaps, resources.secrets, resources.services]) {
          const left = (await onHost(resource)).filter((o) => o.metadata.annotations![NAMESPACE] === 'shop')
          if (left.length > 0) return false
        }
        return (await onHost(resources.namespaces, 'shop')).length === 0
      })
    })

    test('a syncer that starts again finds what changed meanwhile', async () => {
      const names = ['kept', 'lost', 'deleted', 'renewed']
      for (const name of names) {
        await tenant.client.create(resources.configmaps, configMap(name, { at: 'first' }), at)
        await tenant.client.create(resources.pods, pod(name, uses(name)), at)
      }
      for (const name of names) await phase(tenant.client, name)
      const kept = await twin(resources.pods, 'kept')
      const manager = await host.manager()
      manager.syncer.remove(uid)

      const now = { ...at, gracePeriodSeconds: 0 }
      const lost = await twin(resources.pods, 'lost')
      await host.client.delete(resources.pods, lost.metadata.name!, {
        namespace: lost.metadata.namespace!,
        gracePeriodSeconds: 0,
      })
      await tenant.client.delete(resources.pods, 'deleted', now)
      const before = await tenant.client.get(resources.pods, 'renewed', at)
      await tenant.client.delete(resources.pods, 'renewed', now)
      await tenant.client.create(resources.pods, pod('renewed', uses('kept')), at)
      const body = { data: { at: 'second' } }
      await tenant.client.patch(resources.configmaps, 'kept', { type: 'merge', body }, at)

      const errors: string[] = []
      const second = new Syncer({
        host: host.client,
        newQueue: () => createFairQueue(),
        now: Date.now,
        scanInterval: 0,
        onError: (message, fields) => errors.push(`${message} ${JSON.stringify(fields)}`),
      })
      await second.start()
      try {
        await second.add(await asTenant())
        await missing(tenant.client, resources.pods, 'lost')
        await eventually('the deleted one is gone', async () => (await onHost(resources.pods, 'deleted')).length === 0)
        const renewed = await phase(tenant.client, 'renewed')
        assert.notEqual(renewed.metadata.uid, before.metadata.uid)
        await eventually(
          'the change came down',
          async () => (await twin(resources.configmaps, 'kept'))['data'].at === 'second',
        )
        await eventually('what nobody refers to went', async () => {
          const left = (await onHost(resources.configmaps)).map((o) => o.metadata.annotations![NAME])
          return !left.includes('lost') && !left.includes('deleted') && !left.includes('renewed')
        })
        const same = await twin(resources.pods, 'kept')
        assert.equal(same.metadata.uid, kept.metadata.uid)
        assert.equal(
          same.metadata.resourceVersion,
          kept.metadata.resourceVersion,
          'what did not change was not written',
        )
        assert.deepEqual(errors, [])
      } finally {
        await second.stop()
        await manager.syncer.add(await asTenant())
      }
      for (const name of ['kept', 'renewed']) await tenant.client.delete(resources.pods, name, at)
      for (const name of ['kept', 'renewed']) await missing(tenant.client, resources.pods, name)
    })

    test('tokens: made for pods, made again, renewed in time, and gone with the last pod', async () => {
      await tenant.client.create(resources.pods, pod('caller'), at)
      const running = await phase(tenant.client, 'caller')
      assert.equal(running['spec'].volumes.length, 1)
      const tokens = async () => (await onHost(resources.secrets)).filter((s) => s['data'].token !== undefined)
      const [first] = await tokens()
      const token = (secret: KubeObject) => Buffer.from(secret['data'].token as string, 'base64').toString()
      const claims = JSON.parse(Buffer.from(token(first!).split('.')[1]!, 'base64url').toString()) as KubeObject
      assert.equal(claims['sub'], 'system:serviceaccount:default:default')
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: token(first!) } }
      const answer = async (cluster: { client: Client }) =>
        JSON.parse(
          await cluster.client.raw('POST', '/apis/authentication.k8s.io/v1/tokenreviews', JSON.stringify(review)),
        ) as KubeObject
      assert.equal((await answer(tenant))['status'].authenticated, true)
      assert.notEqual((await answer(host))['status'].authenticated, true, 'it opens nothing on the host')

      const where = { namespace: first!.metadata.namespace! }
      await host.client.delete(resources.secrets, first!.metadata.name!, where)
      const again = await eventually('made again', async () => (await tokens())[0])
      assert.notEqual(again.metadata.uid, first!.metadata.uid)

      const manager = await host.manager()
      manager.syncer.remove(uid)
      const later = new Syncer({
        host: host.client,
        newQueue: () => createFairQueue(),
        now: () => Date.now() + 50 * 60_000,
        scanInterval: 0,
      })
      await later.start()
      try {
        await later.add(await asTenant())
        await later.scan()
        await eventually('renewed', async () => {
          const [now] = await tokens()
          return (
            now?.metadata.uid === again.metadata.uid && now?.metadata.resourceVersion !== again.metadata.resourceVersion
          )
        })
        // What is no use any more may be written by anybody: it stops nothing.
        const body = { metadata: { annotations: { 'tenantry.dev/token': 'not JSON' } } }
        await host.client.patch(resources.secrets, again.metadata.name!, { type: 'merge', body }, where)
        await later.scan()
      } finally {
        await later.stop()
        await manager.syncer.add(await asTenant())
      }
      await tenant.client.delete(resources.pods, 'caller', at)
      await missing(tenant.client, resources.pods, 'caller')
      await eventually('gone', async () => (await tokens()).length === 0)
      if (mode === 'namespaces')
        await eventually('and its namespace', async () => (await onHost(resources.namespaces, 'default')).length === 0)
    })

    test('in the end nothing of it is on the host', async () => {
      await tenant.client.create(resources.pods, pod('last', { terminationGracePeriodSeconds: 30 }), at)
      const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 1 }] } }
      await tenant.client.create(resources.services, service, at)
      await phase(tenant.client, 'last')
      const other = await createVirtualCluster({ host, name: 'other', placement: mode })
      await other.client.create(resources.pods, pod('last', { terminationGracePeriodSeconds: 0 }), at)
      await phase(other.client, 'last')
      const mine = uid
      uid = other.object.metadata.uid!
      // More is made while it is being deleted: what was under way must go, too.
      const more = Array.from({ length: 30 }, (_, i) => other.client.create(resources.pods, pod(`p${i}`), at))
      await Promise.all([Promise.allSettled(more), other[Symbol.asyncDispose]()])
      for (const resource of [resources.pods, resources.configmaps, resources.secrets, resources.services])
        assert.deepEqual(await onHost(resource), [])
      assert.deepEqual(await onHost(resources.namespaces), [])
      uid = mine
      assert.equal((await onHost(resources.pods, 'last')).length, 1, 'the same name of another tenant stays')
      await tenant.client.delete(resources.pods, 'last', { ...at, gracePeriodSeconds: 0 })
    })
  })
}
