import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import {
  Compacted,
  RevisionMismatch,
  type BaseEntry,
  type Entry,
  type Range,
  type Store,
  type StoreEvent,
  type Write,
} from './contract.ts'
import { StoreError } from './error.ts'
import { compareKeys } from './key.ts'
import type { StoreOptions } from './memory.ts'

export function put(key: string, value: string, expect?: number): Write {
  const write = { type: 'put', key, encode: () => ({ bytes: Buffer.from(value) }) } as const
  return expect === undefined ? write : { ...write, expect }
}

export function del(key: string, expect?: number): Write {
  const write = {
    type: 'delete',
    key,
    encode: (revision: number) => ({ bytes: Buffer.from(`gone at ${revision}`) }),
  } as const
  return expect === undefined ? write : { ...write, expect }
}

export function base(...keys: string[]): BaseEntry[] {
  return keys.map((key) => ({ key, render: (identity) => ({ bytes: Buffer.from(`${key} of ${identity.id}`) }) }))
}

const text = (entry: Entry | undefined) => entry?.bytes.toString()
const names = (entries: readonly Entry[]) => entries.map((entry) => entry.key.slice(entry.key.lastIndexOf('/') + 1))

function story(event: StoreEvent): string {
  const { type, revision, entry, previous } = event
  return `${revision} ${type} ${entry.key} ${text(entry)} (was ${text(previous) ?? 'nothing'})`
}

