import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KubeObject } from '../machinery/object.ts'
import { Cache } from './cache.ts'

const fail = (error: unknown): never => {
  throw error
}

const make = (name: string, version: number, color = 'red', namespace = 'default'): KubeObject => ({
  metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: String(version), labels: { color } },
})

function recorded(cache: Cache<KubeObject>): string[] {
  const out: string[] = []
  cache.onEvent((event) => out.push(`${event.type} ${event.object.metadata.name}`))
  return out
}

test('changes are told in order, after the cache shows them', () => {
  const cache = new Cache<KubeObject>(fail)
  cache.put(make('a', 1))
  const events = recorded(cache)
  cache.onEvent((event) => {
    const { namespace = '', name = '' } = event.object.metadata
    assert.equal(cache.get(namespace, name) !== undefined, event.type !== 'delete')
  })
  cache.put(make('a', 1))
  cache.put(make('a', 2))
  cache.put(make('b', 3))
  cache.delete(make('a', 4))
  cache.delete(make('a', 4))
  assert.deepEqual(events, ['add a', 'update a', 'add b', 'delete a'])
})

test('an object made again under its name is another object', () => {
  const cache = new Cache<KubeObject>(fail)
  const events = recorded(cache)
  cache.put(make('a', 1))
  const again = make('a', 5)
  cache.put({ ...again, metadata: { ...again.metadata, uid: 'other' } })
  assert.deepEqual(events, ['add a', 'delete a', 'add a'])
})

test('replace tells the difference', () => {
  const cache = new Cache<KubeObject>(fail)
  cache.replace([make('a', 1), make('b', 2), make('c', 3)])
  const events = recorded(cache)
  events.length = 0
  cache.replace([make('a', 1), make('b', 7), make('d', 8)])
  assert.deepEqual(events, ['delete c', 'update b', 'add d'])
})

test('replace shows everything before it tells the first difference', () => {
  const cache = new Cache<KubeObject>(fail)
  cache.addIndex('color', (object) => [object.metadata.labels!['color']!])
  cache.replace([make('a', 1), make('b', 2)])
  const shown: string[] = []
  let late: string[] | undefined
  cache.onEvent((event) => {
    if (Number(event.object.metadata.resourceVersion) < 5 && event.type === 'add') return
    shown.push(
      [
        `${event.type} ${event.object.metadata.name}:`,
        ...cache.list().map(({ metadata }) => `${metadata.name}${metadata.resourceVersion}`),
        `red ${cache.byIndex('color', 'red').length}`,
      ].join(' '),
    )
    // Who comes now has seen it all.
    late ??= recorded(cache)
  })
  cache.replace([make('b', 5), make('c', 6, 'green')])
  assert.deepEqual(shown, ['delete a: b5 c6 red 1', 'update b: b5 c6 red 1', 'add c: b5 c6 red 1'])
  assert.deepEqual(late, ['add b', 'add c'])
})

test('handlers come, go, and throw without harm', () => {
  const errors: unknown[] = []
  const cache = new Cache<KubeObject>((error) => errors.push(error))
  const remove = cache.onEvent(() => {
    throw new Error('bug')
  })
  const events = recorded(cache)
  cache.put(make('a', 1))
  remove()
  cache.put(make('a', 2))
  assert.equal(errors.length, 1)
  assert.deepEqual(events, ['add a', 'update a'])
})

test('a handler that is added by a handler hears of an object once', () => {
  const cache = new Cache<KubeObject>(fail)
  let inner: string[] | undefined
  cache.onEvent(() => {
    inner ??= recorded(cache)
  })
  cache.put(make('a', 1))
  assert.deepEqual(inner, ['add a'])
})

test('indexes and namespaces always show what the cache holds', () => {
  const color = fc.constantFrom('red', 'green')
  const object = fc.record({ name: fc.constantFrom('a', 'b', 'c'), color, namespace: fc.constantFrom('x', 'y') })
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), object }),
    fc.record({ do: fc.constant('delete' as const), object }),
    fc.record({ do: fc.constant('replace' as const), objects: fc.array(object) }),
  )
  const byColor = (one: KubeObject) => [one.metadata.labels!['color']!]
  fc.assert(
    fc.property(fc.array(step), fc.nat(5), (steps, indexAt) => {
      const cache = new Cache<KubeObject>(fail)
      let version = 0
      const built = (one: { name: string; color: string; namespace: string }) =>
        make(one.name, ++version, one.color, one.namespace)
      for (const [i, one] of steps.entries()) {
        if (i === indexAt) cache.addIndex('color', byColor)
        if (one.do === 'put') cache.put(built(one.object))
        else if (one.do === 'delete') cache.delete(built(one.object))
        else cache.replace([...new Map(one.objects.map((o) => [`${o.namespace}/${o.name}`, built(o)])).values()])
      }
      cache.addIndex('color', byColor)
      const all = cache.list()
      for (const value of ['red', 'green']) {
        const want = new Set(all.filter((o) => byColor(o)[0] === value))
        assert.deepEqual(new Set(cache.byIndex('color', value)), want)
      }
      for (const namespace of ['x', 'y']) {
        assert.deepEqual(new Set(cache.list(namespace)), new Set(all.filter((o) => o.metadata.namespace === namespace)))
      }
    }),
  )
})
