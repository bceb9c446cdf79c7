/** The client contract: over HTTPS to a real kube-apiserver and to an embedded cluster, and inside the process. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Client, Resource, WatchEvent } from '../src/client/contract.ts'
import { HttpsClient } from '../src/client/https.ts'
import { informerSuite } from '../src/client/informer.suite.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { resources } from '../src/client/resources.ts'
import { createCluster, type HostCluster } from '../src/index.ts'
import type { KubeObject } from '../src/machinery/object.ts'
import { isReason, StatusError } from '../src/machinery/status.ts'
import { startControlPlane, type ControlPlane } from './support/control-plane.ts'
import { eventually } from './support/eventually.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'

const { configmaps, namespaces, pods, secrets, serviceaccounts, services } = resources
const programs = findControlPlane()

describe('kube-apiserver', { skip: skipWithout(programs, 'a control plane') }, () => {
  let plane: ControlPlane
  before(async () => {
    plane = await startControlPlane({ programs: programs!, controllers: false })
  })
  after(() => plane[Symbol.asyncDispose]())
  const open = async () => new HttpsClient(parseKubeconfig(plane.kubeconfig))
  clientSuite('HTTPS', open)
  informerSuite('HTTPS', open)
})

describe('embedded cluster', () => {
  let cluster: HostCluster
  before(async () => {
    cluster = await createCluster({ nodes: 0 })
  })
  after(() => cluster[Symbol.asyncDispose]())
  const open = async () => new HttpsClient(parseKubeconfig(cluster.kubeconfig))
  clientSuite('HTTPS', open)
  informerSuite('HTTPS', open)
})

describe('embedded cluster', () => {
  let cluster: HostCluster
  before(async () => {
    cluster = await createCluster({ nodes: 0 })
  })
  after(() => cluster[Symbol.asyncDispose]())
  // The cluster's own client, which the suites may close.
  clientSuite('in the process', async () => unclosed(cluster.client))
  informerSuite('in the process', async () => cluster.client)
})

/** A client whose close leaves the one behind it open. */
function unclosed(client: Client): Client {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'close') return async () => {}
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

const refusal = async (call: Promise<unknown>): Promise<string> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof StatusError, `a StatusError, not ${String(error)}`)
  assert.equal(error.status.kind, 'Status')
  return `${error.code} ${error.reason}: ${error.message}`
}

