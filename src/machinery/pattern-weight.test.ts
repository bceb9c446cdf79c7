import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TOO_LARGE, patternWeight, refuseHeavy } from './pattern-weight.ts'

test('patterns that people write are light', () => {
  for (const pattern of [
    '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    '^(?i)[\\p{L}\\p{N}_.-]{1,253}$',
    '^((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)$',
    `^(${Array.from({ length: 500 }, (_, i) => `word-${i}`).join('|')})$`,
    '[]a-z]{3}|[^]]|[[:alpha:]]',
  ]) {
    assert.ok(patternWeight(pattern) < 10_000, pattern)
    refuseHeavy(pattern)
  }
})

test('repetitions multiply', () => {
  assert.ok(patternWeight('(a{30}){30}') > 900)
  assert.ok(patternWeight('((a{30}){30}){30}') > 27_000)
  assert.ok(patternWeight('a{0}') >= 0)
  assert.ok(patternWeight('a{,5}') < 20)
})

test('what takes long to compile is refused in no time', () => {
  for (const pattern of [
    `(?i)${'\\pL'.repeat(30_000)}`,
    '[^\\pL]'.repeat(15_000),
    `(?i)${'[a-zÀ-ӿ]'.repeat(10_000)}`,
    'a{1000}'.repeat(500),
    '((a{30}){30})'.repeat(100),
    'x'.repeat(100_000),
    '['.repeat(100_000),
    '('.repeat(100_000),
    '{1'.repeat(50_000),
    '\\'.repeat(100_000),
  ]) {
    const before = process.cpuUsage()
    assert.throws(() => refuseHeavy(pattern), { message: TOO_LARGE }, pattern.slice(0, 20))
    const { user, system } = process.cpuUsage(before)
    assert.ok((user + system) / 1000 < 100, pattern.slice(0, 20))
  }
})
