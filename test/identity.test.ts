/** Who is let in, beside a real kube-apiserver: the same configuration, issuer, Secrets and tokens; the same answers. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { readAuthentication } from '../src/apiserver/authn/oidc/config.ts'
import { staticTokens } from '../src/apiserver/authn/static-tokens.ts'
import { HttpsClient } from '../src/client/https.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { resources } from '../src/client/resources.ts'
import { startCluster } from '../src/cluster/cluster.ts'
import { createCluster, createVirtualCluster, type VirtualCluster } from '../src/index.ts'
import { silent } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { eventually } from './support/eventually.ts'
import { startControlPlane } from './support/control-plane.ts'
import { issuerKey, signed, startIssuer, type Issuer } from './support/issuer.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'

const programs = findControlPlane()
const TOKEN_FILE = 'static-secret,sam,uid-7,"ops, dev"\nplain-secret,pat,uid-8\n'
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const
const keys = ALGORITHMS.map((algorithm) => issuerKey(algorithm.toLowerCase(), algorithm))
const stranger = issuerKey('rs256', 'RS256')
const unknown = issuerKey('nobody', 'ES256')

const config = (byClaims: Issuer, byCel: Issuer) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  jwt: [
    {
      issuer: { url: byClaims.url, audiences: ['one'], certificateAuthority: byClaims.ca },
      claimMappings: {
        username: { claim: 'sub', prefix: 'oidc:' },
        groups: { claim: 'groups', prefix: 'g:' },
        uid: { claim: 'uid' },
      },
      claimValidationRules: [{ claim: 'hd', requiredValue: 'example.com' }],
    },
    {
      issuer: {
        url: byCel.url,
        audiences: ['two', 'three'],
        audienceMatchPolicy: 'MatchAny',
        certificateAuthority: byCel.ca,
      },
      claimMappings: {
        username: { expression: "claims.email_verified ? claims.email : 'unverified:' + claims.sub" },
        groups: { expression: 'has(claims.roles) ? claims.roles.split(",").map(r, "r:" + r) : []' },
        uid: { expression: 'claims.sub' },
        extra: [
          { key: 'example.com/tenant', valueExpression: 'claims.tenant' },
          { key: 'example.com/none', valueExpression: "''" },
        ],
      },
      claimValidationRules: [{ expression: 'claims.exp - claims.nbf <= 86400', message: 'too long a life' }],
      userValidationRules: [
        { expression: "!user.username.startsWith('system:')", message: 'no system users' },
        { expression: 'user.groups.all(g, !g.contains("admin"))', message: 'no admins' },
      ],
    },
  ],
  anonymous: { enabled: true, conditions: [{ path: '/livez' }, { path: '/version' }] },
})

type Token = string | ((issuers: readonly [Issuer, Issuer]) => string)

const now = Math.floor(Date.now() / 1000)
const plain = { aud: 'one', sub: 'jane', uid: 'u1', hd: 'example.com', exp: now + 3600, iat: now, jti: 'j-1' }
const byClaims =
  (more: object, key = keys[0]!, header: object = {}): Token =>
  ([issuer]) =>
    signed(key, { iss: issuer.url, ...plain, ...more }, header)
const cel = {
  aud: ['x', 'three'],
  sub: 'joe',
  email: 'joe@example.com',
  email_verified: true,
  tenant: ['a', 'b'],
  exp: now + 3600,
  nbf: now,
}
const byCel =
  (more: object, key = keys[6]!): Token =>
  ([, issuer]) =>
    signed(key, { iss: issuer.url, ...cel, ...more })

/** A token whose groups stand with an endpoint of its issuer. */
const distributed =
  (path: string, more: object = {}): Token =>
  ([issuer]) =>
    signed(keys[0]!, {
      iss: issuer.url,
      ...plain,
      _claim_names: { groups: 'there' },
      _claim_sources: { there: { endpoint: `${issuer.url}${path}`, access_token: 'open' } },
      ...more,
    })

