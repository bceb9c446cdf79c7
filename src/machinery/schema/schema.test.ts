import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compilePath, compileSchema, compareVersions, finish } from './index.ts'
import { formatCheck } from './formats.ts'
import { PathError } from './path.ts'
import { compilePattern } from './pattern.ts'
import type { Data, SchemaProps } from './props.ts'
import { defaultErrors } from './support.ts'

/** Schemas of a few levels with every part that pruning and defaulting look at. */
const schemas: fc.Arbitrary<SchemaProps> = fc.letrec<{ node: SchemaProps }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<SchemaProps>(
      { type: 'string' },
      { type: 'string', default: 'x', nullable: true },
      { type: 'integer', default: 3 },
      { 'x-kubernetes-int-or-string': true },
    ),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), tie('node'), { maxKeys: 3 }),
      'x-kubernetes-preserve-unknown-fields': fc.constantFrom(true, undefined).filter((v) => v === true),
    }),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3 }),
    }),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('node') }),
    fc.record({ type: fc.constant('array'), items: tie('node') }),
  ),
})).node

const roots = schemas.map((spec): SchemaProps => ({ type: 'object', properties: { spec } }))
const values = fc.object({ key: fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor'), maxDepth: 4 })
const objects = values.map(
  (spec): Data => JSON.parse(JSON.stringify({ apiVersion: 'v1', kind: 'K', metadata: {}, spec })) as Data,
)
const copy = (object: Data): Data => JSON.parse(JSON.stringify(object)) as Data

describe('pruning and defaulting', () => {
  test('what is pruned is what is reported as unknown', () => {
    fc.assert(
      fc.property(roots, objects, (root, object) => {
        const schema = compileSchema(root)
        const unknown = schema.unknownFields(object)
        const pruned = copy(object)
        schema.prune(pruned)
        assert.deepEqual(schema.unknownFields(pruned), [])
        assert.equal(JSON.stringify(pruned) === JSON.stringify(object), unknown.length === 0)
      }),
    )
  })

  test('defaulting twice is defaulting once, and leaves nothing unknown', () => {
    fc.assert(
      fc.property(roots, objects, (root, object) => {
        const schema = compileSchema(root)
        const once = copy(object)
        schema.prune(once)
        schema.defaults(once)
        const twice = copy(once)
        schema.defaults(twice)
        assert.equal(JSON.stringify(twice), JSON.stringify(once))
        assert.deepEqual(schema.unknownFields(once), [])
      }),
    )
  })

  test('__proto__ is data: it is pruned, never followed', () => {
    const object = JSON.parse('{"spec":{"__proto__":{"polluted":1},"a":1}}') as Data
    compileSchema({
      type: 'object',
      properties: { spec: { type: 'object', properties: { a: { type: 'integer' } } } },
    }).prune(object)
    assert.equal(JSON.stringify(object), '{"spec":{"a":1}}')
    assert.equal(({} as Data)['polluted'], undefined)
  })

  test('defaults are copies', () => {
    const root: SchemaProps = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'string' }, default: ['a'] } },
    }
    const [one, two]: Data[] = [{}, {}]
    const schema = compileSchema(root)
    schema.defaults(one!)
    ;(one!['list'] as string[]).push('b')
    schema.defaults(two!)
    assert.deepEqual(two, { list: ['a'] })
  })
})

test('equal schemas are compiled once', () => {
  const make = (): SchemaProps => ({ type: 'object', properties: { once: { type: 'string', maxLength: 5 } } })
  assert.equal(compileSchema(make()), compileSchema(make()))
})

test('on an update, what was wrong and has not changed is let through', () => {
  const item = {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string' }, n: { type: 'integer', maximum: 5 } },
  }
  const schema = compileSchema({
    type: 'object',
    properties: {
      a: { type: 'integer', maximum: 5 },
      b: { type: 'integer' },
      parts: { type: 'array', items: item, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] },
    },
  })
  const fields = (object: Data, old: Data) => finish(schema.validate(object, { old })).map((e) => e.field)
  assert.deepEqual(fields({ a: 9, b: 2 }, { a: 9, b: 1 }), [])
  assert.deepEqual(fields({ a: 8, b: 1 }, { a: 9, b: 1 }), ['a'])
  const old = {
    parts: [
      { id: 'x', n: 9 },
      { id: 'y', n: 1 },
    ],
  }
  assert.deepEqual(
    fields(
      {
        parts: [
          { id: 'y', n: 7 },
          { id: 'x', n: 9 },
        ],
      },
      old,
    ),
    ['parts[0].n'],
  )
})

