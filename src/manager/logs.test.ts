import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { LogQuery } from '../apiserver/connect/logs.ts'
import { Streams } from '../client/streams.ts'
import { StatusError } from '../machinery/status.ts'
import { hostLogs } from './logs.ts'

const ALL: LogQuery = {
  container: 'main',
  follow: true,
  previous: true,
  timestamps: true,
  tailLines: 0,
  limitBytes: 1,
  sinceSeconds: 2,
  sinceTime: '2026-01-01T00:00:00Z',
}
const NONE: LogQuery = {
  container: 'main',
  follow: false,
  previous: false,
  timestamps: false,
  tailLines: undefined,
  limitBytes: undefined,
  sinceSeconds: undefined,
  sinceTime: undefined,
}
const POD = { metadata: { namespace: 'shop', name: 'web' } }
const THERE = { metadata: { namespace: 'host-ns', name: 'web-x-shop-x-team' }, spec: { nodeName: 'one' } }

/** The log source of a tenant whose host answers so. */
async function world(t: TestContext, answer: RequestListener, most = 256) {
  const server = createServer(answer)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  const streams = new Streams({ server: `http://127.0.0.1:${port}/base`, token: 'managers' })
  t.after(() => {
    streams.close()
    server.close()
    server.closeAllConnections()
  })
  const hostPod = (uid: string, namespace: string, name: string) =>
    uid === 'u' && namespace === 'shop' && name === 'web' ? { pod: THERE, node: undefined } : undefined
  return hostLogs({ streams, syncer: () => ({ hostPod }), now: () => 0, most }, 'u')
}

const NEVER = new AbortController().signal

test('the host is asked for its pod, with every option that was given and no other', async (t) => {
  const asked: unknown[] = []
  const logs = await world(t, ({ url, headers }, response) => {
    asked.push([url, headers.authorization])
    response.end('line\n')
  })
  const odd = { ...NONE, evil: '&previous=true' }
  for (const query of [ALL, NONE, odd]) {
    let text = ''
    for await (const piece of (await logs(POD, query, undefined, NEVER)) as AsyncIterable<Buffer>) text += String(piece)
    assert.equal(text, 'line\n')
  }
  const path = '/base/api/v1/namespaces/host-ns/pods/web-x-shop-x-team/log?container=main'
  const all =
    '&follow=true&previous=true&timestamps=true&tailLines=0&limitBytes=1&sinceSeconds=2&sinceTime=2026-01-01T00%3A00%3A00Z'
  assert.deepEqual(asked, [
    [path + all, 'Bearer managers'],
    [path, 'Bearer managers'],
    [path, 'Bearer managers'],
  ])
})

test('what the host says against it is told of the tenant’s pod', async (t) => {
  const answers: [number, string][] = [
    [404, JSON.stringify({ kind: 'Status', message: 'pods "web-x-shop-x-team" not found', reason: 'NotFound' })],
    [500, 'Get "https://node/containerLogs/host-ns/web-x-shop-x-team/main": refused'],
    [403, 'pods "web-x-shop-x-team" is forbidden: User "manager" cannot'],
    [401, 'Unauthorized'],
    [302, ''],
  ]
  let next = 0
  const logs = await world(t, (_, response) => {
    const [code, text] = answers[next++]!
    response.writeHead(code).end(text)
  })
  const told: unknown[] = []
  for (const _ of answers) {
    await assert.rejects(
      async () => logs(POD, NONE, undefined, NEVER),
      (error: StatusError) => {
        told.push([error.code, error.message])
        return error instanceof StatusError
      },
    )
  }
  const unsaid = (code: number) => `Internal error occurred: the host answers with ${code} when it is asked for the log`
  assert.deepEqual(told, [
    [404, 'pods "web" not found'],
    [500, 'the server answered with 500: Get "https://node/containerLogs/shop/web/main": refused'],
    [500, unsaid(403)],
    [500, unsaid(401)],
    [500, unsaid(302)],
  ])
  await assert.rejects(
    async () => logs({ metadata: { namespace: 'other', name: 'web' } }, NONE, undefined, NEVER),
    /container "main" in pod "web" is waiting to start/,
  )
})

test('a tenant reads a bounded number of logs, and its place is free when one ends', async (t) => {
  const logs = await world(t, (_, response) => void response.write('a'), 2)
  const readers = [new AbortController(), new AbortController()]
  for (const { signal } of readers) await logs(POD, ALL, undefined, signal)
  const another = async () => logs(POD, ALL, undefined, NEVER)
  await assert.rejects(another, (error: StatusError) => error.code === 429)
  readers[0]!.abort()
  await another()
  await assert.rejects(another, (error: StatusError) => error.code === 429)
})
