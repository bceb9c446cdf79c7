import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REVISION_HASH } from '../history.ts'
import type { Pod } from '../objects.ts'
import { claimOwners, isStale, mustWaitFor } from './claims.ts'
import type { Claim, StatefulSet } from './objects.ts'
import { layoutOf, ordinalOf } from './pods.ts'
import { outdated } from './status.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')

function set(spec: Partial<StatefulSet['spec']> = {}): StatefulSet {
  const template = { spec: { containers: [] } }
  return {
    metadata: { name: 's', namespace: 'n', uid: 'set' },
    spec: { replicas: 4, updateStrategy: { type: 'RollingUpdate' }, selector: {}, template, ...spec },
  }
}

/** `old`, `new`, with `!` when it is not available. */
function pod(ordinal: number, what: string): Pod {
  const ready = { type: 'Ready', status: what.endsWith('!') ? 'False' : 'True' }
  const labels = { [REVISION_HASH]: what.replace('!', '') }
  return {
    metadata: { name: `s-${ordinal}`, namespace: 'n', uid: `p${ordinal}`, labels },
    spec: { containers: [] },
    status: { phase: 'Running', conditions: [ready] },
  }
}

const next = (spec: Partial<StatefulSet['spec']>, ...pods: string[]): number[] =>
  outdated(
    set(spec),
    pods.map((what, i) => pod(i, what)),
    'new',
    NOW,
  ).map((one) => ordinalOf(one, set())!)

const rolling = (rollingUpdate: object): Partial<StatefulSet['spec']> => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
})

test('roll-outs take the highest, not more than may be missing', () => {
  assert.deepEqual(next({}, 'old', 'old', 'old', 'old'), [3])
  assert.deepEqual(next({}, 'old', 'old', 'old', 'new!'), [])
  assert.deepEqual(next({}, 'old', 'old', 'old', 'new'), [2])
  assert.deepEqual(next(rolling({ partition: 3 }), 'old', 'old', 'old', 'new'), [])
  assert.deepEqual(next(rolling({ maxUnavailable: 2 }), 'old', 'old', 'old', 'old'), [3, 2])
  assert.deepEqual(next(rolling({ maxUnavailable: '50%' }), 'old!', 'old', 'old', 'old'), [3])
  assert.deepEqual(next({ updateStrategy: { type: 'OnDelete' } }, 'old', 'old'), [])
  const parallel = { podManagementPolicy: 'Parallel' }
  assert.deepEqual(next(parallel, 'old!', 'old', 'old!', 'old'), [2, 0])
  assert.deepEqual(next({ ...parallel, ...rolling({ maxUnavailable: 3 }) }, 'old!', 'old', 'old', 'old'), [0, 3, 2])
})

test('what is missing is made from the revision of its ordinal; other names are nobody', () => {
  const [current, update] = ['old', 'new'].map((name) => ({ name, template: set().spec.template }))
  const pods = [pod(1, 'old'), pod(7, 'old'), pod(9, 'old'), { ...pod(0, 'x'), metadata: { name: 's-x' } }]
  const { replicas, condemned } = layoutOf(set(rolling({ partition: 2 })), pods, current!, update!)
  assert.deepEqual(
    replicas.map((one) => `${one.metadata.name!} ${one.metadata.labels![REVISION_HASH]!}`),
    ['s-0 old', 's-1 old', 's-2 new', 's-3 new'],
  )
  assert.deepEqual(
    condemned.map((one) => one.metadata.name),
    ['s-9', 's-7'],
  )
  const shifted = layoutOf(set({ ordinals: { start: 6 }, replicas: 2 }), pods, current!, update!)
  assert.deepEqual(
    shifted.replicas.map((one) => one.metadata.name),
    ['s-6', 's-7'],
  )
})

const owner = (kind: string, name: string, uid: string, controller = true) => ({
  apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
  kind,
  name,
  uid,
  controller,
})
const claim = (...ownerReferences: ReturnType<typeof owner>[]): Claim => ({ metadata: { name: 'c', ownerReferences } })
const kinds = (of: Claim, ordinal: number, whenDeleted: string, whenScaled: string): string | undefined =>
  claimOwners(of, set({ persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } }), pod(ordinal, 'new'))
    ?.map(({ kind }) => kind)
    .join()

test('claims are owned by whom they are to go with', () => {
  const mine = owner('StatefulSet', 's', 'set')
  assert.equal(kinds(claim(), 0, 'Retain', 'Retain'), undefined)
  assert.equal(kinds(claim(mine), 0, 'Retain', 'Retain'), '')
  assert.equal(kinds(claim(), 0, 'Delete', 'Retain'), 'StatefulSet')
  assert.equal(kinds(claim(mine), 0, 'Delete', 'Retain'), undefined)
  assert.equal(kinds(claim(owner('StatefulSet', 's', 'set', false)), 0, 'Delete', 'Retain'), 'StatefulSet')
  assert.equal(kinds(claim(), 0, 'Retain', 'Delete'), undefined)
  assert.equal(kinds(claim(), 5, 'Retain', 'Delete'), 'Pod')
  assert.equal(kinds(claim(mine), 5, 'Delete', 'Delete'), 'Pod')
  assert.equal(kinds(claim(owner('Pod', 's-0', 'p0')), 0, 'Delete', 'Delete'), 'StatefulSet')
  const other = owner('Widget', 'w', 'w')
  assert.equal(kinds(claim(other), 0, 'Delete', 'Delete'), undefined)
  assert.equal(kinds(claim(other, mine), 0, 'Delete', 'Delete'), 'Widget')
})

test('a claim of a pod that was is waited for', () => {
  const stale = claim(owner('Pod', 's-0', 'another'))
  assert.equal(isStale(stale, set(), pod(0, 'new')), true)
  assert.equal(kinds(stale, 0, 'Delete', 'Delete'), undefined)
  const policy = { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } }
  assert.equal(mustWaitFor(stale, set(policy), pod(0, 'new')), true)
  assert.equal(mustWaitFor(stale, set(), pod(0, 'new')), false)
})
