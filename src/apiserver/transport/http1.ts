/** HTTP/1.1: for clients without ALPN, and the way to upgrades (SPDY, WebSocket). */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { AnswerStream } from '../exchange.ts'
import type { Connection, Surroundings } from './connection.ts'
import type { Limits } from './limits.ts'
import { PieceStream } from './pieces.ts'
import { OpenExchange, bodiless, peerOf, sizeOf, type Peer, type RequestHead } from './request.ts'
import { keepSwept, monotonic } from './sweep.ts'

const connections = new WeakMap<Duplex, Http1Connection>()
/** Not imported: Node reads every export of an imported module, and one of this one's loads 24 ms of what is not used. */
const { Server, STATUS_CODES } = process.getBuiltinModule('node:http')

const servers = new WeakMap<Limits, HttpServer>()

/**
 * The parser's home: one server object for all clusters with the same limits. It never listens; TLS sockets are given
 * to it. Its own time-outs need a timer and are off, sweeping stands in for them.
 */
function serverFor(limits: Limits): HttpServer {
  let server = servers.get(limits)
  if (server !== undefined) return server
  server = new Server({
    maxHeaderSize: limits.headerBytes,
    keepAliveTimeout: 0,
    noDelay: true,
    shouldUpgradeCallback: wantsUpgrade,
  })
  server.maxHeadersCount = limits.headerCount
  server.on('request', (request, response) => connections.get(request.socket)?.request(request, response))
  server.on('upgrade', (request, socket, head) => connections.get(socket)?.upgrade(request, socket, head))
  servers.set(limits, server)
  return server
}

/** Other protocols on offer (h2c) are ignored, as HTTP has it. */
function wantsUpgrade(request: IncomingMessage): boolean {
  const wanted = request.headers.upgrade?.toLowerCase() ?? ''
  return wanted === 'websocket' || wanted.startsWith('spdy/')
}

export class Http1Connection implements Connection {
  readonly #socket: TLSSocket
  readonly #around: Surroundings
  readonly #peer: Peer
  readonly #exchanges = new Set<OpenExchange>()
  readonly #born = monotonic()
  #idleSince = this.#born
  /** Bytes read when the connection became idle: more means that a head is coming in. */
  #idleBytes = 0
  #leaving = false
  #upgraded = false

