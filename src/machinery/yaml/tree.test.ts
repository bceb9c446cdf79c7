import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { dump } from 'js-yaml'
import { decodeYaml } from '../codec/yaml.ts'
import { YamlError } from './error.ts'
import { readDocument, type Node } from './tree.ts'

const MAX_DEPTH = 500

/** Documents, and what a real kube-apiserver 1.37 said of them; null where it read them. */
const answers = JSON.parse(readFileSync(`${import.meta.dirname}/testdata/answers.json`, 'utf8')) as [
  string,
  string | null,
][]

for (const [text, problem] of answers) {
  test(`${problem === null ? 'reads' : 'refuses'} ${JSON.stringify(text)}`, () => {
    let said: string | null = null
    try {
      readDocument(text, MAX_DEPTH)
    } catch (error) {
      assert.ok(error instanceof YamlError)
      said = error.message
    }
    assert.equal(said, problem)
  })
}

/** A tree as JSON that can be read: `&anchor !tag text`, lists and pairs. */
function shown(node: Node): unknown {
  if (node.kind === 'alias') return `*${node.name}`
  const own = `${node.anchor === undefined ? '' : `&${node.anchor} `}${node.tag === undefined ? '' : `!${node.tag} `}`
  if (node.kind === 'scalar') return `${own}${node.plain ? node.text : `'${node.text}'`}`
  if (node.kind === 'sequence') return own === '' ? node.items.map(shown) : [own, ...node.items.map(shown)]
  return Object.fromEntries(node.items.map(({ key, value }) => [String(shown(key)), shown(value)]))
}

const tree = (text: string): unknown => shown(readDocument(text, MAX_DEPTH).root!)

test('flow collections and quoted texts may go on at any column', () => {
  assert.deepEqual(tree('a: [\n  b\n]\nc: {\nd: e\n}\n'), { a: ['b'], c: { d: 'e' } })
  assert.deepEqual(tree('a: "b\nc"\nd: \'e\n\n  f\'\n'), { a: "'b c'", d: "'e\nf'" })
  assert.deepEqual(tree('a:\n- [b, [c, d: e, ? f : g],\n]\n'), { a: [['b', ['c', { d: 'e' }, { f: 'g' }]]] })
})

test('properties, directives and documents', () => {
  const tags =
    '%TAG !e! tag:example.com,2000:\n---\na: !e!x%21 b\nc: !!str d\ne: !<v> f\ng: ! h\ni: &j k\nl: *j\nm: !n\n'
  assert.deepEqual(tree(tags), {
    a: '!tag:example.com,2000:x! b',
    c: '!tag:yaml.org,2002:str d',
    e: '!v f',
    g: '!! h',
    i: '&j k',
    l: '*j',
    m: '!!n ',
  })
  assert.equal(readDocument('# nothing\n', MAX_DEPTH).root, undefined)
  assert.deepEqual(readDocument('a\n...\n', MAX_DEPTH).more, false)
  assert.deepEqual(readDocument('a\n---\nb\n', MAX_DEPTH).more, true)
})

test('blocks keep and drop what their headers say', () => {
  assert.deepEqual(tree('a: |2-\n    b\n\n   c\n\nd: >+\n e\n f\n\n  g\n h\n\n\ni: >\n j\n'), {
    a: "'  b\n\n c'",
    d: "'e f\n\n g\nh\n\n\n'",
    i: "'j\n'",
  })
  assert.deepEqual(tree('- |\n a\n- - b\n  - c: d\n    e:\n    - f\n'), ["'a\n'", ['b', { c: 'd', e: ['f'] }]])
})

test('escapes', () => {
  assert.equal(tree('"\\x41\\u00e9\\U0001F389\\t\\N\\_\\L\\\n   \\ b"'), "'Aé🎉\t\x85\xa0\u2028 b'")
  assert.equal(tree("'it''s \\ \"'"), "'it's \\ \"'")
})

test('lines are those of the values', () => {
  const { root } = readDocument('a: 1\nb:\n  - c\n  -\nd:\n', MAX_DEPTH)
  const lines = (node: Node): unknown =>
    node.kind === 'mapping'
      ? [node.line, ...node.items.map((item) => lines(item.value))]
      : node.kind === 'sequence'
        ? [node.line, ...node.items.map(lines)]
        : node.line
  assert.deepEqual(lines(root!), [1, 1, [3, 3, 4], 5])
})

test('what is written as YAML is read as it was', () => {
  // Within flow collections a question mark, and a colon in front, always mean keys and values to libyaml.
  const text = fc
    .oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('a: b', '- a', '#', 'a\nb\n', ' x ', '\n\n'))
    .map((given) => given.replaceAll(/[?]|^[\s:]+/g, '').toWellFormed())
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, text, fc.boolean(), fc.constant(null), fc.integer(), tie('list'), tie('map')),
    list: fc.array(tie('any'), { maxLength: 4 }),
    map: fc.dictionary(text, tie('any'), { maxKeys: 4, noNullPrototype: true }),
  }))
  const options = fc.record({
    flowLevel: fc.constantFrom(-1, 0, 1, 2),
    indent: fc.constantFrom(2, 4),
    lineWidth: fc.constantFrom(20, 80, -1),
    forceQuotes: fc.boolean(),
    noArrayIndent: fc.boolean(),
  })
  fc.assert(
    fc.property(value.map, options, (given, how) => {
      assert.deepEqual(decodeYaml(dump(given, { ...how, noRefs: true })).value, given)
    }),
    { numRuns: 300 },
  )
})

test('deep and broken documents end with an error', () => {
  for (const text of [
    '['.repeat(100_000),
    '{a: '.repeat(10_000),
    '- '.repeat(10_000),
    '? '.repeat(10_000),
    '[?'.repeat(9999),
  ]) {
    assert.throws(() => readDocument(text, MAX_DEPTH), YamlError)
  }
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'[]{},:?-!&*|>\'"%@#a \n\t~\\0<=.'.split(''), '---\n', ': ', '- '), {
        maxLength: 40,
      }),
      (parts) => {
        try {
          readDocument(parts.join(''), MAX_DEPTH)
        } catch (error) {
          assert.ok(error instanceof YamlError, String(error))
        }
      },
    ),
    { numRuns: 3000 },
  )
})
