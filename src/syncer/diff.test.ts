import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyMergePatch } from '../machinery/patch/merge.ts'
import { equalJson } from '../machinery/equality.ts'
import { mergeDiff } from './diff.ts'

const key = fc.constantFrom('a', 'b', 'c', 'toString', '__proto__')
/** JSON without null members, which no merge patch can make. */
const json = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(true, 0, 1, '', 'x'),
    fc.array(tie('value'), { maxLength: 2 }),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 4 })
    .map((pairs) => JSON.parse(`{${pairs.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`) as object),
})) // prettier-ignore

test('the patch makes one value the other', () => {
  fc.assert(
    fc.property(json.object, json.object, (from, to) => {
      const patch = mergeDiff(from, to)
      const sent = patch === undefined ? {} : (JSON.parse(JSON.stringify(patch)) as object)
      const got = applyMergePatch(from as object, sent)
      assert.equal(equalJson(got, to), true, `${JSON.stringify(sent)} made ${JSON.stringify(got)}`)
    }),
    { numRuns: 2000 },
  )
})

test('nothing to write for equal values', () => {
  fc.assert(fc.property(json.value, (value) => assert.equal(mergeDiff(value, structuredClone(value)), undefined)))
})

test('a patch has the changed fields only', () => {
  const from = { phase: 'Pending', podIP: '1', nested: { a: 1, b: 2 }, list: [1] }
  const to = { phase: 'Running', nested: { a: 1, b: 3 }, list: [1] }
  assert.deepEqual(
    { ...(mergeDiff(from, to) as object) },
    { phase: 'Running', nested: { __proto__: null, b: 3 }, podIP: null },
  )
})