/** What the endpoints of an issuer answer. */
function publish({ documents, url }: Issuer): void {
  const claims = { iss: url, aud: 'one', sub: 'x', exp: now + 3600, groups: ['far', 'away'] }
  documents.set('/groups', (authorization) => (authorization === 'Bearer open' ? signed(keys[1]!, claims) : 'closed'))
  documents.set('/groups?who=jane', () => signed(keys[1]!, { ...claims, groups: 'jane' }))
  documents.set('/expired', () => signed(keys[1]!, { ...claims, exp: now - 10 }))
  documents.set('/other', () => signed(keys[1]!, { ...claims, aud: 'two' }))
  documents.set('/stranger', () => signed(stranger, claims))
  documents.set('/none', () => signed(keys[1]!, { ...claims, groups: undefined }))
  documents.set('/text', () => 'no token')
}

const TOKENS: Readonly<Record<string, Token>> = {
  ...Object.fromEntries(keys.map((key) => [key.algorithm, byClaims({}, key)])),
  'groups as a list': byClaims({ groups: ['a', 'b'] }),
  'groups as text': byClaims({ groups: 'a' }),
  'groups of a wrong type': byClaims({ groups: [1] }),
  'distributed groups': distributed('/groups'),
  'distributed groups, with a query': distributed('/groups?who=jane'),
  'distributed groups beside groups': distributed('/groups', { groups: ['near'] }),
  'distributed groups without access': distributed('/groups', {
    _claim_sources: { there: { endpoint: 'https://127.0.0.1:1/' } },
  }),
  'distributed groups that are expired': distributed('/expired'),
  'distributed groups for another audience': distributed('/other'),
  'distributed groups of a stranger': distributed('/stranger'),
  'distributed groups that are none': distributed('/none'),
  'distributed groups that are no token': distributed('/text'),
  'distributed groups where nothing is': distributed('/nowhere'),
  'distributed groups without sources': distributed('/groups', { _claim_sources: undefined }),
  'distributed groups with another source': distributed('/groups', { _claim_names: { groups: 'elsewhere' } }),
  'distributed names of a wrong type': distributed('/groups', { _claim_names: ['groups'] }),
  'another distributed claim': distributed('/groups', { _claim_names: { roles: 'there' } }),
  'an aggregated claim': distributed('/groups', { _claim_sources: { there: { JWT: 'x' } } }),
  'no uid': byClaims({ uid: undefined }),
  'no required claim': byClaims({ hd: undefined }),
  'another required value': byClaims({ hd: 'example.org' }),
  'another audience': byClaims({ aud: 'two' }),
  'one of some audiences': byClaims({ aud: ['zero', 'one'] }),
  expired: byClaims({ exp: now - 10 }),
  'not yet': byClaims({ nbf: now + 3600 }),
  'not yet by a little': byClaims({ nbf: now + 120 }),
  'no end': byClaims({ exp: undefined }),
  'no name': byClaims({ sub: undefined }),
  'signed by a stranger': byClaims({}, stranger),
  'a key that nobody has': byClaims({}, unknown),
  'no key named': byClaims({}, keys[0]!, { kid: undefined }),
  'an algorithm that is none': byClaims({}, keys[0]!, { alg: 'none' }),
  'a symmetric algorithm': byClaims({}, keys[0]!, { alg: 'HS256' }),
  'another issuer': ([issuer]) => signed(keys[0]!, { ...plain, iss: `${issuer.url}/other` }),
  'by expressions': byCel({}),
  'by expressions, not verified': byCel({ email_verified: false }),
  'by expressions, roles': byCel({ roles: 'dev,test' }),
  'by expressions, a claim that is missing': byCel({ tenant: undefined }),
  'by expressions, a claim of a wrong type': byCel({ email_verified: 'yes' }),
  'by expressions, too long': byCel({ exp: now + 100_000 }),
  'by expressions, a system user': byCel({ email: 'system:admin' }),
  'by expressions, an admin': byCel({ roles: 'admin' }),
  'by expressions, another audience': byCel({ aud: 'one' }),
  'a fixed token': 'static-secret',
  'a fixed token without groups': 'plain-secret',
  'no fixed token': 'other-secret',
  'a bootstrap token': 'abcdef.0123456789abcdef',
  'a wrong bootstrap token': 'abcdef.0123456789abcdee',
  'a bootstrap token with groups': 'groups.0123456789abcdef',
  'a bootstrap token that is over': 'expire.0123456789abcdef',
  'a bootstrap token for something else': 'signer.0123456789abcdef',
  'a bootstrap token with a wrong group': 'badgrp.0123456789abcdef',
  'a bootstrap token of a wrong type': 'opaque.0123456789abcdef',
  'no token at all': 'nonsense',
}

