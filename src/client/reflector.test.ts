import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeList, KubeObject } from '../machinery/object.ts'
import { errors } from '../machinery/status.ts'
import type { Client, ListQuery, WatchEvent, WatchQuery } from './contract.ts'
import { ConnectionError } from './failure.ts'
import { Reflector } from './reflector.ts'
import type { ReflectorOptions } from './reflector.ts'
import { resources } from './resources.ts'

const pod = (name: string, version: number): KubeObject => ({
  metadata: { name, namespace: 'default', uid: name, resourceVersion: String(version) },
})
const added = (name: string, version: number): WatchEvent => ({ type: 'ADDED', object: pod(name, version) })
const bookmark = (version: number, end = false): WatchEvent => ({
  type: 'BOOKMARK',
  object: {
    metadata: {
      resourceVersion: String(version),
      ...(end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  },
})
const page = (objects: KubeObject[], version: number, next?: string): KubeList => ({
  apiVersion: 'v1',
  kind: 'PodList',
  metadata: { resourceVersion: String(version), ...(next === undefined ? {} : { continue: next }) },
  items: objects,
})

type Step =
  | { readonly list: KubeList | Error }
  | { readonly watch: readonly WatchEvent[]; readonly after?: Error | 'hang' | 'end' }

/** A server that answers by a script. What it was asked, and what the reflector did, is the story. */
async function story(steps: readonly Step[], options: ReflectorOptions = {}): Promise<string[]> {
  const out: string[] = []
  const done = new AbortController()
  const left = [...steps]
  const next = (asked: string): Step | undefined => {
    out.push(asked)
    const step = left.shift()
    if (step === undefined) done.abort()
    return step
  }
  const client: Pick<Client, 'list' | 'watch'> = {
    list: async <T extends KubeObject>(_: unknown, query: ListQuery = {}) => {
      const step = next(`list limit=${query.limit ?? '-'} continue=${query.continue ?? '-'}`)
      if (step === undefined || !('list' in step)) throw new Error('unexpected list')
      if (step.list instanceof Error) throw step.list
      return step.list as KubeList<T>
    },
    async *watch<T extends KubeObject>(_: unknown, query: WatchQuery = {}) {
      const from = query.sendInitialEvents === true ? 'initial' : query.resourceVersion
      const step = next(`watch from ${from}`)
      if (step === undefined || !('watch' in step)) return
      for (const event of step.watch) {
        yield event as WatchEvent<T>
        if (query.signal?.aborted === true) return
      }
      if (step.after === 'hang') await new Promise((resolve) => query.signal?.addEventListener('abort', resolve))
      else if (step.after instanceof Error) throw step.after
    },
  }
  const sink = {
    replace: (objects: readonly KubeObject[]) =>
      out.push(`replace [${objects.map((one) => one.metadata.name).join(' ')}]`),
    put: (object: KubeObject) => out.push(`put ${object.metadata.name}`),
    delete: (object: KubeObject) => out.push(`delete ${object.metadata.name}`),
  }
  const reflector = new Reflector(client, resources.pods, {}, sink, {
    random: () => 0.5,
    sleep: async (milliseconds) => void out.push(`sleep ${milliseconds}`),
    backoff: [100, 1000],
    ...options,
  })
  await reflector.run(done.signal)
  assert.equal(left.length, 0)
  return out
}

const gone = errors.expired('too old resource version')
const refused = new ConnectionError('https://x', { code: 'ECONNREFUSED', message: 'refused' })

test('WatchList, changes, and on from the last version', async () => {
  assert.deepEqual(
    await story([
      {
        watch: [
          added('a', 1),
          added('b', 2),
          bookmark(5, true),
          added('c', 6),
          { type: 'DELETED', object: pod('a', 7) },
        ],
      },
      { watch: [{ type: 'MODIFIED', object: pod('c', 8) }, bookmark(20)] },
    ]),
    ['watch from initial', 'replace [a b]', 'put c', 'delete a', 'watch from 7', 'put c', 'watch from 20'],
  )
})

test('a server without WatchList: pages, then a watch', async () => {
  assert.deepEqual(
    await story([
      { watch: [], after: errors.badRequest('sendInitialEvents is forbidden') },
      { list: page([pod('a', 1)], 9, 'next') },
      { list: page([pod('b', 2)], 9) },
      { watch: [added('c', 10)] },
    ]),
    [
      'watch from initial',
      'list limit=500 continue=-',
      'list limit=500 continue=next',
      'replace [a b]',
      'watch from 9',
      'put c',
      'watch from 10',
    ],
  )
})

test('a server that ignores WatchList gives up its turn', async () => {
  assert.deepEqual(
    await story([{ watch: [added('a', 1)], after: 'hang' }, { list: page([pod('a', 1)], 1) }], { initialIdle: 10 }),
    ['watch from initial', 'list limit=500 continue=-', 'replace [a]', 'watch from 1'],
  )
})

test('a bookmark amid the state is of a server that ignores WatchList', async () => {
  assert.deepEqual(await story([{ watch: [added('a', 1), bookmark(1)] }, { list: page([pod('a', 1)], 1) }]), [
    'watch from initial',
    'list limit=500 continue=-',
    'replace [a]',
    'watch from 1',
  ])
})

test('an error amid the changes starts again, after a pause', async () => {
  assert.deepEqual(
    await story([
      { watch: [bookmark(5, true)] },
      { watch: [{ type: 'ERROR', object: errors.internal('cannot decode').status }] },
      { watch: [added('a', 8), bookmark(9, true)] },
    ]),
    [
      'watch from initial',
      'replace []',
      'watch from 5',
      'sleep 100',
      'watch from initial',
      'replace [a]',
      'watch from 9',
    ],
  )
})

test('changes that come one in each watch are not asked for in a loop', async () => {
  const rounds = Array.from({ length: 20 }, (_, i) => ({ watch: [added('a', i + 10)] }))
  const told = await story([{ watch: [bookmark(5, true)] }, ...rounds], { now: () => 0 })
  assert.equal(told.filter((line) => line === 'put a').length, 20)
  assert.equal(told.filter((line) => line.startsWith('sleep')).length, 11)
})

test('410 starts again', async () => {
  assert.deepEqual(
    await story([
      { watch: [bookmark(5, true)] },
      { watch: [{ type: 'ERROR', object: gone.status }] },
      { watch: [added('b', 8), bookmark(9, true)] },
      { watch: [], after: gone },
      { watch: [bookmark(12, true)] },
    ]),
    [
      'watch from initial', 'replace []', 'sleep 100', 'watch from 5', 'watch from initial', 'replace [b]',
      'watch from 9', 'watch from initial', 'replace []', 'watch from 12',
    ].filter((line) => line !== 'sleep 100'),
  ) // prettier-ignore
})

test('pages that go stale are read once more, all at once', async () => {
  assert.deepEqual(
    await story([
      { watch: [], after: errors.badRequest('no') },
      { list: page([pod('a', 1)], 9, 'next') },
      { list: gone },
      { list: page([pod('a', 1), pod('b', 2)], 12) },
    ]),
    [
      'watch from initial',
      'list limit=500 continue=-',
      'list limit=500 continue=next',
      'list limit=- continue=-',
      'replace [a b]',
      'watch from 12',
    ],
  )
})

test('a server that is away is asked less and less often, and what is known stays', async () => {
  assert.deepEqual(
    await story([
      { watch: [added('a', 1), bookmark(3, true)], after: refused },
      { watch: [], after: refused },
      { watch: [], after: refused },
      { watch: [added('b', 4)] },
      { watch: [], after: refused },
    ]),
    [
      'watch from initial',
      'replace [a]',
      'sleep 100',
      'watch from 3',
      'sleep 200',
      'watch from 3',
      'sleep 400',
      'watch from 3',
      'put b',
      'watch from 4',
      'sleep 100',
      'watch from 4',
    ],
  )
})

test('watches that end at once are not asked for in a loop', async () => {
  assert.deepEqual(await story([{ watch: [bookmark(3, true)] }, { watch: [] }, { watch: [] }]), [
    'watch from initial',
    'replace []',
    'watch from 3',
    'sleep 100',
    'watch from 3',
    'sleep 200',
    'watch from 3',
  ])
})

test('a state that breaks off is no state', async () => {
  assert.deepEqual(await story([{ watch: [added('a', 1)] }, { watch: [added('a', 1), bookmark(2, true)] }]), [
    'watch from initial',
    'sleep 100',
    'watch from initial',
    'replace [a]',
    'watch from 2',
  ])
})

test('forbidden is tried again and told', async () => {
  const told: unknown[] = []
  const no = errors.forbidden({ group: '', resource: 'pods' }, '', 'no')
  await story([{ watch: [], after: no }, { watch: [bookmark(2, true)] }], { onError: (error) => told.push(error) })
  assert.deepEqual(told, [no])
})

test('a version from the future starts again', async () => {
  const future = errors.tooLargeResourceVersion(100, 5, 1)
  assert.deepEqual(
    await story([{ watch: [bookmark(100, true)] }, { watch: [], after: future }, { watch: [bookmark(5, true)] }]),
    ['watch from initial', 'replace []', 'watch from 100', 'watch from initial', 'replace []', 'watch from 5'],
  )
})
