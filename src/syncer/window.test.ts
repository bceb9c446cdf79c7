import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KubeObject } from '../machinery/object.ts'
import { tenantPod } from './fixture.ts'
import { lookedAt, Window } from './window.ts'

test('beyond the limit keys are parked, and come out in their order', () => {
  const window = new Window(2)
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'a'].map((key) => window.enter(key)),
    [true, true, false, false, true],
  )
  assert.equal(window.leave('b'), 'c')
  assert.equal(window.enter('c'), true)
  assert.equal(window.leave('nobody'), undefined)
  assert.equal(window.leave('d'), undefined, 'a parked key that goes frees nothing')
  assert.equal(window.leave('a'), undefined)
  assert.deepEqual([window.open, window.parked], [['c'], 0])
})

test('never more than the limit, and nobody is forgotten', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 200 }),
      (limit, steps) => {
        const window = new Window(limit)
        const wanting = new Set<string>()
        const enter = (key: string) => {
          if (window.enter(key)) wanting.delete(key)
          else wanting.add(key)
        }
        for (const [coming, n] of steps) {
          const key = `k${n}`
          if (coming) enter(key)
          else {
            wanting.delete(key)
            const next = window.leave(key)
            if (next !== undefined) enter(next)
          }
          assert.ok(window.open.length <= limit)
          assert.equal(window.parked, wanting.size)
          assert.ok(wanting.size === 0 || window.open.length === limit, 'somebody waits although there is room')
        }
      },
    ),
  )
})

test("a pod has been looked at when it is bound, found no place, or is not the scheduler's yet", () => {
  const pod = (spec: object, status?: object): KubeObject => ({ ...tenantPod(), spec, ...(status && { status }) })
  assert.equal(lookedAt(pod({}, {})), false)
  assert.equal(lookedAt(pod({ schedulingGates: [] }, { conditions: [{ type: 'Ready', status: 'False' }] })), false)
  assert.equal(lookedAt(pod({ nodeName: 'n' })), true)
  assert.equal(lookedAt(pod({}, { conditions: [{ type: 'PodScheduled', status: 'False' }] })), true)
  assert.equal(lookedAt(pod({ schedulingGates: [{ name: 'g' }] })), true)
})
