import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from './contract.ts'
import { dropDecoded, heldEntries, keepDecoded, restDecoded } from './decoded.ts'

const entry = (key: string, megabytes: number): Entry => ({
  key,
  bytes: Buffer.alloc(megabytes << 20),
  revision: 1,
  created: 1,
  object: {},
})

test('the oldest decoded forms go first, and those of the past make room', () => {
  const entries = ['a', 'b', 'c', 'd'].map((key) => entry(key, 6))
  for (const one of entries) keepDecoded(one)
  const decoded = () => entries.filter(({ object }) => object !== undefined).map(({ key }) => key)
  assert.deepEqual(decoded(), ['a', 'b', 'c', 'd'])
  dropDecoded(entries[2]!)
  const more = entry('e', 6)
  entries.push(more)
  keepDecoded(more)
  keepDecoded(more)
  assert.deepEqual(decoded(), ['a', 'b', 'd', 'e'])
  entries.push(entry('f', 12))
  keepDecoded(entries[5]!)
  assert.deepEqual(decoded(), ['d', 'e', 'f'])
  dropDecoded(entry('unknown', 6))
  entries.push(entry('g', 24))
  keepDecoded(entries[6]!)
  assert.deepEqual(decoded(), ['g'])
})

test('at rest only the newest decoded forms stay', () => {
  const entries = ['a', 'b', 'c', 'd'].map((key) => entry(key, 2))
  for (const one of entries) keepDecoded(one)
  assert.ok(restDecoded() >= 4 << 20)
  assert.deepEqual(
    entries.map(({ object }) => object !== undefined),
    [false, false, true, true],
  )
  assert.equal(restDecoded(), 0)
})

test('states of the past are not held, however many there were', () => {
  let before: Entry | undefined
  for (let i = 0; i < 100_000; i++) {
    const now: Entry = { key: 'lease', bytes: Buffer.from('x'), revision: i, created: 1, object: {} }
    keepDecoded(now)
    if (before !== undefined) dropDecoded(before)
    before = now
  }
  assert.ok(heldEntries() <= 2048, `${heldEntries()} entries`)
})
