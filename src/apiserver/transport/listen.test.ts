import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { createCa, derOf, issueCertificate, type Ca } from '../../machinery/pki/certificate.ts'
import { StatusError } from '../../machinery/status.ts'
import type { AnswerStream, Exchange } from '../exchange.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { listen, type Credentials, type Listener } from './listen.ts'

const now = Date.now()

interface Cluster {
  readonly ca: Ca
  readonly credentials: Credentials
  readonly client: { cert: string; key: string }
  readonly der: Buffer
}

function cluster(): Cluster {
  const ca = createCa({ commonName: 'ca', now })
  const server = issueCertificate(ca, { commonName: 'apiserver', usage: 'server', ips: ['127.0.0.1'], now })
  const client = issueCertificate(ca, { commonName: 'admin', organizations: ['ops'], usage: 'client', now })
  return {
    ca,
    credentials: { cert: server.certificate, key: server.key, clientCa: ca.certificate },
    client: { cert: client.certificate, key: client.key },
    der: derOf(client.certificate),
  }
}

const one = cluster()
const two = cluster()
const open: Listener[] = []
after(async () => {
  await Promise.all(open.map((listener) => listener.close()))
})

async function serve(
  handler: (exchange: Exchange) => Promise<void> | void,
  limits: Partial<Limits> = {},
  of = one,
): Promise<Listener> {
  const listener = await listen({
    credentials: of.credentials,
    handler: async (exchange) => handler(exchange),
    limits: { ...defaultLimits, close: 500, ...limits },
  })
  open.push(listener)
  return listener
}

function session(listener: Listener, options: object = {}, of = one): ClientHttp2Session {
  const client = http2.connect(`https://127.0.0.1:${listener.port}`, { ca: of.ca.certificate, ...options })
  client.on('error', () => undefined)
  return client
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

async function over2(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
  const stream = client.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const pieces: Buffer[] = []
  let headers: Record<string, unknown> = {}
  stream.on('response', (head) => (headers = head as Record<string, unknown>))
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  await once(stream, 'close')
  return { status: Number(headers[':status']), headers, body: Buffer.concat(pieces).toString() }
}

async function over1(listener: Listener, options: https.RequestOptions, body?: Buffer): Promise<Answer> {
  const request = https.request({
    host: '127.0.0.1',
    port: listener.port,
    ca: one.ca.certificate,
    agent: false,
    ...options,
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece as Buffer)
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(pieces).toString() }
}

const show = (exchange: Exchange): void => {
  const { method, path, query, headers, clientCertificate, certificateError, remoteAddress } = exchange
  const certificate = clientCertificate?.equals(one.der) ?? false
  const { host, 'x-a': x = '' } = headers
  const seen = { method, path, query, host, x, certificate, certificateError, remoteAddress }
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(seen))
}

describe('both protocols give the same exchange', () => {
  const seen = {
    method: 'GET',
    path: '/a%2Fb',
    query: 'c=d?e',
    host: 'example.com:6443',
    x: '1, 2',
    certificate: true,
    remoteAddress: '127.0.0.1',
  }

  test('HTTP/2', async () => {
    const client = session(await serve(show), one.client)
    const answer = await over2(client, { ':path': '/a%2Fb?c=d?e', ':authority': seen.host, 'x-a': ['1', '2'] })
    assert.deepEqual(JSON.parse(answer.body), seen)
    assert.equal(answer.headers['content-length'], String(answer.body.length))
    const head = await over2(client, { ':path': '/', ':method': 'HEAD' })
    assert.deepEqual([head.status, head.body], [200, ''])
    client.close()
  })

  test('HTTP/1.1', async () => {
    const listener = await serve(show)
    const path = '/a%2Fb?c=d?e'
    const headers = { host: seen.host, 'x-a': ['1', '2'] }
    // Another host than the one that is connected to.
    const checkServerIdentity = () => undefined
    const answer = await over1(listener, { path, headers, checkServerIdentity, ...one.client })
    assert.deepEqual(JSON.parse(answer.body), seen)
    assert.equal((await over1(listener, { path: `https://host${path}` })).status, 200)
    const head = await over1(listener, { method: 'HEAD' })
    assert.deepEqual([head.status, head.body], [200, ''])
    assert.match(String(head.headers['content-length']), /^\d{3}$/)
  })

  test('keep-alive: one connection, many requests', async () => {
    const listener = await serve(show)
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < 3; i++) assert.equal((await over1(listener, { agent })).status, 200)
    assert.equal(listener.connections, 1)
    agent.destroy()
  })
})

