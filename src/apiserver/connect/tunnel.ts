/** Port-forwarding over WebSocket for kubelets that speak SPDY alone: SPDY as it is, in binary messages. */
import type { Duplex } from 'node:stream'
import { errors } from '../../machinery/status.ts'
import { DialledAgent, openStreamed } from '../dial/streamed.ts'
import { answeredHeaders, askedHost, finish, forwardAnswer, forwardedHeaders } from '../http/forward.ts'
import type { Reply } from '../http/reply.ts'
import { offeredProtocols } from '../authn/websocket-token.ts'
import { BINARY, ClientFrames, closeFrame, frameHead, handshake } from '../http/websocket-frames.ts'

const PREFIX = 'SPDY/3.1+'
const SUFFIX = '.k8s.io'

const isTunnel = (protocol: string): boolean => protocol.startsWith(PREFIX) && protocol.endsWith(SUFFIX)

/** Whether one of the protocols on offer tunnels. */
export const offersTunnel = (reply: Reply): boolean => offeredProtocols(reply.exchange.headers).some(isTunnel)

/** Answers the exchange. @throws StatusError */
export async function tunnel(
  reply: Reply,
  target: string,
  dial: () => Promise<Duplex>,
  signal: AbortSignal,
): Promise<void> {
  const { exchange } = reply
  // Nobody is called for a client that could not be answered.
  handshake(exchange, {})
  const protocols = offeredProtocols(exchange.headers).filter(isTunnel)
  const headers = forwardedHeaders(exchange)
  for (const name of Object.keys(headers)) if (name.startsWith('sec-websocket-')) delete headers[name]
  Object.assign(headers, {
    host: askedHost(exchange) ?? '',
    connection: 'Upgrade',
    upgrade: 'SPDY/3.1',
    'x-stream-protocol-version': protocols.map((protocol) => protocol.slice(PREFIX.length)),
  })
  const request = { method: 'POST', path: target, headers, signal }
  const streamed = await openStreamed(new DialledAgent(dial), request).catch((error: unknown) => {
    throw errors.unknown(`error dialing backend: ${error instanceof Error ? error.message : String(error)}`)
  })
  const { response } = streamed
  if (streamed.socket === undefined) {
    const { statusCode = 502 } = response
    if (statusCode < 400) throw errors.unknown(`invalid upgrade response: status code ${statusCode}`)
    return forwardAnswer(statusCode, answeredHeaders(response), response, reply)
  }
  const { socket } = streamed
  if (response.headers.upgrade?.toLowerCase().includes('spdy/3.1') !== true) {
    socket.destroy()
    return reply.text(500, 'unable to upgrade: missing upgrade headers in response\n')
  }
  const chosen = response.headers['x-stream-protocol-version']
  const name = Array.isArray(chosen) ? chosen[0] : chosen
  const head = handshake(exchange, name === undefined ? {} : { 'Sec-WebSocket-Protocol': PREFIX + name.trim() })
  const client = reply.takeOver(101)
  client.write(head)
  if (streamed.head.length > 0) socket.unshift(streamed.head)
  await join(client, socket)
}

/** Until both are over. */
function join(client: Duplex, server: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2
    const over = (other: Duplex) => (): void => {
      if (--open === 0) resolve()
      else finish(other)
    }
    const leave = (): void => {
      if (client.destroyed || client.writableEnded) return
      client.once('finish', () => client.destroy())
      client.end(closeFrame())
    }
    const frames = new ClientFrames({
      pong: (frame) => void (client.writableEnded || client.write(frame)),
      close: () => {
        leave()
        finish(server)
      },
      data: (piece) => {
        if (!server.write(piece)) client.pause()
      },
    })
    client.on('error', () => undefined).once('close', over(server))
    client.on('data', (piece: Buffer) => {
      if (!frames.push(piece)) client.destroy()
    })
    client.on('end', () => client.destroy())
    client.on('drain', () => server.resume())
    server.on('error', () => undefined).once('close', over(client))
    server.on('data', (piece: Buffer) => {
      if (client.writableEnded) return
      if (!client.write(Buffer.concat([frameHead(BINARY, piece.length), piece]))) server.pause()
    })
    server.on('drain', () => client.resume())
    server.on('end', leave)
  })
}
