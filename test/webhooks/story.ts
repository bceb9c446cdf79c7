/** The webhook story, told against any API server; what a real kube-apiserver answers is in answers.oracle.json. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DialPools } from '../../src/apiserver/dial/dialler.ts'
import { parseKubeconfig } from '../../src/client/kubeconfig.ts'
import { createCa } from '../../src/machinery/pki/certificate.ts'
import type { Hook, Scene } from './scenes.ts'
import { SCENES } from './scenes.ts'
import type { WebhookServer } from './server.ts'

/** What happened at one request. */
export interface Told {
  readonly scene: string
  readonly ask: string
  readonly code: number
  readonly warnings?: string
  readonly body: unknown
  /** What webhooks were asked: address and review. */
  readonly asked?: readonly unknown[]
}

export const answersFile = new URL('answers.oracle.json', import.meta.url)

export function readAnswers(): readonly Told[] {
  return JSON.parse(readFileSync(answersFile, 'utf8')) as Told[]
}

const BASE = '/apis/admissionregistration.k8s.io/v1'

type Send = (line: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>

interface Answered {
  readonly code: number
  readonly warnings: string | undefined
  readonly body: unknown
}

export interface StoryOptions {
  readonly kubeconfig: string
  readonly hooks: WebhookServer
  /** Milliseconds until a server that follows its configurations by watches knows them. */
  readonly settle: number
  /** Only scenes whose names have these words. @default all */
  readonly only?: string
}

export async function runStory(options: StoryOptions): Promise<readonly Told[]> {
  const { hooks, settle } = options
  const dials = new DialPools()
  const { send, close } = sender(options.kubeconfig, dials)
  const told: Told[] = []
  try {
    await prepare(send)
    await sleep(settle * 4)
    for (const scene of SCENES) {
      if (options.only !== undefined && !scene.name.includes(options.only)) continue
      const made = await configure(send, scene, hooks)
      if (made.length > 0) await sleep(settle)
      hooks.taken()
      for (const [ask, body, headers] of scene.asks) {
        const { code, warnings, body: answer } = await send(ask, body, headers)
        const asked = inOrder(hooks.taken().map(({ path, headers: sent, review }) => ({ path, sent, review })))
        told.push({
          scene: scene.name,
          ask,
          code,
          ...(warnings === undefined ? {} : { warnings }),
          body: steady(answer, hooks),
          ...(asked.length === 0 ? {} : { asked: steady(asked, hooks) as unknown[] }),
        })
      }
      for (const path of made) await send(`DELETE ${path}`)
      if (made.length > 0) await sleep(settle)
    }
  } finally {
    await close()
  }
  return told
}

/** Validating webhooks are asked at the same time: theirs come last, by address. */
function inOrder<T extends { readonly path: string }>(asked: readonly T[]): readonly T[] {
  const validating = asked.filter(({ path }) => path.startsWith('/validating/'))
  return [
    ...asked.filter(({ path }) => !path.startsWith('/validating/')),
    ...validating.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  ]
}

function sender(kubeconfig: string, dials: DialPools): { send: Send; close(): Promise<void> } {
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
  const dialler = dials.dialler({ cluster: 'story', services: { resolve: () => ({ host: '', port: 0 }) } })
  return {
    close: () => dialler.close(),
    async send(line, body, headers) {
      const [method, path] = line.split(' ') as [string, string]
      const mark = path.indexOf('?')
      const answer = await dialler.call({
        destination: { url: `${server}${mark < 0 ? path : path.slice(0, mark)}` },
        ...(mark < 0 ? {} : { query: path.slice(mark + 1) }),
        ...(ca === undefined ? {} : { caBundle: ca }),
        client: { certificate: clientCertificate!, key: clientKey! },
        method,
        headers: { accept: 'application/json', 'user-agent': 'story', 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeout: 30_000,
      })
      const text = answer.body.toString('utf8')
      return {
        code: answer.status,
        warnings: answer.headers['warning'],
        body: text.startsWith('{') ? JSON.parse(text) : text,
      }
    },
  }
}

async function prepare(send: Send): Promise<void> {
  await send('POST /api/v1/namespaces', { metadata: { name: 'hooks', labels: { team: 'a' } } })
  for (const name of ['default', 'robot']) {
    await send('POST /api/v1/namespaces/hooks/serviceaccounts', { metadata: { name } })
  }
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: {
              size: { type: 'integer' },
              color: { type: 'string', default: 'red' },
              replicas: { type: 'integer', default: 1 },
            },
          },
          status: { type: 'object', properties: { replicas: { type: 'integer' } } },
        },
      },
    },
  })
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }
  await send('POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'widgets.example.com' },
    spec: { group: 'example.com', scope: 'Namespaced', names, versions: [version('v1', true), version('v2', false)] },
  })
  for (let i = 0; i < 100; i++) {
    const { code } = await send('GET /apis/example.com/v2/namespaces/hooks/widgets')
    if (code === 200) return
    await sleep(100)
  }
}

