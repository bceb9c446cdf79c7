/** What tenants may write: expressions that try to be slow, deep, large or wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile } from './compile.ts'
import type { CelType } from './contract.ts'
import { toJson } from './output.ts'

const variables = new Map<string, CelType>([['o', { kind: 'dyn' }]])
const options = { profile: 'admission', variables } as const

const text = 'x'.repeat(300_000)
const o = {
  text,
  other: `${text}y`,
  emoji: '\u{1f600}'.repeat(100_000),
  numbers: Array.from({ length: 30_000 }, (_, i) => i),
  names: Array.from({ length: 10_000 }, (_, i) => `name-${i}`),
  map: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i])),
  objects: Array.from({ length: 2000 }, (_, i) => ({ a: i, b: `s${i}`, c: [i], d: { e: i } })),
  ['__proto__x']: { constructor: 1 },
}

/** Each is repeated for every number, until a budget ends it. */
const SLOW = [
  'o.numbers.all(y, x == y || true)',
  'o.numbers.map(y, [x, y])',
  '1 / 0 == 1 || true',
  'o.text.size()',
  'o.emoji.size()',
  'o.text == o.other',
  'dyn(o.text) + dyn(o.other)',
  'o.text.contains("yz")',
  'o.text.matches("(x+x+)+y")',
  'o.text.matches("^(x?){300}x{300}$")',
  'o.text.find("(?:x|y)*y(?:x|y){12}z")',
  'o.text.findAll("x")',
  'o.text.matches("^" + string(x) + "$")',
  'o.text.replace("x", "yy")',
  'o.text.replace("", o.text)',
  'o.text.split("")',
  'o.text.indexOf("y")',
  'o.emoji.substring(5)',
  'o.names == o.names',
  'o.map == o.map',
  'o.objects == o.objects',
  'x in o.numbers',
  'o.map.all(k, v, v >= 0)',
  'o.names.sort()',
  'o.numbers.distinct()',
  'lists.range(1000000)',
  '[o.numbers].flatten()',
  'o.names.join(o.text)',
  '"%s".format([o.map])',
  '"%.1000f".format([1e300])',
  'strings.quote(o.text)',
  'bytes(o.text)',
  'url("https://a/" + o.text).getHost()',
  'isIP(o.text)',
  'isQuantity(o.text)',
  'format.uri().validate(o.text)',
  'timestamp("2020-01-01T00:00:00Z").getHours("America/New_York")',
  'quantity(string(x)).add(1)',
  'semver("1.2.3").compareTo(semver("1.2.4"))',
  'cidr("10.0.0.0/8").containsIP("10.1.1.1")',
  'o.map.transformMap(k, v, v)',
  'o.objects.exists_one(q, q.a == x)',
]

for (const body of SLOW) {
  test(`an evaluation ends soon: ${body}`, () => {
    const compiled = compile(`o.numbers.map(x, ${body}).size() >= 0`, options)
    assert.ok(compiled.ok)
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < 2; i++) {
      const before = process.cpuUsage()
      compiled.program.evaluate({ o }, { left: Number.MAX_SAFE_INTEGER })
      const { user, system } = process.cpuUsage(before)
      least = Math.min(least, (user + system) / 1000)
    }
    // 20 ms is what it takes; the rest is for slow machines and the collector.
    assert.ok(least < 100, `${least} ms`)
  })
}

test('strings cannot be doubled without end', () => {
  const doubled = Array.from({ length: 60 }, () => 'v').reduce((inner) => `[${inner}].map(v, v + v)[0]`, 'dyn("xy")')
  const compiled = compile(doubled, options)
  assert.ok(compiled.ok)
  const result = compiled.program.evaluate({}, { left: Number.MAX_SAFE_INTEGER })
  assert.equal(result.ok, false)
})

/** As long as an expression may be. */
function filled(part: string): string {
  return part.repeat(Math.floor(99_000 / part.length))
}

const LARGE: readonly (readonly [string, string])[] = [
  ['empty lists', `${filled('[] == [] && ')}true`],
  ['empty maps', `${filled('{} == {} && ')}true`],
  ['a list of lists', `[${filled('[],')}]`],
  ['names without a meaning', `${filled('q && ')}true`],
  ['loops in loops', `${'[1].all(x, '.repeat(100)}true${')'.repeat(100)}`],
  ['optionals in optionals', `${'optional.of(1).optMap(x, '.repeat(100)}1${')'.repeat(100)}`],
  ['optionals after optionals', `optional.of(1)${'.optMap(x, x)'.repeat(200)}`],
  ['patterns', `${filled("o.matches('(a?){900}') && ")}true`],
]

