import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { Elsewhere } from '../apiserver/connect/elsewhere.ts'
import type { Log } from '../apiserver/connect/logs.ts'
import type { Connection } from '../client/connection.ts'
import { Streams } from '../client/streams.ts'
import { openGate } from './gate.ts'

const POD = '/api/v1/namespaces/shop/pods/web'
const UPGRADE = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }

/** A gate that writes down what it lets through. */
async function world(t: TestContext, log: Log = 'line\n', signals: AbortSignal[] = []) {
  const through: unknown[] = []
  const connections: Elsewhere = {
    stream: async ({ metadata }, rest, reply) => {
      through.push([metadata.namespace, metadata.name, rest])
      reply.raw(409, 'text/plain', 'refused')
    },
    address: () => '',
    services: { resolve: () => assert.fail('nobody asks for Services here') },
  }
  const gate = await openGate({
    connections,
    logs: ({ metadata }, query, _node, signal) => {
      through.push([metadata.namespace, metadata.name, query])
      signals.push(signal)
      return log
    },
    now: Date.now,
  })
  t.after(() => gate.close())
  const ask = async (path: string, { headers = {}, method = 'GET', as = gate.connection } = {}) => {
    const streams = new Streams(as)
    t.after(() => streams.close())
    const { signal } = new AbortController()
    const { response } = await streams.open({ method, path, headers, signal })
    return [response.statusCode, await textOf(response)]
  }
  return { gate, ask, through }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of response) text += String(piece)
  return text
}

test('only who has the certificate that this gate gave is let in', async (t) => {
  const { gate, ask, through } = await world(t)
  const other = await world(t)
  const { server, ca = '' } = gate.connection
  const strangers: Connection[] = [
    { server, ca },
    { server, ca, token: 'admin' },
    { ...other.gate.connection, server, ca },
  ]
  for (const as of strangers) {
    for (const path of [`${POD}/log`, `${POD}/exec?command=a`, '/']) assert.equal((await ask(path, { as }))[0], 401)
    assert.equal((await ask(`${POD}/exec?command=a`, { as, headers: UPGRADE }))[0], 401)
  }
  assert.deepEqual(through, [])
  assert.deepEqual(await ask(`${POD}/log`), [200, 'line\n'])
  await assert.rejects(ask(`${POD}/log`, { as: { ...other.gate.connection, server } }), /certificate/)
})

test('nothing is reached but connections and logs of pods', async (t) => {
  const { ask, through } = await world(t)
  for (const path of [
    '/',
    '/api/v1/namespaces/shop/secrets/web',
    '/api/v1/namespaces/shop/pods',
    POD,
    `${POD}/proxy`,
    `${POD}/eviction`,
    `${POD}/exec/more`,
    `${POD}/log/../../../secrets/web`,
    '/api/v1/namespaces/a%2Fb/pods/web/log',
    '/api/v1/namespaces/shop/pods/..%2Fweb/log',
    '/api/v1/nodes/one/proxy/exec',
  ])
    for (const headers of [{}, UPGRADE]) assert.equal((await ask(path, { headers }))[0], 404, path)
  assert.equal((await ask(`${POD}/exec?command=a`, { method: 'DELETE', headers: UPGRADE }))[0], 404)
  assert.equal((await ask(`${POD}/exec?command=a`))[0], 400)
  assert.equal((await ask(`${POD}/log?tailLines=1%26previous`))[0], 400)
  assert.equal((await ask(`${POD}/portforward?ports=x`, { headers: UPGRADE }))[0], 400)
  assert.deepEqual(through, [])
})

test('options are read and written anew', async (t) => {
  const { ask, through } = await world(t)
  const headers = UPGRADE
  const exec = `${POD}/exec?container=a%26b%2F..&command=x%26stdin%3Dtrue&command=%2F..%2F&stdout=1&evil=1&pretty=true`
  assert.deepEqual(await ask(exec, { method: 'POST', headers }), [409, 'refused'])
  await ask(`${POD}/attach?stdin=true&tty=true&command=x`, { headers })
  await ask(`${POD}/portforward?ports=80,90`, { headers })
  await ask(`${POD}/log?container=main&follow=true&sinceTime=2026-01-01T02:00:00%2B02:00&limitBytes=5&evil=1`)
  const query = {
    container: 'main',
    follow: true,
    previous: false,
    timestamps: false,
    tailLines: undefined,
    limitBytes: 5,
    sinceSeconds: undefined,
    sinceTime: '2026-01-01T00:00:00Z',
  }
  const rest = (text: string) => ['shop', 'web', text]
  assert.deepEqual(through, [
    rest('exec?container=a%26b%2F..&stdout=true&command=x%26stdin%3Dtrue&command=%2F..%2F'),
    rest('attach?stdin=true&tty=true'),
    rest('portforward?ports=80&ports=90'),
    ['shop', 'web', query],
  ])
})

test('a log ends when nobody reads it', async (t) => {
  const untilEnded = async function* () {
    while (signals[0]?.aborted !== true) {
      yield Buffer.from('line\n')
      await new Promise((done) => setTimeout(done, 5))
    }
  }
  const signals: AbortSignal[] = []
  const { gate } = await world(t, untilEnded(), signals)
  const streams = new Streams(gate.connection)
  t.after(() => streams.close())
  const reader = new AbortController()
  const { response } = await streams.open({
    method: 'GET',
    path: `${POD}/log?follow=true`,
    headers: {},
    signal: reader.signal,
  })
  response.on('error', () => undefined)
  await new Promise((done) => response.once('data', done))
  assert.equal(signals[0]!.aborted, false)
  reader.abort()
  await new Promise((done) => signals[0]!.addEventListener('abort', done))
})
