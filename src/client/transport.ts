/** HTTPS towards one cluster: calls with an answer, and streams. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import type { Connection } from './connection.ts'
import { Credentials } from './credentials.ts'
import type { Credential } from './credentials.ts'
import { exchange } from './exchange.ts'
import type { Answer } from './exchange.ts'
import { ConnectionError, failureOf } from './failure.ts'
import { Pools } from './pools.ts'
import type { PoolOptions } from './pools.ts'

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

/** A server that wants a longer pause than this, in seconds, is not waited for: its answer is the error. */
const MAX_WAIT = 10
/** Errors after which a GET may go again: the server closed a connection that was kept open. */
const STALE = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** How calls reach a server: over HTTPS, or straight to its handler in this process. */
export interface Wire {
  /** Named in errors. */
  readonly server: string
  /** @throws StatusError, ConnectionError, or the reason of the call's signal */
  call(call: Call): Promise<string>
  /** @throws StatusError, ConnectionError */
  open(call: Call): Promise<AsyncIterable<Uint8Array>>
  close(): Promise<void>
}

export class Transport implements Wire {
  readonly server: string
  readonly #prefix: string
  readonly #connection: Connection
  readonly #credentials: Credentials
  readonly #options: PoolOptions
  readonly #retries: number
  readonly #userAgent: string
  readonly #closed = new AbortController()
  /** The connections of the present certificate, and those of earlier ones whose last calls are under way. */
  #pools: Pools | undefined
  #certificate: string | undefined
  readonly #retired = new Set<Pools>()

  constructor(connection: Connection, options: TransportOptions = {}) {
    const { connections = 32, timeout = 60_000, retries = 3, userAgent = 'tenantry', now = Date.now } = options
    const url = new URL(connection.server)
    this.server = url.origin
    this.#prefix = url.pathname.replace(/\/+$/, '')
    this.#connection = connection
    this.#credentials = new Credentials(connection, now, this.#closed.signal)
    this.#options = { connections, timeout }
    this.#retries = retries
    this.#userAgent = userAgent
  }

  /**
   * One call with its answer as text. A 429, or a 5xx of a repeatable call, that names a Retry-After is repeated; so is
   * a GET whose connection broke, and what got a 401 with a credential that could be renewed.
   *
   * @throws StatusError, ConnectionError, or the reason of `signal`
   */
  async call(call: Call): Promise<string> {
    const repeatable = call.method === 'GET' || call.method === 'PUT' || call.method === 'DELETE'
    let stale = call.method !== 'GET'
    let refused = false
    for (let left = this.#retries; ;) {
      const credential = await this.#credentials.current()
      let answer: Answer
      try {
        answer = await exchange(this.#poolsFor(credential).calls, this.#request(call, credential), call.signal)
      } catch (error) {
        call.signal?.throwIfAborted()
        this.#closed.signal.throwIfAborted()
        if (stale || !STALE.has((error as { code?: string }).code ?? '')) throw new ConnectionError(this.server, error)
        stale = true
        continue
      }
      const { code, text, headers } = answer
      if (code >= 200 && code < 300) return text
      if (code === 401 && !refused) {
        refused = true
        if (await this.#credentials.renewed(credential)) continue
      }
      const retryAfter = secondsOf(headers['retry-after'])
      const again = retryAfter !== undefined && (code === 429 || (code >= 500 && repeatable))
      if (!again || retryAfter > MAX_WAIT || left-- <= 0) throw failureOf(code, text, retryAfter)
      await this.#pause(retryAfter, call.signal)
    }
  }

  /**
   * Opens a stream; its body comes in chunks until either side ends it.
   *
   * @throws StatusError, ConnectionError
   */
  async open(call: Call): Promise<AsyncIterable<Uint8Array>> {
    for (let refused = false; ; refused = true) {
      const credential = await this.#credentials.current()
      let answer
      try {
        const options = { ...this.#request(call, credential), signal: call.signal ?? null }
        answer = await this.#poolsFor(credential).streams.request(options)
      } catch (error) {
        call.signal?.throwIfAborted()
        throw new ConnectionError(this.server, error)
      }
      const { statusCode, headers, body } = answer
      if (statusCode === 200) return body
      const text = await body.text()
      if (statusCode === 401 && !refused && (await this.#credentials.renewed(credential))) continue
      throw failureOf(statusCode, text, secondsOf(headers['retry-after']))
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the client is closed'))
    const pools = this.#pools === undefined ? [] : [this.#pools]
    await Promise.all([...pools, ...this.#retired].map((each) => each.destroy()))
  }

  #request(
    { method, path, body, contentType, accept }: Call,
    { authorization }: Credential,
  ): Dispatcher.RequestOptions {
    const headers = ['accept', accept ?? 'application/json', 'user-agent', this.#userAgent]
    if (authorization !== undefined) headers.push('authorization', authorization)
    if (body !== undefined) headers.push('content-type', contentType ?? 'application/json')
    return { method, path: this.#prefix + path, headers, body: body ?? null }
  }

  #poolsFor({ certificate, key }: Credential): Pools {
    this.#closed.signal.throwIfAborted()
    const old = this.#pools
    if (old !== undefined && this.#certificate === certificate) return old
    const identity = certificate === undefined || key === undefined ? {} : { certificate, key }
    this.#pools = new Pools(this.#connection, identity, this.#options)
    this.#certificate = certificate
    if (old !== undefined) {
      this.#retired.add(old)
      void old.retire().finally(() => this.#retired.delete(old))
    }
    return this.#pools
  }

  async #pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
    const closed = this.#closed.signal
    const either = signal === undefined ? closed : AbortSignal.any([signal, closed])
    await sleep(seconds * 1000, undefined, { signal: either }).catch(() => either.throwIfAborted())
  }
}

function secondsOf(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header[0] : header
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}