  constructor(socket: TLSSocket, around: Surroundings) {
    this.#socket = socket
    this.#around = around
    this.#peer = peerOf(socket, around.authorities)
    connections.set(socket, this)
    const stop = keepSwept(this)
    socket.on('close', () => {
      stop()
      for (const exchange of this.#exchanges) exchange.leave()
      around.closed(this)
    })
    serverFor(around.limits).emit('connection', socket)
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#leaving) response.shouldKeepAlive = false
    const exchange = new Http1Exchange(request, response, this.#peer, this.#around.limits)
    this.#exchanges.add(exchange)
    response.on('close', () => {
      this.#exchanges.delete(exchange)
      if (!response.writableFinished) exchange.leave()
      this.#idleSince = monotonic()
      this.#idleBytes = this.#socket.bytesRead
    })
    this.#around.run(exchange)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgraded = true
    socket.on('error', () => undefined)
    if (head.length > 0) socket.unshift(head)
    const exchange = new UpgradeExchange(request, socket, this.#peer, this.#around.limits)
    this.#exchanges.add(exchange)
    this.#around.run(exchange)
  }

  leave(): void {
    this.#leaving = true
    if (this.#exchanges.size === 0) this.#socket.destroy()
  }

  close(): void {
    this.leave()
    for (const exchange of this.#exchanges) if (exchange.streaming) exchange.leave()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  sweep(now: number): void {
    for (const exchange of this.#exchanges) exchange.sweep(now)
    if (this.#upgraded) return
    const { idle, age, head } = this.#around.limits
    if (now - this.#born > age) this.#leaving = true
    if (this.#exchanges.size > 0) return
    const limit = this.#socket.bytesRead > this.#idleBytes ? Math.min(head, idle) : idle
    if (now - this.#idleSince > limit) this.#socket.destroy()
  }
}

function headOf(request: IncomingMessage): RequestHead {
  const headers = Object.create(null) as Record<string, string>
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined) headers[name] = values.join(', ')
  }
  return { method: (request.method ?? 'GET').toUpperCase(), target: originForm(request.url ?? '/'), headers }
}

/** Proxies' clients send whole URLs; what counts is the path. */
function originForm(target: string): string {
  if (target.startsWith('/') || target === '*') return target
  const scheme = target.indexOf('://')
  const slash = scheme < 0 ? -1 : target.indexOf('/', scheme + 3)
  return slash < 0 ? '/' : target.slice(slash)
}

class Http1Exchange extends OpenExchange {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse

  constructor(request: IncomingMessage, response: ServerResponse, peer: Peer, limits: Limits) {
    super(peer, headOf(request), limits)
    this.#request = request
    this.#response = response
    response.on('error', () => undefined)
  }

  respond(status: number, headers: Record<string, string>, body: Buffer | string): void {
    if (!this.#begin(false)) return
    const length = bodiless(status) ? {} : { 'content-length': String(sizeOf(body)) }
    this.#response.writeHead(status, { ...headers, ...length })
    this.#response.end(bodiless(status) ? undefined : body)
    this.finished()
  }

  stream(status: number, headers: Record<string, string>): AnswerStream {
    const response = this.#response
    if (this.#begin(true)) {
      response.writeHead(status, headers)
      response.flushHeaders()
    }
    return new PieceStream(
      response,
      () => this.destroy(),
      () => this.finished(),
    )
  }

  destroy(): void {
    this.#request.socket.destroy()
  }

  incoming(): Readable | undefined {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = this.headers
    return length === '0' && coding === undefined ? undefined : this.#request
  }

  protected isWhole(): boolean {
    return this.#request.complete
  }

  #begin(streaming: boolean): boolean {
    if (this.answered) return false
    this.began(streaming)
    // Node would read an unread body to its end; the client may send for ever.
    if (!this.#request.complete) this.#response.shouldKeepAlive = false
    return !this.#response.destroyed
  }
}

/** A request that wants the socket. Refusing it is an ordinary answer on the same socket. */
class UpgradeExchange extends OpenExchange {
  readonly #socket: Duplex
  #taken = false

  constructor(request: IncomingMessage, socket: Duplex, peer: Peer, limits: Limits) {
    super(peer, headOf(request), limits)
    this.#socket = socket
  }

  respond(status: number, headers: Record<string, string>, body: Buffer | string): void {
    if (!this.#begin(false)) return
    this.#socket.end(
      Buffer.concat([head(status, { ...headers, 'content-length': String(sizeOf(body)) }), Buffer.from(body)]),
    )
    this.finished()
  }

  stream(status: number, headers: Record<string, string>): AnswerStream {
    if (this.#begin(true)) this.#socket.write(head(status, headers))
    return new PieceStream(
      this.#socket,
      () => this.destroy(),
      () => this.finished(),
    )
  }

  upgrade(): Duplex {
    if (this.answered) throw new Error('the request has been answered')
    this.began(true)
    this.#taken = true
    return this.#socket
  }

  override settled(): void {
    if (!this.#taken) super.settled()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  incoming(): undefined {
    return undefined
  }

  protected isWhole(): boolean {
    return true
  }

  #begin(streaming: boolean): boolean {
    if (this.answered) return false
    this.began(streaming)
    return !this.#socket.destroyed
  }
}

/** The body of such an answer ends with the connection. */
function head(status: number, headers: Record<string, string>): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, `date: ${new Date().toUTCString()}`]
  for (const [name, value] of Object.entries({ ...headers, connection: 'close' })) {
    // A value may hold what a tenant chose.
    lines.push(`${name}: ${value.replaceAll(/[\r\n]/g, ' ')}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
