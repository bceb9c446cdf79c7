/** How answers leave: headers, compression, large bodies in pieces, Status for every failure. */
import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { createGzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import type { Emptied } from '../../machinery/codec/normalize.ts'
import { writeYaml } from '../../machinery/codec/yaml-write.ts'
import { StatusError, errors } from '../../machinery/status.ts'
import type { Status } from '../../machinery/status.ts'
import type { Seat } from '../contract.ts'
import type { AuditRecord } from '../audit/record.ts'
import type { Flowing } from '../metrics/flow.ts'
import type { RouteMetrics } from '../metrics/requests.ts'
import type { AnswerStream, Exchange } from '../exchange.ts'
import { PROTOBUF, acceptsGzip, negotiateError } from './negotiation.ts'
import type { Encoding } from './negotiation.ts'
import { CHUNK, Chunks, type Chunk } from './chunks.ts'
import { renderedObject } from './many.ts'
import { protobufOf } from './protobuf.ts'
import { warningHeader } from './warnings.ts'

const NEWLINE = Buffer.from('\n')
const gzipAsync = promisify(gzip)
const MEDIA: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: PROTOBUF,
}

/** After so many pieces others are asked whether they come first. */
const BETWEEN = 4
/** A client that has more waiting is waited for: what waits goes through TLS in one step. */
const AHEAD = CHUNK

/** One answer under way: what all answers share, and what was sent. */
export class Reply {
  readonly exchange: Exchange
  readonly headers: Record<string, string>
  readonly warnings: string[] = []
  /** Whether the request's body was large: see Call. */
  large = false
  /** Whether what was sent has many members: see Call. */
  many = false
  /** What was empty in the request's body: see Call. */
  emptied: readonly Emptied[] | undefined
  /** What the request holds; absent where nobody shares. */
  seat: Seat | undefined
  /** Absent where no audit policy asks for the request. */
  audit: AuditRecord | undefined
  /** Where the request is counted, once it is let through to what answers it. */
  route: RouteMetrics | undefined
  /** The flow that it was let in with, until it ends, and its seats. */
  flow: Flowing | undefined
  seats = 1
  /** Bytes of the request's body, when it was read. */
  received: number | undefined
  /** Bytes of the answer, without the head. */
  sent = 0
  /** Milliseconds that the request waited for its turn. */
  waited = 0
  /** Milliseconds that it waited for webhooks. */
  elsewhere = 0
  /** Whether the audit log is told when the answer begins: it may take long. */
  announces = false
  readonly #gzipFrom: number
  /** The code that was answered, 0 before. */
  code = 0

  constructor(exchange: Exchange, gzipFrom: number) {
    this.exchange = exchange
    this.#gzipFrom = gzipFrom
    const asked = exchange.headers['audit-id']
    this.headers = {
      'audit-id': asked !== undefined && /^[\w.-]{1,64}$/.test(asked) ? asked : randomUUID(),
      'cache-control': 'no-cache, private',
    }
  }

  /** Notes of who asks come before the audit log is asked what it wants. */
  #noted: [key: string, value: string][] | undefined

  annotate(key: string, value: string): void {
    ;(this.#noted ??= []).push([key, value])
  }

  warn(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text)
  }

  /** The audit log wants this record of the request, if any. */
  audited(record: AuditRecord | undefined): void {
    this.audit = record
    for (const [key, value] of this.#noted ?? []) record?.annotate(key, value)
  }

  get started(): boolean {
    return this.code !== 0
  }

  #head(code: number, type: string, extra?: Record<string, string>): Record<string, string> {
    this.code = code
    this.#begun(code)
    const warning = warningHeader(this.warnings)
    return {
      ...this.headers,
      // A client's cache puts the headers of a 304 over those it keeps: it must not lose the document's type.
      ...(code !== 304 && { 'content-type': type }),
      ...(warning === undefined ? {} : { warning }),
      ...extra,
    }
  }

