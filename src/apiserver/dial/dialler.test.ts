import assert from 'node:assert/strict'
import { createServer as createPlain } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTcp } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { createCa, issueCertificate } from '../../machinery/pki/certificate.ts'
import type { Address, CallOptions, Dialler } from './contract.ts'
import { addressOf, DialPools } from './dialler.ts'
import type { DialPoolOptions } from './dialler.ts'
import { httpsServer } from './fixture.ts'
import { reach } from './reach.ts'

const services: Record<string, Address> = {}

function pools(options: DialPoolOptions = {}) {
  const shared = new DialPools(options)
  return (t: TestContext, cluster = 'a'): Dialler => {
    const dialler = shared.dialler({
      cluster,
      services: {
        resolve(namespace, name) {
          const found = services[`${namespace}/${name}`]
          if (found === undefined) throw new Error(`service ${JSON.stringify(name)} not found`)
          return found
        },
      },
    })
    t.after(() => dialler.close())
    return dialler
  }
}

const post = (options: Partial<CallOptions> & Pick<CallOptions, 'destination'>): CallOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{}',
  timeout: 5000,
  ...options,
})

test('a URL is called with its path and query, and connections are kept', async (t) => {
  const seen: string[] = []
  const sockets = new Set<unknown>()
  const server = await httpsServer(t, (request, response, body) => {
    sockets.add(request.socket)
    seen.push(`${request.method} ${request.url} ${request.headers.host} ${body.toString()}`)
    response.writeHead(201, { 'x-a': 'b' }).end('done')
  })
  const dialler = pools()(t)
  for (let i = 0; i < 3; i++) {
    const answer = await dialler.call(
      post({ destination: { url: `${server.url}/a%20b/` }, caBundle: server.ca, query: 'timeout=10s' }),
    )
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['x-a'], 'b')
    assert.equal(answer.body.toString(), 'done')
  }
  assert.equal(seen[0], `POST /a%20b/?timeout=10s 127.0.0.1:${server.port} {}`)
  // A call that follows at once may find the connection still busy with the end of the one before.
  assert.ok(sockets.size <= 2)
})

test('a Service is reached at its address under its own name', async (t) => {
  let name: string | false | null | undefined
  let host: string | undefined
  const server = await httpsServer(
    t,
    (request, response) => {
      name = (request.socket as TLSSocket).servername
      host = request.headers.host
      response.end()
    },
    { dns: ['hook.system.svc'], ips: [] },
  )
  services['system/hook'] = { host: '127.0.0.1', port: server.port }
  const dialler = pools()(t)
  const destination = { service: { namespace: 'system', name: 'hook', path: '/x' } }
  await dialler.call(post({ destination, caBundle: server.ca }))
  assert.equal(name, 'hook.system.svc')
  assert.equal(host, 'hook.system.svc')
  assert.equal(addressOf(destination, 'timeout=1s'), 'https://hook.system.svc:443/x?timeout=1s')
  const missing = { service: { namespace: 'system', name: 'other' } }
  await assert.rejects(dialler.call(post({ destination: missing })), { message: 'service "other" not found' })
})

