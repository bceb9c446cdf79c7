/** Connections and logs of a pod that are passed on to a server which serves it under another path. */
import type { IncomingMessage } from 'node:http'
import type { Log } from '../apiserver/connect/logs.ts'
import { withConnection } from '../apiserver/connect/proxy.ts'
import { answeredHeaders, forwardedHeaders, splice } from '../apiserver/http/forward.ts'
import type { Reply } from '../apiserver/http/reply.ts'
import { failureOf } from '../client/failure.ts'
import type { Streams } from '../client/streams.ts'
import { errors } from '../machinery/status.ts'

export interface Passage {
  /** The server, as this process. */
  readonly streams: Pick<Streams, 'open'>
  /** There, from the root of the server, with its query. */
  readonly path: string
  /** The text of a refusal as this server's clients are told it. */
  told(response: IncomingMessage): Promise<string>
}

/** Answers an exchange that wants another protocol as the server answers. @throws StatusError */
export function passStream({ streams, path, told }: Passage, reply: Reply): Promise<void> {
  const { exchange } = reply
  return withConnection(exchange, async (signal) => {
    const headers = forwardedHeaders(exchange)
    Object.assign(headers, { connection: 'Upgrade', upgrade: exchange.headers['upgrade'] })
    delete headers['content-length']
    const { method } = exchange
    const opened = await streams.open({ method, path, headers, signal }).catch(unreached)
    if (opened.socket !== undefined) return splice(opened.response, opened.socket, opened.head, reply)
    const { response } = opened
    const { statusCode = 502 } = response
    if (statusCode < 400) throw errors.unknown(`invalid upgrade response: status code ${statusCode}`)
    if (isOurs(statusCode))
      throw errors.internal(`the host answers with ${statusCode} when it is asked for the connection`)
    const type = answeredHeaders(response)['content-type'] ?? 'text/plain; charset=utf-8'
    reply.raw(statusCode, type, await told(response))
  })
}

/** The bytes of a log, until `signal` fires. @throws StatusError */
export async function passLog({ streams, path, told }: Passage, signal: AbortSignal): Promise<Log> {
  const headers = { accept: 'application/json, */*' }
  const { response, socket } = await streams.open({ method: 'GET', path, headers, signal }).catch(unreached)
  const { statusCode = 502 } = response
  if (socket === undefined && statusCode >= 200 && statusCode <= 206) return response
  socket?.destroy()
  if (statusCode < 400 || isOurs(statusCode))
    throw errors.internal(`the host answers with ${statusCode} when it is asked for the log`)
  const retry = Number(response.headers['retry-after'])
  throw failureOf(statusCode, await told(response), retry > 0 ? retry : undefined)
}

/** It is this process that is not let in, not its client; the text may name it. */
const isOurs = (code: number): boolean => code === 401 || code === 403

function unreached(error: unknown): never {
  throw errors.unknown(`error dialing backend: ${error instanceof Error ? error.message : String(error)}`)
}
