import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { StatusError } from '../../machinery/status.ts'
import { FairShare } from './fairshare.ts'

const tooMany = (error: unknown): boolean =>
  error instanceof StatusError && error.code === 429 && error.status.details?.retryAfterSeconds === 1

describe('fair share', () => {
  test('admits at once while there is room, then in turns', async () => {
    const waits: string[] = []
    const share = new FairShare({ seats: 2, onWait: (cluster) => waits.push(cluster) })
    const first = share.admit('a', 1)
    const second = share.admit('a', 1)
    assert.ok(typeof first === 'function' && typeof second === 'function')
    const third = share.admit('b', 1)
    assert.ok(third instanceof Promise)
    assert.deepEqual(share.load, { seats: 2, waiting: 1 })
    first()
    first()
    const release = await third
    assert.deepEqual(share.load, { seats: 2, waiting: 0 })
    release()
    second()
    assert.deepEqual(share.load, { seats: 0, waiting: 0 })
    assert.deepEqual(waits, ['b'])
  })

  test('refuses what is too much with 429', async () => {
    const refused: string[] = []
    const share = new FairShare({ seats: 1, queue: 1, onRefuse: (cluster, why) => refused.push(`${cluster} ${why}`) })
    const release = await share.admit('a', 1)
    const waiting = share.admit('a', 1)
    await assert.rejects(async () => share.admit('a', 1), tooMany)
    const other = share.admit('b', 1)
    release()
    ;(await waiting)()
    ;(await other)()
    assert.deepEqual(refused, ['a queue-full'])
  })

  test('who goes away does not keep its place', async () => {
    const share = new FairShare({ seats: 1 })
    const release = await share.admit('a', 1)
    const controller = new AbortController()
    const gone = share.admit('a', 1, controller.signal)
    const next = share.admit('a', 1)
    controller.abort(new Error('gone'))
    await assert.rejects(async () => gone, /gone/)
    release()
    ;(await next)()
    await assert.rejects(async () => share.admit('a', 1, controller.signal), /gone/)
    assert.deepEqual(share.load, { seats: 0, waiting: 0 })
  })

  test('nobody waits for ever', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      let now = 0
      const share = new FairShare({ seats: 1, maxWait: 1000, clock: () => now })
      const release = await share.admit('a', 1)
      const waiting = share.admit('b', 1)
      now = 999
      mock.timers.tick(250)
      assert.equal(share.load.waiting, 1)
      now = 1000
      mock.timers.tick(250)
      await assert.rejects(async () => waiting, tooMany)
      release()
      assert.deepEqual(share.load, { seats: 0, waiting: 0 })
    } finally {
      mock.timers.reset()
    }
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
