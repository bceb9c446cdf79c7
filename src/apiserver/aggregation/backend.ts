/** HTTP to the servers behind remote APIServices: short calls, and requests whose bodies stream in both directions. */
import type { Duplex } from 'node:stream'
import type { Answer, Dialler } from '../dial/contract.ts'
import { DialledAgent, openStreamed, type Streamed, type StreamedRequest } from '../dial/streamed.ts'
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

export class Backends {
  readonly #dialler: Dialler
  readonly #client: ProxyClient
  /** By name of the APIService: trust is its own. */
  readonly #agents = new Map<string, DialledAgent>()

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
  open(remote: RemoteService, request: StreamedRequest): Promise<Streamed> {
    const upgrade = request.headers['upgrade'] !== undefined
    const agent = upgrade ? new DialledAgent(() => this.#connect(remote)) : this.#agentFor(remote)
    return openStreamed(agent, request)
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

  #agentFor(remote: RemoteService): DialledAgent {
    let agent = this.#agents.get(remote.name)
    if (agent === undefined) {
      agent = new DialledAgent(() => this.#connect(remote), {
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
