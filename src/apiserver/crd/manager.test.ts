import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testServer } from '../http/fixture.ts'
import type { Any, Server } from '../http/fixture.ts'
import { DEFINITIONS, OBJECTS, definition } from './testdata/requests.ts'

const widget = (name: string, extra: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, ...extra },
  spec: { size: 1 },
})
const MERGE = { 'content-type': 'application/merge-patch+json' }
const AT = `${DEFINITIONS}/widgets.example.com`

async function define(server: Server, body: object = definition()) {
  const answer = await server.ask('POST', DEFINITIONS, body)
  await server.custom.idle()
  return answer
}

test('a deleted definition takes its instances along, waits for their finalizers, and ends their watches', async () => {
  const server = await testServer()
  await define(server)
  await server.ask('POST', OBJECTS, widget('free'))
  await server.ask('POST', OBJECTS, widget('held', { finalizers: ['example.com/hold'] }))
  const watch = server.send('GET', `${OBJECTS}?watch=1`)
  await server.ask('DELETE', AT)
  await server.custom.idle()
  assert.equal((await server.ask('GET', `${OBJECTS}/free`)).status, 404)
  const terminating = (await server.ask('GET', AT)).json
  assert.equal(
    terminating.status.conditions.find((c: Any) => c.type === 'Terminating').reason,
    'InstanceDeletionInProgress',
  )
  assert.equal((await server.ask('POST', OBJECTS, widget('late'))).status, 405)
  await server.ask('PATCH', `${OBJECTS}/held`, { metadata: { finalizers: null } }, MERGE)
  await server.custom.idle()
  assert.equal((await server.ask('GET', AT)).status, 404)
  assert.equal((await server.ask('GET', OBJECTS)).text, '404 page not found\n')
  await watch.done
  await define(server)
  assert.deepEqual((await server.ask('GET', OBJECTS)).json.items, [])
})

test('names that are taken are not served until they are free', async () => {
  const server = await testServer()
  await define(server)
  const other = definition()
  other.metadata.name = 'gizmos.example.com'
  other.spec.names = { plural: 'gizmos', kind: 'Gizmo', shortNames: ['wd'] }
  await define(server, other)
  const at = `${DEFINITIONS}/gizmos.example.com`
  const texts = async () =>
    (await server.ask('GET', at)).json.status.conditions.map(
      (c: Any) => `${c.type} ${c.status} ${c.reason}: ${c.message}`,
    )
  assert.deepEqual(await texts(), [
    'NamesAccepted False ShortNamesConflict: "wd" is already in use',
    'Established False NotAccepted: not all names are accepted',
  ])
  assert.equal((await server.ask('GET', '/apis/example.com/v1/gizmos')).status, 404)
  await server.ask('DELETE', AT)
  await server.custom.idle()
  assert.deepEqual(await texts(), [
    'NamesAccepted True NoConflicts: no conflicts found',
    'Established True InitialNamesAccepted: the initial names have been accepted',
  ])
  assert.equal((await server.ask('GET', '/apis/example.com/v1/gizmos')).status, 200)
})

test('versions show the same objects; a version that is not served any more is gone', async () => {
  const server = await testServer()
  const body = definition()
  body.spec.versions.push({
    ...structuredClone(body.spec.versions[0]),
    name: 'v1beta1',
    storage: false,
    deprecated: true,
  })
  await define(server, body)
  await server.ask('POST', OBJECTS, widget('a'))
  const old = '/apis/example.com/v1beta1/namespaces/default/widgets'
  const seen = await server.ask('GET', `${old}/a`)
  assert.equal(seen.json.apiVersion, 'example.com/v1beta1')
  assert.equal(seen.headers['warning'], '299 - "example.com/v1beta1 Widget is deprecated"')
  assert.deepEqual((await server.ask('GET', '/apis/example.com')).json.preferredVersion.version, 'v1')
  const now = (await server.ask('GET', AT)).json
  now.spec.versions[1].served = false
  assert.equal((await server.ask('PUT', AT, now)).status, 200)
  await server.custom.idle()
  assert.equal((await server.ask('GET', `${old}/a`)).status, 404)
  assert.equal((await server.ask('GET', `${OBJECTS}/a`)).status, 200)
})

