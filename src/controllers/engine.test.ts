import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../client/contract.ts'
import type { QueueClock } from '../client/fair-queue.ts'
import { errors } from '../machinery/status.ts'
import type { ControllerContext, ControllerFactory, Log } from './contract.ts'
import { ControllerEngine } from './engine.ts'

/** Controllers of these tests talk to nobody. */
const client = {} as Client

function recording(): { log: Log; lines: string[] } {
  const lines: string[] = []
  const write =
    (level: string) =>
    (msg: string, fields: Record<string, unknown> = {}): void =>
      void lines.push(`${level} ${msg} ${String(fields['key'])} ${String(fields['error'])}`)
  return { lines, log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') } }
}

/** A factory, and its context once it runs. */
function controller(reconcile: (key: string) => Promise<void>): {
  factory: ControllerFactory
  context(): ControllerContext
} {
  let own: ControllerContext | undefined
  return {
    factory: (context) => {
      own = context
      return { name: 'test', start: () => {}, reconcile }
    },
    context: () => own!,
  }
}

const turns = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('keys of all clusters are worked on, one at a time per key, in turn between clusters', async () => {
  const { log } = recording()
  const engine = new ControllerEngine({ log, concurrency: 1 })
  const seen: string[] = []
  const [one, two] = ['one', 'two'].map((id) => {
    const made = controller(async (key) => void seen.push(`${id}:${key}`))
    engine.add({ id, client }, [made.factory])
    return made.context()
  })
  for (const key of ['a', 'b', 'a']) one!.enqueue(key)
  two!.enqueue('a')
  await turns()
  // The second `a` came while the first was being worked on.
  assert.deepEqual(seen, ['one:a', 'two:a', 'one:b', 'one:a'])
  assert.throws(() => engine.add({ id: 'one', client }, []), /run already/)
  await engine.close()
})

test('a failure comes again, and is told once per key and minute; a conflict is no news', async () => {
  let time = 0
  const timers: { due: number; run: () => void }[] = []
  const clock: QueueClock = {
    now: () => time,
    after: (delay, run) => {
      const timer = { due: time + delay, run }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
  }
  const { log, lines } = recording()
  const failed: boolean[] = []
  const metrics = { worked: (_: string, __: string, ___: number, ____: number, one: boolean) => void failed.push(one) }
  const engine = new ControllerEngine({ log, clock, metrics })
  let tries = 0
  const made = controller(async (key) => {
    tries++
    if (key === 'conflict') throw errors.conflict({ group: '', resource: 'pods' }, 'x')
    if (tries < 4) throw errors.internal('broken')
  })
  engine.add({ id: 'c', client }, [made.factory])
  made.context().enqueue('k')
  await turns()
  for (const wait of [5, 10, 20]) {
    time += wait
    for (const timer of timers.splice(0)) timer.run()
    await turns()
  }
  assert.equal(tries, 4)
  assert.deepEqual(failed, [true, true, true, false])
  assert.deepEqual(lines, ['warn reconcile failed k Internal error occurred: broken'])
  assert.equal(timers.length, 0)
  made.context().enqueue('conflict')
  await turns()
  assert.match(lines.at(-1)!, /^debug reconcile will be repeated conflict/)
  await engine.close()
})

test('a stopped cluster is left alone, and can be added again', async () => {
  const { log, lines } = recording()
  const engine = new ControllerEngine({ log })
  const seen: string[] = []
  const gate = Promise.withResolvers<void>()
  const made = controller(async (key) => {
    seen.push(key)
    await gate.promise
    throw new Error('the client was closed')
  })
  const running = engine.add({ id: 'c', client }, [made.factory])
  const old = made.context()
  old.enqueue('under-way')
  await turns()
  running.stop()
  assert.equal(old.signal.aborted, true)
  old.enqueue('late')
  gate.resolve()
  await turns()
  assert.deepEqual(seen, ['under-way'])
  assert.deepEqual(lines, [])
  assert.equal(engine.backlog(), 0)
  engine.add({ id: 'c', client }, []).stop()
  await engine.close()
})

test('keys that wait for nothing leave the event loop to others in between', async () => {
  const { log } = recording()
  const engine = new ControllerEngine({ log })
  let inTurn = 0
  let most = 0
  let left = 200
  const done = Promise.withResolvers<void>()
  const made = controller(async () => {
    most = Math.max(most, ++inTurn)
    for (const end = performance.now() + 1; performance.now() < end;);
    if (--left === 0) done.resolve()
  })
  engine.add({ id: 'one', client }, [made.factory])
  for (let i = 0; i < left; i++) made.context().enqueue(`key-${i}`)
  const look = (): void => {
    inTurn = 0
    if (left > 0) setImmediate(look)
  }
  setImmediate(look)
  await done.promise
  assert.ok(most <= 12, `${most} keys of a millisecond in one turn`)
  await engine.close()
})
