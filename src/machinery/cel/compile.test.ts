import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile, compileInSteps } from './compile.ts'
import type { CelType } from './contract.ts'
import { toJson } from './output.ts'

function objectType(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return { kind: 'object', name, field: (field) => (Object.hasOwn(fields, field) ? fields[field] : undefined) }
}

const spec = objectType('Spec', {
  replicas: { kind: 'int' },
  names: { kind: 'list', item: { kind: 'string' } },
  set: { kind: 'list', item: { kind: 'string' }, listType: 'set' },
  at: { kind: 'timestamp' },
  ratio: { kind: 'double' },
  __namespace__: { kind: 'string' },
})
const variables = new Map<string, CelType>([
  ['self', objectType('Self', { spec })],
  ['object', { kind: 'dyn' }],
])
const values = {
  self: {
    spec: {
      replicas: 3,
      names: ['a', 'bb'],
      set: ['x', 'y'],
      ratio: 2,
      at: '2020-01-01T00:00:00Z',
      namespace: 'here',
    },
  },
  object: { spec: { replicas: 5, containers: [{ image: 'x/y:1', n: 1.5 }] } },
}

function evaluate(text: string): unknown {
  const compiled = compile(text, { profile: 'admission', variables })
  if (!compiled.ok) return compiled.issues
  const result = compiled.program.evaluate(values, { left: 10_000_000 })
  return result.ok ? toJson(result.value) : `error: ${result.error}`
}

const CASES: readonly (readonly [string, unknown])[] = [
  ['1 + 2', 3],
  ['self.spec.replicas > 2', true],
  ['self.spec.names.all(n, n.size() < 3)', true],
  ['self.spec.names.map(n, n + "x")', ['ax', 'bbx']],
  ['has(self.spec.ratio) && self.spec.ratio == 2.0', true],
  ['self.spec.__namespace__', 'here'],
  ["self.spec.set == ['y', 'x']", true],
  ['object.spec.containers.exists(c, c.image.startsWith("x/"))', true],
  ['object.spec.containers[0].n', 1.5],
  ['object.spec.foo', 'error: no such key: foo'],
  ['object.?spec.?foo.orValue(7)', 7],
  ['1 / 0 == 1 || true', true],
  ['1 / 0', 'error: division by zero'],
  ['9223372036854775807 + 1', 'error: integer overflow'],
  ['self.spec.names[5]', 'error: index out of bounds: 5'],
  ['self.spec.at.getFullYear()', 2020],
  ["'%s %d %.2f'.format([dyn('a'), 2, 3.5])", 'a 2 3.50'],
  ["'abc'.matches('^a.c$')", true],
  ['[1, 2, 3].transformMap(i, v, v * 2)', { 0: 2, 1: 4, 2: 6 }],
  ["size('h\u{1f600}')", 2],
]

for (const [text, expected] of CASES) {
  test(`the value of ${text}`, () => {
    assert.deepEqual(evaluate(text), expected)
  })
}

test('what is wrong is shown at its place', () => {
  assert.equal(
    evaluate("1 + 'a'"),
    "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^",
  )
  assert.equal(evaluate('self.foo'), "ERROR: <input>:1:5: undefined field 'foo'\n | self.foo\n | ....^")
})

test('the budget ends an evaluation, and nothing absorbs that', () => {
  const compiled = compile('object.list.all(x, object.list.all(y, x == y || true)) || true', {
    profile: 'admission',
    variables,
  })
  assert.ok(compiled.ok)
  const list = Array.from({ length: 2000 }, (_, i) => i)
  const budget = { left: 5_000_000 }
  const result = compiled.program.evaluate({ object: { list } }, budget)
  assert.ok(!result.ok)
  assert.equal(result.kind, 'cost')
  assert.equal(result.error, 'operation cancelled: actual cost limit exceeded')
  const small = compiled.program.evaluate({ object: { list } }, { left: 1000 })
  assert.equal(small.ok ? undefined : small.kind, 'budget')
})

test('long expressions are compiled in short steps', () => {
  const filled = (unit: string, join: string) =>
    Array.from({ length: Math.floor(99_000 / (unit.length + join.length)) }, () => unit).join(join)
  for (const text of [
    filled('true', ' && '),
    `[${filled('[1][0]', ',')}].size() == 1`,
    `[${filled('[[1].map(x,[x].map(y,y))]', ',')}].size() == 1`,
    `[1].all(x, ${filled('x>0', '&&')})`,
    filled('[1,2].sortBy(x,x)==[1]', '||'),
    `[${Array.from({ length: 4000 }, (_, n) => `"a".matches("a${n}")`).join(',')}].size() == 1`,
  ]) {
    let longest = Infinity
    // The first time is the compiler's of JavaScript.
    for (let i = 0; i < 4; i++) longest = Math.min(longest, longestStep(text))
    assert.ok(longest < 50, `${text.slice(0, 40)}: ${longest} ms`)
  }
})

function longestStep(text: string): number {
  const steps = compileInSteps(text, { profile: 'admission', variables: new Map() })
  let longest = 0
  for (;;) {
    const before = process.threadCpuUsage()
    const step = steps.next()
    const { user, system } = process.threadCpuUsage(before)
    longest = Math.max(longest, (user + system) / 1000)
    if (step.done !== true) continue
    assert.ok(step.value.ok)
    return longest
  }
}
