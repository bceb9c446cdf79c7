import assert from 'node:assert/strict'
import { createServer as createPlain } from 'node:http'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createCa, issueCertificate, subjectOf } from '../machinery/pki/certificate.ts'
import { isReason, StatusError } from '../machinery/status.ts'
import { ConnectionError } from './failure.ts'
import { HttpsClient } from './https.ts'
import type { HttpsClientOptions } from './https.ts'
import { resources } from './resources.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

interface Asked {
  readonly method: string
  readonly url: string
  readonly body: string
  readonly type: string | undefined
}

const json = (response: ServerResponse, value: unknown, code = 200, headers: Record<string, string> = {}): void => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}

/** A server on a free port with a client for it. */
async function serve(t: TestContext, handler: Handler, options: HttpsClientOptions = {}) {
  const asked: Asked[] = []
  const server = createPlain((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const { method = '', url = '' } = request
      asked.push({ method, url, body, type: request.headers['content-type'] })
      handler(request, response, body)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  const client = new HttpsClient({ server: `http://127.0.0.1:${port}/base/`, token: 'secret' }, options)
  t.after(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  return { client, asked, server, port }
}

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'ns' } }

test('verbs are the requests of the API', async (t) => {
  const { client, asked } = await serve(t, (request, response) => {
    assert.equal(request.headers.authorization, 'Bearer secret')
    if (request.method === 'DELETE') json(response, { kind: 'Status', apiVersion: 'v1', status: 'Success' })
    else
      json(response, { ...object, items: null, kind: request.url!.includes('?limit') ? 'ConfigMapList' : 'ConfigMap' })
  })
  const { configmaps, pods, namespaces } = resources
  await client.get(configmaps, 'a', { namespace: 'ns' })
  await client.get(namespaces, 'a', { namespace: 'ignored', subresource: 'status' })
  await client.create(configmaps, { metadata: { name: 'a', namespace: 'ns' } }, { dryRun: true, fieldManager: 'me' })
  await client.create(
    pods,
    { apiVersion: 'v1', kind: 'Binding', metadata: {} },
    { namespace: 'ns', name: 'p', subresource: 'binding' },
  )
  await client.update(configmaps, object)
  await client.patch(configmaps, 'a', { type: 'apply', body: {}, force: true }, { namespace: 'ns', fieldManager: 'me' })
  await client.patch(configmaps, 'a', { type: 'json', body: [] }, { namespace: 'ns' })
  const gone = await client.delete(configmaps, 'a', {
    namespace: 'ns',
    gracePeriodSeconds: 0,
    preconditions: { uid: 'u' },
  })
  assert.equal(gone, undefined)
  await client.deleteCollection(configmaps, { namespace: 'ns', labelSelector: 'a=b' })
  const list = await client.list(configmaps, { limit: 2, labelSelector: 'a in (b, c)' })
  assert.deepEqual(list.items, [])
  const options = (fields: object) => JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', ...fields })
  assert.deepEqual(
    asked.map(({ method, url, body, type }) => [method, url, body, type ?? ''].join(' ').trim()),
    [
      'GET /base/api/v1/namespaces/ns/configmaps/a',
      'GET /base/api/v1/namespaces/a/status',
      'POST /base/api/v1/namespaces/ns/configmaps?dryRun=All&fieldManager=me {"metadata":{"name":"a","namespace":"ns"},"apiVersion":"v1","kind":"ConfigMap"} application/json',
      'POST /base/api/v1/namespaces/ns/pods/p/binding {"apiVersion":"v1","kind":"Binding","metadata":{}} application/json',
      `PUT /base/api/v1/namespaces/ns/configmaps/a ${JSON.stringify(object)} application/json`,
      'PATCH /base/api/v1/namespaces/ns/configmaps/a?fieldManager=me&force=true {} application/apply-patch+yaml',
      'PATCH /base/api/v1/namespaces/ns/configmaps/a [] application/json-patch+json',
      `DELETE /base/api/v1/namespaces/ns/configmaps/a ${options({ gracePeriodSeconds: 0, preconditions: { uid: 'u' } })} application/json`,
      `DELETE /base/api/v1/namespaces/ns/configmaps?labelSelector=a%3Db ${options({})} application/json`,
      'GET /base/api/v1/configmaps?limit=2&labelSelector=a+in+%28b%2C+c%29',
    ],
  )
})

test('no name leaves its place in the path', async (t) => {
  const { client, asked } = await serve(t, (_, response) => json(response, object))
  await client.get(resources.configmaps, 'a/../b?c', { namespace: 'x%2f' })
  assert.equal(asked[0]!.url, '/base/api/v1/namespaces/x%252f/configmaps/a%2F..%2Fb%3Fc')
  for (const name of ['', '.', '..']) await assert.rejects(async () => client.get(resources.nodes, name), TypeError)
})

test('integers beyond 2^53 survive', async (t) => {
  const { client, asked } = await serve(t, (_, response) => {
    response.writeHead(200).end('{"metadata":{"name":"a"},"spec":{"n":9007199254740993}}')
  })
  const read = await client.get(resources.nodes, 'a')
  await client.update(resources.nodes, read)
  assert.match(asked[1]!.body, /"n":9007199254740993/)
})

test('errors of the API', async (t) => {
  const { client } = await serve(t, (request, response) => {
    if (request.url!.includes('plain')) response.writeHead(502).end('bad gateway')
    else {
      const status = {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'no',
        reason: 'NotFound',
      }
      json(response, status, 404)
    }
  })
  await assert.rejects(client.get(resources.nodes, 'a'), (error) => isReason(error, 'NotFound') && error.code === 404)
  await assert.rejects(
    client.get(resources.nodes, 'plain'),
    (error) => error instanceof StatusError && error.code === 502 && error.message.endsWith('bad gateway'),
  )
})

test('what the server asks to repeat is repeated, within bounds', async (t) => {
  const left = new Map<string, number>()
  const { client, asked } = await serve(t, (request, response) => {
    const key = request.method!
    const n = left.get(key) ?? 0
    left.set(key, n - 1)
    const code = request.url!.includes('busy') ? 429 : 503
    if (n > 0) json(response, {}, code, { 'retry-after': '0' })
    else json(response, object)
  })
  const count = async (method: string, failures: number, run: () => Promise<unknown>) => {
    left.set(method, failures)
    asked.length = 0
    const ok = await run().then(
      () => true,
      () => false,
    )
    return [ok, asked.length]
  }
  assert.deepEqual(await count('GET', 2, () => client.get(resources.nodes, 'a')), [true, 3])
  assert.deepEqual(await count('GET', 9, () => client.get(resources.nodes, 'a')), [false, 4])
  assert.deepEqual(await count('POST', 2, () => client.create(resources.nodes, { metadata: { name: 'a' } })), [
    false,
    1,
  ])
  const patch = () => client.patch(resources.nodes, 'busy', { type: 'merge', body: {} })
  assert.deepEqual(await count('PATCH', 2, patch), [true, 3])
})

test('a cluster that is not there', async () => {
  const client = new HttpsClient({ server: 'https://127.0.0.1:1' })
  await assert.rejects(client.get(resources.nodes, 'a'), (error) => {
    assert.ok(error instanceof ConnectionError)
    assert.equal(error.code, 'ECONNREFUSED')
    assert.match(error.message, /^https:\/\/127\.0\.0\.1:1 does not answer/)
    return true
  })
  await client.close()
})

test('a call can be given up', async (t) => {
  const { client } = await serve(t, () => {})
  const signal = AbortSignal.timeout(20)
  await assert.rejects(client.get(resources.nodes, 'a', { signal }), { name: 'TimeoutError' })
})

const event = (type: string, name: string, resourceVersion: string, annotations?: object) =>
  `${JSON.stringify({ type, object: { ...object, metadata: { name, namespace: 'ns', uid: name, resourceVersion, annotations } } })}\n`

test('a watch streams, ends with its signal, and tells a broken connection', async (t) => {
  const { client, asked } = await serve(t, (request, response) => {
    response.writeHead(200)
    response.write(event('ADDED', 'a', '1'))
    response.write(event('MODIFIED', 'a', '2').slice(0, 20))
    setTimeout(() => {
      response.write(event('MODIFIED', 'a', '2').slice(20))
      if (request.url!.includes('a%3Db')) setTimeout(() => request.socket.destroy(), 5)
      else if (request.url!.includes('timeoutSeconds')) response.end()
    }, 5)
  })
  const types: string[] = []
  for await (const one of client.watch(resources.configmaps, { timeoutSeconds: 5, sendInitialEvents: true }))
    types.push(one.type)
  assert.deepEqual(types, ['ADDED', 'MODIFIED'])
  assert.equal(
    asked[0]!.url,
    '/base/api/v1/configmaps?watch=true&timeoutSeconds=5&sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
  )
  const stop = new AbortController()
  for await (const one of client.watch(resources.configmaps, { signal: stop.signal })) {
    if (one.type === 'MODIFIED') setTimeout(() => stop.abort(), 5)
  }
  await assert.rejects(async () => {
    for await (const _ of client.watch(resources.configmaps, { labelSelector: 'a=b' }));
  }, ConnectionError)
})

test('an informer survives a server that goes and comes back', async (t) => {
  const objects = new Map([['a', '1']])
  const open = new Set<ServerResponse>()
  let version = 10
  const handler: Handler = (request, response) => {
    response.writeHead(200)
    const from = new URL(request.url!, 'http://x').searchParams.get('resourceVersion')
    if (from === null) {
      for (const [name, rv] of objects) response.write(event('ADDED', name, rv))
      response.write(event('BOOKMARK', '', String(version), { 'k8s.io/initial-events-end': 'true' }))
    } else {
      for (const [name, rv] of objects) if (Number(rv) > Number(from)) response.write(event('ADDED', name, rv))
    }
    open.add(response)
  }
  const { client, server, port } = await serve(t, handler, { reflector: { backoff: [5, 20] } })
  const informer = client.informer(resources.configmaps, { namespace: 'ns' })
  assert.equal(informer, client.informer(resources.configmaps, { namespace: 'ns' }))
  assert.notEqual(informer, client.informer(resources.configmaps))
  const seen: string[] = []
  informer.onEvent(({ type, object: { metadata } }) => seen.push(`${type} ${metadata.name}`))
  await informer.ready()
  assert.equal(informer.synced, true)
  assert.equal(informer.get('ns', 'a')?.metadata.resourceVersion, '1')

  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  objects.set('b', String(++version))
  await new Promise((done) => setTimeout(done, 30))
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const until = Date.now() + 5000
  while (informer.get('ns', 'b') === undefined && Date.now() < until) await new Promise((done) => setTimeout(done, 5))
  assert.deepEqual(seen, ['add a', 'add b'])
})

test('client certificates, and a server that is somebody else', async (t) => {
  const now = Date.now()
  const ca = createCa({ commonName: 'ca', now })
  const mine = issueCertificate(ca, { commonName: 'server', usage: 'server', ips: ['127.0.0.1'], now })
  const admin = issueCertificate(ca, { commonName: 'admin', organizations: ['system:masters'], usage: 'client', now })
  const server = createServer(
    { cert: mine.certificate, key: mine.key, ca: ca.certificate, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      json(response, {
        metadata: { name: 'me' },
        ...subjectOf((request.socket as TLSSocket).getPeerX509Certificate()!.raw),
      })
    },
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  const connection = {
    server: `https://127.0.0.1:${port}`,
    ca: ca.certificate,
    clientCertificate: admin.certificate,
    clientKey: admin.key,
  }
  const client = new HttpsClient(connection)
  const stranger = new HttpsClient({ ...connection, ca: createCa({ commonName: 'other', now }).certificate })
  t.after(async () => {
    await client.close()
    await stranger.close()
    server.closeAllConnections()
    server.close()
  })
  const me = await client.get(resources.nodes, 'me')
  assert.equal(me['commonName'], 'admin')
  assert.deepEqual(me['organizations'], ['system:masters'])
  await assert.rejects(stranger.get(resources.nodes, 'me'), ConnectionError)
})

test('a closed client', async (t) => {
  const { client } = await serve(t, () => {})
  const informer = client.informer(resources.pods)
  const waiting = assert.rejects(informer.ready(), /the client is closed/)
  await client.close()
  await waiting
  assert.throws(() => client.informer(resources.pods), /the client is closed/)
  for await (const _ of client.watch(resources.pods)) assert.fail()
})

test('a server that wants a long pause is not waited for, nor asked too early', async (t) => {
  const { client, asked } = await serve(t, (_, response) => json(response, {}, 429, { 'retry-after': '11' }))
  await assert.rejects(client.get(resources.nodes, 'a'), (error) => {
    assert.ok(error instanceof StatusError)
    assert.equal(error.status.details?.retryAfterSeconds, 11)
    return true
  })
  assert.equal(asked.length, 1)
})

test('a GET on a connection that breaks goes again once, a write never', async (t) => {
  let broken = 0
  const { client, asked } = await serve(t, (request, response) => {
    if (broken-- > 0) request.socket.destroy()
    else json(response, object)
  })
  broken = 1
  await client.get(resources.nodes, 'a')
  assert.equal(asked.length, 2)
  broken = 2
  await assert.rejects(client.get(resources.nodes, 'a'), ConnectionError)
  assert.equal(asked.length, 4)
  broken = 1
  await assert.rejects(client.update(resources.nodes, { metadata: { name: 'a' } }), ConnectionError)
  assert.equal(asked.length, 5)
})

test('a call can be given up while it waits for a connection, and while it waits to go again', async (t) => {
  const { client, asked } = await serve(
    t,
    (request, response) => {
      if (request.url!.endsWith('busy')) json(response, {}, 429, { 'retry-after': '10' })
    },
    { connections: 1 },
  )
  const signal = AbortSignal.timeout(50)
  await assert.rejects(client.get(resources.nodes, 'busy', { signal }), { name: 'TimeoutError' })
  const hanging = assert.rejects(client.get(resources.nodes, 'hangs'))
  const waits = client.get(resources.nodes, 'waits', { signal: AbortSignal.timeout(50) })
  await assert.rejects(waits, { name: 'TimeoutError' })
  assert.deepEqual(
    asked.map(({ url }) => url.slice(url.lastIndexOf('/'))),
    ['/busy', '/hangs'],
  )
  await client.close()
  await hanging
})

test('a delete answers what still exists', async (t) => {
  let metadata: object = {}
  const { client } = await serve(t, (_, response) => json(response, { ...object, metadata }))
  const answered = async (value: object) => {
    metadata = value
    return (await client.delete(resources.pods, 'a', { namespace: 'ns' })) !== undefined
  }
  const deletionTimestamp = '2026-01-01T00:00:00Z'
  assert.equal(await answered({}), false)
  assert.equal(await answered({ deletionTimestamp, deletionGracePeriodSeconds: 0 }), false)
  assert.equal(await answered({ deletionTimestamp, deletionGracePeriodSeconds: 30 }), true)
  assert.equal(await answered({ deletionTimestamp, deletionGracePeriodSeconds: 0, finalizers: ['a/b'] }), true)
  // A namespace has its finalizers elsewhere, and no grace period.
  assert.equal(await answered({ deletionTimestamp }), true)
})
