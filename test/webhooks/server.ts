/** A webhook server whose paths each behave in one way. */
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createCa, issueCertificate } from '../../src/machinery/pki/certificate.ts'

export interface WebhookServer extends AsyncDisposable {
  readonly url: string
  /** Base64 PEM, as configurations have it. */
  readonly caBundle: string
  /** Reviews that came in since the last time, in order of arrival. */
  taken(): Seen[]
}

export interface Seen {
  readonly path: string
  readonly headers: Record<string, string | undefined>
  readonly review: Review
}

export interface Review {
  readonly kind: string
  readonly apiVersion: string
  readonly request: Record<string, unknown> & { readonly uid: string }
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')

/** What `response` is, beside the uid. */
type Respond = (review: Review) => Record<string, unknown>

const patch = (...operations: readonly object[]): Respond => {
  const coded = base64(operations)
  return () => ({ allowed: true, patchType: 'JSONPatch', patch: coded })
}
const label = (name: string, value: string): Respond => patch({ op: 'add', path: `/metadata/labels/${name}`, value })
const container = (name: string) => ({ name, image: `${name}:1` })

const RESPONSES: Readonly<Record<string, Respond>> = {
  allow: () => ({ allowed: true }),
  warn: () => ({ allowed: true, warnings: ['first', 'second "quoted"'], auditAnnotations: { a: 'b' } }),
  deny: () => ({ allowed: false }),
  'deny-message': () => ({ allowed: false, status: { message: 'not today' } }),
  'deny-reason': () => ({ allowed: false, status: { reason: 'Conflict', code: 409 } }),
  'deny-details': () => ({
    allowed: false,
    warnings: ['you were warned'],
    status: {
      status: 'Success',
      code: 201,
      reason: 'Odd',
      message: 'because',
      metadata: { resourceVersion: '7' },
      details: { name: 'n', group: 'g', kind: 'k', causes: [{ reason: 'r', message: 'm', field: 'f' }] },
    },
  }),
  label: label('hook', 'one'),
  'label-two': label('hook-two', 'two'),
  html: patch({ value: { html: '<&>\u2028' }, path: '/metadata/annotations', op: 'add' }),
  annotate: patch({ op: 'add', path: '/metadata/annotations', value: { seen: 'yes' } }),
  sidecar: (review) => {
    const { containers } = (review.request['object'] as { spec: { containers: { name: string }[] } }).spec
    const has = containers.some(({ name }) => name === 'sidecar')
    return has
      ? { allowed: true }
      : patch({ op: 'add', path: '/spec/containers/-', value: container('sidecar') })(review)
  },
  count: (review) => {
    const object = review.request['object'] as { spec: { containers: unknown[] } }
    return patch({ op: 'add', path: '/metadata/annotations/count', value: String(object.spec.containers.length) })(
      review,
    )
  },
  'same-value': patch({ op: 'replace', path: '/metadata/name', value: 'same' }),
  rename: patch({ op: 'replace', path: '/metadata/name', value: 'renamed' }),
  move: patch({ op: 'replace', path: '/metadata/namespace', value: 'default' }),
  'other-kind': patch({ op: 'replace', path: '/kind', value: 'Secret' }),
  'wrong-type': patch({ op: 'add', path: '/data', value: 7 }),
  unknown: patch({ op: 'add', path: '/nowhere', value: { a: 1 } }),
  misfit: patch({ op: 'replace', path: '/data/none/deeper', value: 'x' }),
  'no-operation': patch(),
  'remove-all': patch({ op: 'replace', path: '', value: [] }),
  system: patch(
    { op: 'add', path: '/metadata/uid', value: 'abc' },
    { op: 'add', path: '/metadata/generation', value: 9 },
    { op: 'add', path: '/metadata/creationTimestamp', value: '2001-01-01T00:00:00Z' },
  ),
  managers: patch({ op: 'replace', path: '/metadata/managedFields', value: [{ manager: 'x', operation: 'Nonsense' }] }),
  'no-managers': patch({ op: 'remove', path: '/metadata/managedFields' }),
  proto: () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"add","path":"/data/__proto__","value":"x"}]').toString('base64'),
  }),
  'proto-object': patch({ op: 'add', path: '/__proto__', value: { polluted: true } }),
  'spec-size': patch({ op: 'add', path: '/spec/size', value: 42 }),
  'spec-extra': patch({ op: 'add', path: '/spec/extra', value: 'dropped' }),
  replicas: patch({ op: 'replace', path: '/spec/replicas', value: 5 }),
  'no-type': () => ({ allowed: true, patch: base64([]) }),
  'no-patch': () => ({ allowed: true, patchType: 'JSONPatch' }),
  'empty-type': () => ({ allowed: true, patch: base64([]), patchType: '' }),
  'other-type': () => ({ allowed: true, patch: base64([{ op: 'test', path: '/x', value: 1 }]), patchType: 'Merge' }),
  'bad-base64': () => ({ allowed: true, patchType: 'JSONPatch', patch: '!!!' }),
  'bad-patch': () => ({ allowed: true, patchType: 'JSONPatch', patch: Buffer.from('{').toString('base64') }),
  'object-patch': () => ({ allowed: true, patchType: 'JSONPatch', patch: base64({ op: 'add' }) }),
  'bad-allowed': () => ({ allowed: 'yes' }),
  'bad-status': () => ({ allowed: false, status: 'no' }),
  'bad-warnings': () => ({ allowed: true, warnings: 'w' }),
  'wrong-uid': () => ({ allowed: true, uid: 'another' }),
}

