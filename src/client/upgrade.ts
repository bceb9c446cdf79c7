/** Requests to one cluster that become another protocol: exec, attach, port-forward. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection } from './connection.ts'
import { Credentials } from './credentials.ts'

export interface UpgradeRequest {
  readonly method: string
  /** From the root of the server, with its query. */
  readonly path: string
  /** With `connection` and `upgrade`, without who asks. */
  readonly headers: OutgoingHttpHeaders
  readonly signal: AbortSignal
}

/** A refusal, or a connection that speaks the other protocol from now on. */
export type Upgraded =
  | { readonly response: IncomingMessage; readonly socket?: undefined }
  | { readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }

export class Upgrades {
  readonly #connection: Connection
  readonly #credentials: Credentials
  readonly #closed = new AbortController()
  readonly #url: URL

  /** `now`: milliseconds since the epoch. */
  constructor(connection: Connection, now: () => number = Date.now) {
    this.#connection = connection
    this.#url = new URL(connection.server)
    this.#credentials = new Credentials(connection, now, this.#closed.signal)
  }

  /** Every one has a connection of its own. @throws Error when the server does not answer */
  async open({ method, path, headers, signal }: UpgradeRequest): Promise<Upgraded> {
    const { authorization, certificate, key } = await this.#credentials.current()
    const { ca, insecureSkipTlsVerify, tlsServerName } = this.#connection
    const { protocol, hostname, port, pathname } = this.#url
    const host = hostname.replace(/^\[|\]$/g, '')
    const options = {
      method,
      host,
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      path: pathname.replace(/\/+$/, '') + path,
      headers: { ...headers, host: this.#url.host, ...(authorization !== undefined && { authorization }) },
      signal: AbortSignal.any([signal, this.#closed.signal]),
      agent: false,
    } as const
    const tls = {
      ...(ca !== undefined && { ca }),
      ...(certificate !== undefined && { cert: certificate }),
      ...(key !== undefined && { key }),
      ...(tlsServerName !== undefined && { servername: tlsServerName }),
      rejectUnauthorized: insecureSkipTlsVerify !== true,
      ALPNProtocols: ['http/1.1'],
    }
    return new Promise((resolve, reject) => {
      // Not imported: Node reads every export of an imported module, and one of `node:http` loads what is not used.
      const request =
        protocol === 'https:'
          ? process.getBuiltinModule('node:https').request({ ...options, ...tls })
          : process.getBuiltinModule('node:http').request(options)
      request.on('response', (response) => resolve({ response }))
      request.on('upgrade', (response, socket, head) => resolve({ response, socket, head }))
      request.on('error', reject)
      request.end()
    })
  }

  close(): void {
    this.#closed.abort(new Error('the client is closed'))
  }
}
