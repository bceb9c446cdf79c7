/** HTTP/2: one connection as a session, one exchange a stream. Core stream API, no compatibility layer. */
import { constants, performServerHandshake } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream, ServerOptions } from 'node:http2'
import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { AnswerStream } from '../exchange.ts'
import type { Connection, Surroundings } from './connection.ts'
import type { Limits } from './limits.ts'
import { PieceStream } from './pieces.ts'
import { OpenExchange, bodiless, peerOf, sizeOf, type Peer } from './request.ts'
import { keepSwept, monotonic } from './sweep.ts'

const STREAM_WINDOW = 256 * 1024
const SESSION_WINDOW = 1024 * 1024
/** MiB that one session may hold; beyond it, new streams are refused. */
const SESSION_MEMORY = 64

const ENDED = { endStream: true }
const OPEN = { endStream: false }

const settings = new WeakMap<Limits, ServerOptions>()

function optionsFor(limits: Limits): ServerOptions {
  let options = settings.get(limits)
  if (options === undefined) {
    options = {
      settings: {
        maxConcurrentStreams: limits.streams,
        maxHeaderListSize: limits.headerBytes,
        initialWindowSize: STREAM_WINDOW,
      },
      maxHeaderListPairs: limits.headerCount,
      maxSessionMemory: SESSION_MEMORY,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      streamResetBurst: limits.resetBurst,
      streamResetRate: limits.resetRate,
    }
    settings.set(limits, options)
  }
  return options
}

export class Http2Connection implements Connection {
  readonly #session: ServerHttp2Session
  readonly #around: Surroundings
  readonly #peer: Peer
  readonly #exchanges = new Set<Http2Exchange>()
  readonly #born = monotonic()
  #idleSince = this.#born
  #leaving = false

  constructor(socket: TLSSocket, around: Surroundings) {
    this.#around = around
    this.#peer = peerOf(socket, around.authorities)
    this.#session = performServerHandshake(socket, optionsFor(around.limits))
    this.#session.setLocalWindowSize(SESSION_WINDOW)
    const stop = keepSwept(this)
    this.#session.on('stream', (stream, headers, flags) => this.#open(stream, headers, flags))
    // A broken session also closes, which is what counts.
    this.#session.on('error', () => undefined)
    this.#session.on('close', () => {
      stop()
      for (const exchange of this.#exchanges) exchange.leave()
      around.closed(this)
    })
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number): void {
    stream.on('error', () => undefined)
    const exchange = new Http2Exchange(stream, headers, flags, this.#peer, this.#around.limits)
    this.#exchanges.add(exchange)
    stream.on('close', () => {
      this.#exchanges.delete(exchange)
      this.#idleSince = monotonic()
      exchange.closed()
    })
    this.#around.run(exchange)
  }

  leave(): void {
    if (!this.#leaving) {
      this.#leaving = true
      this.#session.close()
    }
  }

  close(): void {
    this.leave()
    for (const exchange of this.#exchanges) if (exchange.streaming) exchange.leave()
  }

  destroy(): void {
    for (const exchange of this.#exchanges) exchange.leave()
    this.#session.destroy()
  }

  sweep(now: number): void {
    for (const exchange of this.#exchanges) exchange.sweep(now)
    const { idle, age } = this.#around.limits
    if (this.#exchanges.size === 0) {
      const quiet = now - this.#idleSince
      if (quiet > 2 * idle) this.#session.destroy()
      else if (quiet > idle) this.leave()
    }
    if (now - this.#born > age) this.leave()
  }
}

class Http2Exchange extends OpenExchange {
  readonly #stream: ServerHttp2Stream
  readonly #empty: boolean

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, peer: Peer, limits: Limits) {
    super(
      peer,
      {
        method: String(headers[':method']).toUpperCase(),
        target: String(headers[':path'] ?? '/'),
        headers: plainHeaders(headers),
      },
      limits,
    )
    this.#stream = stream
    this.#empty = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
  }

  respond(status: number, headers: Record<string, string>, body: Buffer | string): void {
    if (!this.#begin(false)) return
    const size = sizeOf(body)
    const stream = this.#stream
    const silent = size === 0 || this.method === 'HEAD' || bodiless(status)
    // Names and values in turn: Node copies an object, member by member.
    const list = [':status', String(status)]
    for (const name of Object.keys(headers)) list.push(name, headers[name]!)
    if (!bodiless(status)) list.push('content-length', String(size))
    stream.respond(list, silent ? ENDED : OPEN)
    if (!silent) stream.end(body)
    this.finished()
    this.#dropRest()
  }

  stream(status: number, headers: Record<string, string>): AnswerStream {
    const stream = this.#stream
    if (this.#begin(true)) stream.respond({ ...headers, ':status': status }, { endStream: this.method === 'HEAD' })
    return new PieceStream(
      stream,
      () => this.destroy(),
      () => {
        this.finished()
        this.#dropRest()
      },
    )
  }

  closed(): void {
    this.leave()
  }

  destroy(): void {
    // `close` would end the stream in order before it resets it, and the client take a part for the whole.
    this.#stream.destroy(new Error('answer aborted'))
  }

  incoming(): Readable | undefined {
    return this.#empty ? undefined : this.#stream
  }

  protected isWhole(): boolean {
    return !this.#stream.aborted && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR && !this.#stream.destroyed
  }

  #begin(streaming: boolean): boolean {
    if (this.answered) return false
    this.began(streaming)
    return !this.#stream.destroyed && !this.#stream.closed
  }

  /** A body that nobody read is refused once the answer is out, so that the client stops sending it. */
  #dropRest(): void {
    const stream = this.#stream
    if (this.#empty || stream.readableEnded || stream.destroyed) return
    // What has come already counts against the session until it is read.
    stream.resume()
    const drop = (): void => {
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR)
    }
    if (stream.writableFinished) drop()
    else stream.once('finish', drop)
  }
}

/** As those of HTTP/1: the host that was asked is `host`. */
function plainHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const out = Object.create(null) as Record<string, string>
  for (const name in headers) {
    if (name.startsWith(':')) continue
    const value = headers[name]
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(', ') : value
  }
  const host = headers[':authority']
  if (host !== undefined) out['host'] = host
  return out
}
