import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Attributes } from '../contract.ts'
import { missingPermissions } from './cover.ts'
import { finish } from '../../machinery/schema/steps.ts'

const missing = (held: readonly PolicyRule[], wanted: readonly PolicyRule[], limit?: number): PolicyRule[] =>
  finish(missingPermissions(held, wanted, limit))
import { ruleAllows, type PolicyRule } from './rule.ts'

const some = (...values: string[]) => fc.subarray(values, { minLength: 1 })
const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/log', '*/log', '*'),
    resourceNames: fc.subarray(['a', 'b']),
  }),
  fc.record({ verbs: some('get', 'list', '*'), nonResourceURLs: some('/x', '/x/*', '/x/y', '*') }),
)
const rules = fc.array(rule, { maxLength: 4 })

const user = { name: 'u', groups: [] }
const requests: Attributes[] = []
for (const verb of ['get', 'list', 'delete']) {
  for (const path of ['/x', '/x/y', '/z']) requests.push({ user, verb, path })
  for (const group of ['', 'apps', 'batch'])
    for (const resource of ['pods', 'jobs'])
      for (const subresource of ['', 'log'])
        for (const name of ['', 'a', 'c']) requests.push({ user, verb, group, resource, subresource, name })
}

test('who covers a set of rules may do all that it allows', () => {
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      fc.pre(missing(held, wanted).length === 0)
      for (const request of requests) {
        if (wanted.some((one) => ruleAllows(one, request))) {
          assert.ok(
            held.some((one) => ruleAllows(one, request)),
            JSON.stringify(request),
          )
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('everybody covers themselves, and the missing parts make up the difference', () => {
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      assert.deepEqual(missing(held, held), [])
      assert.deepEqual(missing([...held, ...missing(held, wanted)], wanted), [])
    }),
  )
})

test('a role made to be expensive is refused, not computed', () => {
  const many = Array.from({ length: 2000 }, (_, i) => `v${i}`)
  const wanted = [{ verbs: many, apiGroups: many, resources: many }]
  const started = performance.now()
  assert.ok(missing([{ verbs: ['v0'], apiGroups: ['v0'], resources: ['v0'] }], wanted, 10_000).length > 0)
  assert.ok(performance.now() - started < 1000)
})