describe('client certificates', () => {
  test('none, one of ours, one of another cluster', async () => {
    const listener = await serve(show)
    const seen = async (options: object) => {
      const { certificate, certificateError } = JSON.parse((await over1(listener, options)).body) as Record<
        string,
        unknown
      >
      return [certificate, certificateError]
    }
    assert.deepEqual(await seen({}), [false, undefined])
    assert.deepEqual(await seen(one.client), [true, undefined])
    const [accepted, why] = await seen(two.client)
    assert.equal(accepted, false)
    assert.equal(typeof why, 'string')
  })

  test('a serving certificate is no client certificate', async () => {
    const { cert, key } = one.credentials
    const answer = await over1(await serve(show), { cert, key })
    assert.match(answer.body, /"certificate":false,"certificateError":"/)
  })
})

/** Connects, makes a request, and answers a session that the server offered (TLS 1.2) or its last ticket (1.3). */
async function connected(
  listener: Listener,
  options: tls.ConnectionOptions,
): Promise<{ reused: boolean; session?: Buffer }> {
  const socket = tls.connect({ host: '127.0.0.1', port: listener.port, rejectUnauthorized: false, ...options })
  let offered: Buffer | undefined
  socket.on('session', (session: Buffer) => (offered = session))
  await once(socket, 'secureConnect')
  const reused = socket.isSessionReused()
  const whole = socket.getSession()
  socket.end('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  const session = offered ?? whole
  return { reused, ...(session !== undefined && { session }) }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`no TLS session of ${version} is resumed, neither in its own cluster nor in another`, async () => {
    const [a, b] = [await serve(show, {}, one), await serve(show, {}, two)]
    const options = { minVersion: version, maxVersion: version }
    const { session, reused } = await connected(a, options)
    assert.ok(session)
    assert.equal(reused, false)
    for (const listener of [a, b]) {
      assert.equal((await connected(listener, { ...options, session })).reused, false)
    }
  })
}

describe('bodies', () => {
  const echo = async (exchange: Exchange): Promise<void> => {
    try {
      exchange.respond(200, {}, await exchange.body(1000))
    } catch (error) {
      assert.ok(error instanceof StatusError)
      exchange.respond(error.code, {}, error.message)
    }
  }
  const large = 'Request entity too large: limit is 1000'

  test('whole, or too large, over both', async () => {
    const listener = await serve(echo)
    const client = session(listener)
    const post = { ':path': '/', ':method': 'POST' }
    const full = 'x'.repeat(1000)
    assert.equal((await over2(client, post, Buffer.from(full))).body, full)
    assert.equal((await over1(listener, { method: 'POST' }, Buffer.from(full))).body, full)
    assert.equal((await over2(client, post)).body, '')
    for (const size of [1001, 500_000]) {
      const answer = await over2(client, post, Buffer.alloc(size))
      assert.deepEqual([answer.status, answer.body], [413, large])
      const again = await over1(listener, { method: 'POST' }, Buffer.alloc(size))
      assert.deepEqual([again.status, again.body], [413, large])
    }
    const chunked = await over1(
      listener,
      { method: 'POST', headers: { 'transfer-encoding': 'chunked' } },
      Buffer.alloc(5000),
    )
    assert.equal(chunked.status, 413)
    assert.equal((await over2(client, post, Buffer.from('still there'))).body, 'still there')
    client.close()
  })

  test('empty ones that ended before they were asked for', async () => {
    const listener = await serve(
      async (exchange) => {
        await sleep(20)
        await echo(exchange)
      },
      { body: 200 },
    )
    const client = session(listener)
    // Together, so that a head and the end of its body come in one piece.
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => over2(client, { ':path': '/', ':method': 'DELETE' }, Buffer.alloc(0))),
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    client.close()
  })

  test('slow ones end with 504', async () => {
    const listener = await serve(echo, { body: 100 })
    const client = session(listener)
    const stream = client.request({ ':path': '/', ':method': 'POST' })
    stream.on('error', () => undefined)
    stream.write('x')
    const answer = await answerOf(stream)
    assert.equal(answer.status, 504)
    client.close()
  })

  test('of a client that goes away', async () => {
    let failed: unknown
    const over = Promise.withResolvers<void>()
    const listener = await serve(async (exchange) => {
      await exchange.body(1000).catch((error: unknown) => (failed = error))
      assert.equal(exchange.signal.aborted, true)
      over.resolve()
    })
    const client = session(listener)
    const stream = client.request({ ':path': '/', ':method': 'POST' })
    stream.on('error', () => undefined)
    stream.write('x')
    await once(client, 'connect')
    await sleep(50)
    client.destroy()
    await over.promise
    assert.ok(failed instanceof StatusError)
  })
})

