import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFairQueue, type QueueClock } from './fair-queue.ts'
import type { FairQueue, Taken } from './queue.ts'

/** A clock that stands still until told otherwise, and counts its timers. */
class ManualClock implements QueueClock {
  time = 0
  timers = new Set<{ due: number; run: () => void }>()

  now(): number {
    return this.time
  }

  after(delay: number, run: () => void): () => void {
    const timer = { due: this.time + delay, run }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  advance(by: number): void {
    const end = this.time + by
    for (;;) {
      const next = [...this.timers].filter((t) => t.due <= end).toSorted((a, b) => a.due - b.due)[0]
      if (next === undefined) break
      this.timers.delete(next)
      this.time = Math.max(this.time, next.due)
      next.run()
    }
    this.time = end
  }
}

/** What `take` has to give right now; `undefined` when it would wait. */
async function taken<K>(queue: FairQueue<K>): Promise<Taken<K> | undefined> {
  const stop = new AbortController()
  const promise = queue.take(stop.signal)
  stop.abort()
  return promise
}

async function drain(queue: FairQueue<number>): Promise<string[]> {
  const out: string[] = []
  for (let next = await taken(queue); next !== undefined; next = await taken(queue)) {
    out.push(`${next.flow}:${next.key}`)
    next.done()
  }
  return out
}

test('flows take turns by weight, first in first out inside a flow', async () => {
  const queue = createFairQueue<number>({ clock: new ManualClock() })
  queue.setWeight('b', 2)
  for (let i = 0; i < 4; i++) queue.add('a', `${i}`, i)
  for (let i = 0; i < 4; i++) queue.add('b', `${i}`, i)
  queue.add('c', '0', 0)
  assert.deepEqual(await drain(queue), ['a:0', 'b:0', 'b:1', 'c:0', 'a:1', 'b:2', 'b:3', 'a:2', 'a:3'])
})

test('a greedy flow does not delay a modest one beyond its turn', async () => {
  const queue = createFairQueue<number>({ clock: new ManualClock() })
  for (let i = 0; i < 10_000; i++) queue.add('greedy', `${i}`, i)
  for (let i = 0; i < 9; i++) queue.add(`modest-${i}`, 'one', 0)
  const order = await drain(queue)
  assert.equal(order.length, 10_009)
  assert.ok(Math.max(...order.flatMap((key, at) => (key.startsWith('modest') ? [at] : []))) <= 10)
})

test('small weights get their share', async () => {
  const queue = createFairQueue<number>({ clock: new ManualClock() })
  queue.setWeight('slow', 0.25)
  for (let i = 0; i < 100; i++) {
    queue.add('slow', `${i}`, i)
    queue.add('fast', `${i}`, i)
  }
  const first = (await drain(queue)).slice(0, 50)
  assert.equal(first.filter((key) => key.startsWith('slow')).length, 10)
})

test('a key is worked on once at a time and comes again when added meanwhile', async () => {
  const queue = createFairQueue<string>({ clock: new ManualClock() })
  queue.add('a', 'k', 'first')
  const one = (await taken(queue))!
  queue.add('a', 'k', 'second')
  queue.add('a', 'k', 'third')
  assert.equal(await taken(queue), undefined)
  one.done()
  one.done()
  const two = (await taken(queue))!
  assert.equal(two.item, 'third')
  two.done()
  assert.equal(await taken(queue), undefined)
  assert.equal(queue.length(), 0)
})

test('delays share one timer, and no timer is left when nothing is delayed', async () => {
  const clock = new ManualClock()
  const queue = createFairQueue<number>({ clock })
  queue.addAfter('a', 'late', 1, 1000)
  queue.addAfter('a', 'early', 2, 10)
  queue.addAfter('b', 'moved', 3, 500)
  queue.addAfter('b', 'moved', 3, 5)
  queue.addAfter('b', 'moved', 3, 700)
  assert.equal(clock.timers.size, 1)
  clock.advance(4)
  assert.deepEqual(await drain(queue), [])
  clock.advance(6)
  assert.deepEqual(await drain(queue), ['b:moved', 'a:early'])
  queue.add('a', 'late', 1)
  assert.equal(clock.timers.size, 1)
  assert.deepEqual(await drain(queue), ['a:late'])
  clock.advance(2000)
  assert.equal(clock.timers.size, 0)
  assert.deepEqual(await drain(queue), [])
})

test('retries double up to the maximum, and forget starts over', async () => {
  const clock = new ManualClock()
  const queue = createFairQueue<number>({ clock, retryRate: 1e9 })
  const waits: number[] = []
  queue.add('a', 'k', 0)
  for (let i = 0; i < 15; i++) {
    const start = clock.time
    let next = await taken(queue)
    while (next === undefined) {
      clock.advance(1)
      next = await taken(queue)
    }
    if (i > 0) waits.push(clock.time - start)
    if (i === 13) queue.forget('a', 'k')
    queue.retry('a', 'k', 0)
    next.done()
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 5])
})

test("a flow's retries are bound by its budget, another flow's are not touched", async () => {
  const clock = new ManualClock()
  const queue = createFairQueue<number>({ clock, retryRate: 10, retryBurst: 5 })
  for (let i = 0; i < 25; i++) queue.retry('bad', `${i}`, i)
  queue.retry('good', 'k', 0)
  clock.advance(5)
  assert.deepEqual(await drain(queue), ['bad:0', 'good:k', 'bad:1', 'bad:2', 'bad:3', 'bad:4'])
  clock.advance(995)
  assert.equal((await drain(queue)).length, 10)
  clock.advance(1000)
  assert.equal((await drain(queue)).length, 10)
})

