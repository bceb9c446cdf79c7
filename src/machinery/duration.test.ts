import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageOf, goDuration, humanDuration } from './duration.ts'
import cases from './testdata/duration.oracle.json' with { type: 'json' }

test('durations read as in apimachinery', () => {
  for (const { seconds, answer } of cases) assert.equal(humanDuration(seconds * 1000), answer.human, `${seconds} s`)
})

test('the age of a moment', () => {
  assert.equal(ageOf('2030-01-01T00:00:00Z', Date.UTC(2030, 0, 1, 0, 5, 3)), '5m3s')
  assert.equal(ageOf(undefined, 0), '<unknown>')
  assert.equal(ageOf('nonsense', 0), '<unknown>')
})

test('durations as Go writes them', () => {
  assert.equal(goDuration('1m30s'), 90_000)
  assert.equal(goDuration('1.5h'), 5_400_000)
  assert.equal(goDuration('250ms10us'), 250.01)
  assert.equal(goDuration('0'), 0)
  for (const wrong of ['', '1', 's', '-1s', '1 s', '1m 2s', '1d', '1s'.repeat(40)])
    assert.equal(goDuration(wrong), undefined, wrong)
})
