import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryStore } from '../../store/memory.ts'
import type { Range } from '../../store/contract.ts'
import { bootstrapEntries } from '../bootstrap/entries.ts'
import { rbacObjects } from '../bootstrap/rbac.ts'
import type { Attributes, UserInfo } from '../contract.ts'
import { forbidden } from './forbidden.ts'
import { rbacAuthorizer } from './rbac.ts'

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] })
const bob = user('bob', 'devs')
const account = user('system:serviceaccount:web:app', 'system:serviceaccounts', 'system:serviceaccounts:web')
const pods = (who: UserInfo, verb: string, rest: Partial<Attributes> = {}): Attributes => ({
  user: who,
  verb,
  group: '',
  version: 'v1',
  resource: 'pods',
  namespace: 'web',
  ...rest,
})

async function newRange(): Promise<Range> {
  return memoryStore().open('a', { base: bootstrapEntries() })
}

async function put(range: Range, key: string, object: object): Promise<void> {
  await range.write([{ type: 'put', key, encode: () => ({ bytes: Buffer.from(JSON.stringify(object)) }) }])
}

async function remove(range: Range, key: string): Promise<void> {
  const bytes = range.get(key)!.bytes
  await range.write([{ type: 'delete', key, encode: () => ({ bytes }) }])
}

const roleRef = (kind: string, name: string): object => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
const key = (resource: string, namespace: string, name: string): string =>
  `rbac.authorization.k8s.io/${resource}/${namespace}/${name}`

const viewers = {
  metadata: { name: 'viewers', namespace: 'web' },
  subjects: [
    { kind: 'User', name: 'eve' },
    { kind: 'Group', name: 'devs' },
    { kind: 'ServiceAccount', name: 'app' },
  ],
  roleRef: roleRef('ClusterRole', 'view'),
}

