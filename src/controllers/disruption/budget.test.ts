import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../objects.ts'
import { budgetStatus, disruptedPods, expectation, failedStatus, healthyPods, staleIn, type Budget } from './budget.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString().replace('.000', '')

function pod(name: string, ready: boolean, more: object = {}): Pod {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  return { metadata: { name, namespace: 'n', ...more }, spec: { containers: [] }, status: { conditions } }
}

function budget(spec: Budget['spec'], status?: object): Budget {
  return { metadata: { name: 'b', namespace: 'n', generation: 3 }, spec, ...(status && { status }) } as Budget
}

const expectations: readonly [spec: Budget['spec'], pods: number, scale: number, expected: number, desired: number][] =
  [
    [{ minAvailable: 2 }, 5, 0, 5, 2],
    [{ minAvailable: 0 }, 5, 0, 5, 0],
    [{ minAvailable: '50%' }, 9, 5, 5, 3],
    [{ maxUnavailable: 1 }, 9, 5, 5, 4],
    [{ maxUnavailable: '30%' }, 9, 5, 5, 3],
    [{ maxUnavailable: 10 }, 9, 5, 5, 0],
    [{}, 4, 9, 4, 0],
  ]
for (const [spec, pods, scale, expected, desired] of expectations) {
  test(`expected of ${JSON.stringify(spec)} with ${pods} pods and scale ${scale}`, () => {
    assert.deepEqual(expectation(budget(spec), pods, scale), { expected, desired })
  })
}

test('evictions are awaited for two minutes, and pods that go are done with', () => {
  const known = { young: ago(30), old: ago(121), going: ago(5), gone: ago(1) }
  const pods = [pod('young', true), pod('old', true), pod('going', true, { deletionTimestamp: ago(1) })]
  const { awaited, forgotten, recheck } = disruptedPods(budget({}, { disruptedPods: known }), pods, NOW)
  assert.deepEqual(awaited, { young: ago(30) })
  assert.deepEqual(
    forgotten.map((one) => one.metadata.name),
    ['old'],
  )
  assert.equal(recheck, 90_001)
  assert.equal(healthyPods([...pods, pod('bad', false)], awaited), 1)
})

test('a pod called __proto__ is a pod like any other', () => {
  const known = JSON.parse(`{"__proto__": "${ago(3)}"}`) as Record<string, string>
  const { awaited } = disruptedPods(budget({}, { disruptedPods: known }), [pod('__proto__', true)], NOW)
  assert.deepEqual(Object.keys(awaited), ['__proto__'])
  assert.equal(healthyPods([pod('__proto__', true), pod('toString', true)], awaited), 1)
})

test('the status, and what it is when nothing is known', () => {
  const counts = { expected: 3, desired: 2, healthy: 3, disrupted: {} }
  const first = budgetStatus(budget({}), counts, NOW)
  assert.deepEqual(first, {
    observedGeneration: 3,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: 'True',
        reason: 'SufficientPods',
        message: '',
        observedGeneration: 3,
        lastTransitionTime: '2026-01-02T00:00:00Z',
      },
    ],
  })
  assert.deepEqual(budgetStatus(budget({}, first), counts, NOW + 5000), first)
  const fewer = budgetStatus(budget({}, first), { ...counts, healthy: 2 }, NOW + 5000)
  assert.equal(fewer.disruptionsAllowed, 0)
  assert.equal(fewer.conditions![0]!.reason, 'InsufficientPods')
  assert.equal(fewer.conditions![0]!.lastTransitionTime, '2026-01-02T00:00:05Z')
  assert.equal(budgetStatus(budget({}), { ...counts, expected: 0 }, NOW).disruptionsAllowed, 0)
  const failed = failedStatus(budget({}, first), 'found no controllers', NOW)
  assert.equal(failed.disruptionsAllowed, 0)
  assert.equal(failed.currentHealthy, 3)
  assert.equal(failed.conditions![0]!.reason, 'SyncFailed')
  assert.equal(failed.conditions![0]!.message, 'found no controllers')
})

test('a disruption that does not come is stale after two minutes', () => {
  const target = (reason: string, seconds: number): Pod => ({
    ...pod('p', true),
    status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason, lastTransitionTime: ago(seconds) }] },
  })
  assert.equal(staleIn(target('EvictionByEvictionAPI', 20), NOW), 100_000)
  assert.equal(staleIn(target('EvictionByEvictionAPI', 500), NOW), 0)
  assert.equal(staleIn(target('TerminationByKubelet', 500), NOW), undefined)
  assert.equal(staleIn(pod('p', true), NOW), undefined)
})
