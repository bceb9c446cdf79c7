import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryStore } from '../../store/memory.ts'
import { StatusError } from '../../machinery/status.ts'
import { bootstrapEntries } from '../bootstrap/entries.ts'
import { rbacObjects } from '../bootstrap/rbac.ts'
import { finish } from '../../machinery/schema/steps.ts'
import { checkEscalation, type EscalationCheck } from './escalation.ts'
import { rbacAuthorizer } from './rbac.ts'

const bob = { name: 'bob', groups: ['g1', 'system:authenticated'] }
const entry = (key: string, object: object) =>
  ({ type: 'put', key, encode: () => ({ bytes: Buffer.from(JSON.stringify(object)) }) }) as const

/** bob may read pods everywhere. */
async function check(rest: Partial<EscalationCheck>, rules: object[] = []): Promise<string> {
  const range = await memoryStore().open('a', { base: bootstrapEntries() })
  const rbac = 'rbac.authorization.k8s.io'
  await range.write([
    entry(`${rbac}/clusterroles//reader`, {
      metadata: { name: 'reader' },
      rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }, ...rules],
    }),
    entry(`${rbac}/clusterrolebindings//reader`, {
      metadata: { name: 'reader' },
      subjects: [{ kind: 'User', name: 'bob' }],
      roleRef: { kind: 'ClusterRole', name: 'reader' },
    }),
  ])
  const source = rbacAuthorizer(range, rbacObjects())
  const object = { metadata: { name: 'b2' } }
  try {
    const steps = checkEscalation({
      user: bob,
      resource: 'clusterroles',
      namespace: '',
      urlName: '',
      object,
      authorizer: source,
      source,
      ...rest,
    })
    finish(steps)
    return 'allowed'
  } catch (error) {
    assert.ok(error instanceof StatusError)
    return `${error.code} ${error.message}`
  }
}

const role = (...rules: object[]) => ({ metadata: { name: 'b2' }, rules })
const binding = (kind: string, name: string) => ({ metadata: { name: 'b2' }, roleRef: { kind, name } })

describe('escalation', () => {
  test('a role may grant what its writer has', async () => {
    assert.equal(await check({ object: role({ verbs: ['get'], apiGroups: [''], resources: ['pods'] }) }), 'allowed')
  })

  // The text is a real server's.
  test('and nothing more', async () => {
    const object = role(
      { apiGroups: ['', 'apps'], resources: ['pods', 'pods/log'], verbs: ['get', 'delete'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get'] },
      { nonResourceURLs: ['/x', '/healthz'], verbs: ['get'] },
    )
    assert.equal(
      await check({ object }),
      `403 clusterroles.rbac.authorization.k8s.io "b2" is forbidden: user "bob" (groups=["g1" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}
{APIGroups:[""], Resources:["pods/log"], Verbs:["get" "delete"]}
{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}
{APIGroups:[""], Resources:["secrets"], ResourceNames:["b"], Verbs:["get"]}
{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "delete"]}
{APIGroups:["apps"], Resources:["pods/log"], Verbs:["get" "delete"]}
{NonResourceURLs:["/x"], Verbs:["get"]}`,
    )
  })

  test('escalate, bind and system:masters open it', async () => {
    const rbac = { apiGroups: ['rbac.authorization.k8s.io'] }
    const escalate = [{ ...rbac, verbs: ['escalate'], resources: ['clusterroles'] }]
    const bind = [{ ...rbac, verbs: ['bind'], resources: ['clusterroles'], resourceNames: ['admin'] }]
    const object = role({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] })
    assert.equal(await check({ object }, escalate), 'allowed')
    assert.match(await check({ object }, bind), /^403/)
    assert.equal(await check({ object, user: { name: 'r', groups: ['system:masters'] } }), 'allowed')
    const admin = { resource: 'clusterrolebindings', object: binding('ClusterRole', 'admin') } as const
    assert.equal(await check(admin, bind), 'allowed')
    assert.match(await check(admin), /^403 clusterrolebindings.* not currently held:\n/)
    const edit = { ...admin, object: binding('ClusterRole', 'edit') }
    assert.match(await check(edit, bind), /^403/)
  })

  test('aggregation needs everything', async () => {
    const object = { ...role(), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } }
    assert.equal(
      await check({ object }),
      '403 clusterroles.rbac.authorization.k8s.io "b2" is forbidden: must have cluster-admin privileges to use the aggregationRule',
    )
    assert.match(await check({ object: role(), old: { ...object, x: 1 } }), /aggregationRule$/)
    const all = [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ]
    assert.equal(await check({ object }, all), 'allowed')
  })

  test('a missing role is named under the binding, as upstream does', async () => {
    const asked = { resource: 'rolebindings', namespace: 'default', object: binding('Role', 'nosuch') } as const
    assert.equal(await check(asked), '404 rolebindings.rbac.authorization.k8s.io "nosuch" not found')
  })

  test('only finalizers and owners: nothing is granted', async () => {
    const old = { ...role({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }) }
    const object = { ...old, metadata: { ...old.metadata, finalizers: ['x'] } }
    assert.equal(await check({ object, old }), 'allowed')
    const labelled = { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } }
    assert.match(await check({ object: labelled, old }), /^403/)
  })
})
