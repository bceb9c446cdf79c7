import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { load } from 'js-yaml'
import type { Authorizer } from '../contract.ts'
import { FairShare } from '../fairshare/fairshare.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { pod, testCluster } from '../registry/fixture.ts'
import { ClusterMetrics } from '../metrics/cluster.ts'
import { testServer } from './fixture.ts'
import type { Any } from './fixture.ts'

const PODS = '/api/v1/namespaces/default/pods'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

const configMap = (name: string, data: object = { a: 'b' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})
const MAPS = '/api/v1/namespaces/default/configmaps'

describe('objects', () => {
  test('create, get, list, update, patch, delete', async () => {
    const server = await testServer()
    const created = await server.ask('POST', MAPS, configMap('x'))
    assert.equal(created.status, 201)
    assert.match(created.headers['audit-id']!, /^[0-9a-f-]{36}$/)
    assert.equal(created.headers['cache-control'], 'no-cache, private')

    const got = await server.ask('GET', `${MAPS}/x`)
    assert.deepEqual(got.json, created.json)
    const listed = await server.ask('GET', MAPS)
    assert.equal(listed.json.kind, 'ConfigMapList')
    const { kind: _kind, apiVersion: _version, ...item } = got.json
    assert.deepEqual(listed.json.items, [item])

    const replaced = await server.ask('PUT', `${MAPS}/x`, { ...got.json, data: { c: 'd' } })
    assert.deepEqual([replaced.status, replaced.json.data], [200, { c: 'd' }])
    const merge = { 'content-type': 'application/merge-patch+json' }
    const patched = await server.ask('PATCH', `${MAPS}/x`, { data: { e: 'f' } }, merge)
    assert.deepEqual(patched.json.data, { c: 'd', e: 'f' })
    const operations = [{ op: 'remove', path: '/data/c' }]
    const json = await server.ask('PATCH', `${MAPS}/x`, operations, { 'content-type': 'application/json-patch+json' })
    assert.deepEqual(json.json.data, { e: 'f' })

    const deleted = await server.ask('DELETE', `${MAPS}/x`)
    const { uid } = got.json.metadata
    assert.deepEqual(deleted.json, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'x', kind: 'configmaps', uid },
    })
    assert.equal((await server.ask('GET', `${MAPS}/x`)).status, 404)
  })

  test('a deletion that waits answers the object; options come from the body or from the query', async () => {
    const server = await testServer()
    const held = { ...configMap('x'), metadata: { name: 'x', finalizers: ['example.com/hold'] } }
    const { metadata } = (await server.ask('POST', MAPS, held)).json
    const wrong = await server.ask('DELETE', `${MAPS}/x`, {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid: 'other' },
    })
    assert.deepEqual([wrong.status, wrong.json.reason], [409, 'Conflict'])
    const bad = await server.ask('DELETE', `${MAPS}/x?propagationPolicy=Sideways`)
    assert.deepEqual([bad.status, bad.json.details.causes[0].field], [422, 'propagationPolicy'])
    const both = await server.ask('DELETE', `${MAPS}/x?propagationPolicy=Orphan&orphanDependents=true`)
    assert.match(both.json.message, /orphanDependents and deletionPropagation cannot be both set/)
    const dry = await server.ask('DELETE', `${MAPS}/x?dryRun=All`)
    assert.equal(dry.status, 200)
    assert.equal((await server.ask('GET', `${MAPS}/x`)).json.metadata.deletionTimestamp, undefined)
    const pending = await server.ask('DELETE', `${MAPS}/x`, { preconditions: { uid: metadata.uid } })
    assert.equal(pending.status, 200)
    assert.ok(pending.json.metadata.deletionTimestamp)
  })

  test('deletecollection by label', async () => {
    const server = await testServer()
    for (const name of ['a', 'b', 'c'])
      await server.ask('POST', MAPS, { ...configMap(name), metadata: { name, labels: { keep: String(name === 'c') } } })
    const answer = await server.ask('DELETE', `${MAPS}?labelSelector=keep%3Dfalse`)
    const names = (list: Any) => list.items.map((i: Any) => i.metadata.name)
    assert.deepEqual(names(answer.json), ['a', 'b'])
    assert.deepEqual(names((await server.ask('GET', MAPS)).json), ['c'])
  })

  test('bodies in YAML; answers in YAML', async () => {
    const server = await testServer()
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata: {a: "1"}\n'
    const created = await server.ask('POST', MAPS, yaml, {
      'content-type': 'application/yaml',
      accept: 'application/yaml',
    })
    assert.deepEqual([created.status, created.headers['content-type']], [201, 'application/yaml'])
    assert.deepEqual((load(created.text) as { data: object }).data, { a: '1' })
  })

  test('field validation: strict refuses, warn warns, ignore is silent', async () => {
    const server = await testServer()
    const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"nope":1,"data":{"a":"1","a":"2"}}'
    const strict = await server.ask('POST', `${MAPS}?fieldValidation=Strict`, body)
    const text = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
    assert.deepEqual([strict.status, strict.json.message.startsWith(text)], [400, true], strict.text)
    assert.match(strict.json.message, /duplicate field "data\.a"/)
    assert.match(strict.json.message, /unknown field "nope"/)
    const warned = await server.ask('POST', MAPS, body)
    assert.equal(warned.status, 201)
    assert.match(warned.headers['warning']!, /299 - "duplicate field \\"data\.a\\""/)
    assert.match(warned.headers['warning']!, /299 - "unknown field \\"nope\\""/)
    await server.ask('DELETE', `${MAPS}/x`)
    const ignored = await server.ask('POST', `${MAPS}?fieldValidation=Ignore`, body)
    assert.deepEqual([ignored.status, ignored.headers['warning'], ignored.json.data], [201, undefined, { a: '2' }])
    const bad = await server.ask('POST', `${MAPS}?fieldValidation=Maybe&dryRun=Some`, configMap('z'))
    assert.equal(bad.status, 422)
    assert.deepEqual(
      bad.json.details.causes.map((c: Any) => c.field),
      ['dryRun', 'fieldValidation'],
    )
  })

  test('what can not be decoded, or comes in a strange type', async () => {
    const server = await testServer()
    assert.equal((await server.ask('POST', MAPS, '{')).json.reason, 'BadRequest')
    const cbor = await server.ask('POST', MAPS, 'x', { 'content-type': 'application/cbor' })
    assert.deepEqual([cbor.status, cbor.json.reason], [415, 'UnsupportedMediaType'])
    const patch = await server.ask('PATCH', `${MAPS}/x`, {}, { 'content-type': 'application/json' })
    assert.equal(patch.status, 415)
    const absent = await server.ask('PATCH', `${MAPS}/absent`, [], { 'content-type': 'application/merge-patch+json' })
    assert.equal(absent.json.message, 'configmaps "absent" not found')
    await server.ask('POST', MAPS, { metadata: { name: 'x' } })
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }))
    const tooMany = await server.ask('PATCH', `${MAPS}/x`, many, { 'content-type': 'application/json-patch+json' })
    assert.deepEqual([tooMany.status, tooMany.json.reason], [413, 'RequestEntityTooLarge'])
  })
})