  /** Tells the audit log. */
  #begun(code: number): void {
    if (this.audit === undefined) return
    this.audit.code(code)
    if (this.announces) this.audit.stage('ResponseStarted')
  }

  /** Sends a whole body as it is. HEAD gets none. */
  raw(code: number, type: string, body: Buffer | string, extra?: Record<string, string>): void {
    if (this.started) return
    const head = this.#head(code, type, extra)
    this.sent += body.length
    this.exchange.respond(code, head, this.exchange.method === 'HEAD' ? '' : body)
  }

  /** Plain text with the headers of Go's `http.Error`. */
  text(code: number, body: string): void {
    this.raw(code, 'text/plain; charset=utf-8', body, { 'x-content-type-options': 'nosniff' })
  }

  /** An answer without a body. */
  bare(code: number, extra: Record<string, string> = {}): void {
    if (this.started) return
    this.code = code
    this.#begun(code)
    this.exchange.respond(code, { ...this.headers, ...extra }, '')
  }

  /** `404 page not found`: no such path. */
  noSuchPath(): void {
    this.text(404, '404 page not found\n')
  }

  /** Sends bytes, compressed when that pays. */
  async bytes(code: number, body: Buffer, extra?: Record<string, string>, encoding: Encoding = 'json'): Promise<void> {
    if (this.started) return
    if (encoding === 'json') this.audit?.responseBytes(body)
    if (body.length >= this.#gzipFrom && acceptsGzip(this.exchange.headers['accept-encoding'])) {
      const head = this.#head(code, MEDIA[encoding], { ...extra, 'content-encoding': 'gzip', vary: varied(extra) })
      const pack = (): Promise<Buffer> => gzipAsync(body, { level: 1 })
      const packed = await (this.seat === undefined ? pack() : this.seat.pack(pack))
      this.sent += packed.length
      this.exchange.respond(code, head, this.exchange.method === 'HEAD' ? '' : packed)
      return
    }
    this.raw(code, MEDIA[encoding], body, extra)
  }

  /** Sends an object in the negotiated encoding. */
  async object(
    code: number,
    object: object,
    encoding: Encoding = 'json',
    extra?: Record<string, string>,
  ): Promise<void> {
    if (this.started) return
    this.audit?.responseObject(object)
    if (encoding === 'yaml') this.raw(code, MEDIA.yaml, writeYaml(object), extra)
    else if (encoding === 'protobuf') await this.bytes(code, protobufOf(object), extra, 'protobuf')
    else
      await this.bytes(
        code,
        Buffer.from(this.#pretty() ? JSON.stringify(object, null, 2) : `${JSON.stringify(object)}\n`),
        extra,
      )
  }

  /** Browsers and curl get indented JSON unless they say otherwise, as upstream does it. */
  #pretty(): boolean {
    const asked = /(?:^|&)pretty(?:=([^&]*))?(?:&|$)/.exec(this.exchange.query)
    if (asked !== null) return !['', '0', 'false'].includes((asked[1] ?? '').toLowerCase())
    return /^(curl|Wget|Mozilla)/.test(this.exchange.headers['user-agent'] ?? '')
  }

  get pretty(): boolean {
    return this.#pretty()
  }

  /**
   * Sends text that comes in pieces. Small ones go out whole; large ones give way to others between their pieces,
   * and hold no seat while their client is slow.
   */
  async pieces(
    code: number,
    pieces: Iterable<Buffer | Promise<Buffer>>,
    encoding: Encoding = 'json',
    headers: Record<string, string> = {},
  ): Promise<void> {
    if (this.started) return
    const { seat } = this
    const iterator = pieces[Symbol.iterator]()
    let gathered: Buffer[] = []
    let size = 0
    let next = iterator.next()
    let count = 0
    while (next.done !== true && size < this.#gzipFrom) {
      const piece = next.value instanceof Promise ? await next.value : next.value
      gathered.push(piece)
      size += piece.length
      // Small pieces may be dear: rows of tables, whose objects are decoded for them.
      const turn = ++count % BETWEEN === 0 ? seat?.turn() : undefined
      if (turn !== undefined) await turn
      next = iterator.next()
    }
    if (next.done === true) return this.bytes(code, Buffer.concat(gathered, size), headers, encoding)

    this.audit?.tooLarge()
    const compress = acceptsGzip(this.exchange.headers['accept-encoding'])
    const extra: Record<string, string> = compress
      ? { ...headers, 'content-encoding': 'gzip', vary: varied(headers) }
      : headers
    const stream = this.stream(code, MEDIA[encoding], extra)
    const sink = compress ? gzipSink(stream, seat) : plainSink(stream, seat)
    const chunks = new Chunks()
    try {
      for (const piece of gathered) for (const chunk of chunks.add(piece)) await this.#write(sink, chunk)
      gathered = []
      for (; next.done !== true; next = iterator.next()) {
        const full = chunks.add(next.value instanceof Promise ? await next.value : next.value)
        for (const chunk of full) await this.#write(sink, chunk)
        const turn = full.length > 0 || ++count % BETWEEN === 0 ? seat?.turn() : undefined
        if (turn !== undefined) await turn
        if (full.length > 0 && this.exchange.signal.aborted) return stream.abort()
      }
      for (const chunk of chunks.rest()) await this.#write(sink, chunk)
      await sink.end()
    } catch (error) {
      stream.abort()
      throw error
    }
  }

  async #write(sink: Sink, { bytes, done }: Chunk): Promise<void> {
    this.sent += bytes.length
    await sink.write(bytes, done)
  }

  /** Sends the head at once; the body follows by pieces. */
  stream(code: number, type: string, extra?: Record<string, string>): AnswerStream {
    return this.exchange.stream(code, this.#head(code, type, extra))
  }

  /** Sends another server's head as it is; its body follows by pieces. */
  forward(code: number, headers: Record<string, string>): AnswerStream {
    this.code = code
    this.#begun(code)
    return this.exchange.stream(code, { ...this.headers, ...headers })
  }

  /** Takes the connection of an upgrade request, which says `code` by itself. */
  takeOver(code: number): Duplex {
    this.code = code
    this.#begun(code)
    return this.exchange.upgrade!()
  }

  /** The same, of an object that is not written in one step: in several, or on the helper thread. */
  async long(code: number, object: object, encoding: Encoding, extra?: Record<string, string>): Promise<void> {
    if (this.started) return
    if (encoding !== 'json') this.audit?.tooLarge()
    const form = encoding === 'json' && this.pretty ? 'pretty' : encoding
    const bytes = await renderedObject(object, form, this.seat)
    const body = form === 'json' ? Buffer.concat([bytes, NEWLINE]) : bytes
    await this.bytes(code, body, extra, encoding)
  }

  /** Any failure as a Status. Unknown errors become 500 without their stack; the caller logs them. */
  async failure(error: unknown): Promise<void> {
    if (this.started) return
    const status = statusOf(error)
    const extra: Record<string, string> = {}
    const retry = status.details?.retryAfterSeconds
    if (retry !== undefined && retry > 0) extra['retry-after'] = String(retry)
    if (status.code === 403 || status.code === 401) extra['x-content-type-options'] = 'nosniff'
    const { encoding } = negotiateError(this.exchange.headers['accept'])
    if (!isLong(status)) return this.object(status.code, status, encoding, extra)
    // Refusals show what they refuse, which may be megabytes, twice.
    this.audit?.longStatus(status)
    await this.long(status.code, status, encoding, extra)
  }
}

