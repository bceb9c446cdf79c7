/**
 * One watch as a stream: one JSON document a line. Lines of an event are shared by its watchers;
 * what waits for a slow client are references to entries, and their number of bytes is bounded.
 */
import { apiVersionOf } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { offeredProtocols } from '../authn/websocket-token.ts'
import type { Api, ApiWatchEvent, Call, Seat, Target, WatchCall } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { AnswerStream } from '../exchange.ts'
import { eventLine, plainLine } from './bytes.ts'
import { PROTOBUF, type Negotiated } from './negotiation.ts'
import { protobufFrame } from './protobuf.ts'
import type { WatchCount } from '../metrics/watches.ts'
import type { Reply } from './reply.ts'
import { statusOf } from './reply.ts'
import { after } from './timers.ts'
import { metadataOf, table } from './transform.ts'
import type { IncludeObject } from './transform.ts'
import { WebSocketStream } from './websocket.ts'
import { handshake, wantsWebSocket } from './websocket-frames.ts'

export interface WatchRequest {
  readonly api: Api
  readonly call: Call
  readonly target: Target
  readonly options: WatchCall
  readonly negotiated: Negotiated
  readonly include: IncludeObject
  /** Bytes that may wait beyond the initial state. */
  readonly limit: number
  readonly seat: Seat | undefined
  /** Where what is sent is counted. */
  readonly count?: WatchCount
  now(): number
  random(): number
}

/** What is in flight to the kernel before events wait here. */
const AHEAD = 256 * 1024
/** Lines are gathered to about so many bytes a write. */
const CHUNK = 64 * 1024
const MIN_SECONDS = 1800

/** Answers a watch until the client, the deadline or the server ends it. @throws StatusError before the head is sent */
export async function answerWatch(request: WatchRequest, reply: Reply): Promise<void> {
  const feed = new Feed(request)
  const { signal } = reply.exchange
  const stop = request.api.watch(
    request.call,
    request.target,
    request.options,
    (event) => feed.push(event),
    (error) => feed.finish(error),
  )
  const seconds = request.options.timeoutSeconds ?? MIN_SECONDS * (1 + request.random())
  const cancel = after(seconds * 1000, () => feed.finish())
  const gone = () => feed.cut()
  signal.addEventListener('abort', gone, { once: true })
  try {
    if (signal.aborted) return
    feed.live()
    await feed.run(streamOf(request, reply))
  } finally {
    signal.removeEventListener('abort', gone)
    cancel()
    stop()
  }
}

/** Browsers get the events as messages of a WebSocket, which have no other form than JSON. */
function streamOf({ negotiated }: WatchRequest, reply: Reply): AnswerStream {
  if (negotiated.encoding === 'protobuf') return reply.stream(200, `${PROTOBUF};stream=watch`)
  if (!wantsWebSocket(reply.exchange)) return reply.stream(200, 'application/json')
  // One protocol is agreed on, whatever it is; browsers give up when they hear of none.
  const [protocol, ...more] = offeredProtocols(reply.exchange.headers)
  if (more.length > 0) throw errors.badRequest('one WebSocket protocol at most can be agreed on')
  const agreed = protocol === undefined ? {} : { 'Sec-WebSocket-Protocol': protocol }
  const head = handshake(reply.exchange, { ...reply.headers, ...agreed })
  return new WebSocketStream(reply.takeOver(101), head)
}

class Feed {
  readonly #request: WatchRequest
  readonly #started = performance.now()
  #queue: ApiWatchEvent[] = []
  /** Bytes of the entries that wait. */
  #waiting = 0
  #allowed = Infinity
  #state: 'open' | 'finishing' | 'cut' | 'slow' = 'open'
  #wake: (() => void) | undefined
  #giveUp: (() => void) | undefined
  #initial = true
  #headless = false
  /** What the server ends the watch with. */
  #error: unknown

  constructor(request: WatchRequest) {
    this.#request = request
  }

  push(event: ApiWatchEvent): void {
    if (this.#state !== 'open') return
    this.#queue.push(event)
    if (event.type !== 'BOOKMARK') this.#waiting += event.entry.bytes.length
    // Only while the client is waited for: a burst that it has not been offered yet says nothing about it.
    if (this.#giveUp !== undefined && this.#waiting > this.#allowed) {
      this.#state = 'slow'
      this.#giveUp()
    }
    this.#signal()
  }

  /** Ends behind what waits, with an ERROR event if there was one. */
  finish(error?: unknown): void {
    if (this.#state === 'open') {
      this.#state = 'finishing'
      this.#error = error
    }
    this.#signal()
  }

  /** The client is gone. */
  cut(): void {
    this.#state = 'cut'
    this.#giveUp?.()
    this.#signal()
  }

  /** The client is gone, or cannot keep up and starts again from its last version. */
  #isCut(): boolean {
    return this.#state === 'cut' || this.#state === 'slow'
  }