describe('paths', () => {
  const cases: [string, string, number, string][] = [
    ['GET', '/nope', 404, '404 page not found\n'],
    ['GET', '/apis/nope/v1/things', 404, '404 page not found\n'],
    ['GET', '/apis//v1/pods', 404, '404 page not found\n'],
  ]
  for (const path of ['/api//v1/pods', '/api/v1/../v1/pods', '/apis/apps//deployments']) {
    test(`GET ${path}`, async () => {
      const { json } = await (await testServer()).ask('GET', path)
      assert.deepEqual([json.code, json.message], [404, 'the server could not find the requested resource'])
    })
  }
  for (const path of ['things', 'pods/x/things', 'nodes']) {
    test(`GET /api/v1/namespaces/default/${path}`, async () => {
      const { json } = await (await testServer()).ask('GET', `/api/v1/namespaces/default/${path}`)
      assert.deepEqual(
        [json.code, json.reason, json.message],
        [404, 'NotFound', 'the server could not find the requested resource'],
      )
    })
  }
  for (const [method, path, status, text] of cases) {
    test(`${method} ${path}`, async () => {
      const answer = await (await testServer()).ask(method, path)
      assert.deepEqual([answer.status, answer.text], [status, text])
    })
  }

  test('broken escapes and names with slashes stay in their place', async () => {
    const server = await testServer()
    assert.equal((await server.ask('GET', `${PODS}/%zz`)).status, 400)
    assert.equal((await server.ask('GET', `${PODS}/a%2F..%2Fb`)).status, 404)
  })

  test('deprecated resources say so also where they refuse', async () => {
    const server = await testServer()
    const warned = async (method: string, path: string, headers?: Record<string, string>) =>
      (await server.ask(method, path, undefined, headers)).headers['warning']
    const text = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
    assert.equal(await warned('GET', '/api/v1/namespaces/default/endpoints?limit=x'), text)
    assert.equal(await warned('DELETE', '/api/v1/namespaces/default/endpoints/absent'), text)
    const patch = { 'content-type': 'text/plain' }
    assert.equal(await warned('PATCH', '/api/v1/namespaces/default/endpoints/absent', patch), undefined)
    const strange = { accept: 'application/cbor' }
    assert.equal(await warned('GET', '/api/v1/namespaces/default/endpoints/absent', strange), undefined)
    const jobs = await warned('DELETE', '/apis/batch/v1/namespaces/default/jobs/absent')
    assert.match(String(jobs), /child pods are preserved by default/)
    const status = await server.ask('GET', '/api/v1/componentstatuses/absent')
    assert.equal(status.json.message, 'componentstatus "absent" not found')
  })

  test('methods that a resource does not have', async () => {
    const server = await testServer()
    for (const [method, path] of [
      ['POST', `${PODS}/x`],
      ['POST', '/api/v1/pods'],
      ['DELETE', '/api/v1/pods'],
      ['PUT', PODS],
      ['PATCH', PODS],
      ['HEAD', PODS],
      ['OPTIONS', PODS],
      ['GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'],
      ['DELETE', '/version'],
    ] as const) {
      const { status, text } = await server.ask(method, path)
      assert.equal(status, 405, `${method} ${path} ${text}`)
    }
  })

  test('health, version, root', async () => {
    const checks = [
      { name: 'store', check: () => undefined },
      { name: 'sick', endpoints: ['readyz'] as const, check: () => 'secret reason' },
    ]
    const server = await testServer({ checks })
    assert.equal((await server.ask('GET', '/livez')).text, 'ok')
    assert.equal((await server.ask('GET', '/livez?verbose')).text, '[+]ping ok\n[+]store ok\nlivez check passed\n')
    const ready = await server.ask('GET', '/readyz')
    assert.deepEqual(
      [ready.status, ready.text],
      [500, '[+]ping ok\n[+]store ok\n[-]sick failed: reason withheld\nreadyz check failed\n'],
    )
    const excluded = await server.ask('GET', '/readyz?exclude=sick&exclude=none&verbose')
    assert.match(
      excluded.text,
      /\[\+\]sick excluded: ok\nwarn: some health checks cannot be excluded: no matches for "none"\n/,
    )
    assert.equal((await server.ask('GET', '/readyz/store')).text, 'ok')
    assert.equal((await server.ask('GET', '/readyz/other')).status, 404)
    assert.equal((await server.ask('GET', '/version')).json.minor, '37')
    assert.ok((await server.ask('GET', '/')).json.paths.includes('/api'))
    const head = await server.ask('HEAD', '/healthz')
    assert.deepEqual([head.status, head.text], [200, ''])
  })

  test('403 comes before 404', async () => {
    const nobody: Authorizer = {
      authorize: () => ({ allowed: false, reason: '' }),
      rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
    }
    const { createHandlerWith } = await deniedServer(nobody)
    const unknown = await createHandlerWith('GET', '/apis/nope/v1/namespaces/a/things/b')
    assert.deepEqual(
      [unknown.status, unknown.json.message],
      [
        403,
        'things.nope "b" is forbidden: User "admin" cannot get resource "things" in API group "nope" in the namespace "a"',
      ],
    )
    const path = await createHandlerWith('GET', '/nope')
    assert.deepEqual([path.status, path.json.message], [403, 'forbidden: User "admin" cannot get path "/nope"'])
  })
})