test('tables have the printer columns of the version', async () => {
  const server = await testServer()
  const body = definition()
  body.spec.versions[0].additionalPrinterColumns = [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
    { name: 'Colour', type: 'string', jsonPath: '.spec.color', priority: 1 },
    { name: 'Missing', type: 'string', jsonPath: '.status.phase' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ]
  await define(server, body)
  await server.ask('POST', OBJECTS, widget('a'))
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const { json } = await server.ask('GET', OBJECTS, undefined, { accept })
  assert.deepEqual(json.rows[0].cells, ['a', 1, 'red', null, '60s'])
  assert.deepEqual(
    json.columnDefinitions.map((c: Any) => `${c.name} ${c.priority}`),
    ['Name 0', 'Size 0', 'Colour 1', 'Missing 0', 'Age 0'],
  )
})

test('what was stored before a schema changed is shown as the schema wants it now', async () => {
  const server = await testServer()
  await define(server)
  const sent = (name: string) => ({ ...widget(name), spec: { size: 1, color: 'red' } })
  await server.ask('POST', OBJECTS, sent('old'))
  const properties = `/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties`
  const change = async (...operations: object[]) => {
    const answer = await server.ask('PATCH', AT, operations, { 'content-type': 'application/json-patch+json' })
    assert.equal(answer.status, 200)
    await server.custom.idle()
  }
  await change(
    { op: 'add', path: `${properties}/shape`, value: { type: 'string', default: 'round' } },
    { op: 'remove', path: `${properties}/color` },
  )
  const got = (await server.ask('GET', `${OBJECTS}/old`)).json
  assert.deepEqual(got.spec, { size: 1, shape: 'round' })
  const [listed] = (await server.ask('GET', OBJECTS)).json.items
  assert.deepEqual(listed, got)

  // Defaults that were shown are kept only by a write.
  const again = (await server.ask('PUT', `${OBJECTS}/old`, got)).json
  assert.notEqual(again.metadata.resourceVersion, got.metadata.resourceVersion)
  await server.ask('POST', OBJECTS, widget('new'))
  await change({ op: 'remove', path: `${properties}/shape/default` })
  for (const name of ['old', 'new'])
    assert.equal((await server.ask('GET', `${OBJECTS}/${name}`)).json.spec.shape, 'round')
  const unchanged = (await server.ask('PUT', `${OBJECTS}/old`, again)).json
  assert.equal(unchanged.metadata.resourceVersion, again.metadata.resourceVersion)
})

test('an object has the defaults of the version that is stored, and the fields of the one that is asked for', async () => {
  const server = await testServer()
  const body = definition()
  const other = { ...structuredClone(body.spec.versions[0]), name: 'v2', storage: false }
  other.schema.openAPIV3Schema.properties.spec.properties.shape = { type: 'string', default: 'round' }
  body.spec.versions.push(other)
  await define(server, body)
  const at = '/apis/example.com/v2/namespaces/default/widgets'
  await server.ask('POST', OBJECTS, widget('a'))
  const flat = { ...widget('b'), apiVersion: 'example.com/v2', spec: { size: 1, shape: 'flat' } }
  assert.equal((await server.ask('POST', at, flat)).status, 201)
  for (const name of ['a', 'b']) {
    assert.deepEqual((await server.ask('GET', `${at}/${name}`)).json.spec, { size: 1, color: 'red' })
    assert.deepEqual((await server.ask('GET', `${OBJECTS}/${name}`)).json.spec, { size: 1, color: 'red' })
  }
})

test('a watch ends when the definition changes, not when it is deleted', async () => {
  const server = await testServer()
  await define(server)
  await server.ask('POST', OBJECTS, widget('a'))
  const first = server.send('GET', `${OBJECTS}?watch=1`)
  await server.ask('PATCH', AT, { metadata: { labels: { x: 'y' } } }, MERGE)
  await server.custom.idle()
  await server.ask('POST', OBJECTS, widget('b'))
  assert.deepEqual(
    first.lines.map((l: Any) => `${l.type} ${l.object.metadata.name}`),
    ['ADDED a', 'ADDED b'],
  )
  await server.ask('PATCH', AT, { spec: { names: { shortNames: ['wx'] } } }, MERGE)
  await server.custom.idle()
  await first.done
  const second = server.send('GET', `${OBJECTS}?watch=1`)
  await server.ask('DELETE', AT)
  await server.custom.idle()
  await second.done
  assert.deepEqual(
    second.lines.map((l: Any) => `${l.type} ${l.object.metadata.name}`),
    ['ADDED a', 'ADDED b', 'DELETED a', 'DELETED b'],
  )
})

test('a definition whose webhook has no readable authority is not served until it has', async () => {
  const server = await testServer()
  const body = definition()
  const webhook = { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://example.com', caBundle: 'eHg=' } }
  body.spec.conversion = { strategy: 'Webhook', webhook }
  assert.equal((await define(server, body)).status, 201)
  const established = async () =>
    (await server.ask('GET', AT)).json.status.conditions.find((c: Any) => c.type === 'Established')
  assert.deepEqual([(await established()).status, (await established()).reason], ['False', 'InvalidCABundle'])
  const path = '/spec/conversion/webhook/clientConfig/caBundle'
  const type = { 'content-type': 'application/json-patch+json' }
  assert.equal((await server.ask('PATCH', AT, [{ op: 'remove', path }], type)).status, 200)
  await server.custom.idle()
  assert.equal((await established()).status, 'True')
})

test('fields that can be selected by are published', async () => {
  const server = await testServer()
  const body = definition()
  body.spec.versions[0].selectableFields = [{ jsonPath: '.spec.color' }]
  await define(server, body)
  const wanted = [{ fieldPath: 'spec.color' }]
  const { schemas } = (await server.ask('GET', '/openapi/v3/apis/example.com/v1')).json.components
  const { definitions } = (await server.ask('GET', '/openapi/v2')).json
  for (const kinds of [schemas, definitions])
    for (const name of ['com.example.v1.Widget', 'com.example.v1.WidgetList'])
      assert.deepEqual(kinds[name]['x-kubernetes-selectable-fields'], wanted)
})