test('no more keys of a flow than its concurrency are out at once', async () => {
  const queue = createFairQueue<number>({ clock: new ManualClock(), flowConcurrency: 2 })
  for (let i = 0; i < 4; i++) queue.add('a', `${i}`, i)
  const one = await taken(queue)
  await taken(queue)
  assert.equal(await taken(queue), undefined)
  queue.add('b', 'k', 0)
  assert.equal((await taken(queue))?.flow, 'b')
  one!.done()
  assert.equal((await taken(queue))?.key, '2')
})

test('a removed flow is forgotten; its working key still excludes the same key', async () => {
  const clock = new ManualClock()
  const queue = createFairQueue<number>({ clock })
  queue.add('a', 'w', 0)
  const working = (await taken(queue))!
  queue.add('a', 'x', 0)
  queue.addAfter('a', 'y', 0, 5)
  queue.removeFlow('a')
  assert.equal(queue.length(), 0)
  assert.equal(clock.timers.size, 0)
  queue.add('a', 'w', 1)
  assert.equal(await taken(queue), undefined)
  working.done()
  assert.equal((await taken(queue))?.item, 1)
})

test('close ends takers at once', async () => {
  const queue = createFairQueue<number>({ clock: new ManualClock() })
  const pending = queue.take()
  queue.close()
  assert.equal(await pending, undefined)
  queue.add('a', 'k', 0)
  assert.equal(await queue.take(), undefined)
})

test('takers that wait are served in the order they came', async () => {
  const queue = createFairQueue<number>({ clock: new ManualClock() })
  const [one, two] = [queue.take(), queue.take()]
  queue.add('a', '1', 1)
  queue.add('a', '2', 2)
  assert.equal((await one)?.item, 1)
  assert.equal((await two)?.item, 2)
})

/** The same contract, written the slow and obvious way: no heap, no ring, no moving heads. */
class NaiveQueue {
  time = 0
  order = 0
  states = new Map<string, { flow: string; due: number | undefined; working: boolean; entered: number | undefined }>()
  turn: string[] = []

  settle(): void {
    const due = [...this.states].filter(([, s]) => s.due !== undefined && s.due <= this.time)
    for (const [, state] of due.toSorted(([, a], [, b]) => a.due! - b.due!)) this.enter(state)
  }

  private enter(state: { flow: string; due: number | undefined; working: boolean; entered: number | undefined }): void {
    state.due = undefined
    state.entered ??= this.order++
  }

  add(flow: string, key: string, delay: number): void {
    const id = `${flow}:${key}`
    const state = this.states.get(id) ?? { flow, due: undefined, working: false, entered: undefined }
    this.states.set(id, state)
    if (state.entered !== undefined) return
    if (delay <= 0) this.enter(state)
    else state.due = Math.min(state.due ?? Infinity, this.time + delay)
  }

  /** Keys that may be handed out now, by flow, oldest first. */
  candidates(): Map<string, string[]> {
    const out = new Map<string, string[]>()
    const free = [...this.states].filter(([, s]) => s.entered !== undefined && !s.working)
    for (const [id, state] of free) out.set(state.flow, [...(out.get(state.flow) ?? []), id])
    return out
  }

  length(): number {
    return [...this.states.values()].filter((s) => s.entered !== undefined || s.due !== undefined).length
  }
}

const flowName = fc.constantFrom('a', 'b', 'c')
const keyName = fc.constantFrom('1', '2', '3', '4')
const step = fc.oneof(
  fc.record({ op: fc.constant('add' as const), flow: flowName, key: keyName, delay: fc.constantFrom(0, 0, 1, 7, 20) }),
  fc.record({ op: fc.constant('take' as const) }),
  fc.record({ op: fc.constant('done' as const), index: fc.nat(5) }),
  fc.record({ op: fc.constant('pass' as const), time: fc.constantFrom(1, 5, 30) }),
)

test('hands out what the naive twin would allow, whatever the order of calls', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const clock = new ManualClock()
      const queue = createFairQueue<string>({ clock })
      const twin = new NaiveQueue()
      const out: Taken<string>[] = []
      for (const s of steps) {
        if (s.op === 'add') {
          queue.addAfter(s.flow, s.key, s.key, s.delay)
          twin.add(s.flow, s.key, s.delay)
        } else if (s.op === 'pass') {
          clock.advance(s.time)
          twin.time += s.time
          twin.settle()
        } else if (s.op === 'done') {
          const [one] = out.splice(s.index % Math.max(1, out.length), 1)
          if (one === undefined) continue
          one.done()
          twin.states.get(`${one.flow}:${one.key}`)!.working = false
        } else {
          const next = await taken(queue)
          const candidates = twin.candidates()
          assert.equal(next === undefined, candidates.size === 0)
          if (next === undefined) continue
          const id = `${next.flow}:${next.key}`
          assert.ok(candidates.get(next.flow)?.includes(id), `${id} may not be handed out`)
          const state = twin.states.get(id)!
          state.entered = undefined
          state.working = true
          out.push(next)
        }
        assert.equal(queue.length(), twin.length())
        assert.ok(clock.timers.size <= 1)
      }
    }),
    { numRuns: 300 },
  )
})

test('over any weights, flows that always have work are served in proportion', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 }), async (weights) => {
      const queue = createFairQueue<number>({ clock: new ManualClock() })
      weights.forEach((weight, i) => {
        queue.setWeight(`${i}`, weight)
        for (let k = 0; k < weight * 10; k++) queue.add(`${i}`, `${k}`, k)
      })
      const rounds = (await drain(queue)).slice(0, weights.reduce((a, b) => a + b) * 4)
      weights.forEach((weight, i) => assert.equal(rounds.filter((key) => key.startsWith(`${i}:`)).length, weight * 4))
    }),
    { numRuns: 50 },
  )
})
