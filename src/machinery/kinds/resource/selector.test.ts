import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '../../field.ts'
import { finish } from '../../schema/steps.ts'
import { compileSelector, selectors } from './selector.ts'

function wrong(expression: string, stored = false): string[] {
  const out: FieldError[] = []
  finish(selectors([{ cel: { expression } }], stored, 'spec.selectors', out))
  return out.map(({ field, message }) => `${field}: ${message.split('\n')[0]!}`)
}

const AT = 'spec.selectors[0].cel.expression'

test('what selectors cost at most is what upstream estimates', () => {
  const costs: readonly (readonly [string, number])[] = [
    ['true', 0],
    ['device.attributes["no-such-domain"].noSuchAttr.isGreaterThan(quantity("0"))', 6],
    ['"dra.example.com" in device.attributes', 3],
    ['device.attributes["dra.example.com"].name == "fish"', 5],
    ['cel.bind(dra, device.attributes["dra.example.com"], dra.name)', 15],
    ['1 in device.attributes["dra.example.com"].names', 68],
    ['device.attributes.exists_one(x, x == "dra.example.com")', 164],
    ['device.attributes["dra.example.com"].exists_one(x, x == "services")', 133],
  ]
  for (const [text, cost] of costs) {
    const compiled = compileSelector(text)
    assert.ok(compiled.ok, text)
    assert.equal(compiled.program.worstCost, cost, text)
    assert.deepEqual(wrong(text), [])
  }
})

test('what is refused, and why', () => {
  assert.deepEqual(wrong('1'), [`${AT}: Invalid value: "1": must evaluate to bool or the unknown type, not int`])
  assert.deepEqual(wrong('device.foo'), [
    `${AT}: Invalid value: "device.foo": compilation failed: ERROR: <input>:1:7: undefined field 'foo'`,
  ])
  const nested = ['a', 'b', 'c', 'd', 'e'].reduceRight(
    (inner, name) => `device.attributes["d"].all(${name}, ${inner})`,
    'true',
  )
  assert.deepEqual(wrong(nested), [`${AT}: Forbidden: too complex, exceeds cost limit`])
  assert.deepEqual(wrong('x'.repeat(10 * 1024 + 1)), [`${AT}: Too long: may not be more than 10240 bytes`])
  assert.deepEqual(wrong('1', true), [], 'what was let in stays in')
})
