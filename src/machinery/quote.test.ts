import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invalid, notSupported } from './field.ts'
import { goEscape, goQuote } from './quote.ts'

test('texts are quoted as Go quotes them', () => {
  assert.equal(goQuote(`plain 'text'`), `"plain 'text'"`)
  assert.equal(goQuote('a"b\\c'), '"a\\"b\\\\c"')
  assert.equal(goQuote('\x01\x7f\x07\t\n\v'), '"\\x01\\x7f\\a\\t\\n\\v"')
  assert.equal(goQuote('grüße, 世界 🎉 �'), '"grüße, 世界 🎉 �"')
  assert.equal(goQuote('\u00a0\u2028\u{e0001}'), '"\\u00a0\\u2028\\U000e0001"')
  assert.equal(goEscape('"'), '"')
})

test('values in field errors are quoted so', () => {
  // What a real kube-apiserver 1.37 answered to ?fieldManager=a%01b.
  const { message } = invalid('fieldManager', 'a\x01b', 'invalid character U+0001 (at position 1)')
  assert.equal(message, 'Invalid value: "a\\x01b": invalid character U+0001 (at position 1)')
  assert.equal(notSupported('f', '\x02', ['a']).message, 'Unsupported value: "\\x02": supported values: "a"')
})
