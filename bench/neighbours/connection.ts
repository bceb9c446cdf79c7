/** One connection to a cluster, HTTP/2 or HTTP/1.1, as bare as a benchmark's client should be. */
import { connect } from 'node:http2'
import { Agent, request } from 'node:https'
import { parseKubeconfig } from '../../src/client/kubeconfig.ts'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answered {
  readonly status: number
  /** Bytes of the body as they came. */
  readonly bytes: number
}

export interface Connection {
  ask(asked: Asked): Promise<Answered>
  close(): void
}

export function open(kubeconfig: string, protocol: 'h2' | 'http/1.1'): Connection {
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
  const tls = { ca: ca!, cert: clientCertificate!, key: clientKey! }
  return protocol === 'h2' ? overHttp2(server, tls) : overHttp1(server, tls)
}

type Tls = Readonly<Record<'ca' | 'cert' | 'key', string>>

function overHttp2(server: string, tls: Tls): Connection {
  const session = connect(server, { ...tls, settings: { initialWindowSize: 4 * 1024 * 1024 } })
  session.on('connect', () => session.setLocalWindowSize(16 * 1024 * 1024))
  return {
    ask: ({ method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const stream = session.request(
          { ':method': method, ':path': path, ...headers },
          { endStream: body === undefined },
        )
        let status = 0
        let bytes = 0
        stream.on('response', (head) => (status = Number(head[':status'])))
        stream.on('data', (piece: Buffer) => (bytes += piece.length))
        stream.on('end', () => resolve({ status, bytes }))
        stream.on('error', reject)
        if (body !== undefined) stream.end(body)
      }),
    close: () => session.close(),
  }
}

function overHttp1(server: string, tls: Tls): Connection {
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 1, ALPNProtocols: ['http/1.1'] })
  return {
    ask: ({ method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const sent = request(new URL(path, server), { agent, method, ...(headers !== undefined && { headers }) })
        sent.on('error', reject)
        sent.on('response', (answer) => {
          let bytes = 0
          answer.on('data', (piece: Buffer) => (bytes += piece.length))
          answer.on('end', () => resolve({ status: answer.statusCode!, bytes }))
          answer.on('error', reject)
        })
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}
