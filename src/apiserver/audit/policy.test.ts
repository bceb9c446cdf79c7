import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attributes } from '../contract.ts'
import { policyEvaluator, readAuditPolicy } from './policy.ts'

const policy = (rules: string) =>
  `apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n${rules}`

const asks = (more: Partial<Attributes>): Attributes => ({ user: { name: 'u', groups: ['g'] }, verb: 'get', ...more })

test('the first rule that matches counts', () => {
  const level = policyEvaluator(
    readAuditPolicy(
      policy(`- {level: None, users: [quiet]}
- {level: Request, userGroups: [loud], verbs: [create]}
- {level: RequestResponse, resources: [{group: "", resources: [secrets], resourceNames: [one]}], omitManagedFields: true}
- {level: Metadata, resources: [{group: apps}, {group: "*", resources: ["*/status", "pods/*"]}], omitStages: [Panic]}
- {level: Request, namespaces: [a]}
- {level: Metadata, nonResourceURLs: ["/api*", /version]}`),
    ),
  )
  const cases: [Partial<Attributes>, string][] = [
    [{ user: { name: 'quiet', groups: [] }, resource: 'secrets', name: 'one' }, 'None'],
    [{ user: { name: 'u', groups: ['x', 'loud'] }, verb: 'create', path: '/nope' }, 'Request'],
    [{ resource: 'secrets', name: 'one' }, 'RequestResponse'],
    [{ resource: 'secrets', name: 'two' }, 'None'],
    [{ group: 'apps', resource: 'deployments', subresource: 'scale' }, 'Metadata'],
    [{ group: 'x', resource: 'things', subresource: 'status' }, 'Metadata'],
    [{ group: '', resource: 'pods', subresource: 'log' }, 'Metadata'],
    [{ group: '', resource: 'pods' }, 'Metadata'],
    [{ group: '', resource: 'nodes', namespace: 'a' }, 'Request'],
    [{ path: '/apis/apps' }, 'Metadata'],
    [{ path: '/versions' }, 'None'],
  ]
  for (const [attributes, expected] of cases)
    assert.equal(level(asks(attributes)).level, expected, JSON.stringify(attributes))
  assert.deepEqual([...level(asks({ group: 'apps', resource: 'x' })).omitStages], ['RequestReceived', 'Panic'])
  assert.equal(level(asks({ resource: 'secrets', name: 'one' })).omitManagedFields, true)
})

test('broken policies are refused in upstream’s words', () => {
  const cases: [string, RegExp][] = [
    ['apiVersion: v1\nkind: Policy\nrules: []', /^unknown group version field "v1", Kind="Policy" in policy$/],
    [policy('  []'), /^loaded illegal policy with 0 rules$/],
    [policy('- {}'), /^rules\[0\]\.level: Required value$/],
    [policy('- {level: All}'), /supported values: "None", "Metadata", "Request", "RequestResponse"$/],
    [policy('- {level: None, nonResourceURLs: [x]}'), /must begin with a '\/' character$/],
    [policy('- {level: None, nonResourceURLs: ["/a*b"]}'), /must be the final character of the rule$/],
    [
      policy('- {level: None, nonResourceURLs: [/a], namespaces: [b]}'),
      /both regular resources and non-resource URLs$/,
    ],
    [
      policy('- {level: None, resources: [{resourceNames: [a]}]}'),
      /using resourceNames requires at least one resource$/,
    ],
    [policy('- {level: None, resources: [{group: a/v1}]}'), /^rules\[0\]\.resources\.group: Invalid value: "a\/v1": /],
    [policy('- {level: None, omitStages: [Later]}'), /allowed stages are RequestReceived,ResponseStarted,/],
    [policy('- {level: None, users: 5}'), /^failed decoding: /],
    ['{', /^failed decoding: /],
  ]
  for (const [text, message] of cases) assert.throws(() => readAuditPolicy(text), { name: 'AuditPolicyError', message })
})
