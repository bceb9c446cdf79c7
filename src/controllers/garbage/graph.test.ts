import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { decide, type OwnerState } from './decision.ts'
import { OwnerGraph, type Work } from './graph.ts'

interface Shape {
  readonly owners?: readonly string[]
  /** Owners that this object blocks. */
  readonly blocks?: readonly string[]
  readonly finalizers?: string[]
  readonly deleting?: boolean
}

function object(uid: string, { owners = [], blocks = [], finalizers = [], deleting = false }: Shape = {}): KubeObject {
  const reference = (owner: string, blockOwnerDeletion: boolean) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    name: owner,
    uid: owner,
    blockOwnerDeletion,
  })
  return {
    metadata: {
      name: uid,
      namespace: 'default',
      uid,
      finalizers,
      ownerReferences: [...owners.map((one) => reference(one, false)), ...blocks.map((one) => reference(one, true))],
      ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
  }
}

const foreground = { deleting: true, finalizers: ['foregroundDeletion'] }

function told({ check, orphan }: Work): string {
  return [...[...check].map((uid) => `check ${uid}`), ...[...orphan].map((uid) => `orphan ${uid}`)]
    .toSorted()
    .join(', ')
}

test('what has no owners and owns nothing is not kept', () => {
  const graph = new OwnerGraph()
  assert.equal(told(graph.put(resources.pods, object('a'))), '')
  assert.equal(graph.size, 0)
})

test('dependents are looked at when their owner goes, also one that was never seen', () => {
  const graph = new OwnerGraph()
  assert.equal(told(graph.put(resources.pods, object('b', { owners: ['a'] }))), 'check b')
  assert.equal(told(graph.put(resources.pods, object('b', { owners: ['a'] }))), '')
  assert.equal(told(graph.remove('a')), 'check b')
  assert.equal(told(graph.remove('b')), '')
  assert.equal(graph.size, 0)
  assert.equal(told(graph.remove('a')), '')
})

test('a foreground deletion looks at itself and its dependents, and again whenever a blocking one goes or lets go', () => {
  const graph = new OwnerGraph()
  graph.put(resources.pods, object('b', { blocks: ['a'] }))
  graph.put(resources.pods, object('c', { blocks: ['a'] }))
  graph.put(resources.pods, object('d', { owners: ['a'] }))
  assert.equal(told(graph.put(resources.pods, object('a', foreground))), 'check a, check b, check c, check d')
  assert.deepEqual(
    graph.blocking('a').map(({ uid }) => uid),
    ['b', 'c'],
  )
  assert.equal(told(graph.remove('b')), 'check a')
  assert.equal(told(graph.put(resources.pods, object('c', { owners: ['a'] }))), 'check a, check c')
  assert.deepEqual(graph.blocking('a'), [])
})

test('an orphaning owner is told once', () => {
  const graph = new OwnerGraph()
  const owner = object('a', { deleting: true, finalizers: ['orphan'] })
  assert.equal(told(graph.put(resources.pods, owner)), 'orphan a')
  assert.equal(told(graph.put(resources.pods, owner)), '')
  assert.equal(told(graph.put(resources.pods, object('a', { deleting: true, finalizers: ['x'] }))), '')
  assert.equal(graph.size, 0)
})

test('a cycle in foreground deletion is known on both sides', () => {
  const graph = new OwnerGraph()
  graph.put(resources.pods, object('a', { blocks: ['b'], ...foreground }))
  const work = graph.put(resources.pods, object('b', { blocks: ['a'], ...foreground }))
  assert.equal(told(work), 'check a, check b')
})

test('decisions', () => {
  const say = (states: readonly OwnerState[], shape: Shape = {}, dependents: readonly boolean[] = []): string => {
    const owners = states.map((state, i) => ({
      reference: { apiVersion: 'v1', kind: 'Pod', name: `o${i}`, uid: `o${i}` },
      state,
    }))
    const decision = decide(
      object('x', shape),
      owners,
      dependents.map((one) => ({ foreground: one })),
    )
    if (decision.type === 'release') return `release ${decision.owners.map(({ uid }) => uid).join(' ')}`
    if (decision.type === 'delete') return `delete ${decision.policy}${decision.unblock ? ' unblocked' : ''}`
    return decision.type
  }
  assert.equal(say([]), 'keep')
  assert.equal(say(['solid']), 'keep')
  assert.equal(say(['solid', 'absent', 'waiting']), 'release o1 o2')
  assert.equal(say(['absent']), 'delete Background')
  assert.equal(say(['absent'], { finalizers: ['orphan'] }), 'delete Orphan')
  assert.equal(say(['absent'], { finalizers: ['foregroundDeletion'] }), 'delete Foreground')
  assert.equal(say(['waiting']), 'delete Background')
  assert.equal(say(['waiting'], {}, [false]), 'delete Foreground')
  assert.equal(say(['waiting', 'absent'], {}, [false, true]), 'delete Foreground unblocked')
})