const bootstrap = (
  id: string,
  more: Readonly<Record<string, string>> = {},
  type = 'bootstrap.kubernetes.io/token',
) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
  type,
  stringData: { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...more },
})
const SECRETS = [
  bootstrap('abcdef'),
  bootstrap('groups', { 'auth-extra-groups': 'system:bootstrappers:b,system:bootstrappers:a' }),
  bootstrap('expire', { expiration: '2020-01-01T00:00:00Z' }),
  bootstrap('signer', { 'usage-bootstrap-authentication': 'false' }),
  bootstrap('badgrp', { 'auth-extra-groups': 'system:masters' }),
  bootstrap('opaque', {}, 'Opaque'),
]
const ANONYMOUS = ['/livez', '/version', '/readyz', '/api', '/livez/ping']

describe('identity', { skip: skipWithout(programs, 'a control plane') }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-identity-'))
  const found: { real?: Answers; own?: Answers } = {}

  before(async () => {
    await using first = await startIssuer(keys)
    await using second = await startIssuer(keys)
    publish(first)
    const text = JSON.stringify(config(first, second))
    writeFileSync(join(dir, 'authentication.yaml'), text)
    writeFileSync(join(dir, 'tokens.csv'), TOKEN_FILE)
    const tokens = Object.entries(TOKENS).map(([name, token]): [string, string] => [
      name,
      typeof token === 'string' ? token : token([first, second]),
    ])
    const args = [
      `--authentication-config=${join(dir, 'authentication.yaml')}`,
      `--token-auth-file=${join(dir, 'tokens.csv')}`,
      '--enable-bootstrap-token-auth=true',
    ]
    await using real = await startControlPlane({ programs: programs!, controllers: false, apiserver: args })
    // It looks for the keys of an endpoint's issuer in the background.
    const early = distributed('/groups', { jti: 'early' }) as (issuers: readonly [Issuer, Issuer]) => string
    await eventually('keys are there', async () => {
      return (await whoAmI(real.kubeconfig, early([first, second]))).code === 201
    })
    found.real = await ask(real.kubeconfig, tokens)

    const runtime = new Runtime({ log: silent, store: memoryStore() })
    const cluster = await startCluster({
      runtime,
      id: 'cluster',
      name: 'identity',
      controllers: () => [],
      logs: () => {
        throw new Error('no logs')
      },
      authentication: readAuthentication(text),
      staticTokens: staticTokens(TOKEN_FILE),
    })
    found.own = await ask(cluster.kubeconfig, tokens)
    // Keys that change are found without a restart, and not asked for by everybody who makes some up.
    const fresh = issuerKey('fresh', 'ES256')
    first.keys = [fresh]
    const { asked } = first
    const bad = await whoAmI(cluster.kubeconfig, signed(unknown, { ...plain, iss: first.url }))
    assert.deepEqual([bad.code, first.asked - asked], [401, 0])
    await pause(10_100)
    const good = await whoAmI(cluster.kubeconfig, signed(fresh, { ...plain, iss: first.url }))
    assert.deepEqual([good.code, first.asked - asked], [201, 1])
    cluster.setAuthentication(undefined)
    assert.equal((await whoAmI(cluster.kubeconfig, signed(fresh, { ...plain, iss: first.url }))).code, 401)
    await cluster.stop()
    await runtime.close()
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  for (const name of Object.keys(TOKENS)) {
    it(`tells who has ${name}`, () => assert.deepEqual(found.own!.users[name], found.real!.users[name]))
    it(`reviews ${name}`, () => assert.deepEqual(found.own!.reviews[name], found.real!.reviews[name]))
  }
  for (const path of ANONYMOUS)
    it(`nobody may see ${path} or not`, () => assert.equal(found.own!.anonymous[path], found.real!.anonymous[path]))
})

it('a token in a Secret stands for its account until the Secret goes', async () => {
  await using cluster = await createCluster({ nodes: 0 })
  const { client, kubeconfig } = cluster
  const inDefault = { namespace: 'default' }
  await client.create(
    resources.serviceaccounts,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
    inDefault,
  )
  const metadata = { name: 't', annotations: { 'kubernetes.io/service-account.name': 'robot' } }
  await client.create(
    resources.secrets,
    { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/service-account-token' },
    inDefault,
  )
  const token = await eventually('a token', async () => {
    const { data } = await client.get(resources.secrets, 't', inDefault)
    return data?.token as string | undefined
  })
  const text = Buffer.from(token, 'base64').toString()
  const known = (await whoAmI(kubeconfig, text)) as { answer: { status: { userInfo: { username: string } } } }
  assert.equal(known.answer.status.userInfo.username, 'system:serviceaccount:default:robot')
  await client.delete(resources.secrets, 't', inDefault)
  assert.equal((await whoAmI(kubeconfig, text)).code, 401)
})

interface Answers {
  readonly users: Readonly<Record<string, unknown>>
  readonly reviews: Readonly<Record<string, unknown>>
  readonly anonymous: Readonly<Record<string, number>>
}

async function whoAmI(kubeconfig: string, token: string): Promise<{ code: number; answer: unknown }> {
  const { server, ca } = parseKubeconfig(kubeconfig)
  const pool = new Pool(server, { connections: 1, connect: { ca: ca! } })
  try {
    const answer = await pool.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
    })
    return { code: answer.statusCode, answer: await answer.body.json() }
  } finally {
    await pool.close()
  }
}

