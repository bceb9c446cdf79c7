/**
 * What admission leaves in the audit log, beside a real kube-apiserver's: webhooks, policies, the Pod Security Standards,
 * deprecated resources, issued tokens.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'
import { AuditLog } from '../src/apiserver/audit/log.ts'
import { readAuditPolicy } from '../src/apiserver/audit/policy.ts'
import { startCluster } from '../src/cluster/cluster.ts'
import { silent } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { asker } from './support/ask.ts'
import { startControlPlane } from './support/control-plane.ts'
import { eventually } from './support/eventually.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'
import { startWebhooks, type WebhookServer } from './webhooks/server.ts'

const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, users: ["system:apiserver", "system:kube-controller-manager"]}
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- {level: Request}
`

const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
const NS = '/api/v1/namespaces/annotated'
const MAPS = `${NS}/configmaps`
const SECRETS = `${NS}/secrets`

type Labels = Readonly<Record<string, string>>

const object = (kind: string, name: string, labels: Labels = {}, apiVersion = 'v1') => ({
  apiVersion,
  kind,
  metadata: { name, labels },
})
const pod = (name: string, spec: object = {}) => ({
  ...object('Pod', name),
  spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'c:1' }], ...spec },
})

const HOOKS: readonly (readonly [kind: 'Mutating' | 'Validating', path: string, more?: object])[] = [
  ['Mutating', 'label', { reinvocationPolicy: 'IfNeeded' }],
  ['Mutating', 'label-two'],
  ['Mutating', 'same-value'],
  ['Mutating', 'no-operation'],
  ['Mutating', 'annotate'],
  ['Mutating', 'html'],
  ['Mutating', 'error-text', { failurePolicy: 'Ignore' }],
  ['Mutating', 'misfit'],
  ['Mutating', 'warn'],
  ['Mutating', 'deny'],
  ['Validating', 'allow'],
  ['Validating', 'warn'],
  ['Validating', 'deny-message'],
  ['Validating', 'garbage', { failurePolicy: 'Ignore' }],
]

function configurations(hooks: WebhookServer): [path: string, body: object][] {
  return HOOKS.map(([kind, path, more]) => {
    const name = `${kind.toLowerCase()}-${path}`
    const body = {
      ...object(`${kind}WebhookConfiguration`, name, {}, 'admissionregistration.k8s.io/v1'),
      webhooks: [
        {
          name: `${name}.example.com`,
          clientConfig: { url: `${hooks.url}/${path}`, caBundle: hooks.caBundle },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps', 'secrets'] }],
          objectSelector: { matchExpressions: [{ key: `${kind.toLowerCase()}/${path}`, operator: 'Exists' }] },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          ...more,
        },
      ],
    }
    return [`${ADMISSION}/${kind.toLowerCase()}webhookconfigurations`, body]
  })
}

function policy(name: string, actions: readonly string[], spec: object): [path: string, body: object][] {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const constraints = {
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    objectSelector: { matchLabels: { policy: name } },
  }
  return [
    [
      `${ADMISSION}/validatingadmissionpolicies`,
      {
        ...object('ValidatingAdmissionPolicy', name, {}, apiVersion),
        spec: { matchConstraints: constraints, ...spec },
      },
    ],
    [
      `${ADMISSION}/validatingadmissionpolicybindings`,
      {
        ...object('ValidatingAdmissionPolicyBinding', `${name}-binding`, {}, apiVersion),
        spec: { policyName: name, validationActions: actions },
      },
    ],
  ]
}

const no = [{ expression: 'false', message: 'no' }]
const POLICIES = [
  ...policy('audited', ['Audit', 'Warn'], { validations: [...no, { expression: 'true' }, { expression: '1 == 2' }] }),
  ...policy('noted', ['Deny'], {
    validations: [{ expression: 'true' }],
    auditAnnotations: [
      { key: 'name', valueExpression: "'name is ' + object.metadata.name" },
      { key: 'nothing', valueExpression: 'null' },
      { key: 'empty', valueExpression: "''" },
    ],
  }),
  ...policy('denied', ['Deny', 'Audit'], { validations: no }),
]

const level = (mode: string, name: string): Labels => ({ [`pod-security.kubernetes.io/${mode}`]: name })
const NAMESPACES = [
  object('Namespace', 'annotated'),
  object('Namespace', 'secure', { ...level('enforce', 'baseline'), ...level('audit', 'restricted') }),
  object('Namespace', 'odd', { ...level('enforce-version', 'v1.30'), ...level('enforce', 'baseline') }),
]

const hooked = (kind: string, path: string, name: string) => ({
  ...object(kind === 'secrets' ? 'Secret' : 'ConfigMap', name, { [path]: '' }),
})
const deployment = (spec: object) => ({
  ...object('Deployment', 'd', {}, 'apps/v1'),
  spec: {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'c:1' }], ...spec } },
  },
})

const REQUESTS: readonly (readonly [line: string, body?: object])[] = [
  ...HOOKS.map(([kind, path]): [string, object] => [
    `POST ${MAPS}`,
    hooked('configmaps', `${kind.toLowerCase()}/${path}`, `${kind.toLowerCase()}-${path}`),
  ]),
  [`POST ${SECRETS}`, hooked('secrets', 'mutating/label', 's')],
  [`POST ${MAPS}`, object('ConfigMap', 'both', { 'mutating/label': '', 'mutating/label-two': '', 'mutating/annotate': '' })],
  [`DELETE ${MAPS}/mutating-warn`],
  [`POST ${MAPS}?dryRun=All`, hooked('configmaps', 'mutating/label', 'dry')],
  ...['audited', 'noted', 'denied'].map((name): [string, object] => [`POST ${MAPS}`, object('ConfigMap', name, { policy: name })]),
  [`POST ${NS}/pods`, pod('p')],
  ['POST /api/v1/namespaces/secure/pods', pod('p')],
  ['POST /api/v1/namespaces/secure/pods', pod('bad', { hostNetwork: true })],
  ['POST /api/v1/namespaces/odd/pods', pod('p')],
  ['POST /apis/apps/v1/namespaces/secure/deployments', deployment({ hostNetwork: true })],
  ['GET /api/v1/endpoints?limit=1'],
  ['GET /api/v1/namespaces/annotated/endpoints/none'],
  [`POST ${NS}/serviceaccounts/default/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }],
] // prettier-ignore

const programs = findControlPlane()

describe('audit of admission', { skip: skipWithout(programs, 'a control plane') }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-audit-'))
  const found: { real: Noted[]; own: Noted[] } = { real: [], own: [] }

  before(async () => {
    const policyFile = join(dir, 'policy.yaml')
    writeFileSync(policyFile, POLICY)
    const realLog = join(dir, 'real.log')
    const args = [
      `--audit-policy-file=${policyFile}`,
      `--audit-log-path=${realLog}`,
      '--audit-log-mode=blocking-strict',
    ]
    await using hooks = await startWebhooks()
    await using real = await startControlPlane({ programs: programs!, controllers: false, apiserver: args })
    found.real = await ask(real.kubeconfig, realLog, hooks, 3000)

    const ownLog = join(dir, 'own.log')
    const runtime = new Runtime({ log: silent, store: memoryStore() })
    const output = new AuditLog({ path: ownLog })
    const audit = { policy: readAuditPolicy(POLICY), output }
    const cluster = await startCluster({
      runtime,
      id: 'a',
      name: 'audit',
      controllers: () => [],
      logs: () => '',
      audit,
    })
    found.own = await ask(cluster.kubeconfig, ownLog, hooks, 0)
    await cluster.stop()
    await runtime.close()
    await output.close()
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('the real server noted something of every kind', () => {
    const keys = [...new Set(found.real.flatMap(({ annotations }) => Object.keys(annotations)))]
    for (const key of [
      'patch.webhook.admission.k8s.io/',
      'mutation.webhook.admission.k8s.io/round_1_',
      'failed-open.mutation.webhook.admission.k8s.io/',
      'failed-open.validating.webhook.admission.k8s.io/',
      'mutating-warn.example.com/a',
      'validation.policy.admission.k8s.io/validation_failure',
      'noted/name',
      'pod-security.kubernetes.io/enforce-policy',
      'pod-security.kubernetes.io/audit-violations',
      'k8s.io/deprecated',
      'authentication.kubernetes.io/issued-credential-id',
    ])
      assert.ok(
        keys.some((noted) => noted.startsWith(key)),
        `${key} of ${keys.join(' ')}`,
      )
  })

  for (const [i, [line, body]] of REQUESTS.entries()) {
    const name = (body as { metadata?: { name: string } } | undefined)?.metadata?.name ?? ''
    it(`${i} ${line} ${name}`, () => assert.deepEqual(found.own[i], found.real[i]))
  }
})

interface Noted {
  readonly code: number
  readonly annotations: Labels
}

/** Codes and annotations of the requests. */
async function ask(kubeconfig: string, log: string, hooks: WebhookServer, settle: number): Promise<Noted[]> {
  using send = asker(kubeconfig)
  const headers = { 'content-type': 'application/json' }
  const make = async (path: string, body: object): Promise<void> => {
    const answer = await send(path, { method: 'POST', headers, body: JSON.stringify(body) })
    assert.equal(answer.status, 201, `${path} ${answer.body.toString()}`)
  }
  for (const namespace of NAMESPACES) {
    await make('/api/v1/namespaces', namespace)
    await make(`/api/v1/namespaces/${namespace.metadata.name}/serviceaccounts`, object('ServiceAccount', 'default'))
  }
  for (const [path, body] of [...configurations(hooks), ...POLICIES]) await make(path, body)
  await sleep(settle)
  const codes: number[] = []
  for (const [i, [line, body]] of REQUESTS.entries()) {
    const [method, path] = line.split(' ') as [string, string]
    const sent = { ...headers, 'audit-id': `request-${i}` }
    const answer = await send(path, {
      method,
      headers: sent,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    codes.push(answer.status)
  }
  type Event = { auditID: string; annotations?: Labels }
  const read = (): Event[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as Event)
  await eventually('the last event', () => read().some(({ auditID }) => auditID === `request-${REQUESTS.length - 1}`))
  const events = read()
  return REQUESTS.map((_, i) => {
    const { annotations = {} } = events.find(({ auditID }) => auditID === `request-${i}`) ?? {}
    const kept = Object.entries(annotations).filter(([key]) => !key.startsWith('apiserver.latency.k8s.io/'))
    const shown = kept.map(([key, value]) => [key, value.replace(/^JTI=[0-9a-f-]{36}$/, 'JTI=<uuid>')])
    return { code: codes[i]!, annotations: Object.fromEntries(shown) as Labels }
  })
}
