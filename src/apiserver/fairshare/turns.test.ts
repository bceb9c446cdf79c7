import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Turns } from './turns.ts'

/** A loop by hand: time passes only by `work`, rounds come only by `look`. */
class Loop {
  now = 0
  readonly #later: (() => void)[] = []
  readonly #behind: (() => void)[] = []
  readonly turns: Turns
  readonly log: string[] = []

  constructor(slice = 1, shared = slice) {
    this.turns = new Turns({
      slice,
      shared,
      grace: 0,
      clock: () => this.now,
      later: (run) => this.#later.push(run),
      behind: (run) => this.#behind.push(run),
    })
  }

  /** Work of some pieces, each so long. */
  async work(id: string, pieces: number, each: number, urgent = false): Promise<void> {
    for (let i = 0; i < pieces; i++) {
      const wait = this.turns.enter(id, urgent)
      if (wait !== undefined) await wait
      this.log.push(`${id}${i}`)
      this.now += each
    }
  }

  /** The loop looks at its sockets once; whatever may then run, runs. False: nothing is waiting. */
  async look(): Promise<boolean> {
    await settle()
    this.log.push('|')
    const rounds = this.#later.splice(0)
    for (const run of rounds) run()
    await settle()
    for (let next = this.#behind.shift(); next !== undefined; next = this.#behind.shift()) {
      next()
      await settle()
    }
    return rounds.length > 0
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

describe('turns', () => {
  test('who does little never waits; who does much, after its slice', async () => {
    const loop = new Loop(1)
    const big = loop.work('big', 6, 0.5)
    await settle()
    assert.deepEqual(loop.log, ['big0', 'big1'])
    const small = loop.work('small', 1, 0.1)
    await small
    await loop.look()
    while (await loop.look());
    await big
    assert.deepEqual(loop.log.join(' '), 'big0 big1 small0 | big2 big3 | big4 big5 | |')
    assert.equal(loop.turns.waiting, 0)
  })

  test('a piece that cannot be cut is paid for', async () => {
    const loop = new Loop(1)
    const all = [loop.work('long', 2, 10), loop.work('b', 20, 1)]
    for (let i = 0; i < 40; i++) await loop.look()
    await Promise.all(all)
    const between = loop.log.slice(loop.log.indexOf('long0'), loop.log.indexOf('long1'))
    assert.ok(between.filter((entry) => entry.startsWith('b')).length >= 9, loop.log.join(' '))
  })

  test('it is paid for with time that others had, not with rounds', async () => {
    const loop = new Loop(0.1)
    const all = [loop.work('long', 2, 5), loop.work('b', 20, 1)]
    for (let i = 0; i < 400; i++) await loop.look()
    await Promise.all(all)
    const between = loop.log.slice(loop.log.indexOf('long0'), loop.log.indexOf('long1'))
    const had = between.filter((entry) => entry.startsWith('b')).length
    assert.ok(had >= 4 && had <= 8, loop.log.join(' '))
  })

  test('what is urgent goes before the rest of its tenant', async () => {
    const loop = new Loop(1)
    const all = [...Array.from({ length: 5 }, (_, i) => loop.work('x', 1, 1 + i)), loop.work('x', 1, 0.25, true)]
    assert.equal(loop.turns.waiting, 5)
    assert.equal(loop.now, 1)
    await loop.look()
    assert.equal(loop.now, 3.25)
    for (let i = 0; i < 40; i++) await loop.look()
    await Promise.all(all)
  })

  test('whatever tenants do: all ends, time is shared, rounds are short', async () => {
    const one = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      pieces: fc.integer({ min: 1, max: 12 }),
      each: fc.constantFrom(0.1, 0.4, 0.9),
      urgent: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 8 }), async (works) => {
        const loop = new Loop(1)
        const all = works.map(({ id, pieces, each, urgent }) => loop.work(id, pieces, each, urgent))
        for (let i = 0; i < 500; i++) {
          const before = loop.now
          const going = await loop.look()
          assert.ok(i === 0 || loop.now - before < 1 + 0.9 + 1e-9, `a round of ${loop.now - before}`)
          if (!going) break
        }
        await Promise.all(all)
        assert.equal(loop.turns.waiting, 0)
      }),
      { numRuns: 40 },
    )
  })
})
