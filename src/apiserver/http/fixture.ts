/** What the tests of this floor share: a cluster in memory behind a handler, and exchanges that record what is answered. */
import { memoryStore } from '../../store/memory.ts'
import type { Authorizer, UserInfo } from '../contract.ts'
import { startCustomResources } from '../crd/manager.ts'
import type { CustomResources } from '../crd/manager.ts'
import type { Dialler } from '../dial/contract.ts'
import { createDiscovery } from '../discovery/discovery.ts'
import type { AnswerStream, Exchange, Handler } from '../exchange.ts'
import { createOpenApi } from '../openapi/documents.ts'
import { defaultPlugins } from '../admission/plugins.ts'
import { allowAll, sequence, testCluster } from '../registry/fixture.ts'
import type { TestCluster } from '../registry/fixture.ts'
import type { HandlerOptions } from './contract.ts'
import { createHandler } from './handler.ts'

const VERSION = {
  major: '1',
  minor: '37',
  emulationMajor: '1',
  emulationMinor: '37',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '36',
  gitVersion: 'v1.37.1',
  gitCommit: 'x',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'go1',
  compiler: 'gc',
  platform: 'linux/amd64',
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into any shape
export type Any = any

/** What was answered so far. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly text: string
  /** The body as JSON. */
  readonly json: Any
}

export interface Sent {
  readonly answer: Answer
  /** Lines of a stream so far, as JSON. */
  readonly lines: Any[]
  /** Resolves when the exchange has ended. */
  readonly done: Promise<void>
  /** The client goes away. */
  leave(): void
  /** Makes the client read nothing: what is written stays buffered. */
  stall(): void
}

export interface Server extends TestCluster {
  readonly handler: Handler
  readonly custom: CustomResources
  readonly logged: { msg: string; fields: Record<string, unknown> | undefined }[]
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Sent
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

export async function testServer(
  options: Partial<HandlerOptions> = {},
  authorizer: Authorizer = allowAll,
  dialler?: Dialler,
): Promise<Server> {
  const range = await memoryStore().open('test')
  // With something to call over, webhooks are called.
  const plugins = dialler === undefined ? {} : { plugins: defaultPlugins({ dialler }) }
  const cluster = await testCluster({ range, authorizer, ...plugins })
  const logged: Server['logged'] = []
  const record = (msg: string, fields?: Record<string, unknown>) => void logged.push({ msg, fields })
  const log = { warn: record, error: record }
  const now = () => Date.parse('2026-01-01T00:01:00Z')
  const custom = startCustomResources({
    range,
    catalog: cluster.api.catalog,
    api: cluster.api,
    log,
    now,
    ...(dialler === undefined ? {} : { dialler }),
  })
  const handler = createHandler({
    api: cluster.api,
    authenticate: (): UserInfo => ({ name: 'admin', groups: ['system:masters', 'system:authenticated'] }),
    discovery: createDiscovery(cluster.api.catalog),
    openapi: createOpenApi(cluster.api.catalog),
    version: VERSION,
    log,
    now,
    random: sequence(),
    ...options,
  })
  const send: Server['send'] = (method, path, body, headers) => exchange(handler, method, path, body, headers)
  return {
    ...cluster,
    handler,
    custom,
    logged,
    send,
    async ask(method, path, body, headers) {
      const sent = send(method, path, body, headers)
      await sent.done
      return sent.answer
    },
  }
}

function encode(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function exchange(
  handler: Handler,
  method: string,
  target: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Sent {
  const mark = target.indexOf('?')
  const controller = new AbortController()
  const pieces: Buffer[] = []
  const state = { status: 0, headers: {} as Record<string, string>, stalled: false, buffered: 0 }
  const ended = Promise.withResolvers<void>()
  const take = (piece: Buffer | string) => {
    const bytes = Buffer.from(piece)
    if (state.stalled) state.buffered += bytes.length
    else pieces.push(bytes)
  }
  const stream: AnswerStream = {
    write: take,
    get buffered() {
      return state.buffered
    },
    drained: () => (state.stalled ? new Promise(() => undefined) : Promise.resolve()),
    end: () => ended.resolve(),
    abort: () => {
      take('<aborted>')
      ended.resolve()
    },
  }
  const one: Exchange = {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '' : target.slice(mark + 1),
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    clientCertificate: undefined,
    remoteAddress: '127.0.0.1',
    signal: controller.signal,
    body: () => Promise.resolve(encode(body)),
    respond(status, sent, content) {
      if (state.status !== 0) throw new Error('answered twice')
      state.status = status
      state.headers = sent
      take(content)
      ended.resolve()
    },
    stream(status, sent) {
      if (state.status !== 0) throw new Error('answered twice')
      state.status = status
      state.headers = sent
      return stream
    },
  }
  const handled = handler(one)
  const text = () => Buffer.concat(pieces).toString('utf8')
  return {
    get answer() {
      return {
        ...state,
        body: Buffer.concat(pieces),
        text: text(),
        get json() {
          return JSON.parse(text()) as unknown
        },
      }
    },
    get lines() {
      return text()
        .split('\n')
        .filter((line) => line !== '' && line !== '<aborted>')
        .map((line) => JSON.parse(line) as unknown)
    },
    done: Promise.all([handled, ended.promise]).then(() => undefined),
    leave: () => controller.abort(),
    stall: () => void (state.stalled = true),
  }
}
