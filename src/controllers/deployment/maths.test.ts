import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Deployment, ReplicaSet } from '../objects.ts'
import { podTemplateHash } from './hash.ts'
import {
  expendableSets,
  fenceposts,
  maxUnavailable,
  newSetReplicas,
  parseRevision,
  proportionalScale,
  scaledValue,
  shrinkOldSets,
} from './maths.ts'

interface Size {
  readonly replicas: number
  readonly available?: number
  readonly max?: number
  readonly age?: number
}

function set(name: string, { replicas, available = replicas, max, age = 0 }: Size): ReplicaSet {
  const created = new Date(Date.UTC(2026, 0, 2) - age * 1000).toISOString()
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      ...(max === undefined ? {} : { annotations: { 'deployment.kubernetes.io/max-replicas': String(max) } }),
    },
    spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
    status: { replicas, availableReplicas: available },
  }
}

function deployment(replicas: number, maxSurge: number | string, max: number | string): Deployment {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: max } }
  return {
    metadata: { name: 'd' },
    spec: { replicas, strategy, selector: {}, template: { spec: { containers: [] } } },
    status: { replicas },
  }
}

test('percentages: surge rounds up, unavailable down, and one of them is never 0', () => {
  assert.equal(scaledValue('25%', 10, true), 3)
  assert.equal(scaledValue('25%', 10, false), 2)
  assert.equal(scaledValue('x', 10, false), 0)
  assert.deepEqual(fenceposts(deployment(10, '25%', '25%')), { surge: 3, unavailable: 2 })
  assert.deepEqual(fenceposts(deployment(1, '0%', '25%')), { surge: 0, unavailable: 1 })
  assert.equal(maxUnavailable(deployment(0, 1, 1)), 0)
  assert.equal(maxUnavailable(deployment(2, 1, 5)), 2)
})

test('the new set grows into the surge', () => {
  const d = deployment(10, 3, 2)
  const cases: [old: number, current: number, expected: number][] = [
    [10, 0, 3],
    [8, 3, 5],
    [13, 0, 0],
    [0, 4, 10],
  ]
  for (const [old, current, expected] of cases) {
    const all = [set('old', { replicas: old }), set('new', { replicas: current })]
    assert.equal(newSetReplicas(d, all, current), expected, `${old}+${current}`)
  }
})

test('old sets shrink, their unhealthy pods first', () => {
  const sizes = (d: Deployment, fresh: Size, ...old: Size[]): string =>
    shrinkOldSets(
      d,
      set('new', fresh),
      old.map((size, i) => set(`old${i}`, { age: 100 - i, ...size })),
    )
      .map(({ set: { metadata }, replicas }) => `${metadata.name!}→${replicas}`)
      .join(' ')
  const d = deployment(10, 3, 2)
  assert.equal(sizes(d, { replicas: 3, available: 0 }, { replicas: 10 }), 'old0→8')
  assert.equal(sizes(d, { replicas: 5, available: 0 }, { replicas: 8 }), '')
  assert.equal(sizes(d, { replicas: 5, available: 5 }, { replicas: 8 }), 'old0→3')
  // A crash-looping set goes before a healthy one, whatever their ages.
  assert.equal(sizes(d, { replicas: 8, available: 7 }, { replicas: 1 }, { replicas: 5, available: 0 }), 'old1→0')
  assert.equal(sizes(d, { replicas: 10, available: 10 }, { replicas: 3, available: 3 }), 'old0→0')
  assert.equal(sizes(d, { replicas: 10, available: 10 }, { replicas: 0 }), '')
})

test('a change of size is shared in proportion', () => {
  const d = deployment(20, 3, 2)
  const scaled = proportionalScale(d, [set('a', { replicas: 8, max: 13 }), set('b', { replicas: 5, max: 13 })])
  assert.deepEqual(
    scaled.map(({ set: { metadata }, replicas }) => [metadata.name, replicas]),
    [
      ['a', 14],
      ['b', 9],
    ],
  )
})

test('whatever the sizes, a growth adds up, a cut goes the right way, none is negative', () => {
  const size = fc.record({ replicas: fc.integer({ min: 1, max: 50 }), max: fc.integer({ min: 1, max: 100 }) })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100 }),
      fc.nat(10),
      fc.array(size, { minLength: 2, maxLength: 5 }),
      (n, surge, sizes) => {
        const active = sizes.map((one, i) => set(`s${i}`, one))
        const scaled = proportionalScale(deployment(n, surge, 1), active)
        assert.equal(scaled.length, sizes.length)
        assert.ok(scaled.every(({ replicas }) => replicas >= 0))
        const total = scaled.reduce((sum, { replicas }) => sum + replicas, 0)
        const allowed = n === 0 ? 0 : n + surge
        const before = sizes.reduce((sum, { replicas }) => sum + replicas, 0)
        // Growth is spent to the last pod; of a cut, what one set cannot give waits for the next turn.
        if (before <= allowed) assert.equal(total, allowed)
        else assert.ok(total >= allowed && total < before)
      },
    ),
  )
})

test('a rollout ends from any state, within its limits in every step', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.nat(5),
      fc.nat(5),
      fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
      (desired, surge, unavailable, olds) => {
        const d = deployment(desired, surge, unavailable)
        let fresh = 0
        let old = olds
        for (let step = 0; step < 500; step++) {
          const sets = old.map((replicas, i) => set(`o${i}`, { replicas, age: 10 - i }))
          const newer = set('new', { replicas: fresh })
          const before = fresh + old.reduce((sum, one) => sum + one, 0)
          const grown = newSetReplicas(d, [...sets, newer], fresh)
          if (grown !== fresh) {
            assert.ok(before + grown - fresh <= desired + surge)
            fresh = grown
            continue
          }
          const steps = shrinkOldSets(d, newer, sets)
          if (steps.length === 0) break
          old = sets.map((one, i) => steps.find((s) => s.set === one)?.replicas ?? old[i]!)
          const left = fresh + old.reduce((sum, one) => sum + one, 0)
          assert.ok(left >= Math.min(before, desired - maxUnavailable(d)))
        }
        assert.equal(fresh, desired)
        assert.ok(old.every((replicas) => replicas === 0))
      },
    ),
  )
})

test('revisions have 64 bits', () => {
  assert.equal(parseRevision('3546343826724305832'), 3546343826724305832n)
  assert.equal(parseRevision('9223372036854775807'), 9223372036854775807n)
  for (const text of ['9223372036854775808', '-1', '', '1.0', '0x1']) assert.equal(parseRevision(text), undefined)
})

test('the history keeps the newest sets, and any that is not scaled down', () => {
  const old = (name: string, revision: number, replicas = 0): ReplicaSet => {
    const one = set(name, { replicas })
    return {
      ...one,
      metadata: { ...one.metadata, annotations: { 'deployment.kubernetes.io/revision': String(revision) } },
    }
  }
  const d = { ...deployment(1, 1, 0) }
  d.spec = { ...d.spec, revisionHistoryLimit: 1 }
  const gone = expendableSets(d, [old('c', 3), old('a', 1), old('b', 2, 1)])
  assert.deepEqual(
    gone.map(({ metadata }) => metadata.name),
    ['a'],
  )
})

test('the hash of a template never changes between releases', () => {
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'nginx:1' }], restartPolicy: 'Always' },
  }
  assert.equal(podTemplateHash(template, undefined), '59ddd66b4f')
  assert.equal(podTemplateHash(template, 1), '5564df8476')
  const { metadata, spec } = template
  assert.equal(podTemplateHash({ spec: { ...spec }, metadata }, undefined), podTemplateHash(template, undefined))
})