async function deniedServer(authorizer: Authorizer) {
  const server = await testServer()
  const { api } = server
  const denied = await testServer({ api: { ...bound(api), authorizer } })
  return { createHandlerWith: (method: string, path: string) => denied.ask(method, path) }
}

/** The same Api as plain functions, to be overridden in part. */
function bound<T extends object>(api: T): T {
  return new Proxy({} as T, {
    get: (own, name) => (Object.hasOwn(own, name) ? Reflect.get(own, name) : Reflect.get(api, name)),
    ownKeys: () => Reflect.ownKeys(api),
    getOwnPropertyDescriptor: (_own, name) => ({
      value: Reflect.get(api, name) as unknown,
      enumerable: true,
      configurable: true,
    }),
  })
}

describe('forms', () => {
  test('tables, with what the query asks to include', async () => {
    const server = await testServer()
    await server.ask('POST', PODS, pod('a'))
    const ask = (query: string, accept = `${TABLE},application/json`) =>
      server.ask('GET', `${PODS}${query}`, undefined, { accept })
    const plain = (await ask('')).json
    assert.deepEqual(
      [plain.kind, plain.rows[0].cells.slice(0, 3), plain.rows[0].object.kind],
      ['Table', ['a', '0/1', 'Pending'], 'PartialObjectMetadata'],
    )
    assert.equal((await ask('?includeObject=None')).json.rows[0].object, null)
    assert.equal((await ask('?includeObject=Object')).json.rows[0].object.kind, 'Pod')
    assert.equal((await ask('?includeObject=All')).status, 400)
    assert.equal((await ask('', 'application/json;as=Table;v=v9;g=meta.k8s.io')).status, 406)
    const created = await server.ask('POST', PODS, pod('b'), { accept: TABLE })
    assert.deepEqual([created.status, created.json.kind], [201, 'Table'])
    const review = { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } }
    const refused = await server.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review, {
      accept: TABLE,
    })
    assert.equal(refused.status, 406)
  })

  test('metadata alone, of what is an answer only; a Status stays one', async () => {
    const reviewers = new Map([
      ['authorization.k8s.io/selfsubjectaccessreviews', async (_call: unknown, object: KubeObject) => object],
    ])
    const { api, create } = await testCluster({ reviewers })
    const server = await testServer({ api })
    const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
    const spec = { resourceAttributes: { verb: 'get', resource: 'pods' } }
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const review = await server.ask('POST', path, { spec }, { accept })
    assert.deepEqual([review.json.kind, review.json.spec], ['PartialObjectMetadata', undefined])
    await create('v1/pods', pod('a'))
    const binding = { metadata: { name: 'a' }, target: { name: 'n' } }
    const bound = await server.ask('POST', '/api/v1/namespaces/default/bindings', binding, { accept })
    assert.deepEqual([bound.json.kind, bound.json.status], ['Status', 'Success'])
  })

  test('metadata alone', async () => {
    const server = await testServer()
    await server.ask('POST', PODS, pod('a'))
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
    const { json } = await server.ask('GET', PODS, undefined, { accept })
    assert.equal(json.kind, 'PartialObjectMetadataList')
    assert.deepEqual(Object.keys(json.items[0]), ['kind', 'apiVersion', 'metadata'])
  })

  test('large lists are compressed and come in pieces; small ones do not', async () => {
    const server = await testServer()
    const big = 'x'.repeat(50_000)
    for (let i = 0; i < 8; i++) await server.ask('POST', MAPS, configMap(`m${i}`, { big }))
    const headers = { 'accept-encoding': 'gzip' }
    const packed = await server.ask('GET', MAPS, undefined, headers)
    assert.equal(packed.headers['content-encoding'], 'gzip')
    const plain = await server.ask('GET', MAPS)
    assert.equal(plain.headers['content-encoding'], undefined)
    assert.equal(gunzipSync(packed.body).toString(), plain.text)
    assert.equal(plain.json.items.length, 8)
    const one = await server.ask('GET', `${MAPS}/m0`, undefined, headers)
    assert.equal(one.headers['content-encoding'], undefined)
  })
})

