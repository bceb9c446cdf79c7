import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { beforeEach, describe, test } from 'node:test'
import { createCa, derOf, issueCertificate } from '../../machinery/pki/certificate.ts'
import type { ObjectMeta } from '../../machinery/object.ts'
import { authenticator, type Credentials } from './authenticator.ts'
import type { UserInfo } from '../contract.ts'
import type { BoundPod } from './bound.ts'
import { tokenKey } from './jwt.ts'
import { ServiceAccountTokens } from './tokens.ts'

const key = tokenKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const HOUR = 3_600_000
let now = Date.UTC(2026, 0, 1)
const accounts = new Map<string, ObjectMeta>()
const pods = new Map<string, BoundPod>()
const secrets = new Map<string, ObjectMeta>()
const nodes = new Map<string, ObjectMeta>()

function tokensOf(issuer: string, key_ = key): ServiceAccountTokens {
  return new ServiceAccountTokens({
    issuer,
    keys: [key_],
    now: () => now,
    objects: {
      serviceAccount: (namespace, name) => accounts.get(`${namespace}/${name}`),
      pod: (namespace, name) => pods.get(`${namespace}/${name}`),
      secret: (namespace, name) => secrets.get(`${namespace}/${name}`),
      node: (name) => nodes.get(name),
    },
  })
}

const tokens = tokensOf('https://a')
/** Certificates and service account tokens are known in the same turn. */
const authenticate = (request: Partial<Credentials>): UserInfo | undefined => {
  const user = authenticator({ tokens, now: () => now })({
    path: '/',
    headers: {},
    clientCertificate: undefined,
    ...request,
  })
  assert.ok(!(user instanceof Promise))
  return user
}
const account = { namespace: 'web', name: 'app', uid: 'u1' }
const issue = (more: object = {}, from = tokens): string =>
  from.issue({ audiences: ['https://a'], account, lifetime: 3600, id: 'j1', ...more })
const ask = (token: string) =>
  authenticate({ headers: { authorization: `Bearer ${token}` }, clientCertificate: undefined })

beforeEach(() => {
  now = Date.UTC(2026, 0, 1)
  for (const map of [accounts, pods, secrets, nodes]) map.clear()
  accounts.set('web/app', { name: 'app', namespace: 'web', uid: 'u1' })
})

describe('tokens', () => {
  test('stand for their service account', () => {
    assert.deepEqual(ask(issue()), {
      name: 'system:serviceaccount:web:app',
      uid: 'u1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:web', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=j1'] },
    })
  })

  test('of a pod name it and its node', () => {
    pods.set('web/p', { metadata: { name: 'p', uid: 'p1' }, serviceAccountName: 'app', nodeName: 'n' })
    const user = ask(issue({ pod: { name: 'p', uid: 'p1' }, node: { name: 'n', uid: 'n1' } }))
    assert.deepEqual(user?.extra, {
      'authentication.kubernetes.io/credential-id': ['JTI=j1'],
      'authentication.kubernetes.io/node-name': ['n'],
      'authentication.kubernetes.io/node-uid': ['n1'],
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': ['p1'],
    })
  })

  test('end', () => {
    const token = issue()
    assert.ok(ask(token))
    now += HOUR + 59_000
    assert.ok(ask(token), 'clocks may differ by a minute')
    now += 2000
    assert.equal(ask(token), undefined)
    now -= 2 * HOUR
    assert.equal(ask(token), undefined, 'not valid yet')
  })

  test('die with what they are bound to', () => {
    const cases: [string, object, () => void, () => void][] = [
      ['account', {}, () => {}, () => accounts.delete('web/app')],
      ['account again', {}, () => {}, () => accounts.set('web/app', { name: 'app', uid: 'u2' })],
      [
        'pod',
        { pod: { name: 'p', uid: 'p1' } },
        () => pods.set('web/p', { metadata: { uid: 'p1' }, serviceAccountName: 'app', nodeName: '' }),
        () => pods.set('web/p', { metadata: { uid: 'p2' }, serviceAccountName: 'app', nodeName: '' }),
      ],
      [
        'pod that is going',
        { pod: { name: 'p', uid: 'p1' } },
        () => pods.set('web/p', { metadata: { uid: 'p1' }, serviceAccountName: 'app', nodeName: '' }),
        () =>
          pods.set('web/p', {
            metadata: { uid: 'p1', deletionTimestamp: new Date(now - 61_000).toISOString() },
            serviceAccountName: 'app',
            nodeName: '',
          }),
      ],
      [
        'secret',
        { secret: { name: 's', uid: 's1' } },
        () => secrets.set('web/s', { uid: 's1' }),
        () => secrets.clear(),
      ],
      ['node', { node: { name: 'n', uid: 'n1' } }, () => nodes.set('n', { uid: 'n1' }), () => nodes.clear()],
    ]
    for (const [what, bound, before, after] of cases) {
      accounts.set('web/app', { name: 'app', namespace: 'web', uid: 'u1' })
      before()
      const token = issue({ ...bound, id: randomUUID() })
      assert.ok(ask(token), what)
      after()
      assert.equal(ask(token), undefined, what)
    }
  })

  test('of another cluster, key or audience are refused', () => {
    assert.equal(ask(issue({}, tokensOf('https://b'))), undefined)
    const stranger = tokenKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    assert.equal(ask(issue({}, tokensOf('https://a', stranger))), undefined)
    assert.equal(ask(issue({ audiences: ['vault'] })), undefined)
    assert.equal(ask('abc'), undefined)
    assert.deepEqual(tokens.check(issue({ audiences: ['vault'] })), {
      problem: 'token audiences ["vault"] is invalid for the target audiences ["https://a"]',
    })
  })
})

