import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from './error.ts'
import { ExactParser } from './exact.ts'
import { MAX_DEPTH, decodeJson, decodeJsonBytes, isRawNumber } from './json.ts'

test('duplicate keys are found with their whole path', () => {
  const text =
    '{"metadata":{"labels":{"foo":"a","foo":"b"}},"spec":{"containers":[{"image":"a","image":"b"}]},"a":1,"a":2}'
  const { value, problems } = decodeJson(text)
  assert.deepEqual(
    problems,
    ['metadata.labels.foo', 'spec.containers[0].image', 'a'].map((path) => `duplicate field "${path}"`),
  )
  assert.deepEqual(value, JSON.parse(text))
})

test('a duplicate that is escaped differently, or hidden in text, is judged by its meaning', () => {
  assert.deepEqual(decodeJson('{"a":1,"\\u0061":2}').problems, ['duplicate field "a"'])
  assert.deepEqual(decodeJson('{"a":"{\\"a\\":1}:","b":{"a":":"}}').problems, [])
})

test('integers beyond 2^53 are written back as they were', () => {
  const text = '{"a":9007199254740993,"b":[-9223372036854775808],"c":0}'
  const { value } = decodeJson(text)
  assert.equal(JSON.stringify(value), text)
  assert.ok(isRawNumber((value as { a: unknown }).a))
  assert.equal((decodeJson('{"a":123456789012345}').value as { a: unknown }).a, 123456789012345)
  assert.equal((decodeJson('{"a":9223372036854775808}').value as { a: unknown }).a, 2 ** 63)
  assert.throws(() => decodeJson('1e400'), DecodeError)
  assert.equal((decodeJson('{"a":0.30000000000000004}').value as { a: unknown }).a, 0.30000000000000004)
})

test('__proto__ is data', () => {
  for (const text of ['{"__proto__":{"x":1}}', '{"__proto__":{"x":9007199254740993}}']) {
    const value = decodeJson(text).value as object
    assert.ok(Object.hasOwn(value, '__proto__'))
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    assert.equal(JSON.stringify(value), text)
  }
  assert.deepEqual(decodeJson('{"__proto__":1,"__proto__":2}').problems, ['duplicate field "__proto__"'])
})

test('depth is bounded', () => {
  const nested = (n: number): string => '['.repeat(n) + ']'.repeat(n)
  assert.ok(Array.isArray(decodeJson(nested(MAX_DEPTH)).value))
  assert.throws(() => decodeJson(nested(MAX_DEPTH + 1)), { name: 'DecodeError', message: 'exceeded max depth' })
  assert.throws(() => decodeJson(nested(1_000_000)), DecodeError)
})

test('lone surrogates become U+FFFD', () => {
  assert.equal(decodeJson('"\\ud800x"').value, '\ufffdx')
  assert.equal(decodeJson('"\\ud83d\\ude00"').value, '\u{1f600}')
})

const SYNTAX: readonly (readonly [string, string])[] = [
  ['', 'unexpected end of JSON input'],
  ['{', 'unexpected end of JSON input'],
  ['{"a"', 'unexpected end of JSON input'],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{"a":1 "b"', `invalid character '"' after object key:value pair`],
  ['[1 2]', "invalid character '2' after array element"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['{} x', "invalid character 'x' after top-level value"],
  ['tru', "invalid character ' ' in literal true (expecting 'e')"],
  ['{"a":n', "invalid character ' ' in literal null (expecting 'u')"],
  ['[-', "invalid character ' ' in numeric literal"],
  ['[1.', "invalid character ' ' after decimal point in numeric literal"],
  ['[1e', "invalid character ' ' in exponent of numeric literal"],
  ['[1', 'unexpected end of JSON input'],
  ['"a', 'unexpected end of JSON input'],
  ['"\\', "invalid character ' ' in string escape code"],
  ['"\\u12', "invalid character ' ' in \\u hexadecimal character escape"],
  ['trux', "invalid character 'x' in literal true (expecting 'e')"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['-x', "invalid character 'x' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1e+x', "invalid character 'x' in exponent of numeric literal"],
  ['01', "invalid character '1' after top-level value"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
]

test('syntax errors are worded as in Go', () => {
  for (const [text, message] of SYNTAX) {
    assert.throws(() => decodeJson(text), { name: 'DecodeError', message }, text)
  }
})

test('errors name bytes, as in Go', () => {
  const message = (bytes: string) => {
    try {
      decodeJsonBytes(Buffer.from(bytes, 'latin1'))
    } catch (error) {
      return (error as Error).message
    }
    return 'none'
  }
  // What a real kube-apiserver 1.37 said of ?continue=nope.
  assert.equal(message('\x9e\x8a\x5e'), "invalid character '\\u009e' looking for beginning of value")
  assert.equal(message('{"a":\xc3\xa9}'), "invalid character 'Ã' looking for beginning of value")
  assert.equal(message('"\xff" \x01'), "invalid character '\\x01' after top-level value")
})

test('the exact parser and JSON.parse read every document alike', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      const exact = new ExactParser(text, MAX_DEPTH).parse()
      const plain: unknown = JSON.parse(text)
      const { value } = decodeJson(text)
      assert.equal(JSON.stringify(value), JSON.stringify(exact.value))
      if (!/\d{16}/.test(text)) assert.deepEqual(exact.value, plain)
    }),
  )
})

function isInfinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(isInfinite)
}

test('both refuse the same broken documents', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom('', '}', ',', '"', '\\', 'x', '1', ' '),
      (text, at, by) => {
        const broken = text.slice(0, at % (text.length + 1)) + by + text.slice((at % (text.length + 1)) + 1)
        let fine = true
        try {
          // A number that no double holds is refused here, as by Go, where JSON.parse makes it infinite.
          fine = !isInfinite(JSON.parse(broken))
        } catch {
          fine = false
        }
        if (fine) assert.doesNotThrow(() => new ExactParser(broken, MAX_DEPTH).parse())
        else assert.throws(() => new ExactParser(broken, MAX_DEPTH).parse(), DecodeError)
      },
    ),
  )
})
