/**
 * One HTTP request with its answer, the same over HTTP/1.1 and HTTP/2: the seam between
 * transport and the layers above. No Node request goes past it.
 */
import type { Duplex, Readable } from 'node:stream'

export interface Exchange {
  /** Upper-case. */
  readonly method: string
  /** Path as sent, without the query, not decoded. */
  readonly path: string
  /** Text behind `?`, '' if none. */
  readonly query: string
  /** Lower-case names; repeated headers joined with `, `; `host` also where HTTP has another name for it. */
  readonly headers: Readonly<Record<string, string>>
  /** DER of the verified client certificate, if one was shown and the cluster's CA signed it. */
  readonly clientCertificate: Buffer | undefined
  /** DER of the verified certificate of a front proxy, whose headers say who asks. */
  readonly proxyCertificate?: Buffer
  /** Why a client certificate that was shown does not count (OpenSSL's code); absent if it counts or none was shown. */
  readonly certificateError?: string
  /** `127.0.0.1` */
  readonly remoteAddress: string
  /** Fires when the client goes away or the server closes. */
  readonly signal: AbortSignal
  /** The whole body. @throws StatusError 413 above `limit` bytes */
  body(limit: number): Promise<Buffer>
  /** The body for who passes it on as it comes, instead of `body`; undefined if there is none. */
  incoming?(): Readable | undefined
  /** Sends the whole answer. Content-Length is set here. */
  respond(status: number, headers: Record<string, string>, body: Buffer | string): void
  /** Sends the head at once and goes on by pieces. */
  stream(status: number, headers: Record<string, string>): AnswerStream
  /** Takes over the raw socket of an upgrade request (HTTP/1.1 only). */
  upgrade?(): Duplex
}

export interface AnswerStream {
  /**
   * Queues a piece.
   *
   * @param done called when the piece's memory may be used for something else; never, where that is not known
   */
  write(piece: Buffer | string, done?: () => void): void
  /** Bytes queued here and not yet taken by the kernel: what a slow reader costs. */
  readonly buffered: number
  /** Resolves when the queue has drained, at once if it is short. */
  drained(): Promise<void>
  end(): void
  /** Ends without finishing: the client sees an error. */
  abort(): void
}

/** Answers one exchange. Never rejects: a failure becomes a Status. */
export type Handler = (exchange: Exchange) => Promise<void>
