import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Attributes, Authorizer, UserInfo } from '../contract.ts'
import { impersonate } from './impersonation.ts'

const asking: UserInfo = { name: 'admin', groups: ['system:authenticated'] }

/** Allows what a line `verb resource[/subresource] name` says; `*` is everything. */
function allowing(...lines: string[]): Authorizer {
  return {
    authorize({ verb, resource, subresource, name, namespace, group }: Attributes) {
      const what = subresource === undefined ? resource : `${resource}/${subresource}`
      const who = namespace !== undefined && resource === 'serviceaccounts' ? `${namespace}/${name}` : name
      const line = `${verb} ${what}${group === '' || group === undefined ? '' : `.${group}`} ${who}`
      return { allowed: lines.includes('*') || lines.includes(line), reason: '' }
    },
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
  }
}

function as(headers: Record<string, string>, authorizer: Authorizer, user = asking): UserInfo | string {
  try {
    const request = { user, verb: 'list', group: '', version: 'v1', resource: 'pods', namespace: '', name: '' }
    return impersonate(headers, request, authorizer)?.user ?? request.user
  } catch (error) {
    return (error as Error).message
  }
}

/** The text of a refusal. */
function refusal(...asked: Parameters<typeof as>): string {
  const answer = as(...asked)
  return typeof answer === 'string' ? answer : `acts as ${answer.name}`
}

describe('impersonation', () => {
  test('nothing asked: nobody else', () => {
    assert.equal(as({ accept: '*/*' }, allowing()), asking)
  })

  test('a user, with the groups that belong to it', () => {
    assert.deepEqual(as({ 'impersonate-user': 'bob' }, allowing('impersonate users bob')), {
      name: 'bob',
      groups: ['system:authenticated'],
    })
    const account = 'system:serviceaccount:web:app'
    assert.deepEqual(as({ 'impersonate-user': account }, allowing('impersonate serviceaccounts web/app')), {
      name: account,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:web', 'system:authenticated'],
    })
    assert.deepEqual(as({ 'impersonate-user': 'system:anonymous' }, allowing('*')), {
      name: 'system:anonymous',
      groups: ['system:unauthenticated'],
    })
  })

  test('each part needs its own permission', () => {
    const headers = {
      'impersonate-user': 'bob',
      'impersonate-group': 'devs, ops',
      'impersonate-uid': '5',
      'impersonate-extra-acme.com%2fScope': 'x',
    }
    const lines = [
      'impersonate users bob',
      'impersonate groups devs',
      'impersonate groups ops',
      'impersonate uids.authentication.k8s.io 5',
      'impersonate userextras/acme.com/Scope.authentication.k8s.io x',
    ]
    const user = as(headers, allowing(...lines))
    assert.deepEqual(
      { ...(user as UserInfo), extra: { ...(user as UserInfo).extra } },
      { name: 'bob', uid: '5', groups: ['devs', 'ops', 'system:authenticated'], extra: { 'acme.com/Scope': ['x'] } },
    )
    for (const missing of lines) {
      const answer = refusal(headers, allowing(...lines.filter((line) => line !== missing)))
      assert.match(answer, /^pods is forbidden: /, missing)
    }
  })

  // The text is a real server's.
  test('a refusal is that of the first mode', () => {
    assert.equal(
      as({ 'impersonate-user': 'bob' }, allowing()),
      'pods is forbidden: User "admin" cannot impersonate-on:user-info:list resource "pods" in API group "" at the cluster scope',
    )
    assert.match(refusal({ 'impersonate-user': 'system:node:n1' }, allowing()), /impersonate-on:arbitrary-node:list/)
  })

  test('constrained modes: what may be done, and as whom', () => {
    const both = allowing(
      'impersonate-on:user-info:list pods ',
      'impersonate:user-info users.authentication.k8s.io bob',
    )
    assert.equal((as({ 'impersonate-user': 'bob' }, both) as UserInfo).name, 'bob')
    const group = { 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }
    const most = allowing(
      'impersonate-on:user-info:list pods ',
      'impersonate:user-info users.authentication.k8s.io bob',
    )
    assert.match(refusal(group, most), /impersonating the system:masters group is not allowed$/)
    const nodes = allowing(
      'impersonate-on:associated-node:list pods ',
      'impersonate:associated-node nodes.authentication.k8s.io *',
    )
    const agent: UserInfo = {
      name: 'system:serviceaccount:web:agent',
      groups: [],
      extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
    }
    assert.deepEqual(as({ 'impersonate-user': 'system:node:n1' }, nodes, agent), {
      name: 'system:node:n1',
      groups: ['system:nodes', 'system:authenticated'],
    })
    assert.equal(typeof as({ 'impersonate-user': 'system:node:n2' }, nodes, agent), 'string')
  })

  test('parts without a user are an error', () => {
    assert.match(refusal({ 'impersonate-group': 'devs' }, allowing('*')), /without impersonating a user name$/)
  })
})
