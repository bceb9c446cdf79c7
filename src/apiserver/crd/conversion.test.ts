/** Conversion webhooks: a real HTTPS server converts `spec.size` (v1) and `spec.amount` (v2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { DialPools } from '../dial/dialler.ts'
import { httpsServer } from '../dial/fixture.ts'
import { testServer } from '../http/fixture.ts'
import type { Any, Server } from '../http/fixture.ts'
import { DEFINITIONS } from './testdata/requests.ts'

const PLURALS: Readonly<Record<string, string>> = {
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
}
const MERGE = { 'content-type': 'application/merge-patch+json' }
const APPLY = { 'content-type': 'application/apply-patch+yaml' }
const AT = `${DEFINITIONS}/gauges.example.com`
const path = (version: string, name = '') =>
  `/apis/example.com/${version}/namespaces/default/gauges${name && `/${name}`}`

const schema = (field: string) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: { [field]: { type: 'integer', maximum: 100 }, replicas: { type: 'integer' } },
      },
      status: { type: 'object', properties: { seen: { type: 'integer' }, replicas: { type: 'integer' } } },
    },
  },
})

function definition(url: string, ca: string): Any {
  const subresources = {
    status: {},
    scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  }
  const version = (name: string, field: string) => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: schema(field),
    subresources,
    selectableFields: [{ jsonPath: `.spec.${field}` }],
    additionalPrinterColumns: [{ name: field, type: 'integer', jsonPath: `.spec.${field}` }],
  })
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gauges.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gauges', kind: 'Gauge' },
      versions: [version('v1', 'size'), version('v2', 'amount')],
      conversion: {
        strategy: 'Webhook',
        webhook: {
          conversionReviewVersions: ['v1'],
          clientConfig: { url, caBundle: Buffer.from(ca).toString('base64') },
        },
      },
    },
  }
}

interface Webhook {
  /** How many objects each call brought. */
  readonly calls: number[]
  /** Changes the answer before it is sent. */
  spoil: ((review: Any) => void) | undefined
  delay: number
  /** Answers admission reviews. */
  admit: ((request: Any) => object) | undefined
  readonly url: string
  readonly caBundle: string
}

function convert(object: Any, apiVersion: string): Any {
  const { size, amount, ...rest } = object.spec ?? {}
  const value = size ?? amount
  const field = apiVersion.endsWith('/v1') ? 'size' : 'amount'
  const spec = { ...rest, ...(value === undefined ? {} : { [field]: value }) }
  const { labels, ...metadata } = object.metadata
  return { ...object, apiVersion, metadata: { ...metadata, labels: { ...labels, via: 'webhook' } }, spec }
}

async function setup(t: TestContext): Promise<{ server: Server; hook: Webhook }> {
  const { url, ca } = await httpsServer(t, (_request, response, body) => {
    const { request, kind, apiVersion } = JSON.parse(body.toString('utf8')) as Any
    if (kind === 'AdmissionReview') {
      const answered = { kind, apiVersion, response: { uid: request.uid, ...hook.admit!(request) } }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answered))
      return
    }
    hook.calls.push(request.objects.length)
    const review: Any = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: {
        uid: request.uid,
        result: { status: 'Success' },
        convertedObjects: request.objects.map((object: Any) => convert(object, request.desiredAPIVersion)),
      },
    }
    hook.spoil?.(review)
    const answer = () => response.setHeader('content-type', 'application/json').end(JSON.stringify(review))
    if (hook.delay > 0) setTimeout(answer, hook.delay)
    else answer()
  })
  const caBundle = Buffer.from(ca).toString('base64')
  const hook: Webhook = { calls: [], spoil: undefined, delay: 0, admit: undefined, url, caBundle }
  const services = { resolve: () => ({ host: '127.0.0.1', port: 1 }) }
  const dialler = new DialPools().dialler({ cluster: 'test', services })
  t.after(() => dialler.close())
  const server = await testServer({}, undefined, dialler)
  const made = await server.ask('POST', DEFINITIONS, definition(`${url}/convert`, ca))
  assert.equal(made.status, 201, made.text)
  await server.custom.idle()
  return { server, hook }
}

