import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { PathElement } from './element.ts'
import {
  compareElements,
  fieldElement,
  indexElement,
  keyElement,
  parseElement,
  pathText,
  valueElement,
} from './element.ts'
import { EMPTY, FieldSet, fieldSetOf } from './fieldset.ts'
import { decodeFields, encodeFields } from './fields-v1.ts'

const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'é', '\u{1F600}', '\uff21', '')
const scalar = fc.oneof(name, fc.integer({ min: -3, max: 12 }), fc.boolean())
const element: fc.Arbitrary<PathElement> = fc.oneof(
  name.map(fieldElement),
  fc
    .array(fc.tuple(fc.constantFrom('k', 'l'), scalar), { minLength: 1, maxLength: 2 })
    .map((keys) => keyElement([...new Map(keys)])),
  scalar.map(valueElement),
  fc.nat(12).map(indexElement),
)
const path = fc.array(element, { minLength: 1, maxLength: 4 })
const set = fc.array(path, { maxLength: 8 }).map((paths) => fieldSetOf(...paths))

const texts = (of: FieldSet): Set<string> => new Set([...of.paths()].map((p) => p.map((e) => e.text).join('\u0000')))

/** Sorted without repeats, nothing empty below. */
function sound(of: FieldSet): void {
  for (const [i, node] of of.nodes.entries()) {
    if (i > 0) assert.ok(compareElements(of.nodes[i - 1]!.element, node.element) < 0)
    assert.ok(node.member || node.children !== undefined)
    if (node.children !== undefined) {
      assert.ok(!node.children.isEmpty)
      sound(node.children)
    }
  }
}

test('operations are those of sets of paths', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const [ta, tb] = [texts(a), texts(b)]
      for (const [got, want] of [
        [a.union(b), new Set([...ta, ...tb])],
        [a.intersection(b), new Set([...ta].filter((t) => tb.has(t)))],
        [a.difference(b), new Set([...ta].filter((t) => !tb.has(t)))],
      ] as const) {
        sound(got)
        assert.deepEqual(texts(got), want)
        assert.equal(got.size, want.size)
      }
    }),
  )
})

test('a recursive difference takes what lies below', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const got = a.recursiveDifference(b)
      sound(got)
      const members = [...b.paths()]
      const want = [...a.paths()].filter((p) => !members.some((m) => m.every((e, i) => p[i]?.text === e.text)))
      assert.deepEqual(texts(got), new Set(want.map((p) => p.map((e) => e.text).join('\u0000'))))
    }),
  )
})

test('an operation that changes nothing returns its operand', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const all = a.union(b)
      assert.equal(all.union(a), all)
      assert.equal(all.union(fieldSetOf(...a.paths())), all)
      assert.equal(a.intersection(a.union(b)), a)
      const left = a.difference(b)
      assert.equal(left.difference(b), left)
      assert.equal(a.difference(a), a.isEmpty ? a : EMPTY)
    }),
  )
})

test('leaves have nothing below them', () => {
  fc.assert(
    fc.property(set, (a) => {
      const paths = [...a.paths()]
      const leaf = (p: readonly PathElement[]): boolean =>
        !paths.some((q) => q.length > p.length && p.every((e, i) => q[i]!.text === e.text))
      assert.deepEqual(texts(a.leaves()), texts(fieldSetOf(...paths.filter(leaf))))
    }),
  )
})

test('FieldsV1 there and back', () => {
  fc.assert(
    fc.property(set, (a) => {
      const fields = encodeFields(a)
      assert.ok(decodeFields(fields).equals(a))
      assert.equal(encodeFields(fieldSetOf(...a.paths())), fields, 'equal sets share one form')
      const again = decodeFields(JSON.parse(JSON.stringify(fields)))
      assert.ok(again.equals(a))
      sound(again)
      assert.equal(JSON.stringify(encodeFields(again)), JSON.stringify(fields))
      for (const p of a.paths()) assert.ok(again.has(p))
    }),
  )
})

test('the order of elements is total', () => {
  fc.assert(
    fc.property(element, element, element, (a, b, c) => {
      assert.equal(Math.sign(compareElements(a, b)), -Math.sign(compareElements(b, a)) + 0)
      assert.equal(compareElements(a, b) === 0, a.text === b.text)
      if (compareElements(a, b) < 0 && compareElements(b, c) < 0) assert.ok(compareElements(a, c) < 0)
      assert.equal(parseElement(a.text)!.text, a.text)
    }),
  )
})

test('paths print as upstream prints them', () => {
  const path = ['spec', 'ports'].map(fieldElement)
  const key = keyElement([
    ['protocol', 'TCP'],
    ['port', 80],
  ])
  assert.equal(pathText([...path, key, fieldElement('name')]), '.spec.ports[port=80,protocol="TCP"].name')
  assert.equal(pathText([valueElement('a"b'), indexElement(3)]), '[="a\\"b"][3]')
})

test('FieldsV1 that cannot be read', () => {
  for (const fields of [
    1,
    [],
    { a: {} },
    { f: {} },
    { 'k:1': {} },
    { 'k:{': {} },
    { 'i:x': {} },
    { 'f:a': 1 },
    { 'v:': {} },
  ]) {
    assert.throws(() => decodeFields(fields), SyntaxError, JSON.stringify(fields))
  }
  let deep: unknown = {}
  for (let i = 0; i < 10_000; i++) deep = { 'f:a': deep }
  assert.throws(() => decodeFields(deep), SyntaxError)
  assert.throws(() => decodeFields({ [`v:${'['.repeat(100_000)}${']'.repeat(100_000)}`]: {} }), SyntaxError)
  assert.ok(decodeFields({ 'x:a': {}, '.': {} }).isEmpty)
  // Many that mean the same are read in one go.
  const many = Object.fromEntries(
    Array.from({ length: 100_000 }, (_, i) => [`v:1${' '.repeat(i % 300)}${'\t'.repeat(i % 7)}`, {}]),
  )
  assert.equal(
    decodeFields({ ...many, ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`v:${i}`, {}])) }).size,
    100_000,
  )
  // Texts that mean the same are one element, and keys stand in order.
  const odd = decodeFields({ 'v:1.0': {}, 'v:1': { 'f:a': {} }, 'k:{"b":1,"a":2}': {} })
  assert.equal(JSON.stringify(encodeFields(odd)), '{"k:{\\"a\\":2,\\"b\\":1}":{},"v:1":{".":{},"f:a":{}}}')
})
