/**
 * Hostile requests against one of two packed clusters: every one gets a clear answer, none an internal error, none stops
 * the event loop for long, nothing grows, and the other cluster goes on. TENANTRY_FUZZ_ROUNDS says how many requests of
 * each family, TENANTRY_FUZZ_SEED which.
 */
import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { costly, type Costly } from './fuzz/costly.ts'
import { DEFINITION, HUGE, families, huge, type Hostile } from './fuzz/hostile.ts'
import { Random } from './fuzz/random.ts'
import { Session, type Answer } from './support/session.ts'

const ROUNDS = Number(process.env['TENANTRY_FUZZ_ROUNDS'] ?? 24)
const SEED = Number(process.env['TENANTRY_FUZZ_SEED'] ?? 1)
/** Milliseconds of processor time that one step of the loop may take; the first requests of a family also compile. */
const STALL = 50
const WARM = 5
/** MiB by which a family may leave the process larger: what is remembered is bounded, what is stored grows with the rounds. */
const GROWTH = 48 * Math.max(1, ROUNDS / 24)

interface Stats {
  readonly longest: number
  readonly memory: number
  readonly failures: readonly string[]
}

describe(`hostile requests, ${ROUNDS} of each family`, () => {
  let child: ChildProcess
  let hostile: Session
  let other: Session
  let kubeconfig: string

  before(async () => {
    child = fork(join(import.meta.dirname, 'fuzz/server.ts'), {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      execArgv: ['--expose-gc'],
    })
    const line = await new Promise<string>((resolve) =>
      child.stdout!.once('data', (piece: Buffer) => resolve(piece.toString())),
    )
    const both = JSON.parse(line) as { hostile: string; other: string }
    kubeconfig = both.hostile
    hostile = new Session(both.hostile)
    other = new Session(both.other)
    await setUp(hostile)
    await setUp(other)
    await stats()
  })
  after(() => {
    hostile.close()
    other.close()
    child.kill('SIGKILL')
  })

  function stats(): Promise<Stats> {
    return new Promise((resolve, reject) => {
      if (child.exitCode !== null) return reject(new Error(`the server ended with ${child.exitCode}`))
      child.once('message', (message) => resolve(message as Stats))
      child.send('stats')
    })
  }

  const all: readonly (readonly [string, Costly])[] = [
    ...Object.entries(families).map(([name, request]) => [name, { request }] as const),
    ...Object.entries(costly),
  ]
  for (const [name, { before = [], request: family }] of all) {
    it(name, { timeout: (huge.has(name) ? 300_000 : 120_000) * Math.max(1, ROUNDS / 24) }, async () => {
      const random = new Random(SEED * 7919 + name.length)
      const one = async (request: Hostile): Promise<void> => judge(request, await send(hostile, request))
      /** The longest time of the loop while these are answered. */
      const ask = async (requests: readonly Hostile[]): Promise<number> => {
        await Promise.all([...requests.map(one), probe(other)])
        const { longest, failures } = await stats()
        assert.deepEqual(failures, [])
        return longest
      }
      for (const request of before) await one(request)
      // Huge ones take a second each, costly ones too.
      const few = huge.has(name) ? 2 : Object.hasOwn(costly, name) ? 4 : 1
      const [warm, rounds] = few > 1 ? [2, Math.ceil(ROUNDS / few)] : [WARM, ROUNDS]
      for (let i = 0; i < warm; i++) await one(family(random, i))
      const start = await stats()
      for (let i = warm; i < warm + rounds; i += 4) {
        const requests = [i, i + 1, i + 2, i + 3].map((n) => family(random, n))
        let longest = await ask(requests)
        // What does not come again with the same requests was a compilation.
        if (longest > STALL) longest = await ask(requests)
        const about = () => requests.map(textOf).join('\n')
        assert.ok(longest <= STALL, `the loop did one thing for ${longest.toFixed(0)} ms, one of\n${about()}`)
      }
      const end = await stats()
      assert.deepEqual(end.failures, [])
      assert.ok(
        end.memory - start.memory <= GROWTH,
        `memory grew from ${start.memory.toFixed(0)} to ${end.memory.toFixed(0)} MiB`,
      )
    })
  }

  it('slow bodies, torn connections and streams without end', { timeout: 120_000 }, async () => {
    const start = await stats()
    const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
    const { hostname, port } = new URL(server)
    const tls = { host: hostname, port: Number(port), ca, cert: clientCertificate, key: clientKey, servername: '' }
    const sockets = Array.from({ length: 100 }, (_, i) => {
      const socket = connect({ ...tls, ALPNProtocols: i % 2 === 0 ? ['http/1.1'] : ['h2'] })
      socket.on('error', () => undefined)
      const text =
        'POST /api/v1/namespaces/default/pods HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{'
      socket.write(
        i % 2 === 0
          ? text
          : Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), new Random(i + 1).bytes(2000)]),
      )
      return socket
    })
    await probe(other)
    for (const socket of sockets) socket.destroy()
    for (let round = 0; round < 3; round++) {
      const session = connectHttp2(server, { ca, cert: clientCertificate, key: clientKey })
      session.on('error', () => undefined)
      const streams = Array.from({ length: 3000 }, () => {
        try {
          const stream = session.request({ ':path': '/api/v1/namespaces/default/pods?watch=1' })
          stream.on('error', () => undefined)
          return stream
        } catch {
          return undefined
        }
      })
      await probe(other)
      for (const stream of streams) stream?.close(8)
      await probe(other)
      session.destroy()
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    const end = await stats()
    assert.deepEqual(end.failures, [])
    assert.ok(
      end.memory - start.memory <= GROWTH,
      `memory grew from ${start.memory.toFixed(0)} to ${end.memory.toFixed(0)} MiB`,
    )
    await hostile.must('/api/v1/namespaces/default')
  })

  it('left the prototypes of JavaScript alone', async () => {
    const { text } = await other.must('/api/v1/namespaces/default', { keep: true })
    assert.ok(!text.includes('polluted'))
    assert.ok((await stats()).longest >= 0)
  })
})

