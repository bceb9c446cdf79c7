/** HTTPS servers with certificates of their own, for tests of what calls out. */
import { createServer } from 'node:https'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { createCa, issueCertificate } from '../../machinery/pki/certificate.ts'
import type { Ca } from '../../machinery/pki/certificate.ts'

export interface TestServer {
  readonly port: number
  readonly url: string
  /** PEM */
  readonly ca: string
  /** PEM of its own certificate. */
  readonly certificate: string
  readonly authority: Ca
  readonly server: Server
}

export interface TestServerOptions {
  /** @default a new one */
  readonly authority?: Ca
  /** @default localhost and 127.0.0.1 */
  readonly dns?: readonly string[]
  readonly ips?: readonly string[]
  /** Validity. @default now */
  readonly now?: number
  readonly days?: number
  /** Where it listens. @default '127.0.0.1' */
  readonly host?: string
  /** Answers with a client certificate only. */
  readonly clientCa?: string
}

/** Makes one that ends with the test. */
export async function httpsServer(
  t: TestContext,
  handler: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const {
    dns = ['localhost'],
    ips = ['127.0.0.1'],
    now = Date.now(),
    days = 30,
    clientCa,
    host = '127.0.0.1',
  } = options
  const authority = options.authority ?? createCa({ commonName: 'test', now: Date.now() })
  const issued = issueCertificate(authority, { commonName: 'server', usage: 'server', dns, ips, now, days })
  const server = createServer(
    {
      cert: issued.certificate,
      key: issued.key,
      ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    },
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => handler(request, response, Buffer.concat(chunks)))
    },
  )
  server.on('error', () => undefined)
  await new Promise<void>((done) => server.listen(0, host, done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return {
    port,
    url: `https://${host}:${port}`,
    ca: authority.certificate,
    certificate: issued.certificate,
    authority,
    server,
  }
}