type Raw = (response: ServerResponse, review: Review, request: IncomingMessage) => void

const json = (response: ServerResponse, value: unknown, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const RAW: Readonly<Record<string, Raw>> = {
  'no-response': (response, review) => json(response, { kind: 'AdmissionReview', apiVersion: review.apiVersion }),
  'no-kind': (response, review) => json(response, { response: { uid: review.request.uid, allowed: true } }),
  'old-version': (response, review) =>
    json(response, {
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1beta1',
      response: { uid: review.request.uid, allowed: true },
    }),
  'old-sloppy': (response) =>
    json(response, { response: { allowed: true, patch: base64([{ op: 'add', path: '/data/old', value: 'v' }]) } }),
  convert: (response, review) => {
    const { uid, desiredAPIVersion, objects } = review.request as unknown as Record<string, string> & {
      objects: object[]
    }
    const convertedObjects = objects.map((object) => ({ ...object, apiVersion: desiredAPIVersion }))
    json(response, {
      ...review,
      request: undefined,
      response: { uid, convertedObjects, result: { status: 'Success' } },
    })
  },
  garbage: (response) => void response.end('this is no JSON'),
  list: (response) => json(response, []),
  empty: (response) => void response.end(),
  'error-text': (response) => void response.writeHead(500, { 'content-type': 'text/plain' }).end('it broke\n'),
  'error-json': (response) => json(response, { any: 'thing' }, 500),
  'error-status': (response) =>
    json(
      response,
      { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'my own', reason: 'Gone', code: 410 },
      410,
    ),
  'not-found': (response) => void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n'),
  redirect: (response) => void response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end(),
  hang: () => undefined,
  reset: (_response, _review, request) => void request.socket.destroy(),
}

export async function startWebhooks(): Promise<WebhookServer> {
  const now = Date.now()
  const authority = createCa({ commonName: 'webhooks', now })
  const issued = issueCertificate(authority, { commonName: 'webhooks', usage: 'server', ips: ['127.0.0.1'], now })
  let seen: Seen[] = []
  const server = createServer({ cert: issued.certificate, key: issued.key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review
      const { accept, 'user-agent': agent, 'content-type': type } = request.headers
      const path = request.url!
      seen.push({ path, headers: { accept, agent, type }, review })
      const name = path.replace(/\?.*/, '').slice(path.lastIndexOf('/') + 1)
      const raw = RAW[name]
      if (raw !== undefined) return raw(response, review, request)
      const { uid } = review.request
      json(response, {
        kind: 'AdmissionReview',
        apiVersion: review.apiVersion,
        response: { uid, ...RESPONSES[name]!(review) },
      })
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `https://127.0.0.1:${(server.address() as { port: number }).port}`,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    taken() {
      const all = seen
      seen = []
      return all
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
