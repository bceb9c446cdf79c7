import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalize } from '../codec/normalize.ts'
import type { KubeObject } from '../object.ts'
import { typeTable } from '../types/index.ts'
import { builtinSchema } from './builtin.ts'
import { compare } from './compare.ts'
import { createdManagers } from './created.ts'
import { encodeFields } from './fields-v1.ts'
import { managersText } from './managed.ts'
import { DEDUCED, type Schema } from './schema.ts'
import { hasShape, shapeOf } from './shape.ts'
import { ONE_VERSION } from './versions.ts'

const POD = 'io.k8s.api.core.v1.Pod'
const schema = builtinSchema(POD)
const empty = normalize({ kind: 'Pod', apiVersion: 'v1' }, typeTable.type(POD)).object

const word = fc.constantFrom('a', 'b', 'c')
const container = fc.record(
  {
    name: word,
    image: word,
    ports: fc.array(fc.record({ containerPort: fc.constantFrom(1, 2), name: word }, { requiredKeys: ['containerPort'] }), { maxLength: 2 }),
    env: fc.array(fc.record({ name: word, value: word }, { requiredKeys: ['name'] }), { maxLength: 2 }),
    resources: fc.record({ limits: fc.dictionary(word, fc.constant('1'), { maxKeys: 2 }) }, { requiredKeys: [] }),
    command: fc.array(word, { maxLength: 2 }),
  },
  { requiredKeys: ['name'] },
) // prettier-ignore
const pod = fc
  .record({
    labels: fc.dictionary(word, word, { maxKeys: 2 }),
    finalizers: fc.array(word, { maxLength: 2 }),
    containers: fc.array(container, { maxLength: 2 }),
    nodeSelector: fc.option(fc.dictionary(word, word, { maxKeys: 2 }), { nil: undefined }),
    phase: fc.option(word, { nil: undefined }),
  })
  .map(({ labels, finalizers, containers, nodeSelector, phase }) => {
    const written = { metadata: { labels, finalizers }, spec: { containers, nodeSelector }, status: { phase } }
    return normalize({ kind: 'Pod', apiVersion: 'v1', ...written }, typeTable.type(POD)).object
  })
const anything = fc.dictionary(word, fc.oneof(fc.json().map((text) => JSON.parse(text) as unknown), word), { maxKeys: 3 }) // prettier-ignore

function owned(from: unknown, value: unknown, by: Schema): string | undefined {
  try {
    const { added, modified } = compare(from, value, by)
    return JSON.stringify(encodeFields(added.union(modified)))
  } catch {
    return undefined
  }
}

function sameShapeSameFields(from: unknown, a: unknown, b: unknown, by: Schema): void {
  const known = shapeOf(from, a, by)
  if (known === undefined) return
  assert.ok(hasShape(known, a), 'a value has its own shape')
  if (hasShape(known, b)) assert.equal(owned(from, b, by), owned(from, a, by))
}

test('pods of one shape own the same fields', () => {
  fc.assert(
    fc.property(pod, pod, (a, b) => sameShapeSameFields(empty, a, b, schema)),
    { numRuns: 3000 },
  )
})

test('values without a schema that have one shape own the same fields', () => {
  const head = { kind: 'A' }
  fc.assert(fc.property(anything, anything, (a, b) => sameShapeSameFields(head, { ...head, ...a }, { ...head, ...b }, DEDUCED)), { numRuns: 3000 }) // prettier-ignore
})

test('many pods have the shape of another one', () => {
  let known = 0
  fc.assert(
    fc.property(pod, fc.string(), (a, label) => {
      const shape = shapeOf(empty, a, schema)
      if (shape === undefined) return
      const written = `"image":${JSON.stringify(label)}`
      const text = JSON.stringify(a).replaceAll('"image":"a"', () => written)
      assert.ok(hasShape(shape, JSON.parse(text)))
      known++
    }),
    { numRuns: 500 },
  )
  assert.ok(known > 250, `${known} of 500`)
})

test('the managers of a creation are the same with and without memory, and have a text', () => {
  const tracking = { manager: 'm', versions: ONE_VERSION, ignored: () => undefined, now: '2026-01-01T00:00:00Z' }
  const typed = (object: object) => ({ object: object as KubeObject, schema, apiVersion: 'v1' })
  fc.assert(
    fc.property(pod, (object) => {
      if (owned(empty, object, schema) === undefined) return
      const first = createdManagers(typed(empty), typed(object), tracking)
      const second = createdManagers(typed(empty), typed(structuredClone(object)), tracking)
      assert.deepEqual(second, first)
      if (first !== undefined) assert.equal(managersText(first), JSON.stringify(first))
    }),
    { numRuns: 500 },
  )
})
