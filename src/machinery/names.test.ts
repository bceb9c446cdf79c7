import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as addresses from './ip.ts'
import * as names from './names.ts'
import cases from './testdata/names.oracle.json' with { type: 'json' }

const rules = { ...names, ...addresses } as unknown as Record<string, (text: string) => string[]>

test('every rule answers as upstream', () => {
  for (const { kind, text, answer } of cases) {
    assert.deepEqual(rules[kind]!(text), answer.errors, `${kind}(${JSON.stringify(text)})`)
  }
})

test('ports', () => {
  assert.deepEqual(names.isPortNumber(1), [])
  assert.deepEqual(names.isPortNumber(65535), [])
  assert.deepEqual(names.isPortNumber(0), ['must be between 1 and 65535, inclusive'])
  assert.deepEqual(names.isPortNumber(1.5), ['must be between 1 and 65535, inclusive'])
})

test('a generated name is valid where its base is', () => {
  const base = fc.stringMatching(/^[a-z]([-a-z0-9]{0,80}[a-z0-9])?-?$/)
  fc.assert(
    fc.property(
      base,
      fc.array(fc.double({ min: 0, max: 0.999999, noNaN: true }), { minLength: 5 }),
      (text, numbers) => {
        let i = 0
        const name = names.generateName(text, () => numbers[i++ % numbers.length]!)
        assert.match(name, /[bcdfghjklmnpqrstvwxz2456789]{5}$/)
        assert.ok(name.length <= 63)
        assert.ok(text.startsWith(name.slice(0, -5)))
        assert.deepEqual(names.isDns1123Label(name), [])
      },
    ),
  )
})

test('hostile texts do not take long', () => {
  const long = `${'a-'.repeat(200_000)}!`
  const start = performance.now()
  for (const rule of [names.isDns1123Subdomain, names.isQualifiedName, names.isLabelValue, names.isPortName]) rule(long)
  assert.ok(performance.now() - start < 500)
})