describe('RBAC', () => {
  test('bootstrap roles give what they give upstream', async () => {
    const authorizer = rbacAuthorizer(await newRange(), rbacObjects())
    assert.deepEqual(authorizer.authorize(pods(user('root', 'system:masters'), 'delete')), {
      allowed: true,
      reason: '',
    })
    assert.deepEqual(authorizer.authorize({ user: bob, verb: 'get', path: '/api/v1' }), {
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"',
    })
    const nobody: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
    assert.equal(authorizer.authorize({ user: nobody, verb: 'get', path: '/livez' }).allowed, true)
    assert.equal(authorizer.authorize({ user: nobody, verb: 'get', path: '/api' }).allowed, false)
    assert.deepEqual(authorizer.authorize(pods(bob, 'get')), { allowed: false, reason: '' })
    const scheduler = user('system:kube-scheduler')
    assert.equal(authorizer.authorize(pods(scheduler, 'create', { subresource: 'binding' })).allowed, true)
  })

  test('a binding counts from its commit, and no longer when it is gone', async () => {
    const range = await newRange()
    const authorizer = rbacAuthorizer(range, rbacObjects())
    assert.equal(authorizer.authorize(pods(bob, 'list')).allowed, false)
    await put(range, key('rolebindings', 'web', 'viewers'), viewers)
    assert.deepEqual(authorizer.authorize(pods(bob, 'list')), {
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "viewers/web" of ClusterRole "view" to Group "devs"',
    })
    assert.equal(
      authorizer.authorize(pods(account, 'list')).reason,
      'RBAC: allowed by RoleBinding "viewers/web" of ClusterRole "view" to ServiceAccount "app/web"',
    )
    assert.equal(authorizer.authorize(pods(bob, 'list', { namespace: 'other' })).allowed, false)
    assert.equal(authorizer.authorize(pods(bob, 'list', { resource: 'secrets' })).allowed, false)
    await remove(range, key('rolebindings', 'web', 'viewers'))
    assert.equal(authorizer.authorize(pods(bob, 'list')).allowed, false)
  })

  test('an authorizer made later, over the same range, decides the same', async () => {
    const range = await newRange()
    await put(range, key('rolebindings', 'web', 'viewers'), viewers)
    await remove(range, key('clusterrolebindings', '', 'system:discovery'))
    await put(range, key('clusterroles', '', 'system:public-info-viewer'), {
      metadata: { name: 'system:public-info-viewer' },
      rules: [],
    })
    const authorizer = rbacAuthorizer(range, rbacObjects())
    assert.equal(authorizer.authorize(pods(bob, 'list')).allowed, true)
    assert.equal(authorizer.authorize({ user: bob, verb: 'get', path: '/api' }).allowed, false)
    assert.equal(authorizer.authorize({ user: bob, verb: 'get', path: '/version' }).allowed, false)
  })

  test('what one cluster writes means nothing to another', async () => {
    const store = memoryStore()
    const [one, two] = await Promise.all(['a', 'b'].map((id) => store.open(id, { base: bootstrapEntries() })))
    const [first, second] = [rbacAuthorizer(one!, rbacObjects()), rbacAuthorizer(two!, rbacObjects())]
    assert.equal(second.authorize(pods(bob, 'list')).allowed, false)
    await put(one!, key('rolebindings', 'web', 'viewers'), viewers)
    await remove(one!, key('clusterrolebindings', '', 'system:discovery'))
    assert.equal(first.authorize(pods(bob, 'list')).allowed, true)
    assert.equal(first.authorize({ user: bob, verb: 'get', path: '/api' }).allowed, false)
    assert.equal(second.authorize(pods(bob, 'list')).allowed, false)
    assert.equal(second.authorize({ user: bob, verb: 'get', path: '/api' }).allowed, true)
  })

  test('names, subresources, stars and missing roles', async () => {
    const range = await newRange()
    const authorizer = rbacAuthorizer(range, rbacObjects())
    await put(range, key('roles', 'web', 'r'), {
      metadata: { name: 'r', namespace: 'web' },
      rules: [
        { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] },
        { verbs: ['update'], apiGroups: ['*'], resources: ['*/scale'] },
        { verbs: ['*'], apiGroups: [''], resources: ['pods/log'] },
      ],
    })
    const bind = (name: string, to: object): Promise<void> =>
      put(range, key('rolebindings', 'web', name), {
        metadata: { name, namespace: 'web' },
        subjects: [{ kind: 'User', name: 'bob' }],
        roleRef: to,
      })
    await bind('b', roleRef('Role', 'r'))
    const may = (rest: Partial<Attributes>): boolean => authorizer.authorize(pods(bob, 'get', rest)).allowed
    assert.equal(may({ resource: 'secrets', name: 'a' }), true)
    assert.equal(may({ resource: 'secrets', name: 'b' }), false)
    assert.equal(may({ resource: 'secrets' }), false)
    assert.equal(may({ verb: 'update', group: 'apps', resource: 'deployments', subresource: 'scale' }), true)
    assert.equal(may({ verb: 'update', group: 'apps', resource: 'deployments' }), false)
    assert.equal(may({ subresource: 'log' }), true)
    assert.equal(may({}), false)
    await bind('c', roleRef('ClusterRole', 'nosuch'))
    const decision = authorizer.authorize(pods(bob, 'watch'))
    assert.equal(decision.reason, 'RBAC: clusterrole.rbac.authorization.k8s.io "nosuch" not found')
    assert.equal(
      forbidden(pods(bob, 'watch', { name: 'p', subresource: 'log' }), decision.reason).message,
      'pods "p" is forbidden: User "bob" cannot watch resource "pods/log" in API group "" in the namespace "web": RBAC: clusterrole.rbac.authorization.k8s.io "nosuch" not found',
    )
  })

  test('a closed authorizer no longer follows', async () => {
    const range = await newRange()
    const authorizer = rbacAuthorizer(range, rbacObjects())
    assert.equal(authorizer.authorize(pods(bob, 'list')).allowed, false)
    authorizer.close()
    await put(range, key('rolebindings', 'web', 'viewers'), viewers)
    assert.equal(authorizer.authorize(pods(bob, 'list')).allowed, false)
  })
})
