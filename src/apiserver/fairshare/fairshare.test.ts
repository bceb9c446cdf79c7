import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { StatusError } from '../../machinery/status.ts'
import { FairShare } from './fairshare.ts'

const tooMany = (error: unknown): boolean =>
  error instanceof StatusError && error.code === 429 && error.status.details?.retryAfterSeconds === 1

describe('fair share', () => {
  test('admits at once while there is room, then in turns', async () => {
    const waits: string[] = []
    const share = new FairShare({ seats: 2, reserve: 0, slice: 60_000, onWait: (cluster) => waits.push(cluster) })
    const first = share.admit('a')
    const second = share.admit('a')
    assert.ok(!(first instanceof Promise) && !(second instanceof Promise))
    const third = share.admit('b')
    assert.ok(third instanceof Promise)
    assert.deepEqual(share.load, { seats: 2, waiting: 1 })
    first.release()
    first.release()
    const held = await third
    assert.deepEqual(share.load, { seats: 2, waiting: 0 })
    held.release()
    second.release()
    assert.deepEqual(share.load, { seats: 0, waiting: 0 })
    assert.deepEqual(waits, ['b'])
  })

  test('refuses what is too much with 429', async () => {
    const refused: string[] = []
    const share = new FairShare({
      seats: 1,
      reserve: 0,
      queue: 1,
      onRefuse: (cluster, why) => refused.push(`${cluster} ${why}`),
    })
    const held = await share.admit('a')
    const waiting = share.admit('a')
    await assert.rejects(async () => share.admit('a'), tooMany)
    const other = share.admit('b')
    held.release()
    ;(await waiting).release()
    ;(await other).release()
    assert.deepEqual(refused, ['a queue-full'])
  })

  test('who goes away does not keep its place', async () => {
    const share = new FairShare({ seats: 1, reserve: 0 })
    const held = await share.admit('a')
    const controller = new AbortController()
    const gone = share.admit('a', { signal: controller.signal })
    const next = share.admit('a')
    controller.abort(new Error('gone'))
    await assert.rejects(async () => gone, /gone/)
    held.release()
    ;(await next).release()
    assert.deepEqual(share.load, { seats: 0, waiting: 0 })
  })

  test('nobody waits for ever', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      let now = 0
      const share = new FairShare({ seats: 1, reserve: 0, maxWait: 1000, clock: () => now })
      const held = await share.admit('a')
      const waiting = share.admit('b')
      now = 999
      mock.timers.tick(250)
      assert.equal(share.load.waiting, 1)
      now = 1000
      mock.timers.tick(250)
      await assert.rejects(async () => waiting, tooMany)
      held.release()
      assert.deepEqual(share.load, { seats: 0, waiting: 0 })
    } finally {
      mock.timers.reset()
    }
  })

  test('a seat is lent while its request waits for others', async () => {
    const share = new FairShare({ seats: 1, reserve: 0 })
    const held = await share.admit('a')
    const outside = Promise.withResolvers<string>()
    const result = held.without(() => outside.promise)
    const other = await share.admit('b')
    outside.resolve('answer')
    let done = false
    void result.then(() => (done = true))
    await new Promise(setImmediate)
    assert.equal(done, false)
    other.release()
    assert.equal(await result, 'answer')
    assert.deepEqual(share.load, { seats: 1, waiting: 0 })
    const failing = held.without(() => Promise.reject(new Error('outside')))
    held.release()
    await assert.rejects(failing, /outside/)
    assert.deepEqual(share.load, { seats: 0, waiting: 0 })
  })

  test('what is urgent is let in beside a storm of its own tenant', async () => {
    const share = new FairShare({ seats: 4, reserve: 2, slice: 60_000 })
    for (let i = 0; i < 4; i++) await share.admit('a')
    const waiting = share.admit('a', { cost: 4 })
    const urgent = share.admit('a', { urgent: true })
    assert.ok(waiting instanceof Promise && !(urgent instanceof Promise))
  })

  test('long-running requests are counted by cluster', () => {
    const share = new FairShare({ longRunning: 2 })
    const first = share.admitLongRunning('a')
    share.admitLongRunning('a')
    assert.throws(() => share.admitLongRunning('a'), tooMany)
    share.admitLongRunning('b')
    first()
    first()
    assert.equal(share.longRunning('a'), 1)
    share.admitLongRunning('a')
  })
})
