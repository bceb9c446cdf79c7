/** Requests that another server answers: passed on with the identity of who asks, bodies streamed in both directions. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { UserInfo } from '../contract.ts'
import type { Exchange } from '../exchange.ts'
import { answeredHeaders, askedHost, forwardAnswer, forwardedHeaders, splice } from '../http/forward.ts'
import type { Reply } from '../http/reply.ts'
import type { RemoteService } from './apiservice.ts'
import { identityHeaders, type Backends } from './backend.ts'

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
    if (streamed.socket === undefined) {
      const { response } = streamed
      return await forwardAnswer(response.statusCode ?? 502, answeredHeaders(response), response, reply)
    }
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
  const headers = forwardedHeaders(exchange)
  const { name, namespace } = remote.service
  const asked = askedHost(exchange)
  headers['host'] = `${name}.${namespace}.svc`
  headers['x-forwarded-uri'] = exchange.path
  headers['x-forwarded-proto'] = 'https'
  if (asked !== undefined) headers['x-forwarded-host'] = asked
  return Object.assign(headers, identityHeaders(user))
}
