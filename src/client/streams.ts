/** Requests to one cluster that last as long as somebody listens: exec, attach, port-forward, logs. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection } from './connection.ts'
import { Credentials } from './credentials.ts'
import type { Credential } from './credentials.ts'

export interface StreamRequest {
  readonly method: string
  /** From the root of the server, with its query. */
  readonly path: string
  /** Without who asks; with `connection` and `upgrade`, if another protocol is wanted. */
  readonly headers: OutgoingHttpHeaders
  readonly signal: AbortSignal
}

/** An answer, whose body comes as fast as it is read, or a connection that speaks the other protocol from now on. */
export type Streamed =
  | { readonly response: IncomingMessage; readonly socket?: undefined }
  | { readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }

/** Milliseconds of silence after which a connection is looked at. */
const KEEP_ALIVE = 30_000

export class Streams {
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

  /** Every one has a connection of its own, which ends with `signal`. @throws Error when the server does not answer */
  async open(asked: StreamRequest): Promise<Streamed> {
    const credential = await this.#credentials.current()
    const streamed = await this.#ask(asked, credential)
    if (streamed.response.statusCode !== 401 || !(await this.#credentials.renewed(credential))) return streamed
    streamed.response.destroy()
    return this.#ask(asked, await this.#credentials.current())
  }

  #ask({ method, path, headers, signal }: StreamRequest, credential: Credential): Promise<Streamed> {
    const { authorization, certificate, key } = credential
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
      // A server that is gone without a word is noticed by the kernel.
      request.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE))
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
