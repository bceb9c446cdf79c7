/** A client's connection: many requests on one HTTP/2 session over TLS, as client-go has it. */
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { parseKubeconfig } from '../../src/client/kubeconfig.ts'

export interface Answer {
  readonly status: number
  readonly size: number
  /** Text of the body when it was asked for or the status is no success. */
  readonly text: string
}

export interface Send {
  readonly method?: string
  readonly body?: string | Buffer
  readonly type?: string
  /** Beside these; they win. */
  readonly headers?: Readonly<Record<string, string>>
  /** Keep the body's text. @default false */
  readonly keep?: boolean
  /** Ask for aggregated discovery. @default false */
  readonly aggregated?: boolean
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

export class Session {
  readonly #session: ClientHttp2Session

  /** @param quiet the server is expected to go away */
  constructor(kubeconfig: string, { quiet = false } = {}) {
    const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
    this.#session = connect(server, {
      ca,
      cert: clientCertificate,
      key: clientKey,
      settings: { initialWindowSize: 16 << 20 },
      maxSessionMemory: 1000,
    })
    this.#session.on('connect', () => this.#session.setLocalWindowSize(64 << 20))
    this.#session.on('error', (error) => {
      if (!quiet) process.stderr.write(`session: ${String(error)}\n`)
    })
  }

  /** @throws Error when the stream breaks */
  send(
    path: string,
    { method = 'GET', body, type = 'application/json', headers, keep = false, aggregated = false }: Send = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request(
        {
          ':method': method,
          ':path': path,
          accept: aggregated ? AGGREGATED : 'application/json',
          ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
        { endStream: body === undefined },
      )
      let status = 0
      let size = 0
      const pieces: Buffer[] = []
      stream.on('response', (headers) => (status = Number(headers[':status'])))
      stream.on('data', (piece: Buffer) => {
        size += piece.length
        if (keep || status >= 300) pieces.push(piece)
      })
      stream.on('error', reject)
      stream.on('end', () => resolve({ status, size, text: Buffer.concat(pieces).toString() }))
      stream.on('close', () => reject(new Error(`${method} ${path}: the stream was closed`)))
      if (body !== undefined) stream.end(body)
    })
  }

  /** @throws Error when the answer is no success */
  async must(path: string, send?: Send): Promise<Answer> {
    const answer = await this.send(path, send)
    if (answer.status >= 300) throw new Error(`${send?.method ?? 'GET'} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }

  /** A stream that goes on: a watch. */
  watch(path: string): ClientHttp2Stream {
    return this.#session.request({ ':method': 'GET', ':path': path, accept: 'application/json' })
  }

  close(): void {
    this.#session.destroy()
  }
}
