import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { KubeObject } from '../../machinery/object.ts'
import { memoryStore } from '../../store/memory.ts'
import { boundObjects } from '../authn/bound.ts'
import { parseToken, tokenKey } from '../authn/jwt.ts'
import { ServiceAccountTokens } from '../authn/tokens.ts'
import { rbacAuthorizer } from '../authz/rbac.ts'
import { bootstrapEntries } from '../bootstrap/entries.ts'
import { rbacObjects } from '../bootstrap/rbac.ts'
import { isReview, review } from './review.ts'
import { requestToken } from './token-request.ts'

const now = Date.UTC(2026, 0, 1)
const range = await memoryStore().open('a', { base: bootstrapEntries() })
const put = (key: string, object: object) =>
  range.write([{ type: 'put', key, encode: () => ({ bytes: Buffer.from(JSON.stringify(object)) }) }])
await put('core/serviceaccounts/web/app', { metadata: { name: 'app', namespace: 'web', uid: 'u1' } })
await put('core/pods/web/p', {
  metadata: { name: 'p', namespace: 'web', uid: 'p1' },
  spec: { serviceAccountName: 'app', nodeName: 'n1' },
})
const tokens = new ServiceAccountTokens({
  issuer: 'https://a',
  keys: [tokenKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
  objects: boundObjects(range),
  now: () => now,
})
const authorizer = rbacAuthorizer(range, rbacObjects())
const user = { name: 'bob', groups: ['system:authenticated'], extra: { k: ['v'] } }

function ask(resource: string, object: object, namespace = ''): KubeObject | string {
  const [name, ...group] = resource.split('.')
  assert.ok(isReview(group.join('.'), name!))
  try {
    const full = { metadata: {}, ...object } as KubeObject
    // Only tokens of outsiders are asked of others.
    return review(group.join('.'), name!, full, { user, namespace, authorizer, tokens, now }) as KubeObject
  } catch (error) {
    return (error as Error).message
  }
}

const status = (answer: KubeObject | string): unknown => (typeof answer === 'string' ? answer : answer['status'])
const SAR = 'subjectaccessreviews.authorization.k8s.io'
const LSAR = 'localsubjectaccessreviews.authorization.k8s.io'
const SSAR = 'selfsubjectaccessreviews.authorization.k8s.io'

describe('access reviews answer as a real server', () => {
  const pods = { verb: 'get', resource: 'pods', namespace: 'default' }
  test('about somebody', () => {
    assert.deepEqual(status(ask(SAR, { spec: { user: 'bob', resourceAttributes: pods } })), { allowed: false })
    const path = { path: '/api/v1', verb: 'get' }
    const asked = { spec: { groups: ['system:authenticated'], nonResourceAttributes: path } }
    assert.deepEqual(status(ask(SAR, asked)), {
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"',
    })
    assert.equal(
      ask(SAR, { metadata: { name: 'x' }, spec: { resourceAttributes: pods } }),
      '.authorization.k8s.io "" is invalid: [spec.user: Invalid value: "": at least one of user or group must be specified, metadata: Invalid value: {"name":"x"}: must be empty]',
    )
  })
  test('about oneself', () => {
    assert.deepEqual(status(ask(SSAR, { spec: { nonResourceAttributes: { path: '/version', verb: 'get' } } })), {
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"',
    })
    assert.equal(
      ask(SSAR, { spec: {} }),
      '.authorization.k8s.io "" is invalid: spec: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    )
    assert.equal(
      ask(SSAR, { spec: { resourceAttributes: pods, nonResourceAttributes: { path: '/' } } }),
      '.authorization.k8s.io "" is invalid: spec: Invalid value: {"Path":"/","Verb":""}: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    )
  })
  test('in a namespace', () => {
    const metadata = { namespace: 'default' }
    const spec = { user: 'bob', resourceAttributes: pods }
    assert.deepEqual(status(ask(LSAR, { metadata, spec }, 'default')), { allowed: false })
    assert.equal(
      ask(LSAR, { metadata, spec: { ...spec, resourceAttributes: { ...pods, namespace: 'other' } } }, 'default'),
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
    )
  })
  test('with selectors that cannot be read', () => {
    const resourceAttributes = { ...pods, labelSelector: { rawSelector: 'a in (' } }
    assert.deepEqual(status(ask(SSAR, { spec: { resourceAttributes } })), {
      allowed: false,
      evaluationError: 'spec.resourceAttributes.labelSelector ignored due to parse error',
    })
  })
  test('all of one’s rules', () => {
    const rules = status(ask('selfsubjectrulesreviews.authorization.k8s.io', { spec: { namespace: 'default' } }))
    const { resourceRules, nonResourceRules, incomplete } = rules as Record<string, object[]>
    assert.deepEqual(resourceRules, [
      {
        verbs: ['create'],
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      },
      { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
    ])
    assert.deepEqual([nonResourceRules?.length, incomplete], [2, false])
    assert.equal(ask('selfsubjectrulesreviews.authorization.k8s.io', { spec: {} }), 'no namespace on request')
  })
})

describe('identity', () => {
  test('of the asking user', () => {
    const answer = ask('selfsubjectreviews.authentication.k8s.io', {}) as KubeObject
    assert.deepEqual(answer.metadata, { creationTimestamp: '2026-01-01T00:00:00Z' })
    assert.deepEqual(status(answer), { userInfo: { username: 'bob', groups: user.groups, extra: user.extra } })
  })
  test('of a token', () => {
    const token = tokens.issue({
      audiences: ['https://a', 'vault'],
      account: { namespace: 'web', name: 'app', uid: 'u1' },
      lifetime: 600,
      id: 'j',
    })
    const about = (spec: object) => status(ask('tokenreviews.authentication.k8s.io', { spec }))
    const known = about({ token, audiences: ['nope', 'vault'] }) as Record<string, unknown>
    assert.deepEqual([known['authenticated'], known['audiences']], [true, ['vault']])
    assert.deepEqual(about({ token: 'abc' }), { user: {}, error: 'invalid bearer token' })
    assert.deepEqual(about({ token, audiences: ['nope'] }), {
      user: {},
      error:
        '[invalid bearer token, token audiences ["https://a" "vault"] is invalid for the target audiences ["nope"]]',
    })
    assert.equal(about({}), 'token is required for TokenReview in authentication')
  })
})

describe('TokenRequest', () => {
  const context = { namespace: 'web', name: 'app', tokens, now, uuid: 'id-1' }
  const request = (spec: object, more: object = {}, metadata = {}): KubeObject | string => {
    try {
      return requestToken({ metadata, spec }, { ...context, ...more })
    } catch (error) {
      return (error as Error).message
    }
  }
  const claims = (answer: KubeObject | string) =>
    parseToken((status(answer) as { token: string }).token)!.claims as Record<string, number>

  test('gives a token for an hour to the API server', () => {
    const answer = request({}) as KubeObject
    assert.deepEqual(answer.metadata, {
      name: 'app',
      namespace: 'web',
      uid: 'u1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    })
    assert.deepEqual(answer['spec'], { audiences: ['https://a'], expirationSeconds: 3600, boundObjectRef: null })
    assert.equal((status(answer) as Record<string, string>)['expirationTimestamp'], '2026-01-01T01:00:00Z')
    assert.deepEqual(claims(answer), {
      aud: ['https://a'],
      exp: now / 1000 + 3600,
      iat: now / 1000,
      iss: 'https://a',
      jti: 'id-1',
      'kubernetes.io': { namespace: 'web', serviceaccount: { name: 'app', uid: 'u1' } },
      nbf: now / 1000,
      sub: 'system:serviceaccount:web:app',
    })
  })

  test('stretches what kubelets ask for pods to a year', () => {
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'p1' }
    const answer = request({ expirationSeconds: 3607, boundObjectRef })
    assert.equal((status(answer) as Record<string, string>)['expirationTimestamp'], '2026-01-01T01:00:07Z')
    const { exp, 'kubernetes.io': inner } = claims(answer) as Record<string, unknown>
    assert.equal(exp, now / 1000 + 31_536_000)
    assert.deepEqual(inner, {
      namespace: 'web',
      node: { name: 'n1' },
      pod: { name: 'p', uid: 'p1' },
      serviceaccount: { name: 'app', uid: 'u1' },
      warnafter: now / 1000 + 3607,
    })
    assert.equal(claims(request({ expirationSeconds: 3607 }))['exp'], now / 1000 + 3607)
    assert.equal(
      claims(request({ expirationSeconds: 3607, boundObjectRef, audiences: ['v'] }))['exp'],
      now / 1000 + 3607,
    )
  })

  test('refuses in upstream’s words', () => {
    const ref = (kind: string, more = {}) => ({ boundObjectRef: { kind, apiVersion: 'v1', name: 'nope', ...more } })
    const invalid = 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: '
    assert.equal(request({ expirationSeconds: 100 }), `${invalid}100: may not specify a duration less than 10 minutes`)
    assert.equal(
      request({ expirationSeconds: 8589934592 }),
      `${invalid}8589934592: may not specify a duration larger than 2^32 seconds`,
    )
    assert.equal(
      request({}, {}, { name: 'other' }),
      'TokenRequest.authentication.k8s.io "app" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
    )
    assert.equal(request(ref('Pod')), 'pods "nope" not found')
    assert.equal(request(ref('Secret')), 'secrets "nope" not found')
    assert.equal(request(ref('Node')), 'nodes "nope" not found')
    assert.equal(request(ref('Foo')), 'cannot bind token to object of type /v1, Kind=Foo')
    assert.equal(request(ref('Secret', { name: '' })), 'Name parameter required.')
    assert.equal(request({}, { name: 'nosuch' }), 'serviceaccounts "nosuch" not found')
    assert.equal(
      request(ref('Pod', { name: 'p', uid: 'bad' })),
      'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (bad) does not match the UID in record. The object might have been deleted and then recreated',
    )
  })

  test('shortens with a warning', () => {
    const warnings: string[] = []
    const answer = request({ expirationSeconds: 7200 }, { maxSeconds: 3600, warnings }) as KubeObject
    assert.equal((answer['spec'] as Record<string, number>)['expirationSeconds'], 3600)
    assert.deepEqual(warnings, ['requested expiration of 7200 seconds shortened to 3600 seconds'])
  })

  test('of another service account’s pod is refused', async () => {
    await put('core/serviceaccounts/web/other', { metadata: { name: 'other', namespace: 'web', uid: 'u2' } })
    assert.equal(
      request({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } }, { name: 'other' }),
      'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
    )
  })
})
