/** Requests to a cluster's own HTTP handler without a socket: discovery and the like for parts of this process. */
import type { UserInfo } from '../apiserver/contract.ts'
import type { AnswerStream, Exchange, Handler } from '../apiserver/exchange.ts'
import type { RawHandler } from '../apiserver/inprocess/client.ts'
import { StatusError, type Status } from '../machinery/status.ts'

/** Who asks, for exchanges that were made here. */
export type Identities = WeakMap<Exchange, UserInfo>

export function rawHandler(handler: () => Handler, identities: Identities): RawHandler {
  return async (user, method, path, body, signal) => {
    const mark = path.indexOf('?')
    const pieces: Buffer[] = []
    let status = 0
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const take = (piece: Buffer | string) => void pieces.push(Buffer.from(piece))
    const exchange: Exchange = {
      method,
      path: mark < 0 ? path : path.slice(0, mark),
      query: mark < 0 ? '' : path.slice(mark + 1),
      headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
      clientCertificate: undefined,
      remoteAddress: '127.0.0.1',
      signal: signal ?? NEVER,
      body: () => Promise.resolve(Buffer.from(body ?? '')),
      respond(code, _headers, content) {
        status = code
        take(content)
        end()
      },
      stream(code): AnswerStream {
        status = code
        return { write: take, buffered: 0, drained: () => Promise.resolve(), end, abort: end }
      },
    }
    identities.set(exchange, user)
    await handler()(exchange)
    await ended
    const text = Buffer.concat(pieces).toString('utf8')
    if (status < 400) return text
    throw new StatusError(asStatus(text, status))
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
      message: text,
      reason: code === 404 ? 'NotFound' : 'Unknown',
      code,
    }
  }
}
