/** The proxy towards aggregated servers, and front proxies towards ours: on the wire, with a server that says what it got. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, Agent, request, type RequestOptions } from 'node:https'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Readable, type Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { after, before, describe, it } from 'node:test'
import { load } from 'js-yaml'
import { frontProxyDefaults } from '../src/apiserver/authn/front-proxy.ts'
import { startCluster, type Cluster } from '../src/cluster/cluster.ts'
import { jsonLog } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { createCa, issueCertificate } from '../src/machinery/pki/certificate.ts'
import { memoryStore } from '../src/store/memory.ts'
import { resources } from '../src/client/resources.ts'
import { ownAddress } from './aggregation/sample-apiserver.ts'
import { eventually } from './support/eventually.ts'

const now = Date.now()
const APISERVICES = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  resource: 'apiservices',
  kind: 'APIService',
  namespaced: false,
}
const ROOT = '/apis/echo.example.com/v1'
const MEGABYTES = 32
/** Version 2 is all that it has. */
const SPEC = {
  etag: '"spec"',
  document: {
    swagger: '2.0',
    info: { title: 'Echo', version: 'v1' },
    paths: {
      [`${ROOT}/things`]: {
        post: {
          consumes: ['application/json'],
          produces: ['application/json'],
          parameters: [
            { name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/com.example.Thing' } },
          ],
          responses: { 201: { description: 'Created', schema: { $ref: '#/definitions/com.example.Thing' } } },
        },
        parameters: [{ name: 'pretty', in: 'query', type: 'string', uniqueItems: true }],
      },
    },
    definitions: {
      'com.example.Thing': {
        description: 'What is echoed.',
        type: 'object',
        properties: { other: { description: 'Another.', $ref: '#/definitions/com.example.Thing' } },
      },
    },
  },
}

let runtime: Runtime
let cluster: Cluster
let backend: Server & { readonly seen: { commonName: string; authorized: boolean }[] }
const otherProxies = createCa({ commonName: 'other-proxies', now })
const tls: { ca: string; cert: string; key: string } = { ca: '', cert: '', key: '' }

before(async () => {
  runtime = new Runtime({ log: jsonLog((line) => process.stderr.write(line), 'error'), store: memoryStore() })
  cluster = await startCluster({
    runtime,
    id: 'cluster',
    name: 'proxy',
    controllers: () => [],
    logs: () => {
      throw new Error('no logs')
    },
    frontProxy: { ...frontProxyDefaults, allowedNames: ['front-proxy-client', 'gate'], ca: otherProxies.certificate },
  })
  const config = load(cluster.kubeconfig) as {
    clusters: { cluster: Record<string, string> }[]
    users: { user: Record<string, string> }[]
  }
  const pem = (data: string | undefined) => Buffer.from(data ?? '', 'base64').toString()
  tls.ca = pem(config.clusters[0]!.cluster['certificate-authority-data'])
  tls.cert = pem(config.users[0]!.user['client-certificate-data'])
  tls.key = pem(config.users[0]!.user['client-key-data'])
  await register()
})
after(async () => {
  backend?.closeAllConnections()
  backend?.close()
  await cluster?.stop()
  await runtime?.close()
})

/** A server that trusts the ConfigMap's front proxies alone, as every aggregated server does. */
async function register(): Promise<void> {
  const { client } = cluster
  const map = await eventually('the ConfigMap', () =>
    client.get(resources.configmaps, 'extension-apiserver-authentication', { namespace: 'kube-system' }),
  )
  const trusted = (map['data'] as Record<string, string>)['requestheader-client-ca-file']!
  const ca = createCa({ commonName: 'echo-ca', now })
  const serving = issueCertificate(ca, { commonName: 'echo', usage: 'server', dns: ['echo.default.svc'], now })
  const server = createServer(
    { cert: serving.certificate, key: serving.key, ca: trusted, requestCert: true, rejectUnauthorized: true },
    answer,
  )
  server.on('upgrade', upgrade)
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  backend = Object.assign(server, { seen: [] })
  const { port } = server.address() as { port: number }
  await client.create(resources.services, {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'echo', namespace: 'default' },
    spec: { ports: [{ port: 443 }] },
  })
  await client.create(resources.endpointslices, {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name: 'echo', namespace: 'default', labels: { 'kubernetes.io/service-name': 'echo' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [ownAddress()] }],
    ports: [{ port }],
  })
  await client.create(APISERVICES, {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name: 'v1.echo.example.com' },
    spec: {
      group: 'echo.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { name: 'echo', namespace: 'default' },
      caBundle: Buffer.from(ca.certificate).toString('base64'),
    },
  })
  await eventually('it is available', async () => (await send('GET', ROOT)).status === 200)
}

