/** Known requests of every kind that a server counts. What a real kube-apiserver counted of them is beside it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { parseKubeconfig } from '../../src/client/kubeconfig.ts'
import type { WebhookServer } from '../webhooks/server.ts'
import { growth, least, readExposition, without, type Family } from './exposition.ts'

type Labels = Readonly<Record<string, string>>

const NS = '/api/v1/namespaces/metrics'
const MAPS = `${NS}/configmaps`
const PODS = `${NS}/pods`
const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
const WIDGETS = '/apis/example.com/v1/namespaces/metrics/widgets'
const GADGETS = (version: string) => `/apis/example.com/${version}/namespaces/metrics/gadgets`
const merge = { 'content-type': 'application/merge-patch+json' }
const applies = { 'content-type': 'application/apply-patch+yaml' }
const as = (user: string) => ({ 'impersonate-user': user })

const map = (name: string, labels: Labels = {}, data: Labels = { a: 'b' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
})
const pod = (name: string, spec: object = {}, namespace = 'metrics') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'c:1' }], ...spec },
})
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: {
    replicas: 0,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'c:1' }] } },
  },
}

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { size: { type: 'integer', maximum: 9 } },
                'x-kubernetes-validations': [{ rule: 'self.size != 5' }],
              },
            },
          },
        },
      },
    ],
  },
}
const gadgets = (hooks: WebhookServer) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' },
    versions: ['v1', 'v2'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      schema: { openAPIV3Schema: { type: 'object' } },
    })),
    conversion: {
      strategy: 'Webhook',
      webhook: {
        clientConfig: { url: `${hooks.url}/convert`, caBundle: hooks.caBundle },
        conversionReviewVersions: ['v1'],
      },
    },
  },
})
const widget = (name: string, size: number) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec: { size },
})

const constraints = (word: string) => ({
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  objectSelector: { matchLabels: { policy: word } },
})

function validating(word: string, actions: readonly string[], expression: string, more: object = {}): object[] {
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: word },
      spec: { matchConstraints: constraints(word), validations: [{ expression }], ...more },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: `${word}-binding` },
      spec: { policyName: word, validationActions: actions },
    },
  ]
}

function mutating(word: string, expression: string, more: object = {}): object[] {
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: word },
      spec: {
        matchConstraints: constraints(word),
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
        ...more,
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: `${word}-binding` },
      spec: { policyName: word },
    },
  ]
}

const POLICIES = [
  ...validating('deny', ['Deny'], 'false'),
  ...validating('warn', ['Warn', 'Audit'], 'false'),
  ...validating('pass', ['Deny'], 'true', { matchConditions: [{ name: 'yes', expression: 'true' }] }),
  ...validating('error', ['Deny'], 'object.data.none == "x"'),
  ...validating('ignored', ['Deny'], 'object.data.none == "x"', { failurePolicy: 'Ignore' }),
  ...validating('unmatched', ['Deny'], 'false', { matchConditions: [{ name: 'no', expression: 'false' }] }),
  ...mutating('change', 'Object{metadata: Object.metadata{labels: {"changed": "yes"}}}'),
  ...mutating('change-error', 'Object{metadata: Object.metadata{labels: {"changed": object.data.none}}}'),
]

const collection = (kind: string): string =>
  `${ADMISSION}/${kind
    .toLowerCase()
    .replace(/policy$/, 'policies')
    .replace(/binding$/, 'bindings')
    .replace(/configuration$/, 'configurations')}`

/** By label `hook`: which webhook path is asked, and how. */
const HOOKS: readonly (readonly [kind: 'Mutating' | 'Validating', word: string, path: string, more: object])[] = [
  ['Mutating', 'm-label', 'label', {}],
  ['Mutating', 'm-deny', 'deny-reason', {}],
  ['Mutating', 'm-error', 'error-text', {}],
  ['Mutating', 'm-open', 'error-text', { failurePolicy: 'Ignore' }],
  ['Mutating', 'm-unmatched', 'label', { matchConditions: [{ name: 'no', expression: 'false' }] }],
  ['Mutating', 'm-condition', 'label', { matchConditions: [{ name: 'bad', expression: 'object.data.none == "x"' }] }],
  ['Validating', 'v-allow', 'allow', {}],
  ['Validating', 'v-deny', 'deny-message', {}],
  ['Validating', 'v-error', 'error-text', {}],
  ['Validating', 'v-open', 'error-text', { failurePolicy: 'Ignore' }],
  ['Validating', 'v-garbage', 'garbage', {}],
  ['Validating', 'v-hang', 'hang', { timeoutSeconds: 1 }],
  ['Validating', 'v-gone', 'not-found', {}],
  ['Validating', 'v-condition', 'allow', { matchConditions: [{ name: 'yes', expression: 'true' }] }],
]