describe('streams', () => {
  test('the head comes before any piece, and a slow reader is seen', async () => {
    for (const protocol of [1, 2]) {
      const started = Promise.withResolvers<AnswerStream>()
      const listener = await serve((exchange) =>
        started.resolve(exchange.stream(200, { 'content-type': 'application/json' })),
      )
      let source: NodeJS.ReadableStream & { pause(): unknown; resume(): unknown }
      let close: () => void
      if (protocol === 2) {
        const client = session(listener)
        const stream = client.request({ ':path': '/' })
        const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
        assert.equal(head[':status'], 200)
        source = stream
        close = () => client.close()
      } else {
        const request = https.get({ host: '127.0.0.1', port: listener.port, ca: one.ca.certificate, agent: false })
        const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
        assert.equal(response.statusCode, 200)
        source = response
        close = () => request.destroy()
      }
      const answer = await started.promise
      assert.equal(answer.buffered, 0)
      await answer.drained()
      source.pause()
      const piece = Buffer.alloc(1024 * 1024)
      const pieces = 24
      for (let i = 0; i < pieces; i++) answer.write(piece)
      assert.ok(answer.buffered > 8 * piece.length, `${answer.buffered}`)
      let drained = false
      const draining = answer.drained().then(() => (drained = true))
      await sleep(20)
      assert.equal(drained, false)
      let received = 0
      source.on('data', (data: Buffer) => (received += data.length))
      source.resume()
      await draining
      assert.equal(answer.buffered, 0)
      answer.end()
      await once(source, 'end')
      assert.equal(received, pieces * piece.length)
      close()
    }
  })

  test('aborting is an error for the client', async () => {
    const listener = await serve((exchange) => {
      const answer = exchange.stream(200, {})
      answer.write('half')
      setTimeout(() => answer.abort(), 20)
    })
    const client = session(listener)
    const stream = client.request({ ':path': '/' }).resume()
    await assert.rejects(once(stream, 'end'))
    client.close()
    await assert.rejects(over1(listener, {}))
  })

  test('the signal fires when the client goes away', async () => {
    const gone = Promise.withResolvers<void>()
    const listener = await serve((exchange) => {
      exchange.signal.addEventListener('abort', () => gone.resolve())
      exchange.stream(200, {})
    })
    const client = session(listener)
    const stream = client.request({ ':path': '/' })
    stream.on('error', () => undefined)
    await once(stream, 'response')
    stream.close(http2.constants.NGHTTP2_CANCEL)
    await gone.promise
    client.close()
  })
})

describe('upgrades', () => {
  const ask = async (listener: Listener, upgrade: string): Promise<string> => {
    const socket = tls.connect({ host: '127.0.0.1', port: listener.port, ca: one.ca.certificate })
    await once(socket, 'secureConnect')
    socket.write(`GET /exec HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: ${upgrade}\r\n\r\nping`)
    let text = ''
    socket.on('data', (data: Buffer) => {
      text += data.toString()
      if (text.includes('ping')) socket.end()
    })
    const timer = setTimeout(() => socket.destroy(), 500)
    await once(socket, 'close')
    clearTimeout(timer)
    return text
  }

  test('hand over the socket, with what came behind the head', async () => {
    const listener = await serve((exchange) => {
      const socket: Duplex = exchange.upgrade!()
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      socket.pipe(socket)
    })
    assert.equal(await ask(listener, 'SPDY/3.1'), 'HTTP/1.1 101 Switching Protocols\r\n\r\nping')
    assert.match(await ask(listener, 'websocket'), /ping$/)
  })

  test('may be refused', async () => {
    const listener = await serve((exchange) => exchange.respond(403, { 'x-a': 'b' }, 'no'))
    assert.match(await ask(listener, 'websocket'), /^HTTP\/1\.1 403 Forbidden\r\n.*\r\nx-a: b\r\n.*\r\n\r\nno$/s)
  })

  test('to other protocols are ignored', async () => {
    const listener = await serve((exchange) => exchange.respond(200, {}, String(exchange.upgrade)))
    assert.match(await ask(listener, 'h2c'), /^HTTP\/1\.1 200 OK\r\n.*undefined/s)
  })
})

