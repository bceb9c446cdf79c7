import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pod, refusalOf, testCluster } from '../registry/fixture.ts'
import { InProcessClient } from './client.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Authorizer } from '../contract.ts'

async function connected() {
  const cluster = await testCluster()
  return { cluster, client: new InProcessClient({ api: cluster.api }) }
}

const map = (name: string, namespace = 'default', labels: Record<string, string> = {}): KubeObject => ({
  metadata: { name, namespace, labels },
  data: { k: 'v' },
})

test('objects in are not kept, objects out are the stored ones', async () => {
  const { cluster, client } = await connected()
  const mine = map('a')
  const made = await client.create(resources.configmaps, mine)
  assert.deepEqual(mine, map('a'))
  mine['data'].k = 'changed'
  const got = await client.get(resources.configmaps, 'a', { namespace: 'default' })
  assert.equal(got['data'].k, 'v')
  assert.equal(got, made)
  const entry = cluster.api.range.get('core/configmaps/default/a')!
  assert.equal(entry.object, got)
  const next = await client.update(resources.configmaps, { ...got, data: { k: '2' } })
  assert.equal(next['data'].k, '2')
  assert.equal(got['data'].k, 'v')
  const list = await client.list(resources.configmaps, { namespace: 'default', limit: 5 })
  assert.equal(list.kind, 'ConfigMapList')
  assert.equal(list.items[0], next)
  assert.equal(await client.delete(resources.configmaps, 'a', { namespace: 'default' }), undefined)
  assert.match(await refusalOf(client.get(resources.configmaps, 'a', { namespace: 'default' })), /^404/)
})

test('informers: late handlers, updates, deletions, selectors, indexes, without a cache of their own', async () => {
  const { client } = await connected()
  await client.create(resources.configmaps, map('a', 'default', { app: 'x' }))
  const all = client.informer(resources.configmaps)
  assert.equal(client.informer(resources.configmaps), all)
  assert.equal(all.synced, true)
  const log: string[] = []
  const stop = all.onEvent((e) => {
    const old = e.type === 'update' ? ` from ${JSON.stringify(e.old.metadata.labels ?? {})}` : ''
    log.push(`${e.type} ${e.object.metadata.name}${old}`)
    if (e.type !== 'delete') assert.equal(all.get('default', e.object.metadata.name!), e.object)
  })
  const selected = client.informer(resources.configmaps, { labelSelector: 'app=x' })
  const seen: string[] = []
  selected.onEvent((e) => seen.push(`${e.type} ${e.object.metadata.name}`))
  all.addIndex('app', (o) => [o.metadata.labels?.['app'] ?? ''])
  await client.create(resources.configmaps, map('b'))
  await client.patch(
    resources.configmaps,
    'b',
    { type: 'merge', body: { metadata: { labels: { app: 'x' } } } },
    { namespace: 'default' },
  )
  assert.deepEqual(
    all.byIndex('app', 'x').map((o) => o.metadata.name),
    ['a', 'b'],
  )
  assert.deepEqual(
    selected.list().map((o) => o.metadata.name),
    ['a', 'b'],
  )
  await client.patch(
    resources.configmaps,
    'a',
    { type: 'merge', body: { metadata: { labels: null } } },
    { namespace: 'default' },
  )
  await client.delete(resources.configmaps, 'b', { namespace: 'default' })
  assert.deepEqual(log, ['add a', 'add b', 'update b from {}', 'update a from {"app":"x"}', 'delete b'])
  assert.deepEqual(seen, ['add a', 'add b', 'delete a', 'delete b'])
  assert.deepEqual(all.byIndex('app', 'x'), [])
  assert.equal(selected.get('default', 'a'), undefined)
  assert.equal(all.list('default')[0], all.get('default', 'a'))
  assert.deepEqual(all.list('kube-system'), [])
  stop()
  await client.create(resources.configmaps, map('c'))
  assert.equal(log.length, 5)
})

test('watches: bookmarks, ends, and an abort', async () => {
  const { client } = await connected()
  await client.create(resources.configmaps, map('a'))
  const abort = new AbortController()
  const texts: string[] = []
  for await (const event of client.watch(resources.configmaps, {
    sendInitialEvents: true,
    allowWatchBookmarks: true,
    signal: abort.signal,
  })) {
    texts.push(event.type)
    if (event.type === 'BOOKMARK') void client.create(resources.configmaps, map('b'))
    if (texts.length === 3) abort.abort()
  }
  assert.deepEqual(texts, ['ADDED', 'BOOKMARK', 'ADDED'])
  const ended = (async () => {
    for await (const _ of client.watch(resources.configmaps, { resourceVersion: '1' })) void _
    return 'ended'
  })()
  await new Promise((resolve) => setImmediate(resolve))
  await client.close()
  assert.equal(await ended, 'ended')
})

test('subresources and values that do not fit', async () => {
  const { client } = await connected()
  await client.create(resources.pods, pod('a'))
  const binding = { metadata: { name: 'a', namespace: 'default' }, target: { name: 'n1' } }
  await client.create(resources.pods, binding, { subresource: 'binding' })
  assert.equal((await client.get(resources.pods, 'a', { namespace: 'default' }))['spec'].nodeName, 'n1')
  const wrong = { metadata: { name: 'b', namespace: 'default' }, spec: { containers: 'x' } }
  assert.match(await refusalOf(client.create(resources.pods, wrong)), /^400 BadRequest/)
  assert.match(await refusalOf(client.raw('GET', '/version')), /^404/)
})

test('an identity without rights is refused', async () => {
  const authorizer: Authorizer = {
    authorize: ({ user, verb }) => ({ allowed: user.name === 'admin' || verb === 'get', reason: '' }),
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
  }
  const { api } = await testCluster({ authorizer })
  const client = new InProcessClient({ api, user: { name: 'u', groups: [] } })
  assert.equal(
    await refusalOf(client.create(resources.configmaps, map('a'))),
    '403 Forbidden: configmaps is forbidden: User "u" cannot create resource "configmaps" in API group "" in the namespace "default"',
  )
  assert.equal(
    await refusalOf(() => client.informer(resources.nodes)),
    '403 Forbidden: nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope',
  )
})