describe('hostile patterns', () => {
  const compile = (pattern: string) =>
    compileSchema({
      type: 'object',
      properties: { s: { type: 'string', pattern }, l: { type: 'array', items: { type: 'string', pattern } } },
    })

  /** Milliseconds of this thread: a busy machine does not count. */
  const spent = (): number => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }

  /** The longest that somebody else waits, in milliseconds. */
  function longestStep(steps: ReturnType<ReturnType<typeof compile>['validate']>): { longest: number; errors: number } {
    let longest = 0
    for (;;) {
      const started = spent()
      const step = steps.next()
      longest = Math.max(longest, spent() - started)
      if (step.done === true) return { longest, errors: step.value.length }
    }
  }

  test('matching takes time in proportion to the text', () => {
    const started = spent()
    assert.equal(finish(compile('^(a+)+$').validate({ s: `${'a'.repeat(5000)}!` })).length, 1)
    assert.ok(spent() - started < 1000)
  })

  test('much work is done in steps; what cannot be cut is refused', () => {
    const large = compile('^([a-z]{1,50}){1,10}$')
    const text = 'a'.repeat(400)
    const { longest, errors } = longestStep(large.validate({ l: Array.from({ length: 100 }, () => `${text}!`) }))
    assert.equal(errors, 100)
    assert.ok(longest < 250, `${longest} ms`)
    const [refused] = finish(large.validate({ s: 'a'.repeat(100_000) }))
    assert.equal(refused?.message, 'Invalid value: is too long to be matched against its pattern')
    // What was there before stays.
    const old = { s: 'a'.repeat(100_000) }
    assert.deepEqual(finish(large.validate(old, { old })), [])
  })

  test('patterns that take long to compile are none', () => {
    for (const pattern of ['x'.repeat(5000), `(?i)${'\\pL'.repeat(1000)}`, '(a{1000}){1000}', '(a{200}){200}']) {
      const started = spent()
      assert.throws(() => compilePattern(pattern), /error parsing regexp/)
      assert.ok(spent() - started < 50)
    }
  })

  test('alternatives share what may be spent on them', () => {
    const pattern = '^([a-z]{1,50}){1,10}$'
    const anyOf = Array.from({ length: 200 }, () => ({ pattern }))
    const schema = compileSchema({ type: 'object', properties: { s: { type: 'string', anyOf } } })
    const started = spent()
    finish(schema.validate({ s: `${'a'.repeat(1500)}!` }))
    assert.ok(spent() - started < 1000)
  })
})

test('lengths are counted in characters, not in UTF-16 units', () => {
  const schema = compileSchema({ type: 'object', properties: { s: { type: 'string', minLength: 2, maxLength: 3 } } })
  assert.equal(finish(schema.validate({ s: '😀😀😀' })).length, 0)
  assert.equal(finish(schema.validate({ s: '😀' })).length, 1)
  assert.equal(finish(schema.validate({ s: '😀😀😀😀' })).length, 1)
})

test('a wrong type is told by the format where one fits the type, as kube-apiserver 1.37 tells it', () => {
  const properties: Record<string, SchemaProps> = {
    int: { type: 'integer', format: 'int32' },
    double: { type: 'number', format: 'double' },
    date: { type: 'string', format: 'date' },
    bool: { type: 'boolean', format: 'int32' },
    odd: { type: 'integer', format: 'odd' },
    either: { 'x-kubernetes-int-or-string': true },
  }
  const schema = compileSchema({ type: 'object', properties })
  const said = (value: Record<string, unknown>) => finish(schema.validate(value)).map((e) => e.message)
  const wrong = (shown: string, path: string, type: string) => [
    `Invalid value: "${shown}": ${path} in body must be of type ${type}: "${shown}"`,
  ]
  assert.deepEqual(said({ int: true }), wrong('', 'int', 'int32'))
  assert.deepEqual(said({ int: {} }), wrong('', 'int', 'int32'))
  assert.deepEqual(said({ int: 'x' }), wrong('string', 'int', 'integer'))
  assert.deepEqual(said({ int: [] }), wrong('array', 'int', 'integer'))
  assert.deepEqual(said({ int: 1.5 }), [
    ...wrong('float64', 'int', 'int32'),
    'Invalid value: "": Checked value must be of type integer with format int32 in int',
  ])
  assert.deepEqual(said({ double: true }), wrong('', 'double', 'double'))
  assert.deepEqual(said({ double: 'x' }), wrong('string', 'double', 'number'))
  assert.deepEqual(said({ date: 1 }), wrong('int64', 'date', 'date'))
  assert.deepEqual(said({ bool: 'x' }), wrong('string', 'bool', 'boolean'))
  assert.deepEqual(said({ odd: true }), wrong('boolean', 'odd', 'integer'))
  assert.deepEqual(said({ either: true }), wrong('boolean', 'either', 'integer,string'))
})

