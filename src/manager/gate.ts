/**
 * The door through which the process of one virtual cluster gets into its pods. The process has no credentials of the
 * host: it proves to be the one that was started for the cluster, says which of the cluster's pods it means, and the
 * manager looks up what that pod is on the host.
 */
import { connectOptions } from '../apiserver/http/connect-options.ts'
import { streamRest, type Elsewhere } from '../apiserver/connect/elsewhere.ts'
import { logOptions, sendLog, type LogQuery, type LogSource } from '../apiserver/connect/logs.ts'
import { wantsUpgrade, withConnection } from '../apiserver/connect/proxy.ts'
import type { Handler } from '../apiserver/exchange.ts'
import { Query } from '../apiserver/http/query.ts'
import { Reply } from '../apiserver/http/reply.ts'
import { defaultLimits } from '../apiserver/transport/limits.ts'
import { listen } from '../apiserver/transport/listen.ts'
import type { Connection } from '../client/connection.ts'
import { createCa, issueCertificate } from '../machinery/pki/certificate.ts'
import { errors } from '../machinery/status.ts'

export interface GateOptions {
  /** Into the pods of the cluster. */
  readonly connections: Elsewhere
  readonly logs: LogSource
  /** Milliseconds since the epoch. */
  now(): number
}

export interface Gate {
  /** For the process of the cluster alone. */
  readonly connection: Connection
  close(): Promise<void>
}

const ADDRESS = '127.0.0.1'
/** Connections and logs are bounded for each cluster; this is for both, and for those that are refused. */
const LIMITS = { ...defaultLimits, connections: 600 }
const PATH = /^\/api\/v1\/namespaces\/([a-z0-9-]+)\/pods\/([a-z0-9.-]+)\/(exec|attach|portforward|log)$/
const OPTIONS = { exec: 'PodExecOptions', attach: 'PodAttachOptions', portforward: 'PodPortForwardOptions' } as const

/** Opens it on this machine, with an authority of its own that nobody else has a certificate of. */
export async function openGate(options: GateOptions): Promise<Gate> {
  const now = options.now()
  const ca = createCa({ commonName: 'tenantry-gate', now })
  const server = issueCertificate(ca, { commonName: 'gate', usage: 'server', ips: [ADDRESS], now })
  const client = issueCertificate(ca, { commonName: 'control-plane', usage: 'client', now })
  const listener = await listen({
    credentials: { key: server.key, cert: server.certificate, clientCa: ca.certificate },
    handler: gateHandler(options),
    host: ADDRESS,
    limits: LIMITS,
  })
  return {
    connection: {
      server: `https://${ADDRESS}:${listener.port}`,
      ca: ca.certificate,
      clientCertificate: client.certificate,
      clientKey: client.key,
    },
    close: () => listener.close(),
  }
}

function gateHandler(options: GateOptions): Handler {
  return async (exchange) => {
    const reply = new Reply(exchange, Number.POSITIVE_INFINITY)
    try {
      await answer(options, reply)
    } catch (error) {
      if (!exchange.signal.aborted) await reply.failure(error)
    }
  }
}

/** What is asked is read and written anew: no text of the other process becomes part of a path on the host. */
async function answer({ connections, logs }: GateOptions, reply: Reply): Promise<void> {
  const { exchange } = reply
  if (exchange.clientCertificate === undefined) throw errors.unauthorized()
  const match = PATH.exec(exchange.path)
  if (match === null || (exchange.method !== 'GET' && exchange.method !== 'POST')) return reply.noSuchPath()
  const [, namespace = '', name = ''] = match
  const verb = match[3] as keyof typeof OPTIONS | 'log'
  const pod = { metadata: { namespace, name } }
  const query = new Query(exchange.query)
  if (verb === 'log') {
    const asked: LogQuery = { container: query.get('container') ?? '', ...logOptions(query, name) }
    return withConnection(exchange, async (signal) => sendLog((await logs(pod, asked, undefined, signal)) ?? '', reply))
  }
  if (!wantsUpgrade(exchange)) throw errors.badRequest('Upgrade request required')
  const asked = connectOptions({ group: '', version: 'v1', kind: OPTIONS[verb] }, query, undefined)
  await connections.stream(pod, streamRest(asked, verb, asked['container'] as string | undefined), reply)
}
