import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isBefore, isNotBehind } from './key.ts'
import { SortedKeys } from './sorted.ts'

function all(keys: SortedKeys): string[] {
  const found: string[] = []
  for (const cursor = keys.seek(isBefore, ''); cursor.key !== undefined; cursor.next()) found.push(cursor.key)
  return found
}

const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('SortedKeys', () => {
  it('is a sorted set, over many chunks', () => {
    const key = fc.nat(4000).map((n) => `core/pods/n${n % 7}/p${(n * 7919) % 4001}`)
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), key), { maxLength: 3000, size: 'max' })
    fc.assert(
      fc.property(steps, (list) => {
        const keys = new SortedKeys()
        const twin = new Set<string>()
        for (const [what, name] of list) {
          if (what > 0) {
            keys.add(name)
            twin.add(name)
          } else {
            keys.remove(name)
            twin.delete(name)
          }
        }
        const sorted = [...twin].sort(bytes)
        assert.deepEqual(all(keys), sorted)
        for (const prefix of ['', 'core/pods/n3/', 'core/pods/n5/p1', 'd']) {
          const count = keys.seek(isBefore, prefix).until(keys.seek(isNotBehind, prefix))
          assert.equal(count, sorted.filter((one) => one.startsWith(prefix)).length)
        }
        for (const name of sorted) keys.remove(name)
        assert.deepEqual(all(keys), [])
      }),
      { numRuns: 20 },
    )
  })

  it('takes 100,000 keys in any order without sorting again', () => {
    const keys = new SortedKeys()
    const began = performance.now()
    for (let i = 0; i < 100_000; i++) keys.add(`core/pods/default/pod-${(i * 7919) % 100_000}`)
    assert.ok(performance.now() - began < 5000)
    assert.equal(keys.seek(isBefore, '').until(keys.seek(isNotBehind, '')), 100_000)
  })
})
