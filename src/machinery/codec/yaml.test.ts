import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeYaml } from './yaml.ts'

const value = (text: string): unknown => decodeYaml(text).value
const fails = (text: string, message: string | RegExp): void => {
  assert.throws(() => decodeYaml(text), { name: 'DecodeError', message })
}

test('scalars mean what go-yaml v2 makes of them', () => {
  // What a real kube-apiserver 1.37 answered for the same documents.
  const text = 'y: "1"\n0x10: "2"\n1.50: x\na: 2020-01-01\n'
  assert.deepEqual(value(text), { true: '1', 16: '2', '1.5': 'x', a: '2020-01-01' })
  assert.deepEqual(value('[yes, No, ON, off, y, N, TRUE, yEs]'), [true, false, true, false, true, false, true, 'yEs'])
  assert.deepEqual(value('[~, null, "", NULL]'), [null, null, '', null])
  assert.deepEqual(
    value('[0o17, 017, 1_000, 0b11, 0xFF, 1e3, -1, +2, .5, 1., 08]'),
    [15, 15, 1000, 3, 255, 1000, -1, 2, 0.5, 1, 8],
  )
  assert.deepEqual(value('[\'yes\', "1", !!str 1, !foo d, !!binary eHg=, 1.2.3, 1:30]'), [
    'yes',
    '1',
    '1',
    'd',
    'xx',
    '1.2.3',
    '1:30',
  ])
  assert.equal(JSON.stringify(value('[9007199254740993]')), '[9007199254740993]')
  fails('a: .inf', 'json: unsupported value: +Inf')
  fails('a: !!int x', /cannot decode/)
})

test('an empty document is null, and only one document is taken', () => {
  assert.equal(value(''), null)
  assert.equal(value('# nothing\n'), null)
  assert.deepEqual(value('---\na: b\n...\n'), { a: 'b' })
  fails('a: b\n---\nc: d\n', 'yaml: the body holds more than one document')
})

test('duplicate keys are found with their line', () => {
  const { value: object, problems } = decodeYaml('metadata: {name: a, name: b}\nspec:\n- x: 1\n  x: 2\n')
  const said = (...lines: string[]) => [
    ['yaml: unmarshal errors:', ...lines.map((line) => `  ${line} already set in map`)].join('\n'),
  ]
  assert.deepEqual(problems, said('line 1: key "name"', 'line 4: key "x"'))
  assert.deepEqual(decodeYaml('a: b\n').problems, [])
  // As go-yaml v2 counts: the line of the value, what is within it first.
  const text = 'a: 1\na:\n  b: |\n    x\n  b: >\n    y\n1: x\n1: "z"\nc: [1]\nc:\nd:\n  e: f\nd:\n  e: f\n  e: *x\n'
  assert.deepEqual(
    decodeYaml(`z: &x 1\n${text}`).problems,
    said(
      'line 6: key "b"',
      'line 4: key "a"',
      'line 9: key 1',
      'line 11: key "c"',
      'line 16: key "e"',
      'line 15: key "d"',
    ),
  )
  assert.deepEqual(object, { metadata: { name: 'b' }, spec: [{ x: 2 }] })
})

test('keys', () => {
  assert.deepEqual(value('data:\n  <<: {a: b, c: x}\n  c: d\n'), { data: { c: 'd', a: 'b' } })
  assert.deepEqual(value('a: &a {x: 1}\nb:\n  <<: [*a, {x: 2, z: 3}]\n'), { a: { x: 1 }, b: { x: 1, z: 3 } })
  const own = value('__proto__: {x: 1}') as object
  assert.ok(Object.hasOwn(own, '__proto__'))
  fails('? [a]\n: b', 'yaml: invalid map key: []interface {}{"a"}')
  fails('~: b', /^unsupported map key/)
  fails('<<: 1', /map merge requires map/)
})

test('anchors are values of their own, and bounded', () => {
  const object = value('a: &l {a: b}\nb: *l\n') as { a: object; b: object }
  assert.deepEqual(object, { a: { a: 'b' }, b: { a: 'b' } })
  assert.notEqual(object.a, object.b)
  fails('a: *x', "yaml: unknown anchor 'x' referenced")
  fails('a: &x [*x]', "yaml: anchor 'x' value contains itself")
  const names = 'abcdefghi'.split('')
  const bomb = names.map((n, i) => {
    const item = i === 0 ? 'x' : `*${names[i - 1]!}`
    return `${n}: &${n} [${Array<string>(9).fill(item).join(',')}]`
  })
  fails(bomb.join('\n'), 'yaml: document contains excessive aliasing')
})

test('syntax errors say the line', () => {
  fails('a: b\nc: [d\n', /^yaml: line \d+: /)
  fails('['.repeat(100_000), /^yaml: /)
})