/** What every client does the same. */
function clientSuite(name: string, open: () => Promise<Client>): void {
  describe(`${name}: verbs`, () => {
    const namespace = `client-${process.pid}`
    const where = { namespace }
    let client: Client
    before(async () => {
      client = await open()
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      // Pods need it, and a server without controllers does not make it.
      await client.create(serviceaccounts, { metadata: { name: 'default', namespace } }).catch((error: unknown) => {
        if (!isReason(error, 'AlreadyExists')) throw error
      })
    })
    after(() => client.close())

    const map = (object: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: object, namespace, labels },
      data,
    })

    it('create, get, update, list, delete', async () => {
      const made = await client.create(configmaps, map('a', { k: '1' }))
      assert.equal(made.kind, 'ConfigMap')
      assert.deepEqual(await client.get(configmaps, 'a', where), made)
      const next = await client.update(configmaps, { ...made, data: { k: '2' } })
      assert.equal(next['data'].k, '2')
      assert.notEqual(next.metadata.resourceVersion, made.metadata.resourceVersion)
      const list = await client.list(configmaps, { ...where, fieldSelector: 'metadata.name=a' })
      assert.equal(list.kind, 'ConfigMapList')
      assert.deepEqual(list.items, [next])
      assert.equal(await client.delete(configmaps, 'a', where), undefined)
      assert.deepEqual((await client.list(configmaps, { ...where, fieldSelector: 'metadata.name=a' })).items, [])
    })

    it('errors are Status objects', async () => {
      const made = await client.create(configmaps, map('e'))
      assert.equal(await refusal(client.get(configmaps, 'none', where)), '404 NotFound: configmaps "none" not found')
      assert.equal(
        await refusal(client.create(configmaps, map('e'))),
        '409 AlreadyExists: configmaps "e" already exists',
      )
      await client.update(configmaps, { ...made, data: { k: '1' } })
      assert.match(await refusal(client.update(configmaps, { ...made, data: { k: '2' } })), /^409 Conflict: Operation/)
      assert.match(await refusal(client.create(configmaps, map('Not A Name'))), /^422 Invalid: ConfigMap "Not A Name"/)
      assert.match(
        await refusal(client.delete(configmaps, 'e', { ...where, preconditions: { uid: 'another' } })),
        /^409 Conflict: .*another/,
      )
      const unknown: Resource = {
        group: 'no.such.io',
        version: 'v1',
        resource: 'things',
        kind: 'Thing',
        namespaced: true,
      }
      assert.match(await refusal(client.list(unknown, where)), /^404 NotFound/)
    })

    it('every kind of patch', async () => {
      await client.create(services, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'p', namespace },
        spec: { ports: [{ name: 'a', port: 80 }], selector: { app: 'x' } },
      })
      const merge = await client.patch(
        services,
        'p',
        { type: 'merge', body: { spec: { selector: { b: 'y' } } } },
        where,
      )
      assert.deepEqual(merge['spec'].selector, { app: 'x', b: 'y' })
      const body = { spec: { ports: [{ name: 'b', port: 81 }] } }
      const strategic = await client.patch(services, 'p', { type: 'strategic', body }, where)
      assert.deepEqual(strategic['spec'].ports.map((port: { name: string }) => port.name).sort(), ['a', 'b'])
      const op = { op: 'replace', path: '/spec/selector', value: { only: 'z' } }
      const json = await client.patch(services, 'p', { type: 'json', body: [op] }, where)
      assert.deepEqual(json['spec'].selector, { only: 'z' })
    })

    it('server-side apply, with its conflicts', async () => {
      const apply = (manager: string, value: string, force?: boolean) =>
        client.patch(
          configmaps,
          'applied',
          {
            type: 'apply',
            body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace }, data: { k: value } },
            ...(force === undefined ? {} : { force }),
          },
          { ...where, fieldManager: manager },
        )
      assert.equal((await apply('one', '1'))['data'].k, '1')
      assert.match(await refusal(apply('two', '2')), /^409 Conflict: Apply failed with 1 conflict/)
      const forced = await apply('two', '2', true)
      assert.equal(forced['data'].k, '2')
      const managers = (forced.metadata.managedFields as { manager: string }[]).map(({ manager }) => manager)
      assert.ok(managers.includes('two'))
    })

    it('dry runs change nothing', async () => {
      const dry = { ...where, dryRun: true }
      assert.ok((await client.create(configmaps, map('dry'), dry)).metadata.uid)
      assert.match(await refusal(client.get(configmaps, 'dry', where)), /^404/)
      const made = await client.create(configmaps, map('dry', { k: '1' }))
      const changed = await client.patch(configmaps, 'dry', { type: 'merge', body: { data: { k: '2' } } }, dry)
      assert.equal(changed['data'].k, '2')
      await client.delete(configmaps, 'dry', dry)
      assert.deepEqual(await client.get(configmaps, 'dry', where), made)
    })

    it('subresources', async () => {
      await client.create(pods, pod('sub'))
      await client.create(
        pods,
        { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'sub' }, target: { kind: 'Node', name: 'somewhere' } },
        { ...where, name: 'sub', subresource: 'binding' },
      )
      const bound = await client.get(pods, 'sub', where)
      assert.equal(bound['spec'].nodeName, 'somewhere')
      const running = { ...bound, status: { ...(bound['status'] as object), phase: 'Running' } }
      const shown = await client.update(pods, running, { ...where, subresource: 'status' })
      assert.equal(shown['status'].phase, 'Running')
    })

    it('delete answers what still exists, and only that', async () => {
      // On a node: waits for its kubelet. Without: goes at once.
      const waiting = await client.delete(pods, 'sub', { ...where, gracePeriodSeconds: 5 })
      assert.equal(waiting?.metadata.deletionGracePeriodSeconds, 5)
      assert.equal(await client.delete(pods, 'sub', { ...where, gracePeriodSeconds: 0 }), undefined)
      assert.match(await refusal(client.get(pods, 'sub', where)), /^404/)
      const held = map('held')
      await client.create(configmaps, { ...held, metadata: { ...held.metadata, finalizers: ['tenantry.dev/test'] } })
      const marked = await client.delete(configmaps, 'held', where)
      assert.ok(marked?.metadata.deletionTimestamp)
      await client.patch(configmaps, 'held', { type: 'merge', body: { metadata: { finalizers: null } } }, where)
      assert.match(await refusal(client.get(configmaps, 'held', where)), /^404/)
      assert.equal(await client.delete(services, 'p', where), undefined)
    })

    it('collections are deleted by selector', async () => {
      for (const [object, keep] of [
        ['c1', 'no'],
        ['c2', 'no'],
        ['c3', 'yes'],
      ] as const)
        // prettier-ignore
        await client.create(secrets, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: object, namespace, labels: { keep } },
        })
      await client.deleteCollection(secrets, { ...where, labelSelector: 'keep=no' })
      const left = await client.list(secrets, { ...where, labelSelector: 'keep' })
      assert.deepEqual(left.items.map(({ metadata }) => metadata.name), ['c3']) // prettier-ignore
      assert.equal(left.items[0]!.kind, 'Secret')
    })

    it('lists come in pages', async () => {
      const labels = { paged: 'yes' }
      for (let i = 0; i < 5; i++) await client.create(configmaps, map(`page-${i}`, {}, labels))
      const seen: string[] = []
      let next: string | undefined
      do {
        const page = await client.list(configmaps, {
          ...where,
          labelSelector: 'paged=yes',
          limit: 2,
          ...(next === undefined ? {} : { continue: next }),
        })
        assert.ok(page.items.length <= 2)
        seen.push(...page.items.map(({ metadata }) => metadata.name!))
        next = page.metadata.continue
      } while (next !== undefined && next !== '')
      assert.deepEqual(seen, ['page-0', 'page-1', 'page-2', 'page-3', 'page-4'])
    })

    it('a watch tells changes from a version on, until its signal', async () => {
      const { metadata } = await client.list(configmaps, where)
      const stop = new AbortController()
      const seen: WatchEvent[] = []
      const watching = (async () => {
        const query = { ...where, resourceVersion: metadata.resourceVersion, signal: stop.signal }
        for await (const event of client.watch(configmaps, query)) seen.push(event)
      })()
      await client.create(configmaps, map('w'))
      await client.patch(configmaps, 'w', { type: 'merge', body: { data: { k: '1' } } }, where)
      await client.delete(configmaps, 'w', where)
      await eventually('three events', () => seen.length >= 3)
      stop.abort()
      await watching
      assert.deepEqual(seen.map((e) => `${e.type} ${(e.object as KubeObject).metadata.name}`), ['ADDED w', 'MODIFIED w', 'DELETED w']) // prettier-ignore
    })

    it('a watch can begin with the state', async () => {
      await client.create(configmaps, map('first', {}, { watched: 'yes' }))
      const seen: string[] = []
      for await (const event of client.watch(configmaps, {
        ...where,
        labelSelector: 'watched=yes',
        sendInitialEvents: true,
        allowWatchBookmarks: true,
      })) {
        assert.notEqual(event.type, 'ERROR')
        const { metadata } = event.object as KubeObject
        seen.push(event.type === 'BOOKMARK' ? JSON.stringify(metadata.annotations) : `${event.type} ${metadata.name}`)
        if (event.type === 'BOOKMARK') break
      }
      assert.deepEqual(seen, ['ADDED first', '{"k8s.io/initial-events-end":"true"}'])
    })

    it('a watch ends by itself after its time', async () => {
      const started = performance.now()
      const query = { ...where, labelSelector: 'none=none', timeoutSeconds: 1 }
      for await (const event of client.watch(configmaps, query)) assert.fail(`no ${event.type}`)
      assert.ok(performance.now() - started < 10_000)
    })

    it('many calls at once, with watches open', async () => {
      const stop = new AbortController()
      const watches = Array.from({ length: 20 }, async (_, i) => {
        const query = { ...where, labelSelector: `none=${i}`, signal: stop.signal }
        for await (const event of client.watch(configmaps, query)) assert.fail(`no ${event.type}`)
      })
      const got = await Promise.all(Array.from({ length: 200 }, () => client.get(configmaps, 'e', where)))
      assert.equal(new Set(got.map(({ metadata }) => metadata.uid)).size, 1)
      stop.abort()
      await Promise.all(watches)
    })

    it('raw paths', async () => {
      const version = JSON.parse(await client.raw('GET', '/version')) as { major: string }
      assert.equal(version.major, '1')
      assert.equal(await client.raw('GET', '/readyz'), 'ok')
      assert.match(await refusal(client.raw('GET', '/apis/no.such.io')), /^404/)
    })
  })

  const pod = (object: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: object, namespace: `client-${process.pid}` },
    // Without a service account, which no controller makes here.
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }] },
  })
}
