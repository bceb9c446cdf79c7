import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { finish } from '../schema/steps.ts'
import { parseInSteps, stringifyInSteps } from './json-steps.ts'
import { decodeJson } from './json.ts'

/** JSON with keys and texts of all sorts, and numbers that no double holds. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => decodeJson(String(n)).value),
    fc.constantFrom(null, true, false),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '0', '"', '\\')), tie('value'), {
      maxKeys: 6,
    }),
  ),
})).value

describe('JSON in steps', () => {
  it('reads what JSON.stringify wrote as the decoder does', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value)
        const made = finish(parseInSteps(text))
        assert.deepEqual(made, decodeJson(text).value)
        assert.equal(JSON.stringify(made), text)
      }),
      { numRuns: 500 },
    )
  })

  it('writes what JSON.stringify writes', () => {
    fc.assert(
      fc.property(json, (value) => assert.equal(finish(stringifyInSteps(value)), JSON.stringify(value))),
      { numRuns: 500 },
    )
    const holes = { a: undefined, b: [undefined, null], c: { d: undefined }, e: 1 }
    assert.equal(finish(stringifyInSteps(holes)), JSON.stringify(holes))
  })

  it('writes long texts in pieces that no character lies between', () => {
    for (const unit of ['x', '"', '\u{1f600}', '\ud800', 'a\u{1f600}\udc00\n', `\ud800${'\u{1f600}'}`])
      for (const shift of ['', 'y', 'yy']) {
        const value = { a: shift + unit.repeat(50_000), b: [unit.repeat(16_384)] }
        const steps = stringifyInSteps(value)
        let step = steps.next()
        let count = 0
        for (; step.done !== true; step = steps.next()) count++
        assert.ok(count >= 3, `${count} steps`)
        assert.equal(step.value, JSON.stringify(value))
      }
  })

  it('closes what has very many members, but for what the registry writes into', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, '']))
    const fields = [{ fieldsV1: many }]
    const text = JSON.stringify({ ...many, metadata: { ...many, labels: many, fields }, data: many, few: { a: '' } })
    const made = finish(parseInSteps(text)) as any // oxlint-disable-line typescript/no-explicit-any
    const { metadata, data, few } = made
    const closed = [made, metadata, metadata.labels, metadata.fields[0].fieldsV1, data, few].map((one) => !Object.isExtensible(one)) // prettier-ignore
    assert.deepEqual(closed, [false, false, false, true, true, false])
    made.later = metadata.later = metadata.labels.later = 1
    delete data.k7
    const again = JSON.stringify(made)
    assert.equal(finish(stringifyInSteps(made)), again)
    assert.equal(Object.keys(JSON.parse(again).data).length, 4999)
  })

  it('takes steps that no size makes longer', () => {
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i % 2 === 0 ? {} : [[i]]]))
    const text = JSON.stringify(wide)
    for (const [steps, expected] of [
      [parseInSteps(text), wide],
      [stringifyInSteps(wide), text],
    ] as const) {
      let count = 0
      let step = steps.next()
      for (; step.done !== true; step = steps.next()) count++
      assert.ok(count > 150, `${count} steps`)
      assert.deepEqual(step.value, expected)
    }
  })

  it('refuses any other text', () => {
    const texts = ['', '{', '[1,]', '{"a":1,}', '{"a" :1}', '1 2', '{"a":1}}', '"abc', '[01]', 'nul', '{a:1}']
    for (const text of texts) assert.throws(() => finish(parseInSteps(text)), SyntaxError, text)
  })
})