async function ask(kubeconfig: string, tokens: readonly [string, string][]): Promise<Answers> {
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
  const admin = new Pool(server, { connections: 1, connect: { ca: ca!, cert: clientCertificate!, key: clientKey! } })
  const nobody = new Pool(server, { connections: 1, connect: { ca: ca! } })
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await admin.request({ method: 'POST', path, headers, body: JSON.stringify(body) })
    return { code: answer.statusCode, answer: (await answer.body.json()) as Record<string, unknown> }
  }
  for (const secret of SECRETS) {
    const { code } = await post('/api/v1/namespaces/kube-system/secrets', secret)
    assert.equal(code, 201)
  }
  // A real server looks at Secrets and issuers in the background.
  await pause(3000)
  const users: Record<string, unknown> = {}
  const reviews: Record<string, unknown> = {}
  const anonymous: Record<string, number> = {}
  for (const [name, token] of tokens) {
    const { code, answer } = await whoAmI(kubeconfig, token)
    users[name] = { code, user: (answer as { status?: { userInfo?: unknown } }).status?.userInfo }
    const review = await post('/apis/authentication.k8s.io/v1/tokenreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token },
    })
    const { status } = review.answer as { status: Record<string, unknown> }
    // Each server has an audience of its own; why a token does not count is told in the words of other libraries.
    delete status['audiences']
    if (typeof status['error'] === 'string') status['error'] = status['error'] !== ''
    reviews[name] = { code: review.code, status }
  }
  for (const path of ANONYMOUS) {
    const answer = await nobody.request({ method: 'GET', path })
    await answer.body.dump()
    anonymous[path] = answer.statusCode
  }
  await admin.close()
  await nobody.close()
  return { users, reviews, anonymous }
}