/** Paths of what was made. */
async function configure(send: Send, scene: Scene, server: WebhookServer): Promise<string[]> {
  const made: string[] = []
  for (const [list, kind, plural] of [
    [scene.mutating, 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations'],
    [scene.validating, 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'],
  ] as const) {
    if (list === undefined) continue
    const webhooks = list.map((hook, i) =>
      webhookOf(hook, i, `${server.url}/${plural.replace(/webhook.*/, '')}`, server.caBundle),
    )
    const apiVersion = 'admissionregistration.k8s.io/v1'
    const { code, body } = await send(`POST ${BASE}/${plural}`, {
      apiVersion,
      kind,
      metadata: { name: 'scene' },
      webhooks,
    })
    if (code !== 201) throw new Error(`${scene.name}: ${JSON.stringify(body)}`)
    made.push(`${BASE}/${plural}/scene`)
  }
  return made
}

const stranger = createCa({ commonName: 'stranger', now: Date.now() }).certificate

function webhookOf({ path, client, rules = '', more = {} }: Hook, index: number, url: string, ca: string): object {
  const { scope, untrusted, ...rest } = more as { scope?: string; untrusted?: boolean }
  const caBundle = untrusted === true ? Buffer.from(stranger).toString('base64') : ca
  return {
    name: `hook${index}.example.com`,
    clientConfig: client ?? { url: `${url}/${path}`, caBundle },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    rules: rules.split(' | ').map((text) => {
      const [operations, target] = text.split(' ') as [string, string]
      const [group, version, ...resources] = target.split('/') as [string, string, ...string[]]
      return {
        operations: operations.split(','),
        apiGroups: [group === 'core' ? '' : group],
        apiVersions: [version],
        resources: resources.join('/').split(','),
        ...(scope === undefined ? {} : { scope }),
      }
    }),
    ...rest,
  }
}

/** Differences that have their place elsewhere: zero values of conversions, what is filled into a TokenRequest. */
function isKnown(kind: unknown, name: string, item: unknown, whole: object): boolean {
  if (kind === 'HorizontalPodAutoscaler') return name === 'status'
  if (kind === 'Event') return item === ''
  if (kind === 'TokenRequest') return name === 'metadata'
  return name === 'code' && item === 200 && (whole as { status?: unknown }).status === 'Success'
}

const UNTRACKED = new Set(['Binding', 'Scale', 'SelfSubjectAccessReview', 'TokenRequest'])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

/** Without what differs from run to run; members in one order. */
function steady(value: unknown, server: WebhookServer, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => steady(item, server))
    // Entries of managers stand by their seconds.
    return key === 'managedFields' ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    const out: Record<string, unknown> = {}
    const { kind } = value as { kind?: unknown }
    for (const [name, item] of members) {
      // What is not stored is not tracked here.
      if (isKnown(kind, name, item, value)) continue
      if (name === 'metadata' && UNTRACKED.has(String(kind))) delete (item as { managedFields?: unknown }).managedFields
      Object.defineProperty(out, name, { value: steady(item, server, name), enumerable: true })
    }
    return out
  }
  if (typeof value !== 'string') return value
  if (key === 'uid' && value.length === 36) return 'U'
  if (key === 'resourceVersion' && value !== '7') return 'R'
  if (key === 'token' && value.length > 100) return 'TOKEN'
  if (TIME.test(value) && !value.startsWith('2001')) return 'T'
  return value
    .replaceAll(/10\.96\.\d+\.\d+/g, 'IP')
    .replaceAll(server.url, 'https://hooks')
    .replaceAll(server.url.slice('https://'.length), 'hooks')
    .replaceAll(/made-[a-z0-9]{5}/g, 'made-x')
    .replaceAll(/X509SHA256=[0-9a-f]+/g, 'X509SHA256=H')
    .replaceAll(/response.uid=\\?"[0-9a-f-]{36}/g, 'response.uid="U')
    .replaceAll(/127\.0\.0\.1:\d+->127\.0\.0\.1:\d+/g, 'A->B')
}
