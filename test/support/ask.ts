/** Single HTTPS requests with every byte of their answers, as an admin: for tests of the wire itself. */
import { Agent, request } from 'node:https'
import { load } from 'js-yaml'

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Milliseconds after which what has come is the answer: for streams. @default until the end */
  readonly cut?: number
  /** Called with what has come; `true` ends the request: for streams. */
  readonly until?: (text: string) => boolean
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type Ask = ((path: string, asked?: Asked) => Promise<Answered>) & Disposable

/** Asks over HTTP/1.1 as the user of a kubeconfig with a client certificate. */
export function asker(kubeconfig: string): Ask {
  const config = load(kubeconfig) as {
    clusters: { cluster: Record<string, string> }[]
    users: { user: Record<string, string> }[]
  }
  const { server = '', 'certificate-authority-data': ca = '' } = config.clusters[0]!.cluster
  const { 'client-certificate-data': cert = '', 'client-key-data': key = '' } = config.users[0]!.user
  const pem = (data: string) => Buffer.from(data, 'base64')
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: pem(ca), cert: pem(cert), key: pem(key) })
  const ask = (path: string, { method = 'GET', headers = {}, body, cut, until }: Asked = {}) =>
    new Promise<Answered>((resolve, reject) => {
      const asked = request(`${server}${path}`, { agent, method, headers: { ...headers } }, (answer) => {
        const pieces: Buffer[] = []
        const done = (): void => {
          clearTimeout(timer)
          const named: Record<string, string> = {}
          for (const [name, values] of Object.entries(answer.headersDistinct)) named[name] = (values ?? []).join(', ')
          resolve({ status: answer.statusCode ?? 0, headers: named, body: Buffer.concat(pieces) })
          if (!answer.complete) asked.destroy()
        }
        const timer = cut === undefined ? undefined : setTimeout(done, cut)
        answer.on('data', (piece: Buffer) => {
          pieces.push(piece)
          if (until?.(Buffer.concat(pieces).toString()) === true) done()
        })
        answer.on('end', done)
        answer.on('error', reject)
      })
      asked.on('error', reject)
      asked.end(body)
    })
  return Object.assign(ask, { [Symbol.dispose]: () => agent.destroy() })
}
