import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definition } from '../crd/testdata/requests.ts'
import { testServer } from '../http/fixture.ts'
import type { Any } from '../http/fixture.ts'

const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
const TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

test('aggregated, with its exact content type and ETag', async () => {
  const server = await testServer()
  for (const path of ['/api', '/apis']) {
    const first = await server.ask('GET', path, undefined, { accept: ACCEPT })
    assert.deepEqual(
      [first.headers['content-type'], first.headers['vary'], first.headers['cache-control']],
      [TYPE, 'Accept', 'public'],
    )
    const etag = first.headers['etag']!
    const again = await server.ask('GET', path, undefined, { accept: ACCEPT, 'if-none-match': etag })
    assert.deepEqual([again.status, again.text, again.headers['etag']], [304, '', etag])
  }
  const { json } = await server.ask('GET', '/api', undefined, { accept: ACCEPT })
  const pods = json.items[0].versions[0].resources.find((r: Any) => r.resource === 'pods')
  assert.deepEqual([pods.scope, pods.singularResource, pods.shortNames], ['Namespaced', 'pod', ['po']])
  const eviction = pods.subresources.find((s: Any) => s.subresource === 'eviction')
  assert.deepEqual(eviction.responseKind, { group: 'policy', version: 'v1', kind: 'Eviction' })
})

test('groups stand in the order of their priority, versions too', async () => {
  const server = await testServer()
  const { json } = await server.ask('GET', '/apis')
  const names = json.groups.map((g: Any) => g.name)
  assert.deepEqual(names.slice(0, 3), ['apiregistration.k8s.io', 'apps', 'events.k8s.io'])
  assert.deepEqual((await server.ask('GET', '/apis/autoscaling')).json.preferredVersion, {
    groupVersion: 'autoscaling/v2',
    version: 'v2',
  })
  const api = await server.ask('GET', '/api', undefined, { host: 'example.com:6443' })
  assert.deepEqual(
    [api.json.versions, api.json.serverAddressByClientCIDRs[0].serverAddress],
    [['v1'], 'example.com:6443'],
  )
  const apps = (await server.ask('GET', '/apis/apps/v1')).json
  const scale = apps.resources.find((r: Any) => r.name === 'deployments/scale')
  assert.deepEqual([scale.group, scale.version, scale.kind], ['autoscaling', 'v1', 'Scale'])
  for (const path of ['/apis/nope', '/apis/apps/v9', '/api/v2', '/apis//v1'])
    assert.equal((await server.ask('GET', path)).status, 404, path)
})

test('custom resources appear and go, in discovery and in OpenAPI', async () => {
  const server = await testServer()
  const etag = async () => (await server.ask('GET', '/openapi/v2')).headers['etag']
  const before = await etag()
  await server.ask('POST', DEFINITIONS, definition())
  await server.custom.idle()
  const { resources } = (await server.ask('GET', '/apis/example.com/v1')).json
  assert.deepEqual(
    resources.map((r: Any) => r.name),
    ['widgets', 'widgets/status'],
  )
  assert.notEqual(await etag(), before)
  const { definitions } = (await server.ask('GET', '/openapi/v2')).json
  const schema = definitions['com.example.v1.Widget']
  assert.deepEqual(schema['x-kubernetes-group-version-kind'], [{ group: 'example.com', version: 'v1', kind: 'Widget' }])
  assert.equal(schema.properties.spec.properties.color.default, 'red')
  assert.equal(schema.properties.spec.properties.choice.oneOf, undefined)
  const v3 = (await server.ask('GET', '/openapi/v3/apis/example.com/v1')).json
  assert.equal(v3.components.schemas['com.example.v1.Widget'].properties.spec.properties.color.default, 'red')
  await server.ask('DELETE', `${DEFINITIONS}/widgets.example.com`)
  await server.custom.idle()
  assert.equal((await server.ask('GET', '/apis/example.com/v1')).status, 404)
  assert.equal(await etag(), before)
})

test('OpenAPI: hashes, redirects, 304, protobuf', async () => {
  const server = await testServer()
  const index = (await server.ask('GET', '/openapi/v3')).json
  const url: string = index.paths['apis/apps/v1'].serverRelativeURL
  const fresh = await server.ask('GET', url)
  assert.deepEqual([fresh.status, fresh.headers['cache-control']], [200, 'public, immutable, max-age=31536000'])
  const etag = fresh.headers['etag']!
  assert.equal((await server.ask('GET', url, undefined, { 'if-none-match': etag })).status, 304)
  const stale = await server.ask('GET', '/openapi/v3/apis/apps/v1?hash=OLD')
  assert.deepEqual([stale.status, stale.headers['location']], [301, url])
  const protobuf = { accept: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' }
  const encoded = await server.ask('GET', '/openapi/v2', undefined, protobuf)
  assert.deepEqual([encoded.status, encoded.headers['content-type']], [200, protobuf.accept])
  assert.ok(encoded.text.includes('io.k8s.api.apps.v1.DeploymentSpec') && !encoded.text.startsWith('{'))
  assert.equal((await server.ask('GET', '/openapi/v2', undefined, { accept: 'text/html' })).status, 406)
  const { schemas } = fresh.json.components
  assert.deepEqual(
    schemas['io.k8s.api.apps.v1.DeploymentSpec'].properties.strategy['x-kubernetes-patch-strategy'],
    'retainKeys',
  )
  const { patch } = fresh.json.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
  assert.equal(patch['x-kubernetes-action'], 'patch')
  // kubectl looks for this parameter before it leaves validation to the server.
  assert.ok(patch.parameters.some((p: Any) => p.name === 'fieldValidation'))
})

test('every reference of every document leads somewhere', async () => {
  const server = await testServer()
  await server.ask('POST', DEFINITIONS, definition())
  await server.custom.idle()
  const { paths } = (await server.ask('GET', '/openapi/v3')).json as {
    paths: Record<string, { serverRelativeURL: string }>
  }
  const texts: string[] = []
  for (const { serverRelativeURL } of Object.values(paths))
    texts.push((await server.ask('GET', serverRelativeURL)).text)
  for (const text of [...texts, (await server.ask('GET', '/openapi/v2')).text]) {
    const document = JSON.parse(text) as Any
    const known = new Set(Object.keys((document.components?.schemas ?? document.definitions) as object))
    for (const [, name] of text.matchAll(/"\$ref":"#\/(?:components\/schemas|definitions)\/([^"]+)"/g))
      assert.ok(known.has(name!), name!)
  }
})

test('the hash of the storage version is told, as upstream computes it', async () => {
  const server = await testServer()
  await server.ask('POST', DEFINITIONS, definition())
  await server.custom.idle()
  const hashes = async (path: string) =>
    Object.fromEntries((await server.ask('GET', path)).json.resources.map((r: Any) => [r.name, r.storageVersionHash]))
  const core = await hashes('/api/v1')
  assert.deepEqual([core['pods'], core['pods/status'], core['bindings']], ['xPOwRZ+Yhw8=', undefined, undefined])
  assert.deepEqual((await hashes('/apis/apps/v1'))['deployments'], '8aSe+NMegvE=')
  assert.match((await hashes('/apis/example.com/v1'))['widgets'], /^[A-Za-z0-9+/]{11}=$/)
})