/** Every guarantee of the contract; `make` gives an empty store. */
export function contractSuite(name: string, make: (options?: StoreOptions) => Promise<Store>): void {
  describe(`${name} keeps the store's contract`, () => {
    let store: Store
    let serial = 0
    const fresh = (entries?: readonly BaseEntry[]) =>
      store.open(`range-${serial++}`, entries === undefined ? {} : { base: entries })
    before(async () => {
      store = await make()
    })
    after(() => store.close())

    describe('changed', () => {
      it('tells of every change under a prefix, and mostly of no other', async () => {
        const range = await fresh(base('core/nodes/a'))
        const pods = range.changed('core/pods/')
        const nodes = range.changed('core/nodes/')
        await range.write([put('core/pods/d/a', '1')])
        assert.notEqual(range.changed('core/pods/'), pods)
        assert.equal(range.changed('core/nodes/'), nodes)
        await range.write([put('core/pods/d/b', '1'), del('core/nodes/a')])
        assert.notEqual(range.changed('core/nodes/'), nodes)
      })

      it('holds for any number of prefixes', async () => {
        const range = await fresh()
        const seen = new Map<string, { mark: number; list: string }>()
        for (let i = 0; i < 400; i++) {
          const prefix = `core/k${i % 40}/`
          const list = range
            .list(prefix)
            .entries.map((entry) => `${entry.key}@${entry.revision}`)
            .join()
          const known = seen.get(prefix)
          const mark = range.changed(prefix)
          if (known?.mark === mark) assert.equal(list, known.list)
          seen.set(prefix, { mark, list })
          await range.write([put(`core/k${(i * 7) % 40}/a`, String(i))])
        }
      })
    })

    describe('revisions', () => {
      it('begin at 1 and grow by one with each write', async () => {
        const range = await fresh()
        assert.deepEqual([range.revision, range.compacted], [1, 1])
        const [a] = await range.write([put('core/pods/d/a', '1')])
        const rest = await range.write([put('core/pods/d/a', '2'), put('core/pods/d/b', '1'), del('core/pods/d/a')])
        assert.deepEqual([a!.revision, ...rest.map((entry) => entry.revision)], [2, 3, 4, 5])
        assert.equal(range.revision, 5)
        assert.deepEqual(await range.write([]), [])
        assert.equal(range.revision, 5)
      })

      it('are handed to encode, and created stays over updates but not over a delete', async () => {
        const range = await fresh()
        const key = 'core/pods/d/a'
        const write: Write = { type: 'put', key, encode: (n) => ({ bytes: Buffer.from(`at ${n}`), object: { n } }) }
        const seen: string[] = []
        for (const next of [write, write, del(key), write]) {
          const [entry] = await range.write([next])
          seen.push(`${text(entry)}: ${entry!.revision} created ${entry!.created}`)
        }
        assert.deepEqual(seen, [
          'at 2: 2 created 2',
          'at 3: 3 created 2',
          'gone at 4: 4 created 2',
          'at 5: 5 created 5',
        ])
        assert.deepEqual(range.get(key)?.object, { n: 5 })
      })

      it('of one range do not move another', async () => {
        const [one, other] = [await fresh(), await fresh()]
        await one.write([put('core/pods/d/a', '1')])
        assert.deepEqual([one.revision, other.revision, other.count('')], [2, 1, 0])
      })
    })

    describe('compare-and-swap', () => {
      const key = 'core/configmaps/d/a'

      it('writes only over the expected revision', async () => {
        const range = await fresh()
        await range.write([put(key, '1', 0)])
        await assert.rejects(range.write([put(key, 'x', 0)]), new RevisionMismatch(key, 0, 2))
        await assert.rejects(range.write([put(key, 'x', 7)]), { expected: 7, actual: 2 })
        await range.write([put(key, '2', 2)])
        await assert.rejects(range.write([del(key, 2)]), { expected: 2, actual: 3 })
        await range.write([del(key, 3)])
        await assert.rejects(range.write([del(key)]), new RevisionMismatch(key, -1, 0))
        await assert.rejects(range.write([put(key, 'x', 3)]), { expected: 3, actual: 0 })
        assert.equal(range.revision, 4)
      })

      it('sees writes whose commit is under way', async () => {
        const range = await fresh()
        const first = range.write([put(key, '1', 0)])
        const second = range.write([put(key, '2', 0)])
        const third = range.write([put(key, '3', 2)])
        const deletion = range.write([del(key, 3)])
        const late = range.write([put(key, '4', 3)])
        assert.equal(range.get(key), undefined)
        assert.equal(range.latest(key), undefined)
        const again = range.write([put(key, '5', 0)])
        assert.equal(text(range.latest(key)), '5')
        assert.equal(range.revision, 1)
        const outcome = await Promise.allSettled([first, second, third, deletion, late, again])
        assert.deepEqual(
          outcome.map((result) => (result.status === 'fulfilled' ? result.value[0]!.revision : String(result.reason))),
          [
            2,
            `RevisionMismatch: key ${key}: expected revision 0, found 2`,
            3,
            4,
            `RevisionMismatch: key ${key}: expected revision 3, found 0`,
            5,
          ],
        )
        assert.equal(text(range.get(key)), '5')
        assert.equal(range.latest(key), range.get(key))
      })

      it('writes all or nothing', async () => {
        const range = await fresh()
        await range.write([put(key, '1')])
        let encoded = 0
        const counted: Write = {
          type: 'put',
          key: 'core/configmaps/d/b',
          encode: () => ({ bytes: Buffer.alloc(++encoded) }),
        }
        await assert.rejects(range.write([counted, put(key, 'x', 1)]), RevisionMismatch)
        assert.equal(encoded, 0)
        const broken: Write = { type: 'put', key, encode: () => assert.fail('no form') }
        await assert.rejects(range.write([counted, broken]), /no form/)
        await assert.rejects(
          range.write([{ type: 'put', key, encode: () => ({ bytes: Buffer.alloc(65 << 20) }) }]),
          RangeError,
        )
        const [entry] = await range.write([put(key, '2', 2)])
        assert.deepEqual([entry!.revision, range.count(''), text(range.latest(key))], [3, 1, '2'])
      })

      it('lets later writes of a transaction stand on earlier ones', async () => {
        const range = await fresh()
        await range.write([put(key, '1', 0), put(key, '2', 2), del(key, 3), put(key, '3', 0)])
        assert.deepEqual([text(range.get(key)), range.get(key)?.created], ['3', 5])
        await assert.rejects(range.write([del(key), del(key)]), { expected: -1, actual: 0 })
      })

      it('refuses a write inside an encode, and keys that are none', async () => {
        const range = await fresh()
        let inner: Promise<void> | undefined
        const encode = () => {
          inner = assert.rejects(range.write([put(key, 'x')]), /while another one was being encoded/)
          return { bytes: Buffer.from('y') }
        }
        await range.write([{ type: 'put', key, encode }])
        await inner!
        for (const bad of ['', 'pods', 'core/pods', 'core/pods/d/\ud800']) {
          await assert.rejects(range.write([put(bad, 'x')]), TypeError)
        }
        assert.equal(range.revision, 2)
      })
    })

    describe('reading', () => {
      it('pages in byte order, with what remains', async () => {
        const range = await fresh()
        const order = ['a', 'a-b', 'a.b', 'aa', 'b', '\u{ffee}', '\u{1f600}']
        await range.write(order.toReversed().map((name) => put(`core/pods/d/${name}`, name)))
        await range.write([put('core/pods/c/z', ''), put('core/pods/e/a', ''), put('core/podtemplates/d/a', '')])
        assert.deepEqual(names(range.list('core/pods/d/').entries), order)
        assert.deepEqual([range.count('core/pods/d/'), range.count('core/pods/'), range.count('')], [7, 9, 10])
        const pages: string[] = []
        let start: string | undefined = 'core/pods/d/'
        while (start !== undefined) {
          const { entries, remaining } = range.list('core/pods/', { limit: 3, start })
          pages.push(`${names(entries).join()} +${remaining}`)
          const last: Entry | undefined = entries.at(-1)
          start = remaining > 0 ? `${last!.key}\0` : undefined
        }
        assert.deepEqual(pages, ['a,a-b,a.b +5', 'aa,b,\u{ffee} +2', '\u{1f600},a +0'])
        assert.deepEqual(range.list('core/pods/', { limit: 0 }), {
          entries: [],
          revision: range.revision,
          remaining: 9,
        })
        assert.deepEqual(range.list('core/pods/', { start: 'x' }).entries, [])
        assert.equal(range.list('core/pods/', { start: 'a' }).entries.length, 9)
      })

      it('at a revision shows the range as it was', async () => {
        const range = await fresh()
        const at = (revision: number) =>
          range.list('core/pods/', { revision }).entries.map((entry) => `${names([entry]).join()}=${text(entry)}`)
        await range.write([put('core/pods/d/a', '1'), put('core/pods/d/b', '1')])
        await range.write([put('core/pods/d/a', '2')])
        await range.write([del('core/pods/d/b')])
        await range.write([put('core/pods/d/c', '1'), put('core/pods/d/b', '2')])
        assert.deepEqual(
          [1, 2, 3, 4, 5, 6, 7].map((revision) => at(revision).join(' ')),
          ['', 'a=1', 'a=1 b=1', 'a=2 b=1', 'a=2', 'a=2 c=1', 'a=2 b=2 c=1'],
        )
        const page = range.list('core/pods/', { revision: 4, limit: 1 })
        assert.deepEqual([names(page.entries), page.remaining, page.revision], [['a'], 1, 4])
        assert.throws(() => range.list('core/pods/', { revision: 8 }), RangeError)
        range.compact(5)
        assert.throws(() => range.list('core/pods/', { revision: 4 }), new Compacted(4, 5))
        assert.deepEqual(at(6).join(' '), 'a=2 c=1')
      })

      it('gives names from Object.prototype no meaning', async () => {
        const range = await fresh()
        for (const name of ['__proto__', 'constructor', 'toString']) {
          assert.equal(range.get(`core/pods/${name}/${name}`), undefined)
          await range.write([put(`core/pods/${name}/${name}`, name, 0)])
          assert.equal(text(range.get(`core/pods/${name}/${name}`)), name)
        }
      })
    })

    describe('watching', () => {
      it('replays from a revision, then goes on, for its prefix only', async () => {
        const range = await fresh()
        await range.write([put('core/pods/d/a', '1'), put('core/secrets/d/a', '1'), put('core/pods/e/a', '1')])
        await range.write([put('core/pods/d/a', '2')])
        const seen: string[] = []
        const all: number[] = []
        const stop = range.watch('core/pods/d/', 2, (event) => seen.push(story(event)))
        range.watch('', 1, (event) => all.push(event.revision))
        assert.deepEqual(seen, ['5 put core/pods/d/a 2 (was 1)'])
        await range.write([del('core/pods/d/a'), put('core/pods/e/a', '2')])
        await range.write([put('core/pods/d/b', '1')])
        stop()
        stop()
        await range.write([put('core/pods/d/b', '2')])
        assert.deepEqual(seen, [
          '5 put core/pods/d/a 2 (was 1)',
          '6 delete core/pods/d/a gone at 6 (was 2)',
          '8 put core/pods/d/b 1 (was nothing)',
        ])
        assert.deepEqual(all, [2, 3, 4, 5, 6, 7, 8, 9])
        assert.throws(() => range.watch('core', 9, () => undefined), TypeError)
      })

      it('delivers before the write is acknowledged, after readers can see it', async () => {
        const range = await fresh()
        const order: string[] = []
        range.watch('core/pods/', 1, ({ entry, revision }) => {
          order.push(`event ${revision}`)
          assert.equal(range.get(entry.key), entry)
          assert.ok(range.revision >= revision)
        })
        await Promise.all(
          [1, 2, 3].map(async (i) => {
            await range.write([put(`core/pods/d/${i}`, '')])
            order.push(`ack ${i + 1}`)
          }),
        )
        for (const revision of [2, 3, 4]) {
          assert.ok(order.indexOf(`event ${revision}`) < order.indexOf(`ack ${revision}`), order.join())
        }
      })

      it('waits for a revision that is not there yet', async () => {
        const range = await fresh()
        const seen: number[] = []
        range.watch('core/pods/', 3, (event) => seen.push(event.revision))
        for (let i = 0; i < 4; i++) await range.write([put('core/pods/d/a', '')])
        assert.deepEqual(seen, [4, 5])
      })

      it('holds its order when listeners watch, stop, write and compact', async () => {
        const range = await fresh()
        const inner: number[] = []
        const outer: number[] = []
        const stopped: number[] = []
        let later: Promise<unknown> | undefined
        range.watch('core/pods/', 1, ({ revision }) => {
          outer.push(revision)
          if (revision !== 3) return
          range.watch('core/pods/', 2, (event) => inner.push(event.revision))
          stop()
          later = range.write([put('core/pods/d/z', '')])
          range.compact(4)
        })
        const stop = range.watch('core/pods/', 1, (event) => stopped.push(event.revision))
        await range.write([put('core/pods/d/a', ''), put('core/pods/d/b', ''), put('core/pods/d/c', '')])
        await later
        assert.deepEqual([outer, inner, stopped], [[2, 3, 4, 5], [3, 4, 5], [2]])
      })

      it('throws Compacted when the past is gone', async () => {
        const range = await fresh()
        for (let i = 0; i < 5; i++) await range.write([put('core/pods/d/a', String(i))])
        assert.throws(() => range.watch('core/pods/', 0, () => undefined), new Compacted(0, 1))
        range.compact(4)
        range.compact(3)
        assert.equal(range.compacted, 4)
        assert.throws(() => range.watch('core/pods/', 3, () => undefined), new Compacted(3, 4))
        const seen: number[] = []
        range.watch('core/pods/', 4, (event) => seen.push(event.revision))
        assert.deepEqual(seen, [5, 6])
        range.compact(1000)
        assert.equal(range.compacted, 6)
      })
    })

    describe('the base', () => {
      const entries = base('core/namespaces//default', 'rbac/clusterroles//admin', 'rbac/clusterroles//edit')

      it('is read like anything else, at revision 1', async () => {
        const range = await fresh(entries)
        assert.equal(text(range.get('core/namespaces//default')), `core/namespaces//default of ${range.identity.id}`)
        await range.write([put('rbac/clusterroles//custom', 'mine')])
        const { entries: roles } = range.list('rbac/clusterroles/')
        assert.deepEqual(
          roles.map(({ revision, created }, i) => [names(roles)[i], revision, created]),
          [
            ['admin', 1, 1],
            ['custom', 2, 2],
            ['edit', 1, 1],
          ],
        )
        assert.deepEqual([range.count('rbac/'), range.count('')], [3, 4])
        assert.deepEqual(range.list('', { limit: 2 }).remaining, 2)
      })

      it('is hidden by writes and deletes, and seen below them', async () => {
        const range = await fresh(entries)
        const seen: string[] = []
        range.watch('', 1, (event) => seen.push(story(event)))
        await range.write([put('rbac/clusterroles//edit', 'mine', 1)])
        await range.write([del('rbac/clusterroles//admin', 1)])
        await range.write([del('rbac/clusterroles//edit', 2)])
        assert.deepEqual(seen, [
          `2 put rbac/clusterroles//edit mine (was rbac/clusterroles//edit of ${range.identity.id})`,
          `3 delete rbac/clusterroles//admin gone at 3 (was rbac/clusterroles//admin of ${range.identity.id})`,
          '4 delete rbac/clusterroles//edit gone at 4 (was mine)',
        ])
        const roles = (revision: number) => names(range.list('rbac/', { revision }).entries).join()
        assert.deepEqual([1, 2, 3, 4].map(roles), ['admin,edit', 'admin,edit', 'edit', ''])
        await assert.rejects(range.write([put('rbac/clusterroles//edit', 'x', 1)]), { actual: 0 })
        await range.write([put('rbac/clusterroles//edit', 'again', 0)])
        assert.deepEqual([range.get('rbac/clusterroles//edit')?.created, range.count('')], [5, 2])
      })

      it('must be sorted and stay the same while the range is open', async () => {
        await assert.rejects(fresh(base('b/b//b', 'a/a//a')), /not sorted/)
        const range = await fresh(entries)
        assert.equal(await store.open(range.identity.id, { base: entries }), range)
        assert.equal(await store.open(range.identity.id), range)
        await assert.rejects(store.open(range.identity.id, { base: base('a/a//a') }), /another base/)
      })
    })

    describe('the store', () => {
      it('opens a range once and lists what it has', async () => {
        const [one, same] = await Promise.all([store.open('twice'), store.open('twice')])
        assert.equal(one, same)
        assert.match(one.identity.seed, /^[0-9a-f]{32}$/)
        assert.ok((await store.ids()).includes('twice'))
      })

      it('drops a range with all its state', async () => {
        const old = await store.open('fleeting')
        await old.write([put('core/pods/d/a', '1')])
        const pending = old.write([put('core/pods/d/a', '2')])
        const [outcome] = await Promise.allSettled([pending, store.drop('fleeting'), store.drop('fleeting')])
        if (outcome.status === 'rejected') assert.equal((outcome.reason as StoreError).code, 'dropped')
        assert.ok(!(await store.ids()).includes('fleeting'))
        await assert.rejects(old.write([put('core/pods/d/a', '3')]), { name: 'StoreError', code: 'dropped' })
        const dropping = store.drop('fleeting')
        const next = await store.open('fleeting')
        await dropping
        assert.notEqual(next, old)
        assert.notEqual(next.identity.seed, old.identity.seed)
        assert.deepEqual([next.revision, next.count('')], [1, 0])
        await store.drop('never-made')
      })

      it('finishes pending writes when closing, and then refuses', async () => {
        const own = await make()
        const range = await own.open('a')
        const writes = [1, 2, 3].map((i) => range.write([put(`core/pods/d/${i}`, '')]))
        const closing = own.close()
        const late = range.write([put('core/pods/d/late', '')])
        await assert.rejects(late, { code: 'closed' })
        await closing
        assert.deepEqual(
          (await Promise.all(writes)).map(([entry]) => entry!.revision),
          [2, 3, 4],
        )
        await own.close()
        await assert.rejects(own.open('a'), { code: 'closed' })
        await assert.rejects(own.ids(), { code: 'closed' })
        await assert.rejects(own.drop('a'), { code: 'closed' })
      })

      it('bounds history by count, bytes and age', async () => {
        let now = 1000
        const own = await make({ now: () => now, history: { events: 3, bytes: 10_000 } })
        const range = await own.open('a')
        assert.equal(range.identity.createdAt, 1000)
        for (let i = 0; i < 5; i++) await range.write([put('core/pods/d/a', String(i))])
        assert.deepEqual([range.revision, range.compacted], [6, 3])
        await range.write([put('core/pods/d/a', 'x'.repeat(9600))])
        assert.deepEqual([range.revision, range.compacted], [7, 6])
        now = 2000
        await range.write([put('core/pods/d/a', 'small')])
        own.compact(1500)
        assert.equal(range.compacted, 6 + 1)
        now = 4000
        own.compact(1500)
        assert.equal(range.compacted, 8)
        assert.equal(text(range.get('core/pods/d/a')), 'small')
        await own.close()
      })

      it('reports what a listener throws and goes on', async () => {
        const errors: unknown[] = []
        const own = await make({ onError: (error) => errors.push(error) })
        const range = await own.open('a')
        const seen: number[] = []
        range.watch('core/pods/', 1, () => {
          throw new Error('mine')
        })
        range.watch('core/pods/', 1, (event) => seen.push(event.revision))
        await range.write([put('core/pods/d/a', '')])
        await range.write([put('core/pods/d/a', '')])
        assert.deepEqual(seen, [2, 3])
        assert.deepEqual(errors.map(String), ['Error: mine', 'Error: mine'])
        await own.close()
      })
    })

    it('does what a naive twin does', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), fc.boolean(), async (steps, withBase) => {
          const range = await fresh(withBase ? twinBase : undefined)
          await new Twin(range, withBase ? twinBase : []).run(steps)
        }),
        { numRuns: 60 },
      )
    })
  })
}