function answer(asked: IncomingMessage, given: ServerResponse): void {
  const path = asked.url ?? ''
  if (path === '/openapi/v3') {
    given.writeHead(404).end()
  } else if (path === '/openapi/v2') {
    if (asked.headers['if-none-match'] === SPEC.etag) given.writeHead(304).end()
    else
      given.writeHead(200, { 'content-type': 'application/json', etag: SPEC.etag }).end(JSON.stringify(SPEC.document))
  } else if (path.endsWith('/hash')) {
    const hash = createHash('sha256')
    let size = 0
    asked.on('data', (piece: Buffer) => {
      hash.update(piece)
      size += piece.length
    })
    asked.on('end', () => given.end(JSON.stringify({ size, hash: hash.digest('hex') })))
  } else if (path.endsWith('/large')) {
    given.writeHead(200, { 'content-type': 'application/octet-stream' })
    Readable.from(megabytes()).pipe(given)
  } else if (path.endsWith('/broken')) {
    given.writeHead(200, { 'content-type': 'text/plain', 'content-length': '1000' })
    given.write('a part')
    setTimeout(() => given.destroy(), 20)
  } else {
    const headers = { ...asked.headers, groups: asked.headersDistinct['x-remote-group'] }
    given.writeHead(200, { 'content-type': 'application/json', 'x-own': 'yes' })
    given.end(JSON.stringify({ method: asked.method, url: path, headers }))
  }
}

function upgrade(asked: IncomingMessage, socket: Duplex): void {
  if (asked.url?.endsWith('/refused') === true) {
    socket.write('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno')
    // A proxy that spliced now would hand over everything that the client says next.
    socket.on('data', (piece: Buffer) => backend.seen.push({ commonName: piece.toString(), authorized: false }))
    return
  }
  socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n')
  socket.write(`hello ${String(asked.headers['x-remote-user'])}\n`)
  socket.on('data', (piece: Buffer) => socket.write(piece.toString().toUpperCase()))
  socket.on('error', () => undefined)
}

function* megabytes(): Generator<Buffer> {
  for (let i = 0; i < MEGABYTES; i++) yield Buffer.alloc(1024 * 1024, i)
}

interface Got {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: Buffer
}

function send(method: string, path: string, options: RequestOptions = {}, body?: Readable | string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(`${cluster.url}${path}`, { agent: new Agent(), ...tls, method, ...options }, (answered) => {
      const pieces: Buffer[] = []
      answered.on('data', (piece: Buffer) => pieces.push(piece))
      answered.on('end', () => {
        resolve({ status: answered.statusCode!, headers: answered.headers, body: Buffer.concat(pieces) })
      })
      answered.on('error', reject)
    })
    asked.on('error', reject)
    if (body instanceof Readable) body.pipe(asked)
    else asked.end(body)
  })
}

const json = ({ body }: Got) => JSON.parse(body.toString()) as { method: string; headers: Record<string, unknown> }