describe('watches', () => {
  const settle = () => sleep(10)

  test('events as they happen; watchers share the line of an event', async () => {
    const server = await testServer()
    const watches = [server.send('GET', `${PODS}?watch=true`), server.send('GET', `${PODS}?watch=1`)]
    await settle()
    assert.equal(watches[0]!.answer.status, 200)
    await server.ask('POST', PODS, pod('a'))
    await server.ask('DELETE', `${PODS}/a`)
    await settle()
    for (const watch of watches) {
      assert.deepEqual(
        watch.lines.map((l) => [l.type, l.object.kind, l.object.metadata.name]),
        [
          ['ADDED', 'Pod', 'a'],
          ['DELETED', 'Pod', 'a'],
        ],
      )
      watch.leave()
      await watch.done
    }
  })

  test('initial events end with a bookmark', async () => {
    const server = await testServer()
    await server.ask('POST', PODS, pod('a'))
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const watch = server.send('GET', `${PODS}?${query}`)
    await settle()
    assert.deepEqual(
      watch.lines.map((l) => l.type),
      ['ADDED', 'BOOKMARK'],
    )
    assert.deepEqual(watch.lines[1].object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
    watch.leave()
    await watch.done
    const refused = await server.ask('GET', `${PODS}?watch=1&sendInitialEvents=true`)
    assert.equal(refused.status, 422)
  })

  test('as tables: columns come with the first event only', async () => {
    const server = await testServer()
    const watch = server.send('GET', `${PODS}?watch=1`, undefined, { accept: TABLE })
    await settle()
    await server.ask('POST', PODS, pod('a'))
    await server.ask('POST', PODS, pod('b'))
    await settle()
    assert.deepEqual(
      watch.lines.map((l) => [l.object.kind, Array.isArray(l.object.columnDefinitions), l.object.rows[0].cells[0]]),
      [
        ['Table', true, 'a'],
        ['Table', false, 'b'],
      ],
    )
    watch.leave()
    await watch.done
  })

  test('ends at its deadline, cleanly', async () => {
    const server = await testServer()
    const watch = server.send('GET', `${PODS}?watch=1&timeoutSeconds=1`)
    const started = performance.now()
    await watch.done
    assert.ok(performance.now() - started >= 900)
    assert.equal(watch.answer.text, '')
  })

  test('a client that does not read is cut off at the bound, others are not', async () => {
    const server = await testServer({ watchBuffer: 100_000 })
    const slow = server.send('GET', `${MAPS}?watch=1`)
    const fast = server.send('GET', `${MAPS}?watch=1`)
    await settle()
    slow.stall()
    const big = 'x'.repeat(200_000)
    for (let i = 0; i < 4; i++) {
      await server.ask('POST', MAPS, configMap(`m${i}`, { big }))
      await settle()
    }
    await slow.done
    assert.equal(fast.lines.length, 4)
    fast.leave()
    await fast.done
  })

  test('the old prefix still watches', async () => {
    const server = await testServer()
    await server.ask('POST', PODS, pod('a'))
    await server.ask('POST', PODS, pod('b'))
    const watch = server.send('GET', '/api/v1/watch/namespaces/default/pods/b')
    await settle()
    assert.deepEqual(
      watch.lines.map((l) => l.object.metadata.name),
      ['b'],
    )
    watch.leave()
    await watch.done
  })
})

describe('around a request', () => {
  test('nobody: 401', async () => {
    const server = await testServer({ authenticate: () => undefined })
    const answer = await server.ask('GET', PODS)
    assert.deepEqual([answer.status, answer.json.reason], [401, 'Unauthorized'])
  })

  test('a request that takes too long: 504', async () => {
    const server = await testServer()
    const never = { ...bound(server.api), get: () => new Promise<never>(() => undefined) }
    const late = await testServer({ api: never })
    const answer = await late.ask('GET', `${PODS}/x?timeout=300ms`)
    assert.deepEqual([answer.status, answer.json.reason], [504, 'Timeout'])
    assert.equal((await late.ask('GET', `${PODS}/x?timeout=soon`)).status, 400)
  })

  test('an unknown failure: 500 without its text, which is logged', async () => {
    const server = await testServer()
    const broken = { ...bound(server.api), get: () => Promise.reject(new Error('secret')) }
    const failing = await testServer({ api: broken })
    const answer = await failing.ask('GET', `${PODS}/x`)
    assert.deepEqual([answer.status, answer.json.reason], [500, 'InternalError'])
    assert.doesNotMatch(answer.text, /secret/)
    assert.match(String(failing.logged[0]!.fields!['error']), /secret/)
  })

  test('too many at once: 429 with Retry-After', async () => {
    const shares = new FairShare({ seats: 1, queue: 0, reserve: 0 })
    const server = await testServer({ fairShare: { shares, cluster: 'a' } })
    const held = await shares.admit('other')
    const answer = await server.ask('GET', PODS)
    assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '1'])
    assert.equal((await server.ask('GET', '/livez')).status, 200)
    held.release()
    assert.equal((await server.ask('GET', PODS)).status, 200)
  })

  test('what is counted has labels from the catalog only', async () => {
    const metrics = new ClusterMetrics()
    const server = await testServer({ metrics })
    await server.ask('GET', PODS)
    await server.ask('GET', '/apis/tenant-text/v1/evil')
    const shown = metrics.render()
    assert.match(shown, /^apiserver_request_total\{code="200",[^}]*resource="pods",[^}]*verb="LIST"/m)
    assert.doesNotMatch(shown, /evil|tenant-text/)
  })
})