test('a server that also speaks HTTP/2 is spoken to in HTTP/1.1', async (t) => {
  const authority = createCa({ commonName: 'ca', now: Date.now() })
  const leaf = { commonName: 's', usage: 'server', ips: ['127.0.0.1'], now: Date.now() } as const
  const { certificate: cert, key } = issueCertificate(authority, leaf)
  const server = createSecureServer({ cert, key, allowHTTP1: true }, (request, response) =>
    response.end(request.httpVersion),
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const url = `https://127.0.0.1:${(server.address() as { port: number }).port}`
  const dialler = pools()(t)
  const answer = await dialler.call(post({ destination: { url }, caBundle: authority.certificate }))
  assert.equal(answer.body.toString(), '1.1')
})

test('certificates are checked as by Go, and errors have its words', async (t) => {
  const server = await httpsServer(t, (_, response) => response.end('ok'))
  const old = await httpsServer(t, (_, response) => response.end('ok'), { now: Date.parse('2020-01-01'), days: 1 })
  const other = createCa({ commonName: 'other', now: Date.now() }).certificate
  const dialler = pools()(t)
  const call = (url: string, more: Partial<CallOptions> = {}) => dialler.call(post({ destination: { url }, ...more }))
  const unknown = { message: 'tls: failed to verify certificate: x509: certificate signed by unknown authority' }
  await assert.rejects(call(server.url), unknown)
  await assert.rejects(call(server.url, { caBundle: other }), unknown)
  // Its own certificate in the bundle is enough, without who issued it.
  assert.equal((await call(server.url, { caBundle: server.certificate })).status, 200)
  await assert.rejects(
    call(old.url, { caBundle: old.ca }),
    /^Error: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time \S+Z is after 2020-01-02T00:00:00Z$/,
  )
  services['system/hook'] = { host: '127.0.0.1', port: server.port }
  const destination = { service: { namespace: 'system', name: 'hook' } }
  await assert.rejects(dialler.call(post({ destination, caBundle: server.ca })), {
    message: 'tls: failed to verify certificate: x509: certificate is valid for localhost, not hook.system.svc',
  })
  await assert.rejects(call(server.url, { caBundle: 'nonsense' }), {
    message: 'unable to load root certificates: unable to parse bytes as PEM block',
  })
  assert.equal((await call(server.url, { insecure: true })).status, 200)
  // What was reached without a check is not what a checked call is sent over.
  await assert.rejects(call(server.url), unknown)
})

test('a client certificate is shown', async (t) => {
  const clients = createCa({ commonName: 'clients', now: Date.now() })
  const server = await httpsServer(
    t,
    (request, response) => response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN),
    { clientCa: clients.certificate },
  )
  const client = issueCertificate(clients, { commonName: 'proxy', usage: 'client', now: Date.now() })
  const dialler = pools()(t)
  const answer = await dialler.call(post({ destination: { url: server.url }, caBundle: server.ca, client }))
  assert.equal(answer.body.toString(), 'proxy')
  await assert.rejects(dialler.call(post({ destination: { url: server.url }, caBundle: server.ca })))
})

test('what cannot be reached is told in the words of Go', async (t) => {
  const dialler = pools({ lookup: () => Promise.reject(new Error('lookup nowhere.invalid: no such host')) })(t)
  const call = (url: string) => dialler.call(post({ destination: { url } }))
  const free = createTcp()
  await new Promise<void>((done) => free.listen(0, '127.0.0.1', done))
  const { port } = free.address() as { port: number }
  await new Promise((done) => free.close(done))
  await assert.rejects(call(`https://127.0.0.1:${port}/`), {
    message: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
  })
  await assert.rejects(call('https://nowhere.invalid/'), {
    message: 'dial tcp: lookup nowhere.invalid: no such host',
  })
  const plain = createPlain((_, response) => response.end())
  await new Promise<void>((done) => plain.listen(0, '127.0.0.1', done))
  t.after(() => plain.close())
  await assert.rejects(call(`https://127.0.0.1:${(plain.address() as { port: number }).port}`), {
    message: 'http: server gave HTTP response to HTTPS client',
  })
  await assert.rejects(call('http://127.0.0.1/'), { message: 'unsupported protocol scheme "http"' })
})

test('the time-out holds for all of a call: connecting, waiting, and an answer that never ends', async (t) => {
  const silent = createTcp(() => undefined)
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
  t.after(() => silent.close())
  const drip = await httpsServer(t, (_, response) => {
    response.write('{')
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
  })
  const never = await httpsServer(t, () => undefined)
  const dialler = pools()(t)
  const urls = [`https://127.0.0.1:${(silent.address() as { port: number }).port}`, drip.url, never.url]
  await Promise.all(
    urls.map(async (url) => {
      const started = performance.now()
      await assert.rejects(
        dialler.call(post({ destination: { url }, timeout: 300, insecure: true })),
        { message: 'context deadline exceeded' },
        url,
      )
      const took = performance.now() - started
      assert.ok(took > 250 && took < 1500, `${took} ms`)
    }),
  )
  const own = new AbortController()
  setTimeout(() => own.abort(new Error('gone')), 50)
  const gone = dialler.call(post({ destination: { url: never.url }, insecure: true, signal: own.signal }))
  await assert.rejects(gone, { message: 'gone' })
})

test('answers are bounded, in bytes and in what a cluster holds at a time', async (t) => {
  let sent = 0
  const flood = await httpsServer(t, (_, response) => {
    const chunk = Buffer.alloc(65536, 'a')
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  })
  const make = pools({ memory: { own: 100_000, each: 200_000, shared: 100_000 } })
  const dialler = make(t)
  const call = (maxAnswer: number) => dialler.call(post({ destination: { url: flood.url }, insecure: true, maxAnswer }))
  await assert.rejects(call(150_000), /the answer has more than \d+ bytes/)
  await assert.rejects(call(1e9), /the answer has more than \d+ bytes/)
  await sleep(100)
  const before = sent
  await sleep(200)
  assert.equal(sent, before, 'the connection was closed')
  assert.ok(sent < 20e6)
  const headers = await httpsServer(t, (_, response) => response.writeHead(200, { 'x-a': 'a'.repeat(64_000) }).end())
  const destination = { url: headers.url }
  await assert.rejects(dialler.call(post({ destination, insecure: true })), /server response headers exceeded/)
})

