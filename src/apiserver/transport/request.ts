/** What both protocols' exchanges share: who is at the other end, the signal, the body, time-outs. */
import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { AnswerStream, Exchange } from '../exchange.ts'
import { signedBy, type Authorities } from './authorities.ts'
import { bodyTimeout, readBody, tooLarge, type BodyRead } from './body.ts'
import type { Limits } from './limits.ts'
import { monotonic } from './sweep.ts'

/** The other end of a connection, found out once. */
export interface Peer {
  readonly certificate: Buffer | undefined
  readonly proxyCertificate: Buffer | undefined
  readonly certificateError: string | undefined
  readonly address: string
}

export function peerOf(socket: TLSSocket, authorities: Authorities | undefined): Peer {
  const shown = socket.getPeerX509Certificate()
  const verified = socket.authorized ? shown : undefined
  const isProxy = verified !== undefined && authorities !== undefined && signedBy(verified, authorities.proxy)
  // Both may be one authority, which does not make a proxy's certificate less of a client's.
  const isClient = !isProxy || signedBy(verified, authorities.client)
  return {
    certificate: isClient ? verified?.raw : undefined,
    proxyCertificate: isProxy ? verified.raw : undefined,
    certificateError: socket.authorized || shown === undefined ? undefined : String(socket.authorizationError),
    address: socket.remoteAddress ?? '',
  }
}

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
}

export abstract class OpenExchange implements Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly clientCertificate: Buffer | undefined
  readonly proxyCertificate?: Buffer
  readonly certificateError?: string
  readonly remoteAddress: string
  protected readonly limits: Limits
  protected answered = false
  /** Whether the answer is a stream, which only the two ends can finish. */
  #streaming = false
  #controller: AbortController | undefined
  #gone = false
  #reading: { body: BodyRead; since: number } | undefined
  #answeredAt: number | undefined

  constructor(peer: Peer, head: RequestHead, limits: Limits) {
    const mark = head.target.indexOf('?')
    this.method = head.method
    this.path = mark < 0 ? head.target : head.target.slice(0, mark)
    this.query = mark < 0 ? '' : head.target.slice(mark + 1)
    this.headers = head.headers
    this.clientCertificate = peer.certificate
    if (peer.proxyCertificate !== undefined) this.proxyCertificate = peer.proxyCertificate
    if (peer.certificateError !== undefined) this.certificateError = peer.certificateError
    this.remoteAddress = peer.address
    this.limits = limits
  }

  /** Made when first asked for: most requests never need it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#gone) this.#controller.abort()
    return this.#controller.signal
  }

  async body(limit: number): Promise<Buffer> {
    const source = this.incoming()
    if (source === undefined) return Buffer.alloc(0)
    if (Number(this.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
    const body = readBody(source, limit, () => this.isWhole())
    this.#reading = { body, since: monotonic() }
    try {
      return await body.promise
    } finally {
      this.#reading = undefined
    }
  }

  abstract respond(status: number, headers: Record<string, string>, body: Buffer | string): void
  abstract stream(status: number, headers: Record<string, string>): AnswerStream
  /** The body's stream, undefined if there is none. */
  abstract incoming(): Readable | undefined
  /** Whether all of the body has come. */
  protected abstract isWhole(): boolean
  /** Ends the exchange so that the client sees an error. */
  abstract destroy(): void

  /** The handler is through: an exchange it forgot must not hang. */
  settled(): void {
    if (!this.answered) this.respond(500, { 'content-type': 'text/plain; charset=utf-8' }, 'internal error\n')
  }

  get streaming(): boolean {
    return this.#streaming
  }

  /** The client is gone or the server closes. */
  leave(): void {
    this.#gone = true
    this.#controller?.abort()
  }

  sweep(now: number): void {
    if (this.#reading !== undefined && now - this.#reading.since > this.limits.body)
      this.#reading.body.fail(bodyTimeout())
    if (this.#answeredAt !== undefined && now - this.#answeredAt > this.limits.answer) this.destroy()
  }

  protected began(streaming: boolean): void {
    this.answered = true
    this.#streaming = streaming
  }

  /** All of the answer is on its way; the client has a bounded time to read it. */
  protected finished(): void {
    this.#streaming = false
    this.#answeredAt = monotonic()
  }
}

/** Bytes of a body. */
export function sizeOf(body: Buffer | string): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length
}

/** Whether an answer with this status never has a body. */
export function bodiless(status: number): boolean {
  return status === 204 || status === 304
}