describe('bounds', () => {
  test('streams at a time', async () => {
    const client = session(await serve(show, { streams: 7 }))
    await once(client, 'remoteSettings')
    assert.equal(client.remoteSettings.maxConcurrentStreams, 7)
    client.close()
  })

  test('header size', async () => {
    const listener = await serve(show, { headerBytes: 4096 })
    const headers = { 'x-a': 'y'.repeat(8000) }
    assert.equal((await over1(listener, { headers })).status, 431)
    const client = session(listener)
    // The bound holds once the client has confirmed it; 64 KiB hold until then.
    assert.equal((await over2(client, { ':path': '/' })).status, 200)
    const answer = await over2(client, { ':path': '/', ...headers }).catch((error: unknown) => error)
    assert.ok(answer instanceof Error || (answer as Answer).status !== 200)
    client.destroy()
  })

  test('opening and resetting streams without end ends the connection', async () => {
    let handled = 0
    const listener = await serve(
      (exchange) => {
        handled++
        exchange.stream(200, {})
      },
      { resetBurst: 50, resetRate: 1 },
    )
    const client = session(listener)
    await once(client, 'connect')
    const closed = new Promise((resolve) => client.once('close', resolve))
    for (let i = 0; i < 400 && !client.destroyed; i++) {
      const stream = client.request({ ':path': '/' })
      stream.on('error', () => undefined)
      stream.close(http2.constants.NGHTTP2_CANCEL)
      if (i % 10 === 0) await sleep(1)
    }
    await closed
    assert.ok(handled < 400, `${handled}`)
  })

  test('connections at a time', async () => {
    const listener = await serve(show, { connections: 2 })
    const sockets = await Promise.all(
      [1, 2].map(async () => {
        const socket = tls.connect({ host: '127.0.0.1', port: listener.port, ca: one.ca.certificate })
        await once(socket, 'secureConnect')
        return socket
      }),
    )
    await assert.rejects(over1(listener, {}))
    for (const socket of sockets) socket.destroy()
  })

  test('idle connections and heads that never end', async () => {
    const listener = await serve(show, { idle: 100, head: 50 })
    const silent = tls.connect({ host: '127.0.0.1', port: listener.port, ca: one.ca.certificate })
    const slow = tls.connect({ host: '127.0.0.1', port: listener.port, ca: one.ca.certificate })
    silent.on('error', () => undefined).resume()
    slow.on('error', () => undefined).resume()
    slow.write('GET / HTTP/1.1\r\nx-a: ')
    const client = session(listener)
    await Promise.all([once(silent, 'close'), once(slow, 'close'), once(client, 'close')])
    assert.equal(listener.connections, 0)
  })

  test('old connections take no more requests, and running ones go on', async () => {
    const answers: AnswerStream[] = []
    const listener = await serve((exchange) => void answers.push(exchange.stream(200, {})), { age: 50 })
    const client = session(listener)
    const stream = client.request({ ':path': '/' })
    await once(stream, 'response')
    await once(client, 'goaway')
    answers[0]!.write('more')
    answers[0]!.end()
    assert.equal((await answerOf(stream)).body, 'more')
  })
})

describe('closing', () => {
  test('ends streams, lets running requests finish, refuses new ones', async () => {
    const held = Promise.withResolvers<void>()
    const listener = await serve(async (exchange) => {
      if (exchange.path === '/watch') {
        const answer = exchange.stream(200, {})
        exchange.signal.addEventListener('abort', () => answer.end())
      } else {
        await held.promise
        exchange.respond(200, {}, `done ${exchange.signal.aborted}`)
      }
    })
    const client = session(listener)
    const watch = client.request({ ':path': '/watch' })
    await once(watch, 'response')
    const slow = over2(client, { ':path': '/slow' })
    const slow1 = over1(listener, { path: '/slow' })
    await sleep(50)
    const closing = listener.close()
    await answerOf(watch)
    held.resolve()
    assert.equal((await slow).body, 'done false')
    assert.equal((await slow1).body, 'done false')
    await closing
    await assert.rejects(over1(listener, {}))
  })

  test('is bounded', async () => {
    const listener = await serve(() => new Promise(() => undefined), { close: 100 })
    const client = session(listener)
    const request = over2(client, { ':path': '/' }).catch(() => undefined)
    await once(client, 'connect')
    await sleep(20)
    const started = performance.now()
    await listener.close()
    assert.ok(performance.now() - started < 1000)
    await request
  })
})

test('a handler that forgets or throws is answered with 500', async () => {
  const listener = await serve((exchange) => {
    if (exchange.path === '/throw') throw new Error('bug')
  })
  assert.equal((await over1(listener, { path: '/' })).status, 500)
  const client = session(listener)
  assert.equal((await over2(client, { ':path': '/throw' })).status, 500)
  client.close()
})

test('new credentials serve new connections', async () => {
  const listener = await serve(show)
  assert.equal((await over1(listener, {})).status, 200)
  listener.setCredentials(two.credentials)
  await assert.rejects(over1(listener, {}))
  assert.equal((await over1(listener, { ca: two.ca.certificate })).status, 200)
})
