import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatLabelSelector,
  labelSelectorFromMap,
  labelSelectorOf,
  matchesLabels,
  parseLabelSelector,
  SelectorError,
} from './labels.ts'
import type { LabelSelectorObject } from './labels.ts'
import cases from './testdata/labels.oracle.json' with { type: 'json' }

interface Case {
  readonly ask: string
  readonly text?: string
  readonly document?: LabelSelectorObject
  readonly answer: { readonly text?: string; readonly error?: string }
}

const isSelectorError = (message: string) => (error: unknown) => {
  assert.ok(error instanceof SelectorError)
  assert.equal(error.message, message)
  return true
}

test('selectors are read and refused as upstream', () => {
  for (const { ask, text, document, answer } of cases as readonly Case[]) {
    const read = () => (ask === 'labels' ? parseLabelSelector(text!) : labelSelectorOf(document))
    if (answer.error === undefined) assert.equal(formatLabelSelector(read()), answer.text, text ?? '')
    else assert.throws(read, isSelectorError(answer.error), `${text} ${JSON.stringify(document)}`)
  }
})

test('matching', () => {
  const labels = { a: '1', b: 'x', n: '10' }
  const story: readonly [string, boolean][] = [
    ['', true],
    ['a=1', true],
    ['a==1,b=x', true],
    ['a=2', false],
    ['a!=2', true],
    ['q!=2', true],
    ['q=', false],
    ['a in (1,2)', true],
    ['a in (2)', false],
    ['q in (2)', false],
    ['a notin (2)', true],
    ['q notin (2)', true],
    ['a notin (1)', false],
    ['a', true],
    ['q', false],
    ['!q', true],
    ['!a', false],
    ['n>9', true],
    ['n>10', false],
    ['n<11', true],
    ['b<11', false],
    ['q<11', false],
    ['constructor', false],
  ]
  for (const [text, want] of story) {
    assert.equal(matchesLabels(parseLabelSelector(text), labels), want, text)
  }
  assert.equal(matchesLabels(parseLabelSelector('!a'), undefined), true)
  assert.equal(matchesLabels(labelSelectorOf(undefined), labels), false)
  assert.equal(matchesLabels(labelSelectorOf({}), labels), true)
  assert.equal(matchesLabels(labelSelectorFromMap({ a: '1', b: 'x' }), labels), true)
  assert.equal(matchesLabels(labelSelectorFromMap({ a: '1', b: 'y' }), labels), false)
})

test('the canonical text selects the same', () => {
  const value = fc.constantFrom('', 'a', 'b', 'in', '3')
  const term = fc.oneof(
    fc.tuple(fc.constantFrom('x', 'y', 'in'), fc.constantFrom('=', '==', '!='), value).map((t) => t.join('')),
    fc
      .tuple(fc.constantFrom('x', 'y'), fc.constantFrom('in', 'notin'), fc.array(value, { minLength: 1 }))
      .map(([key, operator, values]) => `${key} ${operator} (${values.join(',')})`),
    fc.constantFrom('x', '!x', 'y', '!y', 'x>2', 'y<2'),
  )
  fc.assert(
    fc.property(fc.array(term), fc.dictionary(fc.constantFrom('x', 'y', 'in'), value), (terms, labels) => {
      const selector = parseLabelSelector(terms.join(','))
      const again = parseLabelSelector(formatLabelSelector(selector))
      assert.equal(formatLabelSelector(again), formatLabelSelector(selector))
      assert.equal(matchesLabels(again, labels), matchesLabels(selector, labels))
      assert.equal(
        matchesLabels(selector, labels),
        terms.every((one) => matchesLabels(parseLabelSelector(one), labels)),
      )
    }),
  )
})
