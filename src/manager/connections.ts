/** Connections into a tenant's pods: passed on to the host's API server, for the pod that the syncer made of it. */
import type { IncomingMessage } from 'node:http'
import type { KubeObject, ObjectMeta } from '../machinery/object.ts'
import type { Elsewhere } from '../apiserver/connect/elsewhere.ts'
import { answeredHeaders, forwardedHeaders, splice } from '../apiserver/http/forward.ts'
import type { Reply } from '../apiserver/http/reply.ts'
import type { ServiceResolver } from '../apiserver/dial/contract.ts'
import type { Streams } from '../client/streams.ts'
import { isSimulated } from '../controllers/simulated-log.ts'
import { errors } from '../machinery/status.ts'
import type { Syncer } from '../syncer/syncer.ts'
import { refusalText } from './refusal.ts'

export interface HostConnectionsOptions {
  /** The host's API server, as the manager. */
  readonly streams: Pick<Streams, 'open'>
  /** The syncer, once it exists. */
  syncer(): Pick<Syncer, 'hostPod'>
  /** Connections of one tenant that are open at a time. @default 256 */
  readonly most?: number
}

/** For one virtual cluster. Pods are found by look-up; nothing is put together from what the tenant wrote but options. */
export function hostConnections(
  { streams, syncer, most = 256 }: HostConnectionsOptions,
  uid: string,
  services: ServiceResolver,
): Elsewhere {
  let open = 0
  const find = ({ metadata: { namespace = '', name = '' } }: KubeObject) => syncer().hostPod(uid, namespace, name)
  return {
    services,
    address(pod) {
      const found = find(pod)
      const { podIPs = [] } = (found?.pod['status'] ?? {}) as { podIPs?: { ip?: string }[] }
      return podIPs[0]?.ip ?? ''
    },
    async stream(pod, rest, reply) {
      const found = find(pod)
      const name = pod.metadata.name!
      if (found?.node === undefined) throw errors.badRequest(`pod ${name} does not have a host assigned`)
      if (isSimulated(found.node)) throw errors.unknown('error dialing backend: connect: connection refused')
      if (open >= most) throw errors.tooManyRequests('too many connections of this cluster are open', 1)
      open++
      const gone = new AbortController()
      const leave = (): void => gone.abort()
      const { exchange } = reply
      exchange.signal.addEventListener('abort', leave, { once: true })
      try {
        const { namespace, name: hostName } = found.pod.metadata
        const headers = forwardedHeaders(exchange)
        Object.assign(headers, { connection: 'Upgrade', upgrade: exchange.headers['upgrade'] })
        delete headers['content-length']
        const path = `/api/v1/namespaces/${namespace!}/pods/${hostName!}/${rest}`
        const upgraded = await streams
          .open({ method: exchange.method, path, headers, signal: gone.signal })
          .catch((error: unknown) => {
            throw errors.unknown(`error dialing backend: ${error instanceof Error ? error.message : String(error)}`)
          })
        if (upgraded.socket === undefined) await refuse(upgraded.response, reply, found.pod.metadata, pod.metadata)
        else await splice(upgraded.response, upgraded.socket, upgraded.head, reply)
      } finally {
        open--
        exchange.signal.removeEventListener('abort', leave)
        gone.abort()
      }
    },
  }
}

async function refuse(response: IncomingMessage, reply: Reply, there: ObjectMeta, here: ObjectMeta): Promise<void> {
  const text = await refusalText(response, there, here)
  const { statusCode = 502 } = response
  if (statusCode < 400) throw errors.unknown(`invalid upgrade response: status code ${statusCode}`)
  const type = answeredHeaders(response)['content-type'] ?? 'text/plain; charset=utf-8'
  reply.raw(statusCode, type, text)
}
