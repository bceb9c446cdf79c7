import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Limiter } from './limiter.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

function limiter(options: { initial?: number; min?: number; max?: number } = {}) {
  const clock = { now: 0 }
  return { clock, limiter: new Limiter({ now: () => clock.now, ...options }) }
}

test('no more than the limit at once, in the order of asking', async () => {
  const { limiter: l } = limiter({ initial: 2 })
  const order: number[] = []
  for (let i = 0; i < 5; i++) void l.acquire().then(() => order.push(i))
  await settled()
  assert.deepEqual(order, [0, 1])
  assert.equal(l.inFlight, 2)
  l.release(1, true)
  // Nobody slips in before the one who waits.
  void l.acquire().then(() => order.push(9))
  await settled()
  assert.ok(l.inFlight <= 2)
  for (let i = 0; i < 6; i++) {
    if (l.inFlight > 0) l.release(1, false)
    await settled()
  }
  assert.deepEqual(order, [0, 1, 2, 3, 4, 9])
})

test('trouble halves once for a round trip, and never below the least', () => {
  const { clock, limiter: l } = limiter({ initial: 32, min: 2 })
  for (let i = 0; i < 10; i++) l.release(5, true)
  assert.equal(l.limit, 16)
  for (let i = 0; i < 10; i++) {
    clock.now += 1000
    l.release(5, true)
  }
  assert.equal(l.limit, 2)
})

test('a long wait is trouble only against the best that was seen', () => {
  const { clock, limiter: l } = limiter({ initial: 32 })
  clock.now = 1000
  l.release(5, false)
  l.release(600, false)
  assert.equal(l.limit, 16)
  const { limiter: slow } = limiter({ initial: 32 })
  slow.release(600, false)
  assert.equal(slow.limit, 32)
})

test('good answers raise the limit, one for a round of them, and wake more', async () => {
  const { limiter: l } = limiter({ initial: 2, max: 3 })
  let running = 0
  for (let i = 0; i < 20; i++) void l.acquire().then(() => running++)
  await settled()
  for (let i = 0; i < 10; i++) {
    l.release(1, false)
    await settled()
  }
  assert.equal(l.limit, 3)
  assert.equal(l.inFlight, 3)
  assert.equal(running, 13)
})

test('workers beyond the limit rest until it grows, and go at the end', async () => {
  const { limiter: l } = limiter({ initial: 2, max: 64 })
  const seated: number[] = []
  for (let i = 0; i < 40; i++) void l.seat(i).then(() => seated.push(i))
  await settled()
  const first = seated.length
  assert.ok(first > 2 && first < 40, String(first))
  for (let i = 0; i < 2; i++) l.release(1, false)
  await settled()
  assert.equal(seated.length, first + 1)
  l.close()
  await settled()
  assert.equal(seated.length, 40)
})
