import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalize } from '../codec/normalize.ts'
import type { KubeObject } from '../object.ts'
import { typeTable } from '../types/index.ts'
import { builtinSchema } from './builtin.ts'
import type { Managers } from './managed.ts'
import { encodeManagers, managerId, NO_MANAGERS } from './managed.ts'
import { takeAway } from './ownership.ts'
import { nameOf, stripped, updateManagers, type Tracking } from './update.ts'
import { ONE_VERSION, type Typed } from './versions.ts'

const POD = 'io.k8s.api.core.v1.Pod'
const schema = builtinSchema(POD)
const typed = (object: object): Typed => ({ object: object as KubeObject, schema, apiVersion: 'v1' })
const EMPTY = normalize({ kind: 'Pod', apiVersion: 'v1' }, typeTable.type(POD)).object

const word = fc.constantFrom('a', 'b', 'c')
const pod = fc
  .record({
    labels: fc.dictionary(word, word, { maxKeys: 2 }),
    resourceVersion: word,
    containers: fc.array(fc.record({ name: word, image: word }), { maxLength: 2 }),
    conditions: fc.array(fc.record({ type: word, status: word }), { maxLength: 2 }),
    podIPs: fc.array(fc.record({ ip: word }), { maxLength: 2 }),
    phase: fc.option(word, { nil: undefined }),
  })
  .map(({ labels, resourceVersion, containers, ...status }) => {
    const written = { metadata: { labels, resourceVersion }, spec: { containers }, status }
    return normalize({ kind: 'Pod', apiVersion: 'v1', ...written }, typeTable.type(POD)).object
  })

const tracking = (manager: string, subresource: string, second: number): Tracking => ({
  manager,
  subresource,
  versions: ONE_VERSION,
  ignored: () => undefined,
  now: `2026-01-01T00:00:0${second}Z`,
})

/** The long way, which looks at every difference. */
function naive(managers: Managers, old: Typed, now: Typed, how: Tracking): Managers {
  const { managers: left, difference } = takeAway(managers, '', old, now, ONE_VERSION, how.ignored, true)
  const fields = stripped(difference.modified.union(difference.added))
  if (fields.isEmpty) return left
  const name = nameOf(how, 'Update', 'v1')
  const previous = left.get(managerId(name))
  const all = previous === undefined ? fields : fields.union(previous.fields)
  return new Map(left).set(managerId(name), { ...name, fields: all, time: how.now })
}

test('what the short way finds out is what the long way does', () => {
  const step = fc.record({
    object: pod,
    manager: fc.constantFrom('m', 'n'),
    subresource: fc.constantFrom('', 'status'),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
      let managers = NO_MANAGERS
      let before = typed(EMPTY)
      for (const [second, { object, manager, subresource }] of steps.entries()) {
        const how = tracking(manager, subresource, second)
        const now = typed(object)
        let expected: Managers
        try {
          expected = naive(managers, before, now, how)
        } catch (error) {
          assert.throws(() => updateManagers(managers, before, now, how), { message: (error as Error).message })
          return
        }
        const found = updateManagers(managers, before, now, how)
        assert.deepEqual(encodeManagers(found), encodeManagers(expected))
        managers = found
        before = now
      }
    }),
    { numRuns: 3000 },
  )
})

test('a value that only its writer manages changes the time and nothing else', () => {
  const status = (phase: string) => typed({ ...EMPTY, status: { phase } })
  const first = updateManagers(NO_MANAGERS, typed(EMPTY), status('Pending'), tracking('kubelet', 'status', 0))
  const again = updateManagers(first, status('Pending'), status('Running'), tracking('kubelet', 'status', 0))
  assert.equal(again, first)
  const later = updateManagers(first, status('Pending'), status('Running'), tracking('kubelet', 'status', 1))
  const [id, manager] = [...later][0]!
  assert.equal(manager.fields, first.get(id)!.fields)
  assert.equal(manager.time, '2026-01-01T00:00:01Z')
})
