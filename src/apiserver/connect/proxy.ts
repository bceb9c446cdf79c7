/** Requests passed on to pods, Services and kubelets, with what upstream's proxy does to them on both ways. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { errors, StatusError } from '../../machinery/status.ts'
import type { Dialler } from '../dial/contract.ts'
import { DialledAgent, openStreamed, type Streamed, type StreamedRequest } from '../dial/streamed.ts'
import { answeredHeaders, askedHost, forwardAnswer, forwardedHeaders, splice } from '../http/forward.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../http/reply.ts'
import { rewrittenBody } from './html.ts'
import { escapePath, joinPath, throughProxy, type Mount } from './paths.ts'
import { isProxyable, type Place } from './place.ts'

export interface Proxying {
  readonly dialler: Dialler
  /** PEM texts of the certificate by which kubelets know this server. */
  readonly kubeletClient: { readonly certificate: string; readonly key: string }
}

export interface Passage {
  readonly reply: Reply
  readonly place: Place
  /** Decoded. */
  readonly path: string
  /** Of upgrades, instead of the client's. */
  readonly query: string
  /** Nothing but an upgrade is taken. @default false: HTTP is passed on, and references in answers lead back here */
  readonly upgradeOnly?: boolean
  /** As the client sent it, decoded. */
  readonly asked: string
}

/** Milliseconds for a connection. */
const CONNECT = 30_000
const NAMED_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** @throws StatusError 400 for an address that proxies may not reach; Error in Go's words */
export async function dialPlace(
  { dialler, kubeletClient }: Proxying,
  place: Place,
  signal: AbortSignal,
): Promise<Duplex> {
  return dialler.dial({
    host: place.host,
    port: portOf(place),
    plain: place.scheme === 'http',
    // As the real server without an authority for kubelets: their certificates are their own.
    insecure: true,
    ...(place.kubelet && { client: kubeletClient }),
    ...(place.vetted && { vet }),
    timeout: CONNECT,
    signal,
  })
}

function vet(addresses: readonly string[]): void {
  if (!addresses.every(isProxyable)) throw errors.badRequest('address not allowed')
}

function portOf({ scheme, port }: Place): number {
  if (port === '') return scheme === 'https' ? 443 : 80
  if (!/^[0-9]+$/.test(port)) {
    const named = NAMED_PORTS[port]
    if (named === undefined) throw new Error(`dial tcp: lookup tcp/${port}: unknown port`)
    return named
  }
  const number = Number(port)
  if (number > 65_535) throw new Error(`dial tcp: address ${port}: invalid port`)
  return number
}

/** `1.2.3.4:80`, as it stands in a URL. */
export function hostOf({ host, port }: Pick<Place, 'host' | 'port'>): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === '' ? name : `${name}:${port}`
}

/** Whether the client asks for another protocol on its connection. */
export const wantsUpgrade = ({ headers, upgrade }: Exchange): boolean =>
  upgrade !== undefined && (headers['connection'] ?? '').toLowerCase().includes('upgrade')

/** Answers the exchange. @throws StatusError */
export async function passOn(proxying: Proxying, passage: Passage): Promise<void> {
  const { reply, place } = passage
  const { exchange } = reply
  const upgrade = wantsUpgrade(exchange)
  if (!upgrade && passage.upgradeOnly === true) throw errors.badRequest('Upgrade request required')
  const path = upgrade || passage.path.endsWith('/') || !passage.asked.endsWith('/') ? passage.path : `${passage.path}/`
  if (!upgrade && path === '' && (exchange.method === 'GET' || exchange.method === 'HEAD')) {
    const query = exchange.query === '' ? '' : `?${exchange.query}`
    return reply.bare(301, { location: `${passage.asked}/${query}` })
  }
  await withConnection(exchange, async (signal) => {
    const agent = new DialledAgent(() => dialPlace(proxying, place, signal))
    if (upgrade) return passUpgrade(agent, passage, signal)
    const suffix = passage.asked.endsWith('/') && !passage.path.endsWith('/') ? `${passage.path}/` : passage.path
    const { asked } = passage
    const prefix = asked.endsWith(suffix) ? asked.slice(0, asked.length - suffix.length) : asked
    const mount = { prefix, source: hostOf(place), asked: askedHost(exchange) }
    return passRequest(agent, passage, path, mount, signal)
  })
}