// The twin keeps a copy of everything for each revision.

const keys = ['a/x/n/a', 'a/x/n/b', 'a/x/m/a', 'a/y//a', 'a/y//b', 'b/x/n/\u{fffd}', 'b/x/n/\u{1f600}', 'b/x/n/z']
const prefixes = ['', 'a/x/', 'a/x/n/', 'a/y/', 'a/y//a', 'b/x/', 'b/x/n/']
const twinBase = base('a/x/n/a', 'a/y//a', 'b/x/n/\u{1f600}')

const write = fc.record({
  type: fc.constantFrom('put' as const, 'delete' as const),
  key: fc.constantFrom(...keys),
  expect: fc.constantFrom('any' as const, 'newest' as const, 'none' as const, 'wrong' as const),
  value: fc.string({ maxLength: 3 }),
})
type Wish = typeof write extends fc.Arbitrary<infer T> ? T : never

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), writes: fc.array(write, { maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      prefix: fc.constantFrom(...prefixes),
      limit: fc.option(fc.nat(4), { nil: undefined }),
      start: fc.option(fc.constantFrom(...keys), { nil: undefined }),
      back: fc.nat(20),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('watch' as const),
      prefix: fc.constantFrom('', 'a/x/', 'a/x/n/', 'b/x/'),
      back: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), back: fc.nat(20) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Fact {
  readonly value: string
  readonly revision: number
  readonly created: number
}

class Twin {
  readonly #range: Range
  /** The state at each revision; the first one is at revision 1. */
  readonly #states: ReadonlyMap<string, Fact>[]
  readonly #events: { readonly key: string; readonly story: string }[] = []
  readonly #watches: { readonly prefix: string; readonly from: number; readonly seen: string[] }[] = []
  #unsettled: Promise<unknown>[] = []
  #compacted = 1

  constructor(range: Range, entries: readonly BaseEntry[]) {
    this.#range = range
    const value = (key: string) => `${key} of ${range.identity.id}`
    this.#states = [new Map(entries.map(({ key }) => [key, { value: value(key), revision: 1, created: 1 }]))]
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const next of steps) await this.#run(next)
    await this.#run({ do: 'settle' })
    for (const { prefix, from, seen } of this.#watches) {
      assert.deepEqual(
        seen,
        this.#events
          .slice(from - 1)
          .filter(({ key }) => key.startsWith(prefix))
          .map((event) => event.story),
      )
    }
  }

  async #run(next: Step): Promise<void> {
    const range = this.#range
    switch (next.do) {
      case 'write':
        this.#write(next.writes)
        break
      case 'settle':
        await Promise.all(this.#unsettled.splice(0))
        assert.equal(range.revision, this.#states.length)
        break
      case 'list': {
        const revision = Math.max(0, range.revision - next.back)
        const { prefix, limit, start } = next
        const read = () =>
          range.list(prefix, {
            ...(limit === undefined ? {} : { limit }),
            ...(start === undefined ? {} : { start }),
            ...(next.back === 0 ? {} : { revision }),
          })
        if (revision < this.#compacted) {
          assert.throws(read, new Compacted(revision, this.#compacted))
          break
        }
        const expected = [...this.#states[revision - 1]!]
          .filter(([key]) => key.startsWith(prefix) && (start === undefined || compareBytes(key, start) >= 0))
          .sort(([a], [b]) => compareBytes(a, b))
          .map(([key, fact]) => ({ key, ...fact }))
        const { entries, remaining, revision: at } = read()
        assert.deepEqual(
          entries.map(({ key, bytes, revision: written, created }) => ({
            key,
            value: bytes.toString(),
            revision: written,
            created,
          })),
          expected.slice(0, limit),
        )
        assert.deepEqual([at, remaining], [revision, expected.length - entries.length])
        break
      }
      case 'watch': {
        const from = Math.max(0, range.revision - next.back)
        const seen: string[] = []
        const start = () => range.watch(next.prefix, from, (event) => seen.push(story(event)))
        if (from < this.#compacted) assert.throws(start, Compacted)
        else {
          start()
          this.#watches.push({ prefix: next.prefix, from, seen })
        }
        break
      }
      case 'compact': {
        const revision = Math.max(0, range.revision - next.back)
        range.compact(revision)
        this.#compacted = Math.max(this.#compacted, revision)
        assert.equal(range.compacted, this.#compacted)
        break
      }
    }
    const committed = this.#states[range.revision - 1]!
    const pending = this.#states.at(-1)!
    for (const key of keys) {
      assert.equal(text(range.get(key)), committed.get(key)?.value)
      assert.equal(range.latest(key)?.revision, pending.get(key)?.revision)
    }
    for (const prefix of prefixes) {
      assert.equal(range.count(prefix), [...committed.keys()].filter((key) => key.startsWith(prefix)).length)
    }
  }

  #write(wishes: readonly Wish[]): void {
    let state = new Map(this.#states.at(-1)!)
    const states: ReadonlyMap<string, Fact>[] = []
    const events: { key: string; story: string }[] = []
    let failure: { key: string; actual: number } | undefined
    const writes = wishes.map(({ type, key, expect, value }) => {
      const newest = state.get(key)
      const actual = newest?.revision ?? 0
      const wanted = { any: undefined, newest: actual, none: 0, wrong: actual + 1 }[expect]
      if ((wanted !== undefined && wanted !== actual) || (type === 'delete' && newest === undefined)) {
        failure ??= { key, actual }
      }
      const revision = this.#states.length + states.length + 1
      state = new Map(state)
      const written = type === 'put' ? value : `gone at ${revision}`
      if (type === 'put') state.set(key, { value, revision, created: newest?.created ?? revision })
      else state.delete(key)
      states.push(state)
      events.push({ key, story: `${revision} ${type} ${key} ${written} (was ${newest?.value ?? 'nothing'})` })
      return type === 'put' ? put(key, value, wanted) : del(key, wanted)
    })
    const result = this.#range.write(writes)
    if (failure !== undefined) {
      this.#unsettled.push(assert.rejects(result, failure))
      return
    }
    const first = this.#states.length + 1
    this.#states.push(...states)
    this.#events.push(...events)
    this.#unsettled.push(
      result.then((entries) => {
        assert.deepEqual(
          entries.map((entry) => entry.revision),
          states.map((_, i) => first + i),
        )
        if (states.length > 0) assert.ok(this.#range.revision >= first + states.length - 1)
      }),
    )
  }
}

function compareBytes(a: string, b: string): number {
  const order = Buffer.compare(Buffer.from(a), Buffer.from(b))
  assert.equal(Math.sign(compareKeys(a, b)), order)
  return order
}
