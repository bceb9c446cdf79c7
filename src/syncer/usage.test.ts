import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Usage } from './usage.ts'

const things = ['a', 'b', 'c', 'd', '__proto__']

test('counts as the plain way does', () => {
  const step = fc.tuple(fc.constantFrom('p1', 'p2', 'p3', 'constructor'), fc.subarray(things))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const usage = new Usage()
      const twin = new Map<string, readonly string[]>()
      const used = () => new Set([...twin.values()].flat())
      for (const [user, now] of steps) {
        const before = used()
        twin.set(user, now)
        const after = used()
        const changed = usage.set(user, new Set(now))
        assert.deepEqual([...changed].sort(), things.filter((t) => before.has(t) !== after.has(t)).sort())
        for (const thing of things) assert.equal(usage.has(thing), after.has(thing))
      }
    }),
  )
})