const gauge = (version: string, name: string, spec: object, extra: object = {}): Any => ({
  apiVersion: `example.com/${version}`,
  kind: 'Gauge',
  metadata: { name, ...extra },
  spec,
})

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(holds(), 'it did not happen')
}

test('every verb speaks the version that it is asked in; what is stored is in the storage version', async (t) => {
  const { server, hook } = await setup(t)
  const created = await server.ask('POST', path('v2'), gauge('v2', 'a', { amount: 5 }))
  assert.equal(created.status, 201, created.text)
  assert.equal(created.json.apiVersion, 'example.com/v2')
  assert.deepEqual(created.json.spec, { amount: 5 })
  assert.deepEqual(created.json.metadata.labels, { via: 'webhook' })
  const before = hook.calls.length
  const stored = await server.ask('GET', path('v1', 'a'))
  assert.deepEqual(stored.json.spec, { size: 5 })
  assert.equal(hook.calls.length, before, 'the storage version is read without the webhook')

  const put = await server.ask('PUT', path('v2', 'a'), { ...created.json, spec: { amount: 6 } })
  assert.deepEqual([put.status, put.json.spec, put.json.metadata.generation], [200, { amount: 6 }, 2], put.text)
  const patched = await server.ask('PATCH', path('v2', 'a'), { spec: { amount: 7, replicas: 2 } }, MERGE)
  assert.deepEqual([patched.status, patched.json.spec], [200, { amount: 7, replicas: 2 }], patched.text)
  assert.deepEqual((await server.ask('GET', path('v1', 'a'))).json.spec, { size: 7, replicas: 2 })

  const refused = await server.ask('PATCH', path('v2', 'a'), { spec: { amount: 700 } }, MERGE)
  assert.equal(refused.json.details.causes[0].field, 'spec.amount')

  const status = await server.ask('PATCH', `${path('v2', 'a')}/status`, { status: { seen: 1, replicas: 2 } }, MERGE)
  assert.deepEqual([status.status, status.json.status], [200, { seen: 1, replicas: 2 }], status.text)
  const scale = await server.ask('GET', `${path('v2', 'a')}/scale`)
  assert.deepEqual([scale.json.spec, scale.json.status.replicas], [{ replicas: 2 }, 2])
  const scaled = await server.ask('PATCH', `${path('v2', 'a')}/scale`, { spec: { replicas: 3 } }, MERGE)
  assert.equal(scaled.status, 200, scaled.text)
  assert.deepEqual((await server.ask('GET', path('v1', 'a'))).json.spec, { size: 7, replicas: 3 })

  // Go clients write their options in the group version of the object.
  const options = (apiVersion: string) => ({ kind: 'DeleteOptions', apiVersion, propagationPolicy: 'Background' })
  const unknown = await server.ask('DELETE', path('v2', 'a'), options('other.example.com/v1'))
  assert.deepEqual(
    [unknown.status, unknown.json.message],
    [
      400,
      'no kind "DeleteOptions" is registered for version "other.example.com/v1" in scheme "pkg/runtime/scheme.go:111"',
    ],
  )
  const gone = await server.ask('DELETE', path('v2', 'a'), options('example.com/v2'))
  assert.equal(gone.status, 200, gone.text)
  assert.equal((await server.ask('GET', path('v1', 'a'))).status, 404)
})

