/**
 * The door of one cluster: a TCP port of its own, TLS with the cluster's own certificate, HTTP/2 or HTTP/1.1 by ALPN.
 *
 * At rest it is a listening socket and nothing else: no timer, and no TLS context until somebody connects. Sessions
 * are never resumed, so that nothing of one cluster's TLS state means anything to another.
 */
import { constants, randomBytes } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls'
import type { Handler } from '../exchange.ts'
import { certificatesOf, type Authorities } from './authorities.ts'
import type { Connection, Surroundings } from './connection.ts'
import { Http1Connection } from './http1.ts'
import { Http2Connection } from './http2.ts'
import { defaultLimits, type Limits } from './limits.ts'
import type { OpenExchange } from './request.ts'

/** PEM texts. */
export interface Credentials {
  readonly key: string | Buffer
  /** The serving certificate, with its intermediates if any. */
  readonly cert: string | Buffer
  /** What signs the client certificates of this cluster. */
  readonly clientCa: string | Buffer
  /** What signs the certificates of front proxies. @default none: there are no front proxies */
  readonly proxyCa?: string
}

export interface ListenOptions {
  readonly credentials: Credentials
  readonly handler: Handler
  /** Address to bind. @default '127.0.0.1' */
  readonly host?: string
  /** 0: a free one. @default 0 */
  readonly port?: number
  /** @default defaultLimits; give all listeners the same object, they share what is made for it */
  readonly limits?: Limits
  /** Called with what a handler threw against its contract. @default none */
  readonly onError?: (error: unknown) => void
}

export interface Listener {
  readonly address: string
  readonly port: number
  /** Open client connections. */
  readonly connections: number
  /** For new connections from now on. */
  setCredentials(credentials: Credentials): void
  /**
   * Takes no more connections and requests, tells streams to end, waits for running requests (at most `limits.close`
   * milliseconds), then cuts what is left.
   */
  close(): Promise<void>
}

/** @throws Error when the address or port cannot be had */
export async function listen(options: ListenOptions): Promise<Listener> {
  const listener = new ClusterListener(options)
  await listener.open(options.host ?? '127.0.0.1', options.port ?? 0)
  return listener
}

class ClusterListener implements Listener, Surroundings {
  readonly limits: Limits
  readonly #handler: Handler
  readonly #onError: ((error: unknown) => void) | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #connections = new Set<Connection>()
  #credentials: Credentials
  #authorities: Authorities | undefined
  #tls: TlsServer | undefined
  #address: AddressInfo | undefined
  #closing: Promise<void> | undefined

  constructor(options: ListenOptions) {
    this.limits = options.limits ?? defaultLimits
    this.#handler = options.handler
    this.#onError = options.onError
    this.#credentials = options.credentials
    const tcp = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }
    this.#server = createServer(tcp, (socket) => this.#accept(socket))
    this.#server.maxConnections = this.limits.connections
  }

  async open(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        // Accepting may fail for want of file descriptors; the next one may succeed.
        this.#server.on('error', (error) => this.#onError?.(error))
        resolve()
      })
    })
    this.#address = this.#server.address() as AddressInfo
  }

  /** Read when the first client has come. */
  get authorities(): Authorities | undefined {
    const { clientCa, proxyCa } = this.#credentials
    if (proxyCa === undefined) return undefined
    return (this.#authorities ??= {
      client: certificatesOf(clientCa.toString()),
      proxy: certificatesOf(proxyCa),
    })
  }

  get address(): string {
    return this.#address!.address
  }

  get port(): number {
    return this.#address!.port
  }

  get connections(): number {
    return this.#sockets.size
  }

  setCredentials(credentials: Credentials): void {
    this.#credentials = credentials
    this.#authorities = undefined
    this.#tls = undefined
  }

  run(exchange: OpenExchange): void {
    void this.#answer(exchange)
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #answer(exchange: OpenExchange): Promise<void> {
    try {
      await this.#handler(exchange)
    } catch (error) {
      this.#onError?.(error)
    }
    exchange.settled()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      // The TLS context is a large part of what a cluster costs; a cluster nobody talks to has none.
      if (this.#sockets.size === 0) {
        this.#tls = undefined
        this.#authorities = undefined
      }
    })
    this.#tls ??= this.#secure()
    this.#tls.emit('connection', socket)
  }

  #secure(): TlsServer {
    const { key, cert, clientCa, proxyCa } = this.#credentials
    const server = createTlsServer({
      key,
      cert,
      ca: proxyCa === undefined ? clientCa : [clientCa, proxyCa],
      requestCert: true,
      // Who shows no certificate may have a token; who shows a wrong one is told so by authentication.
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      handshakeTimeout: this.limits.handshake,
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
      sessionIdContext: randomBytes(16).toString('hex'),
    })
    server.on('secureConnection', (socket) => this.#established(socket))
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    return server
  }

  #established(socket: TLSSocket): void {
    socket.on('error', () => undefined)
    if (socket.destroyed) return
    const connection =
      socket.alpnProtocol === 'h2' ? new Http2Connection(socket, this) : new Http1Connection(socket, this)
    this.#connections.add(connection)
    if (this.#closing !== undefined) connection.close()
  }

  async #close(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    for (const connection of this.#connections) connection.close()
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy()
      for (const socket of this.#sockets) socket.destroy()
    }, this.limits.close)
    await gone
    clearTimeout(timer)
    this.#tls = undefined
  }
}