function configurations(hooks: WebhookServer): object[] {
  return HOOKS.map(([kind, word, path, more]) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name: word },
    webhooks: [
      {
        name: `${word}.example.com`,
        clientConfig: { url: `${hooks.url}/${path}`, caBundle: hooks.caBundle },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        objectSelector: { matchLabels: { hook: word } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 5,
        ...more,
      },
    ],
  }))
}

/** A request whose certificate is not shown when it has a token. */
interface Request {
  readonly line: string
  readonly body?: unknown
  readonly headers?: Labels
}

const PATHS = [
  '/', '/version', '/livez', '/livez?verbose', '/readyz', '/healthz', '/healthz/ping', '/nope', '/api', '/apis', '/apis/apps/v1', '/api/v1', '/metrics/slis',
  '/openapi/v2', '/openapi/v3', '/openapi/v3/api/v1', '/openid/v1/jwks', '/.well-known/openid-configuration',
] // prettier-ignore

const REQUESTS: readonly Request[] = [
  ...PATHS.map((path) => ({
    line: `GET ${path}`,
  })),
  { line: 'HEAD /version' },
  { line: `POST ${MAPS}`, body: map('one') },
  { line: `POST ${MAPS}`, body: map('one') },
  { line: `POST ${MAPS}?dryRun=All`, body: map('dry') },
  { line: `POST ${MAPS}?fieldValidation=Strict`, body: map('strict') },
  { line: `POST ${MAPS}?fieldValidation=Strict`, body: { ...map('odd'), nonsense: 1 } },
  { line: `POST ${MAPS}?fieldValidation=Warn`, body: { ...map('warned'), nonsense: 1 } },
  { line: `POST ${MAPS}`, body: map('Wrong_Name') },
  { line: `POST ${MAPS}`, body: { ...map('wrong'), apiVersion: 'v7' } },
  { line: `GET ${MAPS}/one` },
  { line: `GET ${MAPS}/none` },
  { line: `GET ${MAPS}` },
  { line: `GET ${MAPS}?limit=1` },
  { line: `GET ${MAPS}?labelSelector=nope%3D1` },
  { line: `GET ${MAPS}?fieldSelector=metadata.name%3Done` },
  { line: 'GET /api/v1/configmaps?limit=500&fieldSelector=metadata.namespace%3Dmetrics' },
  { line: `PUT ${MAPS}/one`, body: map('one', {}, { a: 'c' }) },
  { line: `PUT ${MAPS}/one`, body: { ...map('one'), metadata: { name: 'one', resourceVersion: '1' } } },
  { line: `PUT ${MAPS}/absent`, body: map('absent') },
  { line: `PATCH ${MAPS}/one`, body: { data: { d: 'e' } }, headers: merge },
  { line: `PATCH ${MAPS}/one?dryRun=All`, body: { data: { f: 'e' } }, headers: merge },
  { line: `PATCH ${MAPS}/applied?fieldManager=m`, body: map('applied'), headers: applies },
  { line: `PATCH ${MAPS}/applied?fieldManager=m`, body: map('applied'), headers: applies },
  { line: `DELETE ${MAPS}/applied` },
  { line: `DELETE ${MAPS}/applied` },
  { line: `DELETE ${MAPS}?labelSelector=nope%3D1` },
  { line: `GET ${MAPS}?watch=true&timeoutSeconds=1&resourceVersion=0` },
  { line: `GET ${MAPS}?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan` },
  { line: `GET /api/v1/watch/namespaces/metrics/configmaps?timeoutSeconds=1&resourceVersion=0` },
  { line: 'POST /apis/apps/v1/namespaces/metrics/deployments', body: deployment },
  { line: 'GET /apis/apps/v1/namespaces/metrics/deployments/d/scale' },
  { line: 'GET /apis/apps/v1/namespaces/metrics/deployments/d/status' },
  { line: 'PATCH /apis/apps/v1/namespaces/metrics/deployments/d/scale', body: { spec: { replicas: 1 } }, headers: merge },
  { line: 'PATCH /apis/apps/v1/namespaces/metrics/deployments/d/status', body: { status: { replicas: 1 } }, headers: merge },
  { line: 'DELETE /apis/apps/v1/namespaces/metrics/deployments/d' },
  { line: `POST ${PODS}`, body: pod('p') },
  { line: `POST ${PODS}/p/eviction`, body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } } },
  { line: `POST /api/v1/namespaces/secure/pods`, body: pod('ok', {}, 'secure') },
  { line: `POST /api/v1/namespaces/secure/pods`, body: pod('bad', { hostNetwork: true }, 'secure') },
  { line: `POST /apis/apps/v1/namespaces/secure/deployments`, body: { ...deployment, spec: { ...deployment.spec, template: { ...deployment.spec.template, spec: { ...deployment.spec.template.spec, hostNetwork: true } } } } },
  { line: 'GET /api/v1/endpoints' },
  { line: 'GET /api/v1/nodes/none' },
  { line: 'GET /apis/nope.example.com/v1/things' },
  { line: 'GET /apis/apps/v1/namespaces/metrics/things' },
  { line: `GET ${MAPS}`, headers: as('joe') },
  { line: `POST ${MAPS}`, body: map('no'), headers: as('joe') },
  { line: 'GET /nope', headers: as('joe') },
  { line: `GET ${MAPS}`, headers: { 'impersonate-group': 'g' } },
  { line: `GET ${MAPS}`, headers: { authorization: 'Bearer nonsense' } },
  { line: 'GET /version', headers: { authorization: 'Bearer nonsense' } },
  { line: `GET ${MAPS}`, headers: { authorization: 'Bearer TOKEN' } },
  { line: 'GET /version', headers: { authorization: 'Bearer TOKEN' } },
  { line: `PUT ${MAPS}` , body: map('one') },
  { line: `BREW ${MAPS}` },
  { line: 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } } },
  ...['deny', 'warn', 'pass', 'error', 'ignored', 'unmatched', 'change', 'change-error'].map((policy) => ({
    line: `POST ${MAPS}`,
    body: map(`by-${policy}`, { policy }),
  })),
  ...HOOKS.map(([, hook]) => ({ line: `POST ${MAPS}`, body: map(`by-${hook}`, { hook }) })),
  { line: `POST ${MAPS}?dryRun=All`, body: map('dry-hook', { hook: 'm-label' }) },
  { line: `POST ${WIDGETS}`, body: widget('w', 1) },
  { line: `POST ${WIDGETS}`, body: widget('five', 5) },
  { line: `PUT ${WIDGETS}/w`, body: widget('w', 2) },
  { line: `PATCH ${WIDGETS}/w`, body: { spec: { size: 3 } }, headers: merge },
  { line: `GET ${WIDGETS}` },
  { line: `GET ${WIDGETS}/w` },
  { line: `DELETE ${WIDGETS}/w` },
  { line: `POST ${GADGETS('v1')}`, body: { apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'g' } } },
  { line: `GET ${GADGETS('v2')}/g` },
  { line: `GET ${GADGETS('v2')}` },
  { line: 'GET /api/v1/componentstatuses?labelSelector=a' },
  { line: 'GET /api/v1/namespaces/metrics' },
  { line: 'GET /api/v1/nodes' },
  { line: `GET ${MAPS}?fieldSelector=nope%3D1` },
  { line: `GET ${MAPS}/one?watch=true&timeoutSeconds=1` },
  { line: `DELETE ${MAPS}` },
] // prettier-ignore

