import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../machinery/object.ts'
import { errors } from '../machinery/status.ts'
import type { Client, Patch } from './contract.ts'
import { createEventRecorder } from './events.ts'

function setup(options: { pending?: number } = {}) {
  const created: KubeObject[] = []
  const patches: unknown[] = []
  const told: unknown[] = []
  const state: { now: number; fail: Error | undefined } = { now: Date.UTC(2030, 0, 1), fail: undefined }
  const client = {
    create: async (_: unknown, object: KubeObject) => {
      if (state.fail !== undefined) throw state.fail
      created.push(object)
      return object
    },
    patch: async (_: unknown, name: string, patch: Patch) => {
      if (state.fail !== undefined) throw state.fail
      patches.push({ name, body: patch.body })
    },
  } as unknown as Pick<Client, 'create' | 'patch'>
  const recorder = createEventRecorder(client, {
    component: 'test',
    now: () => state.now,
    random: () => 0,
    onError: (error) => told.push(error),
    ...options,
  })
  return { recorder, created, patches, told, state }
}

const object = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: '7' },
})
const hello = { type: 'Normal', reason: 'Greeted', message: 'hello' } as const

test('an event says who, what and when', async () => {
  const { recorder, created } = setup()
  recorder.record(object('a'), hello)
  await recorder.flush()
  assert.deepEqual(created, [
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `a.${Date.UTC(2030, 0, 1).toString(16)}bbbbb`, namespace: 'ns' },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        name: 'a',
        namespace: 'ns',
        uid: 'uid-a',
        resourceVersion: '7',
      },
      type: 'Normal',
      reason: 'Greeted',
      message: 'hello',
      source: { component: 'test' },
      reportingComponent: 'test',
      reportingInstance: '',
      firstTimestamp: '2030-01-01T00:00:00Z',
      lastTimestamp: '2030-01-01T00:00:00Z',
      count: 1,
    },
  ])
})

test('the same again is counted', async () => {
  const { recorder, created, patches, state } = setup()
  for (let i = 0; i < 3; i++) recorder.record(object('a'), hello)
  await recorder.flush()
  assert.equal(created[0]!['count'], 3)
  state.now += 60_000
  recorder.record(object('a'), hello)
  await recorder.flush()
  assert.deepEqual(patches, [
    { name: created[0]!.metadata.name, body: { count: 4, lastTimestamp: '2030-01-01T00:01:00Z' } },
  ])
  state.now += 3_600_000
  recorder.record(object('a'), hello)
  await recorder.flush()
  assert.equal(created.length, 2)
})

test('an event that expired is made again', async () => {
  const { recorder, created, state } = setup()
  recorder.record(object('a'), hello)
  await recorder.flush()
  state.fail = errors.notFound({ group: '', resource: 'events' }, 'x')
  recorder.record(object('a'), hello)
  await recorder.flush()
  state.fail = undefined
  recorder.record(object('a'), hello)
  await recorder.flush()
  assert.equal(created.length, 2)
})

test('one object cannot flood, and all together only so much', async () => {
  const { recorder, created } = setup({ pending: 40 })
  for (let i = 0; i < 100; i++) recorder.record(object('a'), { ...hello, message: `number ${i}` })
  await recorder.flush()
  assert.equal(created.length, 25)
  for (let i = 0; i < 100; i++) recorder.record(object(`p${i}`), hello)
  await recorder.flush()
  assert.equal(created.length, 65)
})

test('a server that does not answer harms nobody', async () => {
  const { recorder, told, created, state } = setup()
  state.fail = new Error('away')
  recorder.record(object('a'), hello)
  await recorder.flush()
  assert.deepEqual(told, [state.fail])
  state.fail = undefined
  recorder.record(object('a'), hello)
  await recorder.flush()
  assert.equal(created.length, 1)
})

test('events of cluster-scoped objects live in default', async () => {
  const { recorder, created } = setup()
  recorder.record({ kind: 'Node', apiVersion: 'v1', metadata: { name: 'n', uid: 'u' } }, hello)
  await recorder.flush()
  assert.equal(created[0]!.metadata.namespace, 'default')
  assert.equal('namespace' in created[0]!['involvedObject'], false)
})
