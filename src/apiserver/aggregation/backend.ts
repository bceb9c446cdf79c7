/** HTTP to the servers behind remote APIServices: short calls, and requests whose bodies stream in both directions. */
import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { Answer, Dialler } from '../dial/contract.ts'
import type { UserInfo } from '../contract.ts'
import type { RemoteService } from './apiservice.ts'

/** PEM texts of the certificate by which aggregated servers know this one. */
export interface ProxyClient {
  readonly certificate: string
  readonly key: string
}

/** Who this server's own calls are from. */
const AGGREGATOR = { 'x-remote-user': 'system:kube-aggregator', 'x-remote-group': 'system:masters' }

/** Milliseconds for a connection. */
const CONNECT = 10_000
/** Connections that stay open between requests, for each service, and for how many milliseconds. */
const IDLE = 8
const IDLE_FOR = 60_000

export interface StreamedRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  /** @default none */
  readonly body?: Readable
  readonly signal: AbortSignal
}

/** What came back: an ordinary answer, or a connection that speaks another protocol from now on. */
export type Streamed =
  | { readonly response: IncomingMessage; readonly socket?: undefined }
  | { readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }

export class Backends {
  readonly #dialler: Dialler
  readonly #client: ProxyClient
  /** By name of the APIService: trust is its own. */
  readonly #agents = new Map<string, Agent>()

  constructor(dialler: Dialler, client: ProxyClient) {
    this.#dialler = dialler
    this.#client = client
  }

  /**
   * A short GET of this server's own, with the whole answer.
   * @throws Error as the dialler words it
   */
  call(
    remote: RemoteService,
    path: string,
    { headers, timeout, maxAnswer }: { headers: Record<string, string>; timeout: number; maxAnswer: number },
  ): Promise<Answer> {
    const mark = path.indexOf('?')
    const bare = mark < 0 ? path : path.slice(0, mark)
    return this.#dialler.call({
      ...this.#trust(remote),
      destination: { service: { ...remote.service, path: bare } },
      method: 'GET',
      ...(mark >= 0 && { query: path.slice(mark + 1) }),
      headers: { ...headers, ...AGGREGATOR },
      timeout,
      maxAnswer,
    })
  }

  /** @throws Error when the server cannot be reached or breaks off before its answer begins */
  open(remote: RemoteService, { method, path, headers, body, signal }: StreamedRequest): Promise<Streamed> {
    return new Promise((resolve, reject) => {
      const upgrade = headers['upgrade'] !== undefined
      const request = httpRequest({
        agent: upgrade ? new ServiceAgent(() => this.#connect(remote)) : this.#agentFor(remote),
        method,
        path,
        headers,
        setHost: false,
        signal,
      })
      request.on('response', (response) => resolve({ response }))
      request.on('upgrade', (response, socket, head) => resolve({ response, socket, head }))
      request.on('error', reject)
      if (body === undefined) {
        request.end()
        return
      }
      // A body that breaks off must not look whole.
      body.once('error', (error) => request.destroy(error))
      body.once('close', () => {
        if (!body.readableEnded) request.destroy(new Error('unexpected EOF'))
      })
      body.pipe(request)
    })
  }

  /** Closes what is kept open for a service. */
  forget(name: string): void {
    this.#agents.get(name)?.destroy()
    this.#agents.delete(name)
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  #agentFor(remote: RemoteService): Agent {
    let agent = this.#agents.get(remote.name)
    if (agent === undefined) {
      agent = new ServiceAgent(() => this.#connect(remote), {
        keepAlive: true,
        maxFreeSockets: IDLE,
        timeout: IDLE_FOR,
      })
      this.#agents.set(remote.name, agent)
    }
    return agent
  }

  #connect(remote: RemoteService): Promise<Duplex> {
    return this.#dialler.connect({ ...this.#trust(remote), destination: { service: remote.service }, timeout: CONNECT })
  }

  #trust({ caBundle, insecure }: RemoteService) {
    return { ...(caBundle !== undefined && { caBundle }), insecure, client: this.#client }
  }
}

/** Connections come from the dialler. */
class ServiceAgent extends Agent {
  readonly #dial: () => Promise<Duplex>

  constructor(dial: () => Promise<Duplex>, options: ConstructorParameters<typeof Agent>[0] = {}) {
    super(options)
    this.#dial = dial
  }

  override createConnection(_options: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#dial().then(
      (stream) => done?.(null, stream),
      (error: Error) => done?.(error, undefined as unknown as Duplex),
    )
  }
}

/** Header values are bytes: text goes as UTF-8. */
const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

const TOKEN = /[A-Za-z0-9!#$&'*+.^_`|~-]/

/** Percent-encodes what may not stand in a header's name. */
function headerKey(key: string): string {
  let out = ''
  for (const byte of Buffer.from(key, 'utf8')) {
    const char = String.fromCharCode(byte)
    out += TOKEN.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/** How a front proxy says who asks. */
export function identityHeaders(user: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'x-remote-user': bytesOf(user.name) }
  if (user.uid !== undefined && user.uid !== '') headers['x-remote-uid'] = bytesOf(user.uid)
  if (user.groups.length > 0) headers['x-remote-group'] = user.groups.map(bytesOf)
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    headers[`x-remote-extra-${headerKey(key)}`] = values.map(bytesOf)
  }
  return headers
}
