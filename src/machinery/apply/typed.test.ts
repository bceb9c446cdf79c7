import { equalJson } from '../equality.ts'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { SchemaProps } from '../schema/index.ts'
import { checkTyped } from './check.ts'
import { compare } from './compare.ts'
import { customSchema } from './custom.ts'
import { fieldsOf } from './fields-of.ts'
import { EMPTY, fieldSetOf } from './fieldset.ts'
import { merge } from './merge.ts'
import { extractFields, removeFields } from './remove.ts'
import { TypedError } from './walk.ts'

const props: SchemaProps = {
  type: 'object',
  properties: {
    count: { type: 'integer' },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    map: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name', 'port'],
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, port: { type: 'integer', default: 80 }, value: { type: 'string' } },
      },
    },
    atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    nested: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'array', items: { type: 'integer' } } } },
    free: { 'x-kubernetes-preserve-unknown-fields': true },
  },
}
const schema = customSchema(props)

const key = fc.constantFrom('a', 'b', '__proto__', 'toString')
const word = fc.constantFrom('x', 'y', '')
const labels = fc.array(fc.tuple(key, word), { minLength: 1, maxLength: 3 }).map((list) => {
  const out: Record<string, string> = {}
  for (const [k, value] of list)
    Object.defineProperty(out, k, { value, enumerable: true, configurable: true, writable: true })
  return out
})
const item = fc.record({ name: key, port: fc.constantFrom(80, 81), value: word }, { requiredKeys: ['name'] })
const value = fc
  .record(
    {
      count: fc.nat(3),
      set: fc.uniqueArray(key, { minLength: 1, maxLength: 3 }),
      map: fc.uniqueArray(item, { minLength: 1, maxLength: 3, selector: (i) => `${i.name} ${i.port ?? 80}` }),
      atomic: labels,
      labels,
      nested: fc.record({ a: word, b: fc.array(fc.nat(2), { minLength: 1, maxLength: 2 }) }, { requiredKeys: ['a'] }),
      free: fc.oneof(word, labels, fc.constant([1, { a: 1 }]), fc.constant({ a: { b: 1 } })),
    },
    { requiredKeys: [] },
  )
  .map((spec) => ({ apiVersion: 'x/v1', kind: 'T', metadata: { name: 'n' }, ...spec }))

test('values fit', () => fc.assert(fc.property(value, (a) => checkTyped(a, schema))))

test('a value does not differ from itself', () => {
  fc.assert(
    fc.property(value, (a) => {
      const difference = compare(a, structuredCloneOf(a), schema)
      assert.deepEqual(difference, { added: EMPTY, modified: EMPTY, removed: EMPTY })
    }),
  )
})

test('a difference the other way round', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const there = compare(a, b, schema)
      const back = compare(b, a, schema)
      assert.ok(there.added.equals(back.removed))
      assert.ok(there.removed.equals(back.added))
      assert.ok(there.modified.equals(back.modified))
      const same = there.added.isEmpty && there.removed.isEmpty && there.modified.isEmpty
      assert.equal(same, equalJson(a, b) || sameSets(a, b))
    }),
  )
})

/** The order of sets and map lists is nobody's. */
function sameSets(a: object, b: object): boolean {
  const sorted = (v: object): unknown => {
    const out: Record<string, unknown> = { ...v }
    if (Array.isArray(out['set'])) out['set'] = (out['set'] as string[]).toSorted((x, y) => (x < y ? -1 : 1))
    if (Array.isArray(out['map'])) {
      const of = ({ name, port = 80 }: { name: string; port?: number }): string => `${name} ${port}`
      out['map'] = out['map'].toSorted((x, y) => (of(x) < of(y) ? -1 : 1))
    }
    return out
  }
  return equalJson(sorted(a), sorted(b))
}

test('merging is idempotent and brings all that was applied', () => {
  fc.assert(
    fc.property(value, value, (live, applied) => {
      const once = merge(live, applied, schema)
      assert.deepEqual(merge(once, applied, schema), once)
      checkTyped(once, schema)
      const owned = fieldsOf(applied, schema)
      const { added, modified, removed } = compare(live, once, schema)
      assert.ok(removed.intersection(owned).isEmpty)
      // Only what is applied changes; what a leaf of another form replaced is gone with it.
      assert.ok(added.union(modified).leaves().difference(owned).isEmpty || 'free' in applied)
      assert.ok(owned.difference(fieldsOf(once, schema)).isEmpty)
    }),
  )
})

test('merging nothing changes nothing', () => {
  fc.assert(
    fc.property(value, (a) => {
      assert.equal(merge(a, undefined, schema), a)
      assert.equal(merge(undefined, a, schema), a)
      assert.deepEqual(merge(a, a, schema), a)
    }),
  )
})

test('all fields of a value extract the value', () => {
  fc.assert(
    fc.property(value, (a) => {
      const fields = fieldsOf(a, schema)
      assert.ok(fieldsOf(removeFields(a, fields, schema), schema).intersection(fields).isEmpty)
      assert.equal(removeFields(a, EMPTY, schema), a)
      const { apiVersion, kind } = extractFields(a, fields, schema) as typeof a
      assert.deepEqual({ apiVersion, kind }, { apiVersion: 'x/v1', kind: 'T' })
    }),
  )
})

test('extraction keeps what is named', () => {
  const object = {
    labels: { a: '1', b: '2' },
    map: [{ name: 'x', value: 'y' }, { name: 'z' }],
    nested: { a: 'q', b: [1] },
  }
  const fields = fieldSetOf(['labels', 'a'], ['nested', 'b'])
  assert.deepEqual(extractFields(object, fields, schema), { labels: { a: '1' }, nested: { b: [1] } })
  assert.deepEqual(removeFields(object, fields, schema), {
    labels: { b: '2' },
    map: object.map,
    nested: { a: 'q' },
  })
})

test('what does not fit', () => {
  const problems = (object: object): string => {
    try {
      checkTyped(object, schema)
    } catch (error) {
      if (error instanceof TypedError) return error.message
      throw error
    }
    return ''
  }
  assert.equal(problems({ count: 'x' }), '.count: expected numeric (int or float), got string')
  assert.equal(
    problems({ count: true, nope: 1 }),
    'errors:\n  .count: expected numeric (int or float), got bool\n  .nope: field not declared in schema',
  )
  assert.equal(
    problems({ map: [{ name: 'a' }, { name: 'a', port: 80 }] }),
    '.map: duplicate entries for key [name="a",port=80]',
  )
  assert.equal(problems({ constructor: 1 }), '.constructor: field not declared in schema')
})

function structuredCloneOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