for (const engine of ['packed', 'dedicated'] as const)
  it(`a virtual cluster's spec says who is let in and what is logged, ${engine}`, { timeout: 120_000 }, async () => {
    await using issuer = await startIssuer([keys[6]!])
    const dataDir = mkdtempSync(join(tmpdir(), 'tenantry-identity-'))
    await using _gone = { [Symbol.asyncDispose]: async () => rmSync(dataDir, { recursive: true, force: true }) }
    await using host = await createCluster({ nodes: 0, dataDir, reach: { allowed: ['127.0.0.0/8'] } })
    await using tenant = await createVirtualCluster({ host, name: 'team', engine })
    const token = issuer.token({ iss: issuer.url, ...plain })
    assert.equal((await whoAmI(tenant.kubeconfig, token)).code, 401)
    const at = { namespace: 'tenantry' }
    const change = (spec: object) =>
      host.client.patch(resources.virtualclusters, 'team', { type: 'merge', body: { spec } }, at)
    const ready = (status: string) =>
      eventually(`Ready ${status}`, async () => {
        const { metadata, status: now } = await host.client.get<VirtualCluster>(resources.virtualclusters, 'team', at)
        const found = now?.conditions?.find(({ type }) => type === 'Ready')
        return now?.observedGeneration === metadata.generation && found?.status === status ? found : undefined
      })
    const jwt = (audiences: readonly string[]) => [
      {
        issuer: { url: issuer.url, audiences, certificateAuthority: issuer.ca },
        claimMappings: { username: { claim: 'sub', prefix: 'oidc:' } },
      },
    ]
    await change({ authentication: { jwt: jwt([]) } })
    assert.match((await ready('False')).message, /^spec\.authentication: jwt\[0\]\.issuer\.audiences: Required value/)
    await change({ authentication: { jwt: jwt(['one']) }, audit: { policy: { rules: [{ level: 'Metadata' }] } } })
    await ready('True')
    const { kubeconfig } = await eventually('the control plane serves', async () => {
      const { data } = await host.client.get(resources.secrets, 'team-kubeconfig', at)
      return { kubeconfig: Buffer.from(data['kubeconfig'] as string, 'base64').toString() }
    })
    // A process of its own does not call issuers on its machine.
    if (engine === 'packed') {
      const { code, answer } = await whoAmI(kubeconfig, token)
      const { status } = answer as { status?: { userInfo: { username: string } } }
      assert.deepEqual([code, status?.userInfo.username], [201, 'oidc:jane'])
    }
    // The same as a text beside it, which is read again when it changes.
    const text = (audience: string) =>
      JSON.stringify({
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'AuthenticationConfiguration',
        jwt: jwt([audience]),
      })
    await change({ authentication: null, authenticationFrom: { configMapKeyRef: { name: 'auth', key: 'config' } } })
    assert.equal((await ready('False')).message, 'spec.authenticationFrom: ConfigMap "auth" not found')
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'auth' }, data: { config: text('one') } }
    await host.client.create(resources.configmaps, map, at)
    await ready('True')
    const answers = (code: number) =>
      eventually(`it answers ${code}`, async () => (await whoAmI(kubeconfig, token)).code === code)
    if (engine === 'packed') {
      await answers(201)
      const body = { data: { config: text('other') } }
      await host.client.patch(resources.configmaps, 'auth', { type: 'merge', body }, at)
      await answers(401)
      const data = { config: Buffer.from('kind: secret-word').toString('base64') }
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'auth' }, data }
      await host.client.create(resources.secrets, secret, at)
      await change({ authenticationFrom: { configMapKeyRef: null, secretKeyRef: { name: 'auth', key: 'config' } } })
      assert.equal((await ready('False')).message, 'spec.authenticationFrom: no valid AuthenticationConfiguration')
      const good = { data: { config: Buffer.from(text('one')).toString('base64') } }
      await host.client.patch(resources.secrets, 'auth', { type: 'merge', body: good }, at)
      await ready('True')
      await answers(201)
    }
    // A process that is started anew may answer elsewhere.
    const again = await eventually('the control plane serves again', async () => {
      const { data } = await host.client.get(resources.secrets, 'team-kubeconfig', at)
      const found = Buffer.from(data['kubeconfig'] as string, 'base64').toString()
      await whoAmI(found, token)
      return found
    })
    const client = new HttpsClient(parseKubeconfig(again))
    await client.get(resources.namespaces, 'default')
    await client.close()
    await eventually('it is logged', () =>
      readFileSync(join(dataDir, 'audit', 'tenantry.team.log'), 'utf8').includes(
        engine === 'packed' ? '"username":"oidc:jane"' : '"username":"kubernetes-admin"',
      ),
    )
  })