/** Characters, or causes, from which on a Status is long. */
const LONG_MESSAGE = 65_536
const MANY_CAUSES = 1000

function isLong({ message = '', details }: Status): boolean {
  return message.length > LONG_MESSAGE || (details?.causes?.length ?? 0) > MANY_CAUSES
}

/** What an answer depends on, with compression. */
function varied(extra: Record<string, string> | undefined): string {
  const vary = extra?.['vary']
  if (vary?.includes('Accept-Encoding') === true) return vary
  return vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding`
}

/** The wire Status of an error. */
export function statusOf(error: unknown): Status {
  return error instanceof StatusError ? error.status : errors.internal('unexpected failure, see the log').status
}

interface Sink {
  /** @param done called when the piece's memory may be used again */
  write(piece: Buffer, done?: () => void): Promise<void>
  end(): Promise<void>
}

function plainSink(stream: AnswerStream, seat: Seat | undefined): Sink {
  return {
    async write(piece, done) {
      stream.write(piece, done)
      if (stream.buffered <= AHEAD) return
      if (seat === undefined) await stream.drained()
      else await seat.without(() => stream.drained())
    },
    async end() {
      stream.end()
    },
  }
}

function gzipSink(stream: AnswerStream, seat: Seat | undefined): Sink {
  const packer = createGzip({ level: 1 })
  packer.on('data', (piece: Buffer) => {
    stream.write(piece)
    if (stream.buffered <= AHEAD) return
    packer.pause()
    void stream.drained().then(() => packer.resume())
  })
  const pack = (piece: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      packer.write(piece, (error) => (error === null || error === undefined ? resolve() : reject(error)))
    })
  return {
    async write(piece, done) {
      if (seat === undefined) await pack(piece)
      else await seat.pack(() => pack(piece))
      done?.()
      // A slow client costs memory only.
      if (seat !== undefined && stream.buffered > AHEAD) await seat.without(() => stream.drained())
    },
    end() {
      return new Promise((resolve, reject) => {
        packer.once('error', reject)
        packer.once('end', () => {
          stream.end()
          resolve()
        })
        packer.end()
      })
    },
  }
}