export interface StoryOptions {
  readonly kubeconfig: string
  readonly hooks: WebhookServer
  /** Milliseconds until a server that follows its configurations by watches knows them. */
  readonly settle: number
}

export interface Told {
  readonly families: ReadonlyMap<string, Family>
  /** What each request made counters grow by. */
  readonly counted: readonly {
    readonly line: string
    readonly code: number
    readonly grown: ReadonlyMap<string, number>
  }[]
}

/** Sends the requests one after the other and reads `/metrics` between them. */
export async function runStory({ kubeconfig, hooks, settle }: StoryOptions): Promise<Told> {
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
  const admin = new Pool(server, { connections: 1, connect: { ca: ca!, cert: clientCertificate!, key: clientKey! } })
  const nobody = new Pool(server, { connections: 1, connect: { ca: ca! } })
  const send = async ({ line, body, headers }: Request) => {
    const [method, path] = line.split(' ') as ['GET', string]
    const answer = await (headers?.['authorization'] === undefined ? admin : nobody).request({
      method,
      path,
      headers: {
        'user-agent': 'metrics',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { code: answer.statusCode, text: await answer.body.text() }
  }
  const read = async () => readExposition((await send({ line: 'GET /metrics' })).text)
  try {
    const token = await prepare(send, hooks)
    await sleep(settle)
    // The first reading makes series, those behind it only count themselves.
    await read()
    const counted: { line: string; code: number; grown: Map<string, number> }[] = []
    const readings = [await read(), await read(), await read()] as const
    const own = least([growth(readings[0], readings[1]), growth(readings[1], readings[2])])
    let before = readings[2]
    for (const request of REQUESTS) {
      const { authorization } = request.headers ?? {}
      const shown = authorization === undefined ? {} : { authorization: authorization.replace('TOKEN', token) }
      const { code } = await send({ ...request, headers: { ...request.headers, ...shown } })
      // What is counted behind the answer.
      await sleep(20)
      const after = await read()
      counted.push({ line: request.line, code, grown: without(growth(before, after), own) })
      before = after
    }
    return { families: before, counted }
  } finally {
    await Promise.all([admin.destroy(), nobody.destroy()])
  }
}

async function prepare(
  send: (request: Request) => Promise<{ code: number; text: string }>,
  hooks: WebhookServer,
): Promise<string> {
  const make = async (path: string, body: unknown): Promise<string> => {
    const { code, text } = await send({ line: `POST ${path}`, body })
    if (code !== 201) throw new Error(`${path}: ${code} ${text}`)
    return text
  }
  const namespace = (name: string, labels: Labels) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  })
  await make('/api/v1/namespaces', namespace('metrics', {}))
  await make('/api/v1/namespaces', namespace('secure', { 'pod-security.kubernetes.io/enforce': 'baseline' }))
  for (const at of [NS, '/api/v1/namespaces/secure'])
    await make(`${at}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })
  for (const crd of [definition, gadgets(hooks)])
    await make('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
  for (const object of [...POLICIES, ...configurations(hooks)] as { kind: string }[])
    await make(collection(object.kind), object)
  const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const made = JSON.parse(await make(`${NS}/serviceaccounts/default/token`, asked)) as { status: { token: string } }
  return made.status.token
}