/** The other connection does not outlive the exchange, whichever side ends it. */
export async function withConnection(exchange: Exchange, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  if (exchange.signal.aborted) return
  exchange.signal.addEventListener('abort', leave, { once: true })
  try {
    await work(gone.signal)
  } catch (error) {
    if (!exchange.signal.aborted) throw error
  } finally {
    exchange.signal.removeEventListener('abort', leave)
    gone.abort()
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** @throws StatusError that was thrown below; what `otherwise` makes of anything else */
async function opened(
  agent: DialledAgent,
  request: StreamedRequest,
  otherwise: (why: string) => Error,
): Promise<Streamed> {
  try {
    return await openStreamed(agent, request)
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw otherwise(messageOf(error))
  }
}

async function passUpgrade(agent: DialledAgent, { reply, path, query }: Passage, signal: AbortSignal): Promise<void> {
  const { exchange } = reply
  const headers = forwardedHeaders(exchange)
  Object.assign(headers, {
    connection: 'Upgrade',
    upgrade: exchange.headers['upgrade'],
    host: askedHost(exchange) ?? '',
  })
  delete headers['content-length']
  const target = escapePath(path === '' ? '/' : path) + (query === '' ? '' : `?${query}`)
  const streamed = await opened(agent, { method: exchange.method, path: target, headers, signal }, (why) =>
    errors.unknown(`error dialing backend: ${why}`),
  )
  if (streamed.socket !== undefined) return splice(streamed.response, streamed.socket, streamed.head, reply)
  const { response } = streamed
  const { statusCode = 502 } = response
  if (statusCode < 400) throw errors.unknown(`invalid upgrade response: status code ${statusCode}`)
  await forwardAnswer(statusCode, answeredHeaders(response), response, reply)
}

async function passRequest(
  agent: DialledAgent,
  { reply }: Passage,
  path: string,
  mount: Mount,
  signal: AbortSignal,
): Promise<void> {
  const { exchange } = reply
  const headers = forwardedHeaders(exchange)
  const target = escapePath(path === '' ? '/' : path)
  const uri = joinPath(mount.prefix, target)
  headers['x-forwarded-uri'] = path.endsWith('/') && !uri.endsWith('/') ? `${uri}/` : uri
  headers['host'] = mount.asked ?? ''
  headers['connection'] = 'close'
  const body = exchange.incoming?.()
  if (body !== undefined && headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked'
  if (body === undefined) delete headers['content-length']
  const full = exchange.query === '' ? target : `${target}?${exchange.query}`
  const request = { method: exchange.method, path: full, headers, signal, ...(body !== undefined && { body }) }
  const { response } = await opened(agent, request, (why) =>
    errors.serviceUnavailable(`error trying to reach service: ${why}`),
  )
  await answer(response, mount, reply)
}

async function answer(response: IncomingMessage, mount: Mount, reply: Reply): Promise<void> {
  const headers = answeredHeaders(response)
  const { location } = headers
  const code = response.statusCode ?? 502
  if (location !== undefined && location !== '') headers['location'] = throughProxy(location, mount)
  else if (isHtml(headers['content-type'])) {
    const body = rewrittenBody(response, headers['content-encoding'], (reference) => throughProxy(reference, mount))
    if (body !== undefined) {
      delete headers['content-length']
      return forwardAnswer(code, headers, body, reply)
    }
  }
  await forwardAnswer(code, headers, response, reply)
}

const isHtml = (type: string | undefined): boolean =>
  type !== undefined && type.split(';', 1)[0]!.trim() === 'text/html'