test('what is no HTTP is an error', async (t) => {
  const server = await httpsServer(t, (request) => request.socket.end('garbage\r\n\r\n'))
  const shut = await httpsServer(t, (request) => request.socket.destroy())
  const dialler = pools()(t)
  const call = (url: string) => dialler.call(post({ destination: { url }, insecure: true }))
  await assert.rejects(call(server.url), /malformed HTTP response/)
  await assert.rejects(call(shut.url), /EOF|connection reset by peer/)
})

test('a connection that the server closed meanwhile is replaced', async (t) => {
  let served = 0
  const server = await httpsServer(t, (request, response) => {
    served++
    // The second request on a connection finds it closed.
    if (served === 2) request.socket.destroy()
    else response.end('ok')
  })
  const dialler = pools()(t)
  const call = (method = 'GET') =>
    dialler.call({ ...post({ destination: { url: server.url }, insecure: true }), method })
  await call()
  assert.equal((await call()).body.toString(), 'ok')
  assert.equal(served, 3)
})

test('one cluster whose calls all hang keeps nobody else from calling', async (t) => {
  const never = await httpsServer(t, () => undefined)
  const good = await httpsServer(t, (_, response) => response.end('ok'))
  const make = pools({ lanes: { own: 1, each: 5, shared: 6, queue: 3 } })
  const hostile = [make(t, 'h1'), make(t, 'h2')]
  const hanging = hostile.flatMap((dialler) =>
    Array.from({ length: 12 }, () =>
      dialler.call(post({ destination: { url: never.url }, insecure: true, timeout: 800 })).catch(String),
    ),
  )
  await sleep(50)
  const started = performance.now()
  const answer = await make(t, 'good').call(post({ destination: { url: good.url }, caBundle: good.ca }))
  assert.equal(answer.status, 200)
  assert.ok(performance.now() - started < 500)
  const said = (await Promise.all(hanging)).map(String)
  assert.equal(said.filter((text) => text.includes('too many calls of this cluster are waiting')).length > 0, true)
  assert.equal(said.filter((text) => text.includes('context deadline exceeded')).length > 0, true)
})

test('addresses are checked after names are resolved, for URLs and for Services', async (t) => {
  const server = await httpsServer(t, (_, response) => response.end('ok'))
  services['ns/metadata'] = { host: '169.254.169.254', port: 80 }
  const lookup = (name: string) =>
    Promise.resolve(name === 'two.example' ? ['169.254.169.254', '127.0.0.1'] : ['169.254.169.254'])
  const shared = new DialPools({ lookup })
  const dialler = shared.dialler({
    cluster: 'tenant',
    services: { resolve: (namespace, name) => services[`${namespace}/${name}`]! },
    reach: reach({ denied: ['169.254.0.0/16'] }),
  })
  t.after(() => dialler.close())
  const refused = /may not connect to this address/
  const call = (destination: CallOptions['destination']) => dialler.call(post({ destination, insecure: true }))
  await assert.rejects(call({ url: 'https://169.254.169.254/' }), refused)
  await assert.rejects(call({ url: 'https://[::ffff:169.254.169.254]/' }), refused)
  await assert.rejects(call({ url: 'https://2852039166/' }), refused)
  await assert.rejects(call({ url: 'https://metadata.example/' }), refused)
  await assert.rejects(call({ service: { namespace: 'ns', name: 'metadata' } }), refused)
  // Of several addresses, those that are allowed are used.
  assert.equal((await call({ url: `https://two.example:${server.port}/` })).status, 200)
})

test('a connection is given out for what is spliced', async (t) => {
  const server = await httpsServer(t, (request, response) => response.end(request.url))
  const shared = new DialPools({ streams: 1 })
  const dialler = shared.dialler({ cluster: 'a', services: { resolve: () => ({ host: '', port: 0 }) } })
  const options = { destination: { url: server.url }, caBundle: server.ca, timeout: 2000 }
  const socket = await dialler.connect(options)
  await assert.rejects(dialler.connect(options), { message: 'too many connections of this cluster are open' })
  socket.write('GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  assert.match(text, /^HTTP\/1.1 200[^]*\/hello/)
  await sleep(20)
  const again = await dialler.connect(options)
  await dialler.close()
  assert.equal(again.destroyed, true)
  await assert.rejects(dialler.connect({ ...options, caBundle: server.ca }), { message: 'the cluster is stopped' })
})
