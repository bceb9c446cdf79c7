/** Runs scenarios against a server and keeps its answers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import type { Policy, Request, Scenario } from './scenario.ts'
import { slug } from './scenario.ts'

type Json = Record<string, unknown>

export interface Answer {
  readonly code: number
  readonly warnings?: readonly string[]
  readonly body: unknown
}

const GROUP = '/apis/admissionregistration.k8s.io/v1'

/** Answers by scenario. All policies are made first; then it is waited until the server heeds them. */
export async function runScenarios(ask: Ask, all: readonly Scenario[]): Promise<Record<string, readonly Answer[]>> {
  for (const scenario of all) {
    const name = slug(scenario.name)
    const labels = { scenario: name }
    await must(ask, '/api/v1/namespaces', { metadata: { name, labels } })
    for (const request of scenario.setup) {
      const { code, body } = await send(ask, name, request)
      if (code >= 300) throw new Error(`${scenario.name}: setup: ${JSON.stringify(body)}`)
    }
  }
  // What has been set up may have to become known: custom resources, default service accounts.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const refused: unknown[] = []
  for (const scenario of all) await makePolicies(ask, scenario).catch((error: unknown) => refused.push(error))
  if (refused.length > 0) throw new AggregateError(refused, refused.map(String).join('\n'))
  await heeded(ask)
  const out: Record<string, readonly Answer[]> = {}
  for (const { name, requests } of all) {
    const answers: Answer[] = []
    for (const request of requests) answers.push(await send(ask, slug(name), request))
    out[name] = answers
  }
  return out
}

const RULES = [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]

async function makePolicies(ask: Ask, { name, validating, mutating, loose }: Scenario): Promise<void> {
  const own = slug(name)
  const make = async (kind: string, policies: readonly Policy[], common: Json, binding: Json): Promise<void> => {
    const base = `${GROUP}/${kind}admissionpolic`
    for (const { suffix, spec, bindings = [{}] } of policies) {
      const id = suffix === undefined ? own : `${own}-${suffix}`
      const matchConstraints = {
        resourceRules: RULES,
        namespaceSelector: { matchLabels: { scenario: own } },
        ...(spec['matchConstraints'] as Json | undefined),
      }
      const body = replaced({ ...common, ...spec, matchConstraints }, own)
      await must(ask, `${base}ies`, { metadata: { name: id }, spec: body })
      for (const [i, more] of bindings.entries()) {
        const bound = replaced({ policyName: id, ...binding, ...more }, own)
        await must(ask, `${base}ybindings`, { metadata: { name: i === 0 ? id : `${id}-${i}` }, spec: bound })
      }
    }
  }
  await make('validating', validating, {}, { validationActions: ['Deny'] })
  await make('mutating', mutating, { reinvocationPolicy: 'Never' }, {})
  for (const [i, spec] of loose.entries()) {
    const body = replaced({ validationActions: ['Deny'], ...spec }, own)
    await must(ask, `${GROUP}/validatingadmissionpolicybindings`, {
      metadata: { name: `${own}-loose-${i}` },
      spec: body,
    })
  }
}

/** Policies that are made last, and refuse or change what nobody else does. */
async function heeded(ask: Ask): Promise<void> {
  const match = {
    matchConstraints: { resourceRules: RULES, objectSelector: { matchLabels: { marker: 'true' } } },
  }
  const marker = { metadata: { name: 'zz-marker' } }
  await must(ask, `${GROUP}/validatingadmissionpolicies`, {
    ...marker,
    spec: { ...match, validations: [{ expression: 'false' }] },
  })
  await must(ask, `${GROUP}/validatingadmissionpolicybindings`, {
    ...marker,
    spec: { policyName: 'zz-marker', validationActions: ['Deny'] },
  })
  const expression = 'Object{metadata: Object.metadata{labels: {"seen": "true"}}}'
  const mutations = [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }]
  await must(ask, `${GROUP}/mutatingadmissionpolicies`, {
    ...marker,
    spec: { ...match, mutations, reinvocationPolicy: 'Never' },
  })
  await must(ask, `${GROUP}/mutatingadmissionpolicybindings`, { ...marker, spec: { policyName: 'zz-marker' } })
  const trial = { metadata: { name: 'marker', labels: { marker: 'true' } } }
  const path = '/api/v1/namespaces/default/configmaps?dryRun=All'
  await eventually(
    'policies are heeded',
    async () => {
      const { code, body } = await send(ask, 'default', { path, body: trial })
      if (code === 201) return false
      if (!JSON.stringify(body).includes('zz-marker')) throw new Error(JSON.stringify(body))
      return true
    },
    30_000,
  )
  // Mutating ones are read by another loop.
  await must(ask, '/api/v1/namespaces', { metadata: { name: 'marked' } })
  await new Promise((resolve) => setTimeout(resolve, 2000))
}

async function must(ask: Ask, path: string, body: unknown): Promise<void> {
  const answer = await send(ask, '', { path, body })
  if (answer.code !== 201) throw new Error(`${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`)
}

async function send(ask: Ask, namespace: string, request: Request): Promise<Answer> {
  const { method = 'POST', path = 'configmaps', body, type = 'application/json', user, groups = [] } = request
  const headers: Record<string, string> = { 'content-type': type }
  if (user !== undefined) {
    headers['impersonate-user'] = user
    if (groups.length > 0) headers['impersonate-group'] = groups.join(',')
  }
  const url = path.startsWith('/') ? path : `/api/v1/namespaces/$ns/${path}`
  const text = body === undefined ? undefined : JSON.stringify(replaced(body, namespace))
  const answer = await ask(url.replaceAll('$ns', namespace), {
    method,
    headers,
    ...(text === undefined ? {} : { body: text }),
  })
  const warnings = [...(answer.headers['warning'] ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, one]) => one!)
  const parsed: unknown = JSON.parse(answer.body.toString('utf8'))
  return { code: answer.status, ...(warnings.length === 0 ? {} : { warnings }), body: stable(parsed) }
}

/** Requests for certificates of nobody special (`$csr`) and of system:masters (`$masters`), and an authority (`$ca`). */
const CERTIFICATES = JSON.parse(readFileSync(join(import.meta.dirname, 'certificates.json'), 'utf8')) as Record<
  string,
  string
>

/** `$ns` is the namespace, in every text. */
function replaced(value: unknown, namespace: string): unknown {
  const text = JSON.stringify(value).replaceAll('$ns', namespace)
  return JSON.parse(text, (_, item: unknown) =>
    typeof item === 'string' && item.startsWith('$') ? (CERTIFICATES[item.slice(1)] ?? item) : item,
  )
}

const VOLATILE = new Set(
  'uid resourceVersion creationTimestamp deletionTimestamp managedFields clusterIP clusterIPs extra'.split(' '),
)
const UUID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g
const GENERATED = /\b(generated|kube-api-access)-[a-z0-9]{5}\b/g

/** An answer without what differs from run to run, and without the status of objects, which is no matter of policies. */
function stable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stable)
  if (typeof value === 'string') return value.replaceAll(GENERATED, '$1-xxxxx').replaceAll(UUID, 'UUID')
  if (typeof value !== 'object' || value === null) return value
  const { status, ...rest } = value as Json
  const entries = Object.entries(typeof status === 'string' ? { ...rest, status } : rest)
  const kept = entries.filter(([key]) => !VOLATILE.has(key) && !(key === 'code' && status === 'Success'))
  return Object.fromEntries(kept.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, stable(item)]))
}
