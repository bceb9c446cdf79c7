/** HTTPS towards one cluster: a pool for short calls, and connections of their own for watches. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import { Authorization } from './connection.ts'
import type { Connection } from './connection.ts'
import { ConnectionError, failureOf } from './failure.ts'

export interface TransportOptions {
  /** Connections for short calls, at most. @default 32 */
  readonly connections?: number
  /** Milliseconds until a short call must have answered. @default 60000 */
  readonly timeout?: number
  /** How often a call that the server asked to repeat is repeated. @default 3 */
  readonly retries?: number
  /** @default 'tenantry' */
  readonly userAgent?: string
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root of the server, with its query. */
  readonly path: string
  readonly body?: string
  /** @default 'application/json' */
  readonly contentType?: string
  /** @default 'application/json' */
  readonly accept?: string
  readonly signal?: AbortSignal | undefined
}

/** A server's wish to wait is honoured up to this, in seconds. */
const MAX_WAIT = 10
/** Errors after which a GET may go again: the server closed a connection that was kept open. */
const STALE = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

export class Transport {
  readonly server: string
  readonly #prefix: string
  readonly #authorization: Authorization
  readonly #unary: Pool
  readonly #streams: Pool
  readonly #retries: number
  readonly #userAgent: string

  constructor(connection: Connection, options: TransportOptions = {}) {
    const { connections = 32, timeout = 60_000, retries = 3, userAgent = 'tenantry', now = Date.now } = options
    const url = new URL(connection.server)
    this.server = url.origin
    this.#prefix = url.pathname.replace(/\/+$/, '')
    this.#authorization = new Authorization(connection, now)
    this.#retries = retries
    this.#userAgent = userAgent
    const connect = {
      timeout: 10_000,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
      ...(connection.ca === undefined ? {} : { ca: connection.ca }),
      ...(connection.clientCertificate === undefined ? {} : { cert: connection.clientCertificate }),
      ...(connection.clientKey === undefined ? {} : { key: connection.clientKey }),
      ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
    }
    const common = { allowH2: false, connect, keepAliveTimeout: 30_000 }
    this.#unary = new Pool(url.origin, { ...common, connections, headersTimeout: timeout, bodyTimeout: timeout })
    this.#streams = new Pool(url.origin, { ...common, headersTimeout: timeout, bodyTimeout: 0 })
  }

  #options({ method, path, body, contentType, accept, signal }: Call): Dispatcher.RequestOptions {
    const authorization = this.#authorization.header()
    return {
      method,
      path: this.#prefix + path,
      headers: {
        accept: accept ?? 'application/json',
        'user-agent': this.#userAgent,
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      body: body ?? null,
      signal: signal ?? null,
    }
  }

  /**
   * One call with its answer as text. A 429, or a 5xx of a repeatable call, that names a Retry-After is repeated.
   *
   * @throws StatusError, ConnectionError, or the reason of `signal`
   */
  async call(call: Call): Promise<string> {
    const repeatable = call.method === 'GET' || call.method === 'PUT' || call.method === 'DELETE'
    for (let left = this.#retries; ; left--) {
      const { code, text, retryAfter } = await this.#once(call, left > 0)
      if (code >= 200 && code < 300) return text
      const again = retryAfter !== undefined && (code === 429 || (code >= 500 && repeatable))
      if (!again || left <= 0) throw failureOf(code, text, retryAfter)
      await sleep(Math.min(retryAfter, MAX_WAIT) * 1000, undefined, call.signal ? { signal: call.signal } : {})
    }
  }

  async #once(call: Call, retry: boolean): Promise<{ code: number; text: string; retryAfter: number | undefined }> {
    try {
      const answer = await this.#unary.request(this.#options(call))
      return {
        code: answer.statusCode,
        text: await answer.body.text(),
        retryAfter: secondsOf(answer.headers['retry-after']),
      }
    } catch (error) {
      call.signal?.throwIfAborted()
      if (retry && call.method === 'GET' && STALE.has((error as { code?: string }).code ?? '')) {
        return this.#once(call, false)
      }
      throw new ConnectionError(this.server, error)
    }
  }

  /**
   * Opens a stream; its body comes in chunks until either side ends it.
   *
   * @throws StatusError, ConnectionError
   */
  async open(call: Call): Promise<AsyncIterable<Uint8Array>> {
    let answer
    try {
      answer = await this.#streams.request(this.#options(call))
    } catch (error) {
      call.signal?.throwIfAborted()
      throw new ConnectionError(this.server, error)
    }
    if (answer.statusCode === 200) return answer.body
    const retryAfter = secondsOf(answer.headers['retry-after'])
    throw failureOf(answer.statusCode, await answer.body.text(), retryAfter)
  }

  async close(): Promise<void> {
    await Promise.all([this.#unary.destroy(), this.#streams.destroy()])
  }
}

function secondsOf(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header[0] : header
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}
