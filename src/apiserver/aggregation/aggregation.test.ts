import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../machinery/object.ts'
import { testServer } from '../http/fixture.ts'
import { Query } from '../http/query.ts'
import { createDiscovery } from '../discovery/discovery.ts'
import { localApiService, remoteServiceOf, type RemoteService } from './apiservice.ts'
import { judgeService } from './availability.ts'
import { mergedDiscovery } from './discovery.ts'
import { mergeSpecs } from './openapi.ts'

const remote = (group: string, version: string, groupPriority = 100, versionPriority = 10): RemoteService => ({
  name: `${version}.${group}`,
  group,
  version,
  service: { namespace: 'default', name: 'api', port: 443 },
  insecure: false,
  available: true,
  groupPriority,
  versionPriority,
})

test('what an APIService says', () => {
  const local = localApiService({ group: '', version: 'v1', groupPriority: 18_000, versionPriority: 1 }, 'onstart', 'T')
  assert.equal(local.metadata.name, 'v1.')
  assert.equal(remoteServiceOf(local), undefined)
  const object = {
    metadata: { name: 'v1.a.example.com' },
    spec: { group: 'a.example.com', version: 'v1', service: { namespace: 'n', name: 's' }, caBundle: 'UEVN' },
    status: { conditions: [{ type: 'Available', status: 'False' }] },
  } as unknown as KubeObject
  assert.partialDeepStrictEqual(remoteServiceOf(object), {
    service: { namespace: 'n', name: 's', port: 443 },
    caBundle: 'PEM',
    available: false,
  })
})

test('what is wrong with its Service', () => {
  const service = (spec: object) => ({ metadata: { name: 'api' }, spec }) as unknown as KubeObject
  const slice = (more: object) => ({ metadata: { name: 'x' }, ...more }) as unknown as KubeObject
  const asked = remote('a', 'v1')
  const reason = (...args: [KubeObject | undefined, KubeObject[]]) => judgeService(asked, ...args)?.reason
  const ports = [{ name: 'https', port: 443 }]
  const good = slice({ endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ name: 'https', port: 6443 }] })
  assert.equal(reason(undefined, []), 'ServiceNotFound')
  assert.equal(reason(service({ type: 'ClusterIP', ports: null }), []), 'ServicePortError')
  assert.equal(reason(service({ type: 'ClusterIP', ports }), []), 'EndpointsNotFound')
  assert.equal(
    reason(service({ type: 'ClusterIP', ports }), [slice({ endpoints: null, ports: null })]),
    'MissingEndpoints',
  )
  const unready = slice({ endpoints: [{ conditions: { ready: false } }], ports: [{ name: 'https', port: 6443 }] })
  assert.equal(reason(service({ type: 'ClusterIP', ports }), [unready]), 'MissingEndpoints')
  const other = slice({ endpoints: [{}], ports: [{ name: 'http', port: 80 }] })
  assert.equal(reason(service({ type: 'ClusterIP', ports }), [other]), 'MissingEndpoints')
  assert.equal(reason(service({ type: 'ClusterIP', ports }), [unready, good]), undefined)
  assert.equal(reason(service({ type: 'ExternalName', externalName: 'a.example.com' }), []), undefined)
})

test('groups of other servers take the place of their priority, versions too', async () => {
  const { api } = await testServer()
  const remotes: RemoteService[] = []
  const merged = mergedDiscovery(
    createDiscovery(api.catalog),
    {
      get empty() {
        return remotes.length === 0
      },
      get generation() {
        return remotes.length
      },
      all: () => remotes,
      entry: ({ version }) => ({ version, freshness: 'Current' }),
    },
    api.catalog,
  )
  const none = new Query('')
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const read = (path: string, headers = { accept: 'application/json' }) =>
    JSON.parse((merged.find(path, none, headers)!.body as Buffer).toString()) as Record<string, unknown>
  const names = () => (read('/apis')['groups'] as { name: string }[]).map(({ name }) => name)
  const own = names()
  const before = merged.find('/apis', none, { accept })!.headers['etag']
  remotes.push(remote('b.example.com', 'v1', 17_790), remote('a.example.com', 'v1'), remote('c.example.com', 'v1'))
  remotes.push(remote('c.example.com', 'v2beta1'), remote('c.example.com', 'v2', 200, 5), remote('apps', 'v2', 100, 99))
  const now = names()
  assert.deepEqual(now.slice(0, 3), ['apiregistration.k8s.io', 'apps', 'b.example.com'])
  // The group's priority is the greatest of its versions'.
  assert.deepEqual(now.slice(-2), ['c.example.com', 'a.example.com'])
  assert.equal(now.length, own.length + 3)
  const versions = (path: string) => (read(path)['versions'] as { version: string }[]).map(({ version }) => version)
  assert.deepEqual(versions('/apis/c.example.com'), ['v1', 'v2beta1', 'v2'])
  assert.deepEqual(versions('/apis/apps'), ['v2', 'v1'])
  const { items } = read('/apis', { accept }) as unknown as { items: { metadata: { name: string } }[] }
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    now,
  )
  const { etag } = merged.find('/apis', none, { accept })!.headers
  assert.notEqual(etag, before)
  assert.equal(merged.find('/apis', none, { accept, 'if-none-match': etag! })!.status, 304)
  assert.equal(merged.find('/apis/none.example.com', none, {}), undefined)
})

test('definitions of one name that differ are told apart', () => {
  const spec = (definitions: Record<string, string>) => ({
    paths: new Map([['/apis/x', '{"$ref":"#/definitions/com.X"}']]),
    definitions: new Map(Object.entries(definitions)),
    hash: '',
  })
  const own = new Set(['io.k8s.ObjectMeta', 'com.Mine'])
  const merged = mergeSpecs(
    [
      spec({ 'com.X': '{"a":1}', 'io.k8s.ObjectMeta': '{"theirs":1}' }),
      spec({ 'com.X': '{"a":2,"$ref":"#/definitions/com.Mine"}', 'com.Mine': '{}' }),
      spec({ 'com.X': '{"a":1}' }),
    ],
    (name) => own.has(name),
  )
  assert.deepEqual(JSON.parse(`{${merged.definitions}}`), {
    'com.X': { a: 1 },
    'com.X_v2': { a: 2, $ref: '#/definitions/com.Mine_v2' },
    'com.Mine_v2': {},
  })
  assert.deepEqual(merged.paths.split(',').slice(0, 2), [
    '"/apis/x":{"$ref":"#/definitions/com.X"}',
    '"/apis/x":{"$ref":"#/definitions/com.X_v2"}',
  ])
})
