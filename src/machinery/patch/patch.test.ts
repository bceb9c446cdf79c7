import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import fastJsonPatch from 'fast-json-patch'
import type { Operation } from 'fast-json-patch'
import { typeTable } from '../types/index.ts'
import { PatchError, patchStatus } from './error.ts'
import { applyJsonPatch } from './json.ts'
import { applyMergePatch } from './merge.ts'
import { applyStrategicPatch } from './strategic.ts'
import json from './testdata/json.oracle.json' with { type: 'json' }
import merge from './testdata/merge.oracle.json' with { type: 'json' }
import strategic from './testdata/strategic.oracle.json' with { type: 'json' }

interface Case {
  readonly name?: string
  readonly apiVersion?: string
  readonly kind?: string
  readonly document: unknown
  readonly patch: unknown
  readonly answer: { readonly result?: unknown; readonly error?: string; readonly panic?: string }
}

/** Freezes deeply, so that any change of an argument throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) frozen(member)
    Object.freeze(value)
  }
  return value
}

/** A copy in which nothing stands twice, unlike that of structuredClone. */
const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

function typeOf({ apiVersion, kind }: Case): string {
  const [version, group = ''] = apiVersion!.split('/').reverse()
  return typeTable.kind(group, version!, kind!)!.name
}

test('strategic merge patch does what the library does', () => {
  for (const one of strategic as readonly Case[]) {
    const { name, document, patch, answer } = frozen(one)
    const run = () => applyStrategicPatch(document, patch, typeOf(one), typeTable)
    if ('result' in answer) assert.deepEqual(run(), answer.result, name ?? '')
    else if (answer.error === undefined) assert.doesNotThrow(run, name)
    else {
      const { error } = answer
      assert.throws(run, (e: unknown) => e instanceof PatchError && e.message === error, `${name}: ${error}`)
    }
  }
})

test('merge patch does what the library does', () => {
  for (const { document, patch, answer } of merge as readonly Case[]) {
    frozen(document)
    const run = () => applyMergePatch(document, frozen(patch))
    // The library turns an array patch into the document, which then fails to decode.
    if (answer.error === undefined && !Array.isArray(patch)) {
      assert.deepEqual(run(), answer.result, JSON.stringify([document, patch]))
    } else assert.throws(run, PatchError, JSON.stringify([document, patch]))
  }
})

test('JSON patch does what the library does', () => {
  for (const { document, patch, answer } of json as readonly Case[]) {
    const run = () => applyJsonPatch(frozen(document), frozen(patch))
    if ('result' in answer) assert.deepEqual(run(), answer.result, JSON.stringify(patch))
    else assert.throws(run, PatchError, JSON.stringify(patch))
  }
})

const value = fc.jsonValue({ maxDepth: 3 })
const document = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), value, { noNullPrototype: true })

test('JSON patch: what fast-json-patch finds between two documents makes one of the other', () => {
  const plain = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd/e', 'f~g'), value, { noNullPrototype: true })
  fc.assert(
    fc.property(plain, plain, (before, after) => {
      const [one, two] = JSON.parse(JSON.stringify([before, after])) as [object, object]
      fc.pre(!JSON.stringify([one, two]).includes('__proto__'))
      assert.deepEqual(applyJsonPatch(frozen(one), fastJsonPatch.compare(one, two)), two)
    }),
  )
})

test('JSON patch: random operations end as in fast-json-patch', () => {
  const place = fc.constantFrom('/a', '/b', '/a/0', '/a/1', '/a/-', '/b/x', '/b/x/y', '/c/0/k')
  const some = fc.constantFrom<unknown>(1, 'x', true, [1, [2]], { x: { y: [3] } }, [], {})
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'test'), path: place, value: some }),
    fc.record({ op: fc.constantFrom('copy', 'move'), from: place, path: place }),
    fc.record({ op: fc.constant('remove'), path: place }),
  )
  const start = { a: [{ q: 1 }, 2], b: { x: { y: 1 } }, c: [{ k: [] }] }
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 8 }), (operations) => {
      fc.pre(operations.every((one) => !('from' in one) || !one.from.endsWith('-')))
      let theirs: unknown
      try {
        theirs = fastJsonPatch.applyPatch(copied(start), copied(operations) as unknown as Operation[], true).newDocument
      } catch {
        return
      }
      // A pointer through a missing member, and one into `-`, are errors here and not always there.
      try {
        assert.deepEqual(applyJsonPatch(frozen(start), frozen(operations)), theirs)
      } catch (error) {
        if (!(error instanceof PatchError)) throw error
        assert.match(error.message, /missing|invalid/i)
      }
    }),
  )
})

