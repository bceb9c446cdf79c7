/** What every informer guarantees, whatever stands behind it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { KubeObject } from '../machinery/object.ts'
import type { Client, Informer, InformerEvent } from './contract.ts'
import { resources } from './resources.ts'

const { configmaps, namespaces } = resources

/** An informer that may hear of changes a moment after they are written. */
async function until(what: string, check: () => boolean): Promise<void> {
  for (let i = 0; !check(); i++) {
    if (i === 1000) throw new Error(`${what}: not after 10 s`)
    await pause(10)
  }
}

const story = ({ type, object }: InformerEvent) => `${type} ${object.metadata.name}`
const namesOf = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name ?? '').toSorted()

/** `open` gives a client of a cluster in which nothing else writes config maps with the suite's labels. */
export function informerSuite(name: string, open: () => Promise<Client>): void {
  describe(`${name}: informers`, () => {
    let client: Client
    let serial = 0
    before(async () => {
      client = await open()
    })
    after(() => client.close())

    /** A namespace of its own, with an informer of it. */
    async function fresh(labelSelector?: string) {
      const namespace = `informer-${process.pid}-${serial++}`
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      const of = (label: string): Record<string, string> => (label === '' ? {} : { app: label })
      const make = (object: string, label = '') =>
        client.create(configmaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: object, namespace, labels: { suite: 'informer', ...of(label) } },
        })
      const label = (object: string, value: string | null) =>
        client.patch(
          configmaps,
          object,
          { type: 'merge', body: { metadata: { labels: { app: value } } } },
          { namespace },
        )
      const remove = (object: string) => client.delete(configmaps, object, { namespace })
      const selector = labelSelector === undefined ? 'suite=informer' : `suite=informer,${labelSelector}`
      const start = async (): Promise<Informer> => {
        const informer = client.informer(configmaps, { namespace, labelSelector: selector })
        await informer.ready()
        assert.equal(informer.synced, true)
        return informer
      }
      return { namespace, make, label, remove, start }
    }

    it('shows the state once it is ready', async () => {
      const { namespace, make, start } = await fresh()
      await make('a')
      const made = await make('b')
      const informer = await start()
      assert.deepEqual(namesOf(informer.list()), ['a', 'b'])
      assert.deepEqual(namesOf(informer.list(namespace)), ['a', 'b'])
      assert.deepEqual(informer.list('elsewhere'), [])
      assert.deepEqual(informer.get(namespace, 'b'), made)
      assert.equal(informer.get(namespace, 'c'), undefined)
      assert.equal(informer.get('elsewhere', 'b'), undefined)
    })

    it('tells changes in order, after it shows them', async () => {
      const { namespace, make, label, remove, start } = await fresh()
      const informer = await start()
      const seen: string[] = []
      const wrong: string[] = []
      informer.onEvent((event) => {
        const shown = informer.get(namespace, event.object.metadata.name!)
        // What is committed may be newer than the event, never older.
        const version = Number(shown?.metadata.resourceVersion ?? Number.POSITIVE_INFINITY)
        if (version < Number(event.object.metadata.resourceVersion)) wrong.push(story(event))
        const from = event.type === 'update' ? ` from ${event.old.metadata.labels?.['app'] ?? '-'}` : ''
        seen.push(`${story(event)}${from}`)
      })
      await make('a')
      await label('a', 'x')
      await label('a', 'y')
      await make('b')
      await remove('a')
      await until('all five', () => seen.length >= 5)
      assert.deepEqual(seen, ['add a', 'update a from -', 'update a from x', 'add b', 'delete a'])
      assert.deepEqual(wrong, [])
      assert.deepEqual(namesOf(informer.list()), ['b'])
    })

    it('tells a late handler everything first, and nobody after he has gone', async () => {
      const { make, start } = await fresh()
      await make('a')
      const informer = await start()
      const early: string[] = []
      const late: string[] = []
      const stop = informer.onEvent((event) => void early.push(story(event)))
      assert.deepEqual(early, ['add a'])
      await make('b')
      await until('b', () => early.length === 2)
      informer.onEvent((event) => void late.push(story(event)))
      assert.deepEqual(late.toSorted(), ['add a', 'add b'])
      stop()
      stop()
      await make('c')
      await until('c', () => late.length === 3)
      assert.deepEqual(early, ['add a', 'add b'])
    })

    it('tells who comes during an event of it once', async () => {
      const { make, start } = await fresh()
      const informer = await start()
      const inner: string[] = []
      let added = false
      informer.onEvent(() => {
        if (added) return
        added = true
        informer.onEvent((event) => void inner.push(story(event)))
      })
      await make('a')
      await make('b')
      await until('b', () => inner.includes('add b'))
      assert.deepEqual(inner, ['add a', 'add b'])
    })

    it('keeps indexes', async () => {
      const { make, label, remove, start } = await fresh()
      await make('a', 'x')
      const informer = await start()
      informer.addIndex('app', ({ metadata }) => [metadata.labels?.['app'] ?? ''])
      // The same name again does nothing.
      informer.addIndex('app', () => ['other'])
      const at = (value: string) => namesOf(informer.byIndex('app', value))
      assert.deepEqual(at('x'), ['a'])
      await make('b', 'constructor')
      await make('c', 'x')
      await until('c', () => at('x').length === 2)
      assert.deepEqual([at('x'), at('constructor'), at('toString')], [['a', 'c'], ['b'], []])
      await label('a', 'y')
      await remove('c')
      await until('the changes', () => at('x').length === 0)
      assert.deepEqual([at('y'), at('')], [['a'], []])
      assert.throws(() => informer.byIndex('nothing', ''), /no index "nothing"/)
    })

    it('shows what a selector chooses: what comes into it is added, what leaves it deleted', async () => {
      const { make, label, start } = await fresh('app=x')
      await make('other', 'y')
      const informer = await start()
      const seen: string[] = []
      informer.onEvent((event) => void seen.push(story(event)))
      await make('a', 'x')
      await label('other', 'x')
      await label('a', null)
      await until('all three', () => seen.length >= 3)
      assert.deepEqual(seen, ['add a', 'add other', 'delete a'])
      assert.deepEqual(namesOf(informer.list()), ['other'])
    })

    it('is one for all who ask for the same', async () => {
      const { namespace } = await fresh()
      const one = client.informer(configmaps, { namespace, labelSelector: 'a=b' })
      assert.equal(client.informer(configmaps, { namespace, labelSelector: 'a=b' }), one)
      assert.notEqual(client.informer(configmaps, { namespace }), one)
      assert.equal(client.informer(configmaps, { namespace: '' }), client.informer(configmaps))
    })
  })
}
