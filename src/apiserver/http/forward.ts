/** What every proxy here does: which headers go on, and how the other server's answer comes back. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { offeredProtocols } from '../authn/websocket-token.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from './reply.ts'

/** Belong to one connection, not to the request. */
const HOP = ['connection', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']
/** Say who asks or prove it: the other server hears that from us alone. */
const IDENTITY = /^(?:authorization|proxy-auth|impersonate-|x-remote-)/
/** A client that has so many bytes waiting is waited for. */
const AHEAD = 256 * 1024

/** The headers of a request that are not of its connection and do not say who asks. */
export function forwardedHeaders(exchange: Exchange): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  const dropped = new Set([...HOP, ...listed(exchange.headers['connection'])])
  for (const [name, value] of Object.entries(exchange.headers)) {
    if (name.startsWith(':') || dropped.has(name) || IDENTITY.test(name)) continue
    headers[name] = value
  }
  if (headers['sec-websocket-protocol'] !== undefined)
    headers['sec-websocket-protocol'] = offeredProtocols(exchange.headers).join(', ')
  const before = exchange.headers['x-forwarded-for']
  headers['x-forwarded-for'] = before === undefined ? exchange.remoteAddress : `${before}, ${exchange.remoteAddress}`
  return headers
}

/** As whom the client asked for this server. */
export const askedHost = ({ headers }: Exchange): string | undefined => headers['host']

const listed = (connection: string | undefined): string[] =>
  connection === undefined ? [] : connection.split(',').map((name) => name.trim().toLowerCase())

/** The headers of an answer that are not of its connection, without those of CORS. */
export function answeredHeaders(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  const dropped = new Set([...HOP, ...listed(response.headers.connection)])
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    if (values === undefined || dropped.has(name) || name.startsWith('access-control-')) continue
    headers[name] = values.join(', ')
  }
  return headers
}

/** Sends the head at once and the body as it comes. */
export async function forwardAnswer(
  code: number,
  headers: Record<string, string>,
  body: AsyncIterable<unknown>,
  reply: Reply,
): Promise<void> {
  const stream = reply.forward(code, headers)
  try {
    for await (const piece of body) {
      // Bodies may come faster than the loop has room for.
      const turn = reply.seat?.turn()
      if (turn !== undefined) await turn
      stream.write(piece as Buffer)
      if (stream.buffered > AHEAD) await stream.drained()
    }
    stream.end()
  } catch {
    // The client sees that as much is missing as was not sent.
    stream.abort()
  }
}

/**
 * Joins the client's connection and the other server's until both are over. Only after the other server has agreed:
 * before, what follows on the connection would be requests with any identity.
 */
export async function splice(response: IncomingMessage, socket: Duplex, head: Buffer, reply: Reply): Promise<void> {
  const client = reply.takeOver(response.statusCode ?? 101)
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`]
  for (let i = 0; i + 1 < response.rawHeaders.length; i += 2) {
    lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`)
  }
  client.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  await new Promise<void>((resolve) => {
    let open = 2
    const follow = (closed: Duplex, other: Duplex): void => {
      closed
        .on('error', () => undefined)
        .once('close', () => {
          if (--open === 0) resolve()
          else finish(other)
        })
        .pipe(other)
    }
    follow(client, socket)
    follow(socket, client)
  })
}

/** Closes what has said all that is on its way to it. */
export function finish(stream: Duplex): void {
  if (stream.writableFinished) stream.destroy()
  else stream.once('finish', () => stream.destroy()).end()
}