test('admission webhooks see objects in the version of their rules, and change them there', async (t) => {
  const { server, hook } = await setup(t)
  const webhook = (name: string, operations: string[]) => ({
    name,
    clientConfig: { url: `${hook.url}//admit/`, caBundle: hook.caBundle },
    rules: [{ operations, apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['gauges'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    matchConditions: [{ name: 'sized', expression: '(object == null ? oldObject : object).spec.size > 0' }],
  })
  const configure = (kind: string, ...webhooks: object[]) =>
    server.ask('POST', `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s`, {
      kind,
      apiVersion: 'admissionregistration.k8s.io/v1',
      metadata: { name: 'hooks' },
      webhooks,
    })
  const seen: Any[] = []
  hook.admit = (request) => {
    seen.push([request.operation, request.object?.spec, request.oldObject?.spec, request.requestKind.version])
    const operations = [{ op: 'replace', path: '/spec/size', value: 50 }]
    if (request.object?.spec.size !== 5) return { allowed: true }
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') }
  }
  await configure('MutatingWebhookConfiguration', webhook('change.example.com', ['CREATE']))
  await configure('ValidatingWebhookConfiguration', webhook('look.example.com', ['CREATE', 'UPDATE', 'DELETE']))
  const created = await server.ask('POST', path('v2'), gauge('v2', 'a', { amount: 5 }))
  assert.deepEqual([created.status, created.json.spec], [201, { amount: 50 }], created.text)
  assert.deepEqual((await server.ask('GET', path('v1', 'a'))).json.spec, { size: 50 })
  const put = await server.ask('PUT', path('v2', 'a'), { ...created.json, spec: { amount: 6 } })
  assert.equal(put.status, 200, put.text)
  assert.equal((await server.ask('DELETE', path('v2', 'a'))).status, 200)
  assert.deepEqual(seen, [
    ['CREATE', { size: 5 }, undefined, 'v2'],
    ['CREATE', { size: 50 }, undefined, 'v2'],
    ['UPDATE', { size: 6 }, { size: 50 }, 'v2'],
    ['DELETE', undefined, { size: 6 }, 'v2'],
  ])
})

test('policies see objects in the version of their rules, and change them there', async (t) => {
  const { server } = await setup(t)
  const configure = async (kind: string, name: string, spec: object) => {
    const made = await server.ask('POST', `/apis/admissionregistration.k8s.io/v1/${PLURALS[kind]}`, {
      kind,
      apiVersion: 'admissionregistration.k8s.io/v1',
      metadata: { name },
      spec,
    })
    assert.equal(made.status, 201, made.text)
  }
  const resourceRules = [
    { operations: ['CREATE', 'UPDATE'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['gauges'] },
  ]
  await configure('MutatingAdmissionPolicy', 'grow', {
    matchConstraints: { resourceRules },
    reinvocationPolicy: 'Never',
    mutations: [
      { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "replace", path: "/spec/size", value: object.spec.size + 1}]' } },
      { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spec: Object.spec{size: object.spec.size * 2}}' } },
    ],
  }) // prettier-ignore
  await configure('MutatingAdmissionPolicyBinding', 'grow', { policyName: 'grow' })
  await configure('ValidatingAdmissionPolicy', 'small', {
    matchConstraints: { resourceRules },
    validations: [{ expression: 'object.spec.size < 50 && (oldObject == null || oldObject.spec.size > 0)' }],
  })
  await configure('ValidatingAdmissionPolicyBinding', 'small', { policyName: 'small', validationActions: ['Deny'] })
  const created = await server.ask('POST', path('v2'), gauge('v2', 'a', { amount: 5 }))
  assert.deepEqual([created.status, created.json.spec], [201, { amount: 12 }], created.text)
  assert.deepEqual((await server.ask('GET', path('v1', 'a'))).json.spec, { size: 12 })
  const put = await server.ask('PUT', path('v2', 'a'), { ...created.json, spec: { amount: 6 } })
  assert.deepEqual([put.status, put.json.spec], [200, { amount: 14 }], put.text)
  const large = await server.ask('PUT', path('v2', 'a'), { ...put.json, spec: { amount: 30 } })
  assert.equal(large.status, 422, large.text)
})

test('an update that changes nothing writes nothing', async (t) => {
  const { server } = await setup(t)
  const created = await server.ask('POST', path('v2'), gauge('v2', 'a', { amount: 5 }))
  const again = await server.ask('PUT', path('v2', 'a'), created.json)
  assert.equal(again.json.metadata.resourceVersion, created.json.metadata.resourceVersion)
})

test('a list is converted in pieces, and only once', async (t) => {
  const { server, hook } = await setup(t)
  for (let i = 0; i < 1200; i++) {
    await server.ask('POST', path('v1'), gauge('v1', `g${String(i).padStart(4, '0')}`, { size: i % 100 }))
  }
  assert.equal(hook.calls.length, 0)
  const listed = (await server.ask('GET', path('v2'))).json
  assert.equal(listed.items.length, 1200)
  assert.deepEqual([listed.items[7].spec, listed.items[7].apiVersion], [{ amount: 7 }, 'example.com/v2'])
  assert.equal(
    hook.calls.reduce((a, b) => a + b),
    1200,
  )
  assert.equal(hook.calls.length, 3)
  await server.ask('GET', path('v2'))
  assert.equal(hook.calls.length, 3)

  const selected = await server.ask('GET', `${path('v2')}?fieldSelector=spec.amount%3D42`)
  assert.equal(selected.json.items.length, 12)
  const other = await server.ask('GET', `${path('v2')}?fieldSelector=spec.size%3D42`)
  assert.equal(other.json.message, 'field label not supported: spec.size')
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  const table = (await server.ask('GET', `${path('v2')}?limit=2`, undefined, accept)).json
  assert.deepEqual(
    table.rows.map((row: Any) => row.cells),
    [
      ['g0000', 0],
      ['g0001', 1],
    ],
  )
})

test('a watch keeps its order while the webhook is slow; watchers share what it makes', async (t) => {
  const { server, hook } = await setup(t)
  await server.ask('POST', path('v1'), gauge('v1', 'first', { size: 1 }))
  hook.delay = 20
  const watches = [1, 2, 3].map(() => server.send('GET', `${path('v2')}?watch=1&allowWatchBookmarks=true`))
  for (let i = 0; i < 20; i++) {
    await server.ask('POST', path('v1'), gauge('v1', `w${i}`, { size: i }))
    if (i % 3 === 0) await server.ask('PATCH', path('v1', `w${i}`), { spec: { size: i + 1 } }, MERGE)
    if (i % 5 === 0) await server.ask('DELETE', path('v1', `w${i}`))
  }
  const wanted = 1 + 20 + 7 + 4
  await until(() => watches.every(({ lines }) => lines.length === wanted))
  const texts = (lines: Any[]) =>
    lines.map(({ type, object }) => `${type} ${object.metadata.name} ${object.spec.amount} ${object.apiVersion}`)
  assert.deepEqual(texts(watches[0]!.lines).slice(0, 4), [
    'ADDED first 1 example.com/v2',
    'ADDED w0 0 example.com/v2',
    'MODIFIED w0 1 example.com/v2',
    'DELETED w0 1 example.com/v2',
  ])
  for (const { lines } of watches) assert.deepEqual(texts(lines), texts(watches[0]!.lines))
  const revisions = watches[0]!.lines.map(({ object }: Any) => Number(object.metadata.resourceVersion))
  assert.deepEqual(
    revisions.slice(1),
    revisions.slice(1).toSorted((a: number, b: number) => a - b),
  )
  assert.equal(
    hook.calls.reduce((a, b) => a + b),
    wanted,
    'each state went to the webhook once',
  )
  for (const watch of watches) watch.leave()
})

test('a selected watch sees objects come and go by fields of its version', async (t) => {
  const { server } = await setup(t)
  const watch = server.send('GET', `${path('v2')}?watch=1&fieldSelector=spec.amount%3D5`)
  await server.ask('POST', path('v1'), gauge('v1', 'a', { size: 1 }))
  await server.ask('PATCH', path('v1', 'a'), { spec: { size: 5 } }, MERGE)
  await server.ask('PATCH', path('v1', 'a'), { spec: { size: 6 } }, MERGE)
  await until(() => watch.lines.length === 2)
  assert.deepEqual(
    watch.lines.map(({ type, object }) => `${type} ${object.spec.amount} ${object.metadata.resourceVersion}`),
    ['ADDED 5', 'DELETED 5'].map((text, i) => `${text} ${watch.lines[i].object.metadata.resourceVersion}`),
  )
  assert.notEqual(watch.lines[0].object.metadata.resourceVersion, watch.lines[1].object.metadata.resourceVersion)
  watch.leave()
})

test('a broken webhook: clear errors, a watch that ends with one, and the storage version works on', async (t) => {
  const { server, hook } = await setup(t)
  await server.ask('POST', path('v1'), gauge('v1', 'a', { size: 1 }))
  const watch = server.send('GET', `${path('v2')}?watch=1`)
  await until(() => watch.lines.length === 1)
  hook.spoil = ({ response }) => {
    response.result = { status: 'Failed', message: 'no way' }
    delete response.convertedObjects
  }
  await server.ask('POST', path('v1'), gauge('v1', 'b', { size: 2 }))
  await watch.done
  assert.deepEqual(watch.lines.at(-1), {
    type: 'ERROR',
    object: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'conversion webhook for example.com/v1, Kind=Gauge failed: no way',
      code: 500,
    },
  })
  const texts: string[] = []
  for (const [method, at, body, headers] of [
    ['GET', path('v2', 'b')],
    ['GET', path('v2')],
    ['POST', path('v2'), gauge('v2', 'c', { amount: 1 })],
    ['PATCH', path('v2', 'b'), { spec: { amount: 3 } }, MERGE],
    ['DELETE', path('v2', 'b')],
  ] as const) {
    const { status, json } = await server.ask(method, at, body, headers)
    texts.push(`${status} ${json.message}`)
  }
  const failed = (version: string) => `500 conversion webhook for example.com/${version}, Kind=Gauge failed: no way`
  assert.deepEqual(texts, [failed('v1'), failed('v1'), failed('v2'), failed('v1'), failed('v1')])
  assert.equal((await server.ask('GET', path('v1', 'c'))).status, 404)
  assert.equal((await server.ask('GET', path('v1', 'b'))).status, 200)
  assert.equal((await server.ask('DELETE', path('v1', 'b'))).status, 200)
  await server.ask('DELETE', AT)
  await server.custom.idle()
  assert.equal((await server.ask('GET', AT)).status, 404, 'a definition goes without its webhook')
})

test('answers of a webhook are checked as upstream checks them', async (t) => {
  const { server, hook } = await setup(t)
  await server.ask('POST', path('v1'), gauge('v1', 'a', { size: 1 }, { labels: { a: 'b' } }))
  const of = 'conversion webhook for example.com/v1, Kind=Gauge'
  const cases: [(review: Any) => void, string][] = [
    [({ response }) => (response.uid = 'x'), 'failed: expected response.uid='],
    [
      (review) => (review.apiVersion = 'v1'),
      'failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got v1, Kind=ConversionReview',
    ],
    [(review) => delete review.response, 'failed: no response provided'],
    [({ response }) => (response.result = {}), "failed: response.result.status was '', not 'Success'"],
    [({ response }) => (response.convertedObjects = []), 'returned 0 objects, expected 1'],
    [({ response }) => response.convertedObjects.push({}), 'returned 2 objects, expected 1'],
    [
      ({ response }) => (response.convertedObjects[0].apiVersion = 'example.com/v3'),
      'returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v3)',
    ],
    [
      ({ response }) => (response.convertedObjects[0].kind = 'Other'),
      'returned invalid object at index 0: invalid kind (expected Gauge, received Other)',
    ],
    [
      ({ response }) => (response.convertedObjects[0].metadata.name = 'z'),
      'returned invalid object: must have the same name: a != z',
    ],
    [
      ({ response }) => (response.convertedObjects[0].metadata.uid = 'z'),
      'returned invalid object: must have the same UID: ',
    ],
    [
      ({ response }) => (response.convertedObjects[0].metadata.labels = { a: 5 }),
      'returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object',
    ],
    [
      ({ response }) => (response.convertedObjects[0].metadata.labels = { 'a b': '' }),
      'returned invalid metadata: metadata.labels: Invalid value: "a b": ',
    ],
  ]
  for (const [spoil, text] of cases) {
    hook.spoil = spoil
    const { status, json } = await server.ask('GET', path('v2', 'a'))
    assert.equal(status, 500)
    assert.ok(json.message.startsWith(`${of} ${text}`), `${json.message}\n${of} ${text}`)
  }
  hook.spoil = ({ response }) => {
    const [object] = response.convertedObjects
    object.metadata = { ...object.metadata, annotations: { x: 'y' }, finalizers: ['a/b'], resourceVersion: '1' }
    object.unknown = 1
    object.spec.unknown = 1
  }
  const { json } = await server.ask('GET', path('v2', 'a'))
  assert.deepEqual(json.metadata.annotations, { x: 'y' })
  assert.equal(json.metadata.finalizers, undefined)
  assert.notEqual(json.metadata.resourceVersion, '1')
  assert.deepEqual([json.spec, json.unknown], [{ amount: 1 }, undefined])
})

test('managers of other versions keep and lose their fields through the webhook', async (t) => {
  const { server } = await setup(t)
  const apply = (version: string, manager: string, spec: object, force = false) =>
    server.ask(
      'PATCH',
      `${path(version, 'a')}?fieldManager=${manager}&force=${force}`,
      gauge(version, 'a', spec),
      APPLY,
    )
  const one = await apply('v1', 'one', { size: 1 })
  assert.equal(one.status, 201, one.text)
  const two = await apply('v2', 'two', { replicas: 2 })
  assert.equal(two.status, 200, two.text)
  assert.deepEqual(two.json.spec, { amount: 1, replicas: 2 })
  const conflict = await apply('v2', 'two', { replicas: 2, amount: 5 })
  assert.equal(conflict.status, 409)
  assert.equal(conflict.json.message, 'Apply failed with 1 conflict: conflict with "one": .spec.size')
  const forced = await apply('v2', 'two', { replicas: 2, amount: 5 }, true)
  assert.equal(forced.status, 200, forced.text)
  const managers = forced.json.metadata.managedFields.map(
    ({ manager, apiVersion, fieldsV1 }: Any) => `${manager} ${apiVersion} ${JSON.stringify(fieldsV1)}`,
  )
  assert.deepEqual(managers, ['two example.com/v2 {"f:spec":{"f:amount":{},"f:replicas":{}}}'])
  // What the applier drops goes away although it is stored under another name.
  const dropped = await apply('v2', 'two', { replicas: 2 })
  assert.deepEqual(dropped.json.spec, { replicas: 2 })
  assert.deepEqual((await server.ask('GET', path('v1', 'a'))).json.spec, { replicas: 2 })
})

test('after a change of the storage version, old objects are still read and are stored anew when they change', async (t) => {
  const { server, hook } = await setup(t)
  await server.ask('POST', path('v1'), gauge('v1', 'a', { size: 1 }))
  const { json } = await server.ask('GET', AT)
  json.spec.versions[0].storage = false
  json.spec.versions[1].storage = true
  assert.equal((await server.ask('PUT', AT, json)).status, 200)
  await server.custom.idle()
  assert.deepEqual((await server.ask('GET', AT)).json.status.storedVersions, ['v1', 'v2'])
  await server.ask('POST', path('v2'), gauge('v2', 'b', { amount: 2 }))
  hook.calls.length = 0
  const mixed = (await server.ask('GET', path('v1'))).json.items
  assert.deepEqual(
    mixed.map((item: Any) => item.spec),
    [{ size: 1 }, { size: 2 }],
  )
  assert.deepEqual(hook.calls, [1], 'only what is not in the version goes to the webhook')
  const touched = await server.ask('PUT', path('v1', 'a'), mixed[0])
  assert.notEqual(touched.json.metadata.resourceVersion, mixed[0].metadata.resourceVersion)
  hook.calls.length = 0
  assert.deepEqual((await server.ask('GET', path('v2', 'a'))).json.spec, { amount: 1 })
  assert.equal(hook.calls.length, 0)
})
