import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageOf, humanDuration } from './duration.ts'
import cases from './testdata/duration.oracle.json' with { type: 'json' }

test('durations read as in apimachinery', () => {
  for (const { seconds, answer } of cases) assert.equal(humanDuration(seconds * 1000), answer.human, `${seconds} s`)
})

test('the age of a moment', () => {
  assert.equal(ageOf('2030-01-01T00:00:00Z', Date.UTC(2030, 0, 1, 0, 5, 3)), '5m3s')
  assert.equal(ageOf(undefined, 0), '<unknown>')
  assert.equal(ageOf('nonsense', 0), '<unknown>')
})
