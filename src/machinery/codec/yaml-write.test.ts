import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { load } from 'js-yaml'
import { decodeYaml } from './yaml.ts'
import { writeYaml } from './yaml-write.ts'

test('text', () => {
  const object = {
    kind: 'X',
    empty: {},
    none: [],
    on: true,
    'a b': null,
    list: [1, 'two', [3, [4]], { a: 1, b: { c: 'd' } }, {}, []],
    map: { nested: { text: 'line\nline "q"', dotted: '1.0' } },
  }
  assert.equal(
    writeYaml(object),
    `kind: "X"
empty: {}
none: []
"on": true
"a b": null
list:
- 1
- "two"
- - 3
  - - 4
- a: 1
  b:
    c: "d"
- {}
- []
map:
  nested:
    text: "line\\nline \\"q\\""
    dotted: "1.0"
`,
  )
  assert.equal(writeYaml([{ a: 1 }], 2), '- a: 1\n')
  assert.equal(writeYaml({ a: undefined }), '{}\n')
})

test('whatever JSON holds is read back', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = writeYaml(value)
      const expected = JSON.parse(JSON.stringify(value)) as unknown
      assert.deepEqual(load(text), expected)
    }),
    { numRuns: 2000 },
  )
  const hard = { t: '\u0085\u2028\ufeff\u007f\ud83d\ude00', __proto__x: '' }
  assert.deepEqual(decodeYaml(writeYaml(hard)).value, hard)
})