async function setUp(session: Session): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'target' }, data: { a: 'b' } }
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'target' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  }
  const path = '/api/v1/namespaces/default'
  await session.send(`${path}/serviceaccounts`, { method: 'POST', body: JSON.stringify(account) })
  await session.must(`${path}/configmaps`, { method: 'POST', body: JSON.stringify(map) })
  await session.must(`${path}/pods`, { method: 'POST', body: JSON.stringify(pod) })
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await session.must(definitions, { method: 'POST', body: DEFINITION })
  for (const [objects, body] of HUGE) {
    let made = await session.send(objects, { method: 'POST', body })
    // A definition is served a moment later.
    for (let i = 0; made.status === 404 && i < 200; i++) {
      await new Promise((resolve) => setTimeout(resolve, 25))
      made = await session.send(objects, { method: 'POST', body })
    }
    assert.equal(made.status, 201, made.text.slice(0, 300))
  }
}

/** What the client's own protocol code does not send, or the server's refuses, has its answer below HTTP. */
const REFUSED: Answer = { status: 400, size: 0, text: '400 ' }

function send(session: Session, { method, path, headers, body }: Hostile): Promise<Answer> {
  return session
    .send(path, {
      method,
      keep: true,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    })
    .catch((error: Error) => {
      if (/PROTOCOL_ERROR|Invalid|must not contain/.test(error.message)) return REFUSED
      throw error
    })
}

async function probe(session: Session): Promise<void> {
  const { status } = await session.send('/api/v1/namespaces/default/configmaps/target')
  assert.equal(status, 200)
}

/** What kube-apiserver answers with 500, too. */
const UPSTREAM =
  /does not contain declared merge key|but received a|failed to create typed patch object|failed to create manager|failed to convert new object|"resourceVersion: Invalid value: |"target\.name: Required value"/

const textOf = ({ method, path, headers, body }: Hostile): string =>
  `${method} ${path.slice(0, 200)} ${JSON.stringify(headers ?? {}).slice(0, 100)} ${body?.length ?? 0} ${body?.toString('utf8', 0, 300) ?? ''}`

/** A clear answer: a success, or a Status that says what is wrong. */
function judge(request: Hostile, { status, text }: Answer): void {
  const what = `${textOf(request)} → ${status} ${text.slice(0, 500)}`
  assert.ok(status >= 200 && (status !== 500 || UPSTREAM.test(text)), what)
  if (status < 400 || request.method === 'HEAD') return
  if (text.startsWith('{')) {
    const answer = JSON.parse(text) as { kind: string; code: number; message: string; reason?: string }
    assert.equal(answer.kind, 'Status', what)
    assert.equal(answer.code, status, what)
    assert.ok(answer.message.length > 0 || status === 401, what)
  } else if (!text.startsWith('k8s\0')) {
    assert.match(text, /^(404 page not found|406|.{0,200}not acceptable|kind: "?Status|apiVersion: |400 |405 )/is, what)
  }
}