test('a default is told by any format, and has any type where integers and texts are let through', () => {
  const said = (p: SchemaProps) =>
    finish(defaultErrors({ type: 'object', properties: { p } }, 's', false)).map((e) => e.message)
  const wrong = (shown: string, type: string) => [
    `Invalid value: "${shown}":  in body must be of type ${type}: "${shown}"`,
  ]
  // What kube-apiserver 1.37 says of the same.
  assert.deepEqual(said({ type: 'integer', format: 'odd', default: true }), wrong('', 'odd'))
  assert.deepEqual(said({ type: 'boolean', format: 'int32', default: 1 }), wrong('int64', 'int32'))
  assert.deepEqual(said({ type: 'string', format: 'odd', default: true }), wrong('', 'odd'))
  assert.deepEqual(said({ type: 'integer', default: true }), wrong('boolean', 'integer'))
  assert.deepEqual(said({ 'x-kubernetes-int-or-string': true, default: true }), [])
  assert.deepEqual(said({ 'x-kubernetes-int-or-string': true, default: { a: 1 } }), [
    'Invalid value: {"a":1}: must not have unknown fields',
  ])
})

test('defaults fit their own schema', () => {
  const root: SchemaProps = {
    type: 'object',
    properties: {
      a: { type: 'array', items: { type: 'object', default: { x: 1 } } },
      b: { type: 'integer', default: 7, maximum: 5 },
    },
  }
  assert.deepEqual(
    finish(defaultErrors(root, 'schema', false)).map((e) => `${e.field}: ${e.message}`),
    [
      'schema.properties[a].items.default: Invalid value: {"x":1}: must not have unknown fields',
      'schema.properties[b].default: Invalid value: 7:  in body should be less than or equal to 5',
    ],
  )
})

test('paths', () => {
  const value = {
    spec: { a: [1, 2, 3], 'x.y': 'dotted' },
    conditions: [
      { type: 'Ready', status: 'True', n: 2 },
      { type: 'Other', status: 'False', n: 5 },
    ],
  }
  const cases: [string, unknown[]][] = [
    ['.spec.a[0]', [1]],
    ['.spec.a[-1]', [3]],
    ['.spec.a[1:]', [2, 3]],
    ['.spec.a[*]', [1, 2, 3]],
    ['{.spec.a[5]}', []],
    [".spec['x.y']", ['dotted']],
    ['.spec.x\\.y', ['dotted']],
    ['.conditions[?(@.type=="Ready")].status', ['True']],
    ['.conditions[?(@.n>2)].type', ['Other']],
    ['.conditions[?(@.missing)].type', []],
    ['..status', ['True', 'False']],
    ['.__proto__', []],
    ['.nothing.here', []],
  ]
  for (const [path, wanted] of cases) assert.deepEqual(compilePath(path)(value), wanted, path)
  for (const bad of ['.a[', '.a[x]', '.a[?(]', '.a..[']) assert.throws(() => compilePath(bad), PathError, bad)
})

test('versions in order of preference', () => {
  const wanted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10']
  assert.deepEqual(
    [...wanted].reverse().toSorted((a, b) => compareVersions(b, a)),
    wanted,
  )
})

test('formats', () => {
  const cases: [string, string[], string[]][] = [
    [
      'date-time',
      ['2026-02-28T23:59:59Z', '2026-01-01T00:00:00.123+02:00'],
      ['2026-02-30T00:00:00Z', '2026-01-01', '2026-01-01T25:00:00Z'],
    ],
    ['date', ['2024-02-29'], ['2023-02-29', '2024-13-01']],
    ['ipv4', ['10.0.0.1'], ['10.0.0.256', '10.0.0', '::1']],
    ['ipv6', ['::1', 'fe80::1'], ['10.0.0.1', 'x::y', 'fe80::1%eth0']],
    ['cidr', ['10.0.0.0/8', '::/0'], ['10.0.0.0', '10.0.0.0/33']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567']],
    ['uuid4', ['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
    ['byte', ['', 'aGVsbG8='], ['aGVsbG8', '***']],
    ['duration', ['1h30m', '5 minutes', '0'], ['soon', '5']],
    ['isbn', ['978-0321751041', '0321751043'], ['1234567890']],
    ['hexcolor', ['#FFF', 'a0b1c2'], ['#FFFF']],
    ['mac', ['01:23:45:67:89:ab'], ['01:23']],
    ['k8s-short-name', ['a-b'], ['A', 'a.b']],
  ]
  for (const [format, good, bad] of cases) {
    const check = formatCheck(format)!
    for (const text of good) assert.equal(check(text), true, `${format}: ${text}`)
    for (const text of bad) assert.equal(check(text), false, `${format}: ${text}`)
  }
  assert.equal(formatCheck('made-up'), undefined)
})