describe('certificates', () => {
  const ca = createCa({ commonName: 'ca', now })
  const der = (leaf: object): Buffer =>
    derOf(issueCertificate(ca, { commonName: 'eve', usage: 'client', now, days: 1, ...leaf }).certificate)
  // A connection has one buffer with all its requests.
  const known = authenticator({ tokens, now: () => now })
  const show = (clientCertificate: Buffer, headers = {}) =>
    known({ path: '/', headers, clientCertificate }) as UserInfo | undefined

  test('name a user and groups', () => {
    const user = show(der({ organizations: ['system:masters', 'ops'] }))
    assert.deepEqual([user?.name, user?.groups], ['eve', ['system:masters', 'ops', 'system:authenticated']])
    assert.match(user!.extra!['authentication.kubernetes.io/credential-id']![0]!, /^X509SHA256=[0-9a-f]{64}$/)
  })

  test('cannot smuggle a group in a name', () => {
    const user = show(der({ commonName: 'eve\nO=system:masters,O=system:masters/O=system:masters' }))
    assert.deepEqual(user?.groups, ['system:authenticated'])
  })

  test('expire also on a connection that stays', () => {
    const certificate = der({})
    assert.ok(show(certificate))
    now += 25 * HOUR
    assert.equal(show(certificate), undefined)
  })

  test('that are wrong are not anonymous, but a token beside them counts', () => {
    const wrong = { clientCertificate: undefined, certificateError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
    assert.equal(authenticate({ headers: {}, ...wrong }), undefined)
    assert.ok(authenticate({ headers: { authorization: `Bearer ${issue()}` }, ...wrong }))
  })
})

test('a token counts as a protocol of a WebSocket, also behind a wrong one', () => {
  const protocols = (token: string) =>
    `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}, v5.channel.k8s.io`
  const show = (token: string, more: object = {}) =>
    authenticate({ headers: { upgrade: 'websocket', 'sec-websocket-protocol': protocols(token), ...more } })
  const name = 'system:serviceaccount:web:app'
  assert.equal(show(issue())?.name, name)
  assert.equal(show(issue(), { authorization: 'Bearer wrong' })?.name, name)
  assert.equal(show('wrong'), undefined)
  assert.equal(show(issue(), { upgrade: 'SPDY/3.1' })?.name, 'system:anonymous')
})

test('nobody is anonymous, if that is allowed', () => {
  const nobody = { headers: {}, clientCertificate: undefined }
  assert.deepEqual(authenticate(nobody), { name: 'system:anonymous', groups: ['system:unauthenticated'] })
  assert.equal(
    authenticator({ tokens, now: () => now, mayBeAnonymous: (path) => path !== '/' })({ path: '/', ...nobody }),
    undefined,
  )
})
