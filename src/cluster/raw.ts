/** Requests to a cluster's own HTTP handler without a socket, for parts of this process: discovery, and what other servers serve. */
import { Readable } from 'node:stream'
import type { UserInfo } from '../apiserver/contract.ts'
import type { AnswerStream, Exchange, Handler } from '../apiserver/exchange.ts'
import type { RawHandler } from '../apiserver/inprocess/client.ts'
import type { Call, Wire } from '../client/transport.ts'
import { StatusError, type Status } from '../machinery/status.ts'

/** Who asks, for exchanges that were made here. */
export type Identities = WeakMap<Exchange, UserInfo>

/** What a handler answers, as it comes. */
interface Sink {
  head(status: number): void
  piece(piece: Buffer): void
  /** @param whole whether the answer is complete */
  end(whole: boolean): void
}

function ask(
  handler: Handler,
  identities: Identities,
  user: UserInfo,
  call: Call,
  sink: Sink,
  stream: Pick<AnswerStream, 'drained'> & { readonly buffered: () => number },
): void {
  const { method, path, body, accept = 'application/json', contentType = 'application/json', signal } = call
  const mark = path.indexOf('?')
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const headers: Record<string, string> = { accept }
  if (bytes !== undefined) Object.assign(headers, { 'content-type': contentType, 'content-length': `${bytes.length}` })
  const exchange: Exchange = {
    method,
    path: mark < 0 ? path : path.slice(0, mark),
    query: mark < 0 ? '' : path.slice(mark + 1),
    headers,
    clientCertificate: undefined,
    remoteAddress: '127.0.0.1',
    signal: signal ?? NEVER,
    body: () => Promise.resolve(bytes ?? Buffer.alloc(0)),
    incoming: () => (bytes === undefined ? undefined : Readable.from([bytes])),
    respond(status, _headers, content) {
      sink.head(status)
      sink.piece(Buffer.from(content))
      sink.end(true)
    },
    stream(status): AnswerStream {
      sink.head(status)
      return {
        write: (piece) => sink.piece(Buffer.from(piece)),
        get buffered() {
          return stream.buffered()
        },
        drained: () => stream.drained(),
        end: () => sink.end(true),
        abort: () => sink.end(false),
      }
    },
  }
  identities.set(exchange, user)
  void handler(exchange).then(() => sink.end(true))
}

const UNBOUNDED = { buffered: () => 0, drained: () => Promise.resolve() }

/** Short calls: the whole answer as text. */
async function answerOf(
  handler: Handler,
  identities: Identities,
  user: UserInfo,
  call: Call,
  most = Infinity,
): Promise<string> {
  const pieces: Buffer[] = []
  let status = 0
  let broken = false
  let left = most
  const tooLarge = new AbortController()
  await new Promise<void>((resolve) => {
    const sink: Sink = {
      head: (code) => (status = code),
      piece(piece) {
        left -= piece.length
        if (left >= 0) pieces.push(piece)
        else if (!tooLarge.signal.aborted) {
          tooLarge.abort()
          resolve()
        }
      },
      end(whole) {
        broken ||= !whole
        resolve()
      },
    }
    const signal = most === Infinity ? call.signal : anyOf(call.signal, tooLarge.signal)
    ask(handler, identities, user, { ...call, signal }, sink, UNBOUNDED)
  })
  call.signal?.throwIfAborted()
  if (left < 0) throw new StatusError(asStatus(`the answer has more than ${most} bytes`, 500))
  const text = Buffer.concat(pieces).toString('utf8')
  if (broken || status === 0) throw new StatusError(asStatus('the answer broke off', 500))
  if (status < 400) return text
  throw new StatusError(asStatus(text, status))
}

export function rawHandler(handler: () => Handler, identities: Identities): RawHandler {
  return (user, method, path, body, signal) =>
    answerOf(handler(), identities, user, { method, path, signal, ...(body !== undefined && { body }) })
}

const anyOf = (one: AbortSignal | undefined, other: AbortSignal): AbortSignal =>
  one === undefined ? other : AbortSignal.any([one, other])

/** Bytes of a stream that wait for its reader before the handler is held up. */
const AHEAD = 1024 * 1024
/** What a server that anybody may have registered can make this process hold: bytes of an answer, of a stream, pages. */
const MOST_ANSWER = 4 * 1024 * 1024
const MOST_STREAM = 16 * 1024 * 1024
const MOST_PAGES = 4
const REMEMBERED = 1000

/** The handler as a client's way to servers behind it, which are not trusted with this process's memory. */
export function handlerWire(handler: () => Handler, identities: Identities, user: UserInfo): Wire {
  // Pages that were asked for one after the other, by path.
  const pages = new Map<string, number>()
  const page = ({ method, path }: Call): void => {
    if (method !== 'GET') return
    const [resource = '', query = ''] = path.split('?', 2)
    const number = query.includes('continue=') ? (pages.get(resource) ?? 0) + 1 : 0
    if (number >= MOST_PAGES) throw new StatusError(asStatus(`the list has more than ${MOST_PAGES} pages`, 500))
    if (pages.size > REMEMBERED) pages.clear()
    if (number === 0) pages.delete(resource)
    else pages.set(resource, number)
  }
  return {
    server: 'this process',
    async call(call) {
      page(call)
      return answerOf(handler(), identities, user, call, MOST_ANSWER)
    },
    open: (call) =>
      new Promise((resolve, reject) => {
        const stream = new Readable({ read: () => undefined, highWaterMark: AHEAD })
        const gone = new AbortController()
        stream.on('close', () => gone.abort())
        let status = 0
        let left = MOST_STREAM
        const failure: Buffer[] = []
        const sink: Sink = {
          head(code) {
            status = code
            if (code === 200) resolve(stream)
          },
          piece(piece) {
            left -= piece.length
            if (left < 0) stream.destroy(new StatusError(asStatus(`more than ${MOST_STREAM} bytes came`, 500)))
            else if (status === 200) stream.push(piece)
            else failure.push(piece)
          },
          end(whole) {
            if (status !== 200)
              reject(new StatusError(asStatus(Buffer.concat(failure).toString('utf8'), status || 500)))
            else if (whole) stream.push(null)
            else stream.destroy(new StatusError(asStatus('the answer broke off', 500)))
          },
        }
        const signal = anyOf(call.signal, gone.signal)
        const flow = {
          buffered: () => stream.readableLength,
          drained: () => new Promise<void>((done) => void setTimeout(done, 20).unref()),
        }
        ask(handler(), identities, user, { ...call, signal }, sink, flow)
      }),
    close: () => Promise.resolve(),
  }
}

const NEVER = new AbortController().signal

function asStatus(text: string, code: number): Status {
  try {
    return JSON.parse(text) as Status
  } catch {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: text.trim(),
      reason: code === 404 ? 'NotFound' : code === 503 ? 'ServiceUnavailable' : 'Unknown',
      code,
    }
  }
}
