import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../objects.ts'
import { podsToDelete } from './ranking.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')

interface Shape {
  readonly node?: string
  readonly phase?: string
  /** Seconds that it has been ready. */
  readonly ready?: number
  readonly age?: number
  readonly cost?: string
  readonly restarts?: number
}

function pod(name: string, { node = 'n', phase = 'Running', ready, age = 3600, cost, restarts = 0 }: Shape): Pod {
  const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()
  const container = { name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: ago(age),
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { containers: [], ...(node === '' ? {} : { nodeName: node }) },
    status: {
      phase,
      containerStatuses: [container],
      conditions: ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: ago(ready) }],
    },
  }
}

/** Each pair: the first goes before the second. */
const pairs: readonly [why: string, first: Shape, second: Shape][] = [
  ['without a node', { node: '', phase: 'Running', ready: 100 }, { phase: 'Pending' }],
  ['pending', { phase: 'Pending', cost: '100' }, { ready: 100 }],
  ['not ready', {}, { ready: 100 }],
  ['cheaper', { ready: 5000, cost: '-1' }, { ready: 1 }],
  ['a cost that is none counts as 0', { ready: 100, cost: '-1' }, { ready: 1, cost: '-07' }],
  ['ready for a shorter time', { ready: 10 }, { ready: 1000, restarts: 5 }],
  ['more restarts', { restarts: 2, age: 9000 }, { restarts: 1, age: 10 }],
  ['younger', { age: 10 }, { age: 10_000 }],
]

for (const [why, first, second] of pairs) {
  test(`goes first: ${why}`, () => {
    const pods = [pod('second', second), pod('first', first)]
    assert.deepEqual(
      podsToDelete(pods, [], 1, NOW).map(({ metadata }) => metadata.name),
      ['first'],
    )
  })
}

test('goes first: on a node with more of its kin; ages of the same magnitude are alike', () => {
  const crowd = ['a', 'b', 'c'].map((name) => pod(name, { node: 'full', ready: 1000 }))
  const alone = pod('alone', { node: 'free', ready: 990 })
  const doomed = podsToDelete([alone, ...crowd], [alone, ...crowd], 2, NOW)
  assert.deepEqual(
    doomed.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  )
})

test('all of them go when as many are asked for', () => {
  assert.equal(podsToDelete([pod('a', {}), pod('b', {})], [], 2, NOW).length, 2)
})
