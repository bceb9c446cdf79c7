import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalMicroTime, canonicalTime, parseMoment } from './times.ts'

test('times become UTC with whole seconds', () => {
  assert.equal(canonicalTime('2024-02-29T01:02:03Z'), '2024-02-29T01:02:03Z')
  assert.equal(canonicalTime('2024-01-01T00:00:00.987+02:00'), '2023-12-31T22:00:00Z')
  assert.equal(canonicalTime('0001-01-01T00:00:00Z'), null)
  assert.equal(canonicalTime('0050-06-01T00:00:00Z'), '0050-06-01T00:00:00Z')
})

test('micro times need six digits', () => {
  assert.equal(canonicalMicroTime('2024-01-01T00:00:00.123456+02:00'), '2023-12-31T22:00:00.123456Z')
  assert.throws(() => canonicalMicroTime('2024-01-01T00:00:00Z'), {
    message: 'parsing time "2024-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  })
})

test('what is no time is refused in the words of Go', () => {
  assert.throws(() => canonicalTime('x'), {
    message: 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
  })
  assert.throws(() => canonicalTime('2023-02-29T00:00:00Z'), {
    message: 'parsing time "2023-02-29T00:00:00Z": day out of range',
  })
  assert.throws(() => canonicalTime('2023-01-01T24:00:00Z'), { message: /hour out of range$/ })
  assert.throws(() => canonicalTime('2023-01-01T23:00:00Zx'), { message: /extra text: "x"$/ })
})

test('moments have seconds and nanoseconds', () => {
  assert.deepEqual(parseMoment('1970-01-01T00:00:01.5Z'), { seconds: 1, nanos: 500_000_000 })
})
