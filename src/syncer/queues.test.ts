import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFairQueue } from '../client/fair-queue.ts'
import { tenantView } from './fixture.ts'
import { Queues } from './queues.ts'
import type { Session } from './session.ts'
import { Window } from './window.ts'

const { tenant } = tenantView()

function session(limit = 1): Session {
  const made: Pick<Session, 'tenant' | 'window'> = { tenant, window: new Window(limit) }
  return made as Session
}

test('a thing waits once in each direction, whoever names it', () => {
  const queues = new Queues(() => createFairQueue())
  const one = session()
  queues.object('down', one, 'Pod', 'n', 'p')
  queues.object('down', one, 'Pod', 'n', 'p')
  queues.object('up', one, 'Pod', 'n', 'p')
  queues.object('down', one, 'Secret', 'n', 'p')
  queues.token(one, { namespace: 'n', account: 'a', audience: undefined })
  queues.token(one, { namespace: 'n', account: 'a', audience: undefined })
  queues.node(one, 'p')
  assert.deepEqual([queues.of('down').length(), queues.of('up').length(), queues.of('events').length()], [3, 2, 0])
  queues.remove(tenant.uid)
  assert.deepEqual([queues.of('down').length(), queues.of('up').length()], [0, 0])
  queues.close()
})

test('what waits for a while is the same thing as what is to be done at once', async () => {
  const queues = new Queues(() => createFairQueue())
  const one = session()
  queues.edited(one, 'ConfigMap', 'n', 'c')
  queues.object('down', one, 'ConfigMap', 'n', 'c')
  queues.nodeLater(one, 'a', 60_000)
  queues.node(one, 'a')
  const [down, up] = [await queues.of('down').take(), await queues.of('up').take()]
  assert.deepEqual([down?.key, up?.key], ['ConfigMap/n/c', 'Node/a'])
  assert.deepEqual([queues.of('down').length(), queues.of('up').length()], [0, 0])
  queues.close()
})

test('when a pod no longer waits for the scheduler, the next of its tenant is looked at', async () => {
  const queues = new Queues(() => createFairQueue())
  const one = session()
  one.window.enter('n/first')
  one.window.enter('n/second')
  queues.left(one, 'n/nobody')
  assert.equal(queues.of('down').length(), 0)
  queues.left(one, 'n/first')
  const taken = await queues.of('down').take()
  assert.deepEqual([taken?.flow, taken?.key], [tenant.uid, 'Pod/n/second'])
  queues.close()
})