  /** The initial state is in: from here on the bound holds. */
  live(): void {
    this.#allowed = this.#waiting + this.#request.limit
  }

  #signal(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  async run(stream: AnswerStream): Promise<void> {
    for (;;) {
      if (this.#isCut()) return stream.abort()
      if (this.#queue.length > 0) {
        // One event may wake thousands of watchers.
        const turn = this.#request.seat?.turn()
        if (turn !== undefined) {
          await turn
          if (this.#isCut()) return stream.abort()
        }
        if (!this.#flush(stream)) return stream.end()
        if (stream.buffered > AHEAD) await this.#drained(stream)
        continue
      }
      this.#initial = false
      if (this.#state === 'finishing') {
        if (this.#error !== undefined) stream.write(plainLine('ERROR', JSON.stringify(statusOf(this.#error))))
        return stream.end()
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Until the client has taken what is in flight, or nothing is to be sent any more. */
  async #drained(stream: AnswerStream): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#giveUp = resolve
      void stream.drained().then(resolve, resolve)
    })
    this.#giveUp = undefined
  }

  /** Writes what waits, up to what is in flight. False when the stream must end behind it. */
  #flush(stream: AnswerStream): boolean {
    const queue = this.#queue
    let taken = 0
    let lines: Buffer[] = []
    let size = 0
    let bytes = 0
    let ok = true
    const write = () => {
      if (lines.length > 0) stream.write(lines.length === 1 ? lines[0]! : Buffer.concat(lines, size))
      lines = []
      size = 0
    }
    while (taken < queue.length) {
      const event = queue[taken++]!
      if (event.type !== 'BOOKMARK') this.#waiting -= event.entry.bytes.length
      let line: Buffer
      try {
        line = this.#line(event)
      } catch (error) {
        line = this.#made('ERROR', statusOf(error))
        ok = false
      }
      lines.push(line)
      size += line.length
      bytes += line.length
      if (event.type === 'BOOKMARK' && event.initialEventsEnd) this.#listed()
      if (!ok) break
      if (size >= CHUNK) {
        write()
        if (stream.buffered > AHEAD) break
      }
    }
    write()
    if (taken > 0) this.#request.count?.sent(taken, bytes)
    this.#queue = taken === queue.length ? [] : queue.slice(taken)
    if (!this.#initial || this.#queue.length > 0) return ok
    // Once the initial state has left, only changes count.
    this.#allowed = this.#request.limit
    return ok
  }

  /** The initial state was asked for and is sent. */
  #listed(): void {
    this.#request.count?.listed((performance.now() - this.#started) / 1000)
  }

  #line(event: ApiWatchEvent): Buffer {
    const { negotiated, target } = this.#request
    if (event.type === 'BOOKMARK') return this.#bookmark(event.resourceVersion, event.initialEventsEnd)
    if (negotiated.as === undefined && negotiated.encoding === 'json') {
      return this.#initial ? plainLine(event.type, event.entry.bytes) : eventLine(event.type, event.entry)
    }
    const object = objectOf(event.entry)
    if (negotiated.as === undefined) return this.#made(event.type, object)
    if (negotiated.as !== 'Table')
      return this.#made(event.type, metadataOf(target.resource, object, negotiated.version))
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' }
    const options = this.#tableOptions()
    this.#headless = true
    return plainLine(event.type, JSON.stringify(table(target.resource, object, metadata, options)))
  }

  #tableOptions() {
    const { negotiated, include, now } = this.#request
    return { version: negotiated.version, include, now: now(), headless: this.#headless }
  }

  #bookmark(resourceVersion: string, initialEventsEnd: boolean): Buffer {
    const { negotiated, target } = this.#request
    const { info } = target.resource
    const metadata = {
      resourceVersion,
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    }
    const bare = { kind: info.kind, apiVersion: apiVersionOf(info), metadata }
    if (negotiated.as === undefined) return this.#made('BOOKMARK', bare)
    const meta = { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${negotiated.version}`, metadata }
    if (negotiated.as !== 'Table') return this.#made('BOOKMARK', meta)
    const one = table(target.resource, bare, { resourceVersion }, this.#tableOptions())
    this.#headless = true
    return plainLine('BOOKMARK', JSON.stringify(one))
  }

  #made(type: string, object: object): Buffer {
    return this.#request.negotiated.encoding === 'protobuf'
      ? protobufFrame(type, object)
      : plainLine(type, JSON.stringify(object))
  }
}
