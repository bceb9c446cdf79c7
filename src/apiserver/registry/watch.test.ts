import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { call, eventText, refusalOf, testCluster } from './fixture.ts'
import type { TestCluster } from './fixture.ts'
import { createBookmarkTicker } from './bookmarks.ts'
import type { ApiWatchEvent, WatchCall } from '../contract.ts'
import { metaOf } from '../contract.ts'

function watching(cluster: TestCluster, query: WatchCall = {}, namespace = '') {
  const events: ApiWatchEvent[] = []
  const state = { ended: false }
  const target = cluster.target('v1/configmaps', namespace)
  const stop = cluster.api.watch(
    call,
    target,
    query,
    (e) => events.push(e),
    () => void (state.ended = true),
  )
  return { events, stop, state, texts: () => events.splice(0).map(eventText) }
}

const make = (cluster: TestCluster, name: string, labels: Record<string, string> = {}, namespace = 'default') =>
  cluster.create('v1/configmaps', { metadata: { name, namespace, labels } })

const relabel = (cluster: TestCluster, name: string, labels: object) =>
  cluster.api.patch(call, cluster.target('v1/configmaps', 'default', name), 'merge', { metadata: { labels } })

test('state first, then changes; or changes since a revision', async () => {
  const cluster = await testCluster()
  await make(cluster, 'a')
  const { resourceVersion } = (await cluster.api.list(call, cluster.target('v1/configmaps'), {}))!
  const all = watching(cluster)
  assert.deepEqual(all.texts(), ['ADDED a'])
  await make(cluster, 'b')
  await relabel(cluster, 'a', { x: 'y' })
  await cluster.api.delete(call, cluster.target('v1/configmaps', 'default', 'b'), {})
  assert.deepEqual(all.texts(), ['ADDED b', 'MODIFIED a', 'DELETED b'])
  const since = watching(cluster, { resourceVersion })
  assert.deepEqual(since.texts(), ['ADDED b', 'MODIFIED a', 'DELETED b'])
  await make(cluster, 'c', {}, 'kube-system')
  assert.deepEqual(watching(cluster, {}, 'kube-system').texts(), ['ADDED c'])
  all.stop()
  all.texts()
  await make(cluster, 'd')
  assert.deepEqual(all.texts(), [])
})

test('what enters a selection is added, what leaves it is deleted with its previous state', async () => {
  const cluster = await testCluster()
  await make(cluster, 'a', { app: 'x' })
  await make(cluster, 'b')
  const w = watching(cluster, { labelSelector: 'app=x' })
  assert.deepEqual(w.texts(), ['ADDED a'])
  await relabel(cluster, 'b', { app: 'x' })
  await relabel(cluster, 'b', { other: '1' })
  assert.deepEqual(w.texts(), ['ADDED b', 'MODIFIED b'])
  const left = await relabel(cluster, 'b', { app: 'y' })
  const [event] = w.events.splice(0)
  assert.equal(event!.type, 'DELETED')
  assert.ok(event!.type === 'DELETED')
  assert.deepEqual(metaOf(event!.entry).labels, { app: 'x', other: '1' })
  assert.equal(metaOf(event!.entry).resourceVersion, left.object.metadata.resourceVersion)
  assert.equal(JSON.parse(event!.entry.bytes.toString()).metadata.resourceVersion, left.object.metadata.resourceVersion)
  await cluster.api.delete(call, cluster.target('v1/configmaps', 'default', 'b'), {})
  assert.deepEqual(w.texts(), [])
  const named = watching(cluster, { fieldSelector: 'metadata.name=a' }, 'default')
  await make(cluster, 'aa')
  await relabel(cluster, 'a', { z: '1' })
  assert.deepEqual(named.texts(), ['ADDED a', 'MODIFIED a'])
})

test('all watchers get the same entry', async () => {
  const cluster = await testCluster()
  const first = watching(cluster)
  const second = watching(cluster, { labelSelector: 'a=b' })
  await make(cluster, 'a', { a: 'b' })
  await relabel(cluster, 'a', { a: 'c' })
  const third = watching(cluster, { labelSelector: 'a=b', resourceVersion: '1' })
  assert.ok(first.events[0]!.type !== 'BOOKMARK' && second.events[0]!.type !== 'BOOKMARK')
  assert.equal(first.events[0]!.entry, second.events[0]!.entry)
  assert.ok(second.events[1]!.type === 'DELETED' && third.events[1]!.type === 'DELETED')
  assert.equal(second.events[1]!.entry, third.events[1]!.entry)
})

test('WatchList: state, the bookmark that ends it, then changes', async () => {
  const cluster = await testCluster()
  await make(cluster, 'a')
  const query = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true }
  const w = watching(cluster, query)
  assert.deepEqual(w.texts(), ['ADDED a', 'BOOKMARK (end of initial events)'])
  await make(cluster, 'b')
  assert.deepEqual(w.texts(), ['ADDED b'])
  w.stop()
  const future = { ...query, resourceVersion: '99999' }
  assert.match(
    await refusalOf(() => watching(cluster, future)),
    /^504 Timeout: Timeout: Too large resource version: 99999/,
  )
  assert.match(
    await refusalOf(() => watching(cluster, { sendInitialEvents: true })),
    /^422 .*sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/,
  )
})

test('a forgotten revision is a 410 before anything is sent', async () => {
  const cluster = await testCluster()
  await make(cluster, 'a')
  const old = String(cluster.api.range.revision - 1)
  cluster.api.range.compact(cluster.api.range.revision)
  const { compacted } = cluster.api.range
  assert.equal(
    await refusalOf(() => watching(cluster, { resourceVersion: old })),
    `410 Expired: too old resource version: ${old} (${compacted})`,
  )
})

test('bookmarks: every minute and before the deadline, by one timer that goes with the last watch', async () => {
  mock.timers.enable({ apis: ['setInterval'] })
  try {
    const cluster = await testCluster({ bookmarks: createBookmarkTicker() })
    const w = watching(cluster, { resourceVersion: '1', allowWatchBookmarks: true, timeoutSeconds: 90 })
    w.texts()
    mock.timers.tick(59_000)
    assert.deepEqual(w.texts(), ['BOOKMARK'])
    mock.timers.tick(28_000)
    assert.deepEqual(w.texts(), [])
    mock.timers.tick(1000)
    assert.deepEqual(w.texts(), ['BOOKMARK'])
    w.stop()
    mock.timers.tick(300_000)
    assert.deepEqual(w.texts(), [])
  } finally {
    mock.timers.reset()
  }
})