for (const [name, expression] of LARGE) {
  test(`compiling ends soon: ${name}`, () => {
    const before = process.cpuUsage()
    compile(expression, options)
    const { user, system } = process.cpuUsage(before)
    // A quarter of a second is what the longest take; what must not be is a growth beyond the length.
    assert.ok(user + system < 3_000_000, `${(user + system) / 1000} ms`)
  })
}

test('an expression that is too long is refused before it is read', () => {
  const compiled = compile(`'${'a'.repeat(100_000)}'`, options)
  assert.ok(!compiled.ok)
  assert.match(compiled.issues, /size exceeds limit/)
})

const word = fc.constantFrom(
  'o',
  'x',
  '1',
  '2.5',
  '"a"',
  "b'a'",
  'null',
  'true',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '.',
  ',',
  ':',
  '?',
  '+',
  '-',
  '*',
  '/',
  '%',
  '!',
  '&&',
  '||',
  '==',
  '!=',
  '<',
  'in',
  ' ',
  'has(',
  'o.numbers',
  '.all(x,',
  '.map(x,',
  '.filter(x,',
  '.size()',
  'size(',
  '.matches(',
  'dyn(',
  'int(',
  'string(',
  'timestamp(',
  'duration(',
  '"%s".format(',
  'optional.of(',
  '.?',
  '[?',
  'Object{',
  '__proto__',
  'constructor',
  '`a`',
  '\\',
  "'",
  '"',
  '\n',
  '//',
  '#',
  '\u{1f600}',
  '\ud800',
  '9223372036854775807',
  'type(',
  '.sum()',
  '.sort()',
  '.slice(',
  'cel.',
  '@',
  '.transformMap(i, v,',
  'quantity(',
  'ip(',
  'url(',
  'semver(',
  '.toString()',
)

test('no text makes it throw', () => {
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 25 }),
      fc.constantFrom('admission' as const, 'mutation' as const, 'schema' as const),
      (words, profile) => {
        const compiled = compile(words.join(''), { profile, variables })
        if (!compiled.ok) {
          assert.notEqual(compiled.issues, '')
          return
        }
        const result = compiled.program.evaluate({ o }, { left: 100_000 })
        if (result.ok) toJson(result.value)
      },
    ),
    { numRuns: 5000 },
  )
})

test('data of any shape makes nothing throw', () => {
  const expressions = [
    'o.a.b',
    'o.a[0]',
    'o.all(x, x == o)',
    'o.map(x, x)',
    'o == o',
    'o in o',
    'o + o',
    'o < o',
    'string(o)',
    'size(o)',
    'has(o.a)',
    'o.?a.?b',
    'o.transformList(k, v, v)',
    'type(o)',
    '"%s".format([o])',
    'o.sort()',
    'o.flatten()',
    'o.join(",")',
    'o.matches(o)',
    'optional.ofNonZeroValue(o)',
    '{"a": o}',
    'o.__proto__',
    'o.constructor',
  ].map((one) => compile(one, options))
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const compiled of expressions) {
        assert.ok(compiled.ok)
        const result = compiled.program.evaluate({ o: value }, { left: 100_000 })
        if (result.ok) toJson(result.value)
      }
    }),
    { numRuns: 500 },
  )
})

test('arithmetic of ints is that of 64 bits', () => {
  const int = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -20n, max: 20n }))
  const operations = new Map<string, (a: bigint, b: bigint) => bigint | undefined>([
    ['+', (a, b) => a + b],
    ['-', (a, b) => a - b],
    ['*', (a, b) => a * b],
    ['/', (a, b) => (b === 0n ? undefined : a / b)],
    ['%', (a, b) => (b === 0n || (a === -(2n ** 63n) && b === -1n) ? undefined : a % b)],
  ])
  const programs = new Map<string, ReturnType<typeof compile>>()
  const types = new Map<string, CelType>([
    ['a', { kind: 'int' }],
    ['b', { kind: 'int' }],
  ])
  for (const sign of operations.keys()) {
    programs.set(sign, compile(`a ${sign} b`, { profile: 'admission', variables: types }))
  }
  fc.assert(
    fc.property(int, int, fc.constantFrom(...operations.keys()), (a, b, sign) => {
      const compiled = programs.get(sign)!
      assert.ok(compiled.ok)
      const raw = (n: bigint) => JSON.rawJSON(String(n))
      const result = compiled.program.evaluate({ a: raw(a), b: raw(b) }, { left: 1000 })
      const exact = operations.get(sign)!(a, b)
      if (exact === undefined || BigInt.asIntN(64, exact) !== exact) assert.equal(result.ok, false)
      else {
        assert.ok(result.ok)
        assert.equal(BigInt(result.value as number | bigint), exact)
      }
    }),
  )
})
