/** Requests that another server answers: passed on with the identity of who asks, bodies streamed in both directions. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { UserInfo } from '../contract.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../http/reply.ts'
import type { RemoteService } from './apiservice.ts'
import { identityHeaders, type Backends } from './backend.ts'

/** Belong to one connection, not to the request. */
const HOP = ['connection', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']
/** Say who asks or prove it: the other server hears that from us alone. */
const IDENTITY = /^(?:authorization|proxy-auth|impersonate-|x-remote-)/
/** A client that has so many bytes waiting is waited for. */
const AHEAD = 256 * 1024

/** Answers the exchange; authorization has been done. `onFailure` is called when the server cannot be reached. */
export async function proxyRequest(
  backends: Backends,
  remote: RemoteService,
  user: UserInfo,
  reply: Reply,
  onFailure: () => void,
): Promise<void> {
  if (!remote.available) return reply.text(503, 'service unavailable\n')
  const { exchange } = reply
  const wanted = exchange.upgrade === undefined ? undefined : exchange.headers['upgrade']
  const headers = requestHeaders(exchange, remote, user)
  if (wanted !== undefined) Object.assign(headers, { connection: 'Upgrade', upgrade: wanted })
  headers['audit-id'] ??= reply.headers['audit-id']
  // The other connection must not outlive this exchange, whichever side ends it.
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  if (exchange.signal.aborted) return
  exchange.signal.addEventListener('abort', leave, { once: true })
  try {
    const path = exchange.query === '' ? exchange.path : `${exchange.path}?${exchange.query}`
    const body = wanted === undefined ? exchange.incoming?.() : undefined
    // Without either, some methods would send a body that looks like the next request.
    if (body !== undefined && headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked'
    if (body === undefined) delete headers['content-length']
    const request = { method: exchange.method, path, headers, signal: gone.signal, ...(body !== undefined && { body }) }
    const streamed = await backends.open(remote, request)
    if (streamed.socket === undefined) return await answer(streamed.response, reply)
    await splice(streamed.response, streamed.socket, streamed.head, reply)
  } catch (error) {
    if (exchange.signal.aborted) return
    if (reply.started) throw error
    onFailure()
    const why = error instanceof Error ? error.message : String(error)
    reply.text(503, `error trying to reach service: ${why}\n`)
  } finally {
    exchange.signal.removeEventListener('abort', leave)
    gone.abort()
  }
}

function requestHeaders(exchange: Exchange, remote: RemoteService, user: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  const dropped = new Set([...HOP, ...listed(exchange.headers['connection'])])
  for (const [name, value] of Object.entries(exchange.headers)) {
    if (name.startsWith(':') || dropped.has(name) || IDENTITY.test(name)) continue
    headers[name] = value
  }
  const { name, namespace } = remote.service
  const asked = exchange.headers[':authority'] ?? exchange.headers['host']
  const before = exchange.headers['x-forwarded-for']
  headers['host'] = `${name}.${namespace}.svc`
  headers['x-forwarded-for'] = before === undefined ? exchange.remoteAddress : `${before}, ${exchange.remoteAddress}`
  headers['x-forwarded-uri'] = exchange.path
  headers['x-forwarded-proto'] = 'https'
  if (asked !== undefined) headers['x-forwarded-host'] = asked
  return Object.assign(headers, identityHeaders(user))
}

const listed = (connection: string | undefined): string[] =>
  connection === undefined ? [] : connection.split(',').map((name) => name.trim().toLowerCase())

function responseHeaders(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  const dropped = new Set([...HOP, ...listed(response.headers.connection)])
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    if (values === undefined || dropped.has(name) || name.startsWith('access-control-')) continue
    headers[name] = values.join(', ')
  }
  return headers
}

async function answer(response: IncomingMessage, reply: Reply): Promise<void> {
  const stream = reply.forward(response.statusCode ?? 502, responseHeaders(response))
  try {
    for await (const piece of response) {
      stream.write(piece as Buffer)
      if (stream.buffered > AHEAD) await stream.drained()
    }
    stream.end()
  } catch {
    // The client sees that as much is missing as was not sent.
    stream.abort()
  }
}

/** Only after the other server has agreed: before, what follows on the connection would be requests with any identity. */
async function splice(response: IncomingMessage, socket: Duplex, head: Buffer, reply: Reply): Promise<void> {
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
function finish(stream: Duplex): void {
  if (stream.writableFinished) stream.destroy()
  else stream.once('finish', () => stream.destroy()).end()
}