describe('requests to an aggregated server', () => {
  it('say who asks, and nothing that the client claims to be', async () => {
    const headers = { 'x-remote-user': 'root', 'x-remote-extra-a': 'b', 'x-own': '1', authorization: 'Basic eDp5' }
    const got = await send('GET', `${ROOT}/things?a=b%20c`, { headers })
    assert.equal(got.headers['x-own'], 'yes')
    const { headers: told, ...rest } = json(got)
    assert.deepEqual(rest, { method: 'GET', url: `${ROOT}/things?a=b%20c` })
    assert.partialDeepStrictEqual(told, {
      'x-remote-user': 'kubernetes-admin',
      groups: ['system:masters', 'system:authenticated'],
      'x-own': '1',
      host: 'echo.default.svc',
      'x-forwarded-proto': 'https',
    })
    assert.equal(told['authorization'], undefined)
    assert.equal(told['x-remote-extra-a'], undefined)
    assert.match(
      String(told['x-remote-extra-authentication.kubernetes.io%2Fcredential-id'.toLowerCase()]),
      /^X509SHA256=/,
    )
  })

  it('are those of the impersonated', async () => {
    const headers = {
      'impersonate-user': 'jane',
      'impersonate-group': 'team',
      'impersonate-uid': '42',
      'impersonate-extra-a%2fb': 'c',
    }
    const told = json(await send('DELETE', `${ROOT}/things/x`, { headers }))
    assert.equal(told.method, undefined)
    await cluster.client.create(resources.clusterroles, {
      kind: 'ClusterRole',
      apiVersion: 'rbac.authorization.k8s.io/v1',
      metadata: { name: 'things' },
      rules: [{ verbs: ['delete'], apiGroups: ['echo.example.com'], resources: ['things'] }],
    })
    await cluster.client.create(resources.clusterrolebindings, {
      kind: 'ClusterRoleBinding',
      apiVersion: 'rbac.authorization.k8s.io/v1',
      metadata: { name: 'things' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'things' },
      subjects: [{ kind: 'Group', name: 'team', apiGroup: 'rbac.authorization.k8s.io' }],
    })
    const allowed = json(
      await send('DELETE', `${ROOT}/things/x`, { headers: { ...headers, 'content-length': '3' } }, 'why'),
    )
    assert.equal(allowed.method, 'DELETE')
    assert.partialDeepStrictEqual(allowed.headers, {
      'x-remote-user': 'jane',
      'x-remote-uid': '42',
      groups: ['team', 'system:authenticated'],
      'x-remote-extra-a%2fb': 'c',
    })
    assert.equal(allowed.headers['impersonate-user'], undefined)
  })

  it('have bodies of any size, in both directions', async () => {
    const expected = createHash('sha256')
    for (const piece of megabytes()) expected.update(piece)
    const hash = expected.digest('hex')
    const chunked = { headers: { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' } }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const got = await send(method, `${ROOT}/hash`, chunked, Readable.from(megabytes()))
      assert.deepEqual(JSON.parse(got.body.toString()), { size: MEGABYTES * 1024 * 1024, hash }, method)
    }
    const { body } = await send('GET', `${ROOT}/large`)
    assert.equal(createHash('sha256').update(body).digest('hex'), hash)
  })

  it('that break off are seen to', async () => {
    await assert.rejects(send('GET', `${ROOT}/broken`), /aborted|hang up|reset|content-length/i)
  })

  it('can become another protocol, when the other server agrees', async () => {
    const socket = await open(`${ROOT}/talk`)
    const [head] = (await once(socket, 'data')) as [Buffer]
    let text = head.toString()
    while (!text.includes('hello')) text += String(((await once(socket, 'data')) as [Buffer])[0])
    assert.match(text, /^HTTP\/1\.1 101 [\s\S]*hello kubernetes-admin\n$/)
    socket.write('loud')
    assert.equal(String(((await once(socket, 'data')) as [Buffer])[0]), 'LOUD')
    socket.destroy()
  })

  it('stay requests when it does not', async () => {
    const socket = await open(`${ROOT}/refused`)
    let text = ''
    socket.on('data', (piece: Buffer) => (text += piece.toString()))
    await eventually('the refusal', () => text.includes('403'))
    socket.write(`GET ${ROOT}/x HTTP/1.1\r\nhost: a\r\nx-remote-user: root\r\nx-remote-group: system:masters\r\n\r\n`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.deepEqual(backend.seen, [])
    socket.destroy()
  })

  async function open(path: string): Promise<TLSSocket> {
    const { hostname, port } = new URL(cluster.url)
    const socket = connect({ host: hostname, port: Number(port), ...tls, ALPNProtocols: ['http/1.1'] })
    await once(socket, 'secureConnect')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`)
    return socket
  }
})

describe('a server with version 2 of OpenAPI alone', () => {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/com.example.Thing' } } }
  const expected = {
    openapi: '3.0.0',
    info: SPEC.document.info,
    paths: {
      [`${ROOT}/things`]: {
        post: { requestBody: { content }, responses: { 201: { description: 'Created', content } } },
        parameters: [{ name: 'pretty', in: 'query', schema: { type: 'string', uniqueItems: true } }],
      },
    },
    components: {
      schemas: {
        'com.example.Thing': {
          description: 'What is echoed.',
          type: 'object',
          properties: {
            other: { description: 'Another.', allOf: [{ $ref: '#/components/schemas/com.example.Thing' }] },
          },
        },
      },
    },
  }
  let url = ''

  it('is in the index of version 3, with a document', async () => {
    url = await eventually('the index', async () => {
      const { body } = await send('GET', '/openapi/v3')
      const { paths } = JSON.parse(body.toString()) as { paths: Record<string, { serverRelativeURL: string }> }
      return paths['apis/echo.example.com/v1']?.serverRelativeURL
    })
    assert.match(url, /^\/openapi\/v3\/apis\/echo\.example\.com\/v1\?hash=[0-9A-F]{128}$/)
    const got = await send('GET', url)
    assert.deepEqual(JSON.parse(got.body.toString()), expected)
    assert.match(String(got.headers['cache-control']), /immutable/)
    assert.equal(got.headers['etag'], `"${url.split('=')[1]}"`)
  })

  it('is cached by its hash', async () => {
    const [path, hash] = url.split('?hash=') as [string, string]
    assert.equal((await send('GET', path, { headers: { 'if-none-match': `"${hash}"` } })).status, 304)
    const moved = await send('GET', `${path}?hash=OLD`)
    assert.deepEqual([moved.status, moved.headers['location']], [301, url])
  })

  it('is had in protobuf', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf'
    const { body, headers } = await send('GET', url, { headers: { accept } })
    assert.match(String(headers['content-type']), /proto-openapi/)
    assert.ok(body.includes('#/components/schemas/com.example.Thing'))
    assert.ok(body.includes(`${ROOT}/things`))
  })

  it('is asked for by nobody who may not', async () => {
    const anonymous = { ca: tls.ca, cert: undefined, key: undefined }
    assert.equal((await send('GET', url, anonymous)).status, 403)
  })
})

describe('a front proxy before this server', () => {
  const as = (commonName: string, authority = otherProxies, organizations?: string[]) => {
    const leaf = { commonName, usage: 'client', now, ...(organizations !== undefined && { organizations }) } as const
    const issued = issueCertificate(authority, leaf)
    return { ca: tls.ca, cert: issued.certificate, key: issued.key }
  }
  const review = (certificate: object, headers: Record<string, string>) =>
    send(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      { ...certificate, headers: { 'content-type': 'application/json', ...headers } },
      JSON.stringify({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }),
    )
  const named = { 'x-remote-user': 'jane', 'x-remote-group': 'team', 'x-remote-extra-a%2fb': 'c' }

  it('says who asks', async () => {
    const got = await review(as('gate'), named)
    const { status } = JSON.parse(got.body.toString()) as { status: { userInfo: object } }
    assert.deepEqual(status.userInfo, {
      username: 'jane',
      groups: ['team', 'system:authenticated'],
      extra: { 'a/b': ['c'] },
    })
  })

  it('with another name, or without a user, says nothing', async () => {
    assert.equal((await review(as('somebody'), named)).status, 401)
    assert.equal((await review(as('gate'), {})).status, 401)
  })

  it('is no client itself, whatever its certificate claims', async () => {
    const got = await review(as('kubernetes-admin', otherProxies, ['system:masters']), {})
    assert.equal(got.status, 401)
  })

  it('is nobody who has a certificate for clients', async () => {
    const got = await review(tls, named)
    const { status } = JSON.parse(got.body.toString()) as { status: { userInfo: { username: string } } }
    assert.equal(status.userInfo.username, 'kubernetes-admin')
  })
})
