import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { Context } from './context.ts'
import { Regex } from './regex.ts'

function quiet(): Context {
  return new Context(Number.POSITIVE_INFINITY, [], () => undefined)
}

const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\w',
  '\\b',
  '^',
  '$',
  '(?m:^)',
  '(?m:$)',
  'é',
  '\\B',
  '(?i:A)',
)
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    atom,
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?', '+?'))
      .map(([a, b]) => `(?:${a})${b}`),
  ),
}))
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '\n', 'é', '😀', 'A', '_'), maxLength: 12 })

test('texts match as re2js has it, and matches are those that it finds', () => {
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      const ours = new Regex(source)
      const theirs = RE2JS.compile(source)
      const matcher = theirs.matcher(subject)
      const has = matcher.find()
      assert.equal(ours.test(quiet(), subject), has)
      assert.equal(ours.find(quiet(), subject), has ? (matcher.group() ?? '') : '')
    }),
    { numRuns: 2000 },
  )
})

test('a pattern that makes many states ends with the budget', () => {
  const regex = new Regex('(?:a|b)*a(?:a|b){14}c')
  let seed = 1
  const bits = Array.from({ length: 200_000 }, () => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed & 1) === 1 ? 'a' : 'b'
  }).join('')
  const before = process.cpuUsage()
  assert.throws(() => regex.test(quiet(), bits))
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 1_000_000)
})