test('merge patch is idempotent, shares what stays, and takes __proto__ as data', () => {
  fc.assert(
    fc.property(document, document, (before, patch) => {
      // Upstream keeps nulls in a list that replaces an object, and drops them from one that replaces a list.
      const text = JSON.stringify(patch)
      fc.pre(!text.includes('[') || !text.includes('null'))
      const once = applyMergePatch(frozen(before), frozen(patch))
      assert.deepEqual(applyMergePatch(frozen(once), patch), once)
      assert.equal(Object.getPrototypeOf(once), Object.prototype)
      for (const key of Object.keys(before)) {
        if (!Object.hasOwn(patch, key)) assert.ok(Object.is((once as typeof before)[key], before[key]))
      }
    }),
  )
  const hostile = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as object
  assert.ok(Object.hasOwn(applyMergePatch({}, hostile) as object, '__proto__'))
  const added = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }])
  assert.ok(Object.hasOwn(added as object, '__proto__'))
  assert.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: true }]), PatchError)
  const type = 'io.k8s.api.core.v1.ConfigMap'
  const strange = applyStrategicPatch({ data: {} }, { data: hostile }, type, typeTable) as { data: object }
  assert.ok(Object.hasOwn(strange.data, '__proto__'))
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
})

test('strategic merge patch is idempotent and shares what it does not touch', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd')
  const plain = { noNullPrototype: true }
  const container = fc.record({ name, image: fc.constantFrom('1', '2') }, plain)
  const containers = fc.uniqueArray(container, { selector: (one) => one.name, minLength: 1 })
  const finalizers = fc.uniqueArray(fc.constantFrom('x/1', 'x/2', 'x/3'))
  const pod = fc.record({ metadata: fc.record({ finalizers }, plain), spec: fc.record({ containers }, plain) }, plain)
  const type = 'io.k8s.api.core.v1.Pod'
  fc.assert(
    fc.property(pod, pod, (before, patch) => {
      const live = { ...before, status: { phase: 'Running' } }
      const once = applyStrategicPatch(frozen(live), frozen(patch), type, typeTable) as typeof live
      assert.deepEqual(applyStrategicPatch(frozen(once), patch, type, typeTable), once)
      assert.ok(Object.is(once.status, live.status))
      const names = new Set([...before.spec.containers, ...patch.spec.containers].map((one) => one.name))
      assert.deepEqual(new Set(once.spec.containers.map((one) => one.name)), names)
      for (const one of patch.spec.containers) {
        assert.equal(once.spec.containers.find((c) => c.name === one.name)?.image, one.image)
      }
    }),
  )
})

test('limits', () => {
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }))
  const reason = (want: string) => (e: unknown) => e instanceof PatchError && e.reason === want
  assert.throws(() => applyJsonPatch({ a: 1 }, many), reason('RequestEntityTooLarge'))
  assert.deepEqual(applyJsonPatch({ a: 1 }, many.slice(1)), { a: 1 })
  const doubling = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/${i}` }))
  assert.throws(() => applyJsonPatch({ a: { x: 'y'.repeat(1000) } }, doubling), reason('Invalid'))
})

test('ten thousand operations on one list take no quadratic time', () => {
  const list = Array.from({ length: 10_000 }, (_, i) => i)
  const operations = list.map((i) => ({ op: 'add', path: '/m/k', value: i }))
  const labels = Object.fromEntries(list.map((i) => [`k${i}`, 'v']))
  const start = performance.now()
  applyJsonPatch({ m: labels }, operations)
  assert.ok(performance.now() - start < 1000)
})

test('what clients see of a failed patch', () => {
  assert.deepEqual(patchStatus(new PatchError('Invalid', 'secret detail')).status, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server rejected our request due to an error in our request',
    reason: 'Invalid',
    details: {},
    code: 422,
  })
  assert.equal(patchStatus(new PatchError('BadRequest', 'x')).code, 400)
  assert.equal(patchStatus(new PatchError('RequestEntityTooLarge', 'x')).message, 'Request entity too large: x')
  assert.equal(patchStatus(new PatchError('Unknown', 'x')).code, 500)
})
