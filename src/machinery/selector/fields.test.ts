import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeFieldValue, matchesFields, parseFieldSelector } from './fields.ts'
import { SelectorError } from './labels.ts'
import cases from './testdata/fields.oracle.json' with { type: 'json' }

interface Case {
  readonly text: string
  readonly answer: { readonly error?: string; readonly requirements?: readonly unknown[] }
}

test('field selectors are read and refused as upstream', () => {
  for (const { text, answer } of cases as readonly Case[]) {
    const { error } = answer
    if (error === undefined) assert.deepEqual(parseFieldSelector(text), answer.requirements, text)
    else {
      assert.throws(
        () => parseFieldSelector(text),
        (e) => e instanceof SelectorError && e.message === error,
        `${text}: ${error}`,
      )
    }
  }
})

test('an escaped value comes back', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (values) => {
      const text = values.map((value, i) => `f${i}=${escapeFieldValue(value)}`).join(',')
      const read = new Map(parseFieldSelector(text).map(({ field, value }) => [field, value]))
      for (const [i, value] of values.entries()) assert.equal(read.get(`f${i}`), value)
    }),
  )
})

test('matching', () => {
  const fields = new Map([['status.phase', 'Running']])
  const matches = (text: string) => matchesFields(parseFieldSelector(text), (field) => fields.get(field))
  assert.equal(matches('status.phase=Running'), true)
  assert.equal(matches('status.phase!=Running'), false)
  assert.equal(matches('status.phase=Running,spec.nodeName='), true)
  assert.equal(matches('spec.nodeName!='), false)
})
