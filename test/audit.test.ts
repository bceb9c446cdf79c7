/** The audit log beside a real kube-apiserver's: the same policy, the same requests, the same events. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Pool } from 'undici'
import { AuditLog } from '../src/apiserver/audit/log.ts'
import { readAuditPolicy } from '../src/apiserver/audit/policy.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { startCluster } from '../src/cluster/cluster.ts'
import { silent } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { startControlPlane } from './support/control-plane.ts'
import { eventually } from './support/eventually.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'

const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: []
rules:
- {level: None, users: ["system:apiserver", "system:kube-controller-manager"]}
- {level: None, nonResourceURLs: ["/livez*", "/readyz"]}
- {level: None, resources: [{group: "", resources: [endpoints]}]}
- {level: RequestResponse, resources: [{group: "", resources: [configmaps]}], omitStages: [RequestReceived]}
- {level: Request, verbs: [create, update, patch, delete], omitManagedFields: true}
- {level: Metadata, namespaces: [default, ""]}
- {level: Metadata, nonResourceURLs: ["/version", "/api*", "/nope"]}
- {level: RequestResponse, resources: [{group: "", resources: ["*/status", "pods/*"]}]}
`

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps'
const SECRETS = '/api/v1/namespaces/default/secrets'
const map = (name: string, data: object = { a: 'b' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})
const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { a: 'b' } })
const get = (path: string, headers: Readonly<Record<string, string>> = {}): Request => ({
  method: 'GET',
  path,
  headers,
})
const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Request => ({
  method: 'POST',
  path,
  body,
  headers,
})
const put = (path: string, body: unknown): Request => ({ method: 'PUT', path, body })
const patch = (path: string, body: unknown, type: string): Request => ({
  method: 'PATCH',
  path,
  body,
  headers: { 'content-type': `application/${type}` },
})
const remove = (path: string, body?: unknown): Request => ({
  method: 'DELETE',
  path,
  ...(body !== undefined && { body }),
})
const as = (user: string, more: Readonly<Record<string, string>> = {}) => ({ 'impersonate-user': user, ...more })

const REQUESTS: readonly Request[] = [
  get('/version'),
  get('/livez'),
  get('/readyz/ping'),
  get('/nope'),
  get('/healthz'),
  get('/api/v1/namespaces/default'),
  get('/api/v1/namespaces/missing'),
  get('/api/v1/namespaces?limit=1&fieldSelector=metadata.name%3Ddefault'),
  post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } }),
  post(CONFIGMAPS, map('one')),
  post(CONFIGMAPS, map('one')),
  post(CONFIGMAPS, map('Wrong_Name')),
  post(CONFIGMAPS, { ...map('x'), apiVersion: 'v7' }),
  get(`${CONFIGMAPS}/one`),
  get(`${CONFIGMAPS}/none`),
  get(`${CONFIGMAPS}?fieldSelector=metadata.name%3Done`),
  get(`${CONFIGMAPS}?labelSelector=nope%3D1`),
  get(`${CONFIGMAPS}?labelSelector=%3D%3D`),
  put(`${CONFIGMAPS}/one`, map('one', { a: 'c' })),
  put(`${CONFIGMAPS}/one`, { ...map('one'), metadata: { name: 'one', resourceVersion: '1' } }),
  put(`${CONFIGMAPS}/absent`, map('absent')),
  patch(`${CONFIGMAPS}/one`, { data: { d: 'e' } }, 'merge-patch+json'),
  patch(`${CONFIGMAPS}/one`, [{ op: 'add', path: '/data/f', value: 'g' }], 'json-patch+json'),
  patch(`${CONFIGMAPS}/one`, { data: { h: 'i' } }, 'strategic-merge-patch+json'),
  patch(`${CONFIGMAPS}/applied?fieldManager=m`, map('applied'), 'apply-patch+yaml'),
  remove(`${CONFIGMAPS}/applied`),
  remove(`${CONFIGMAPS}/applied`),
  remove(`${CONFIGMAPS}/one`, { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' }),
  remove(`${CONFIGMAPS}?labelSelector=nope%3D1`),
  post(SECRETS, secret('s')),
  get(`${SECRETS}/s`),
  patch(`${SECRETS}/s`, { stringData: { c: 'd' } }, 'merge-patch+json'),
  put(`${SECRETS}/s`, secret('s')),
  remove(`${SECRETS}/s`),
  get('/api/v1/endpoints'),
  get('/api/v1/namespaces/other/secrets'),
  get('/apis'),
  get('/api'),
  get('/apis/apps/v1'),
  get('/apis/apps/v1/namespaces/default/deployments'),
  get('/apis/apps/v1/namespaces/default/things'),
  get('/apis/nope.example.com/v1/things'),
  post(SECRETS, secret('no'), as('joe')),
  get('/healthz', as('joe')),
  get(CONFIGMAPS, as('jane')),
  get(CONFIGMAPS, as('jane', { 'impersonate-group': 'system:masters' })),
  get(
    SECRETS,
    as('jane', { 'impersonate-group': 'system:masters', 'impersonate-uid': 'u-1', 'impersonate-extra-scopes': 'view' }),
  ),
  get(CONFIGMAPS, { 'impersonate-group': 'g' }),
  get(CONFIGMAPS, { authorization: 'Bearer nonsense' }),
  get('/version', { authorization: 'Bearer nonsense' }),
  get('/version', { 'audit-id': 'my-own.id' }),
  get('/version', { 'x-forwarded-for': '10.1.2.3, 10.4.5.6', 'user-agent': 'x'.repeat(1100) }),
  post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
  }),
  post('/api/v1/namespaces/default/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'robot' },
  }),
  get(`${CONFIGMAPS}?watch=true&timeoutSeconds=1&resourceVersion=0`),
  get(`${SECRETS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone`),
  get('/api/v1/namespaces/default/pods/none/log'),
  { method: 'HEAD', path: '/version' },
  { method: 'OPTIONS', path: CONFIGMAPS },
]

const programs = findControlPlane()

describe('audit', { skip: skipWithout(programs, 'a control plane') }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-audit-'))
  const found: { real: Event[][]; own: Event[][] } = { real: [], own: [] }

  before(async () => {
    const policyFile = join(dir, 'policy.yaml')
    writeFileSync(policyFile, POLICY)
    const realLog = join(dir, 'real.log')
    const args = [
      `--audit-policy-file=${policyFile}`,
      `--audit-log-path=${realLog}`,
      '--audit-log-mode=blocking-strict',
    ]
    await using real = await startControlPlane({ programs: programs!, controllers: false, apiserver: args })
    found.real = await ask(real.kubeconfig, realLog)

    const ownLog = join(dir, 'own.log')
    const runtime = new Runtime({ log: silent, store: memoryStore() })
    const output = new AuditLog({ path: ownLog })
    const cluster = await startCluster({
      runtime,
      id: 'cluster',
      name: 'audit',
      controllers: () => [],
      logs: () => {
        throw new Error('no logs')
      },
      audit: { policy: readAuditPolicy(POLICY), output },
    })
    found.own = await ask(cluster.kubeconfig, ownLog)
    await cluster.stop()
    await runtime.close()
    await output.close()
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  for (const [i, { method, path, headers }] of REQUESTS.entries()) {
    const who = headers?.['impersonate-user'] ?? headers?.['authorization'] ?? ''
    it(`${i} ${method} ${path} ${who}`, () => assert.deepEqual(found.own[i], found.real[i]))
  }
})

type Event = Record<string, unknown>

/** Sends the requests one after the other; the events of each. */
async function ask(kubeconfig: string, log: string): Promise<Event[][]> {
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
  const admin = new Pool(server, { connections: 1, connect: { ca: ca!, cert: clientCertificate!, key: clientKey! } })
  const nobody = new Pool(server, { connections: 1, connect: { ca: ca! } })
  for (const [i, { method, path, body, headers }] of REQUESTS.entries()) {
    const pool = headers?.['authorization'] === undefined ? admin : nobody
    const answer = await pool.request({
      method: method as 'GET',
      path,
      headers: {
        'user-agent': 'test',
        'audit-id': `request-${i}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    await answer.body.dump()
  }
  await admin.close()
  await nobody.close()
  const idOf = (i: number) => REQUESTS[i]!.headers?.['audit-id'] ?? `request-${i}`
  const read = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as Event)
  // The last one's last event comes behind its answer.
  await eventually('the last event', () => read().some((event) => event['auditID'] === idOf(REQUESTS.length - 1)))
  await new Promise((resolve) => setTimeout(resolve, 200))
  const events = read()
  return REQUESTS.map((_, i) => events.filter((event) => event['auditID'] === idOf(i)).map(normalised))
}

const VOLATILE = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'managedFields',
  'requestReceivedTimestamp',
  'stageTimestamp',
  'time',
])

/** Without what differs between two runs of the same server. */
function normalised(event: Event): Event {
  const text = JSON.stringify(event, (key, value: unknown) => {
    if (VOLATILE.has(key)) return value === null ? undefined : `<${key}>`
    return value
  })
  const out = JSON.parse(text) as Event
  const user = out['user'] as { username?: string; extra?: object }
  delete user.extra
  if (user.username === 'admin' || user.username === 'kubernetes-admin') user.username = '<admin>'
  return out
}
