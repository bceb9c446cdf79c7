/** Connections into a tenant's pods: passed on to the host's API server, for the pod that the syncer made of it. */
import type { IncomingMessage } from 'node:http'
import type { KubeObject } from '../machinery/object.ts'
import type { Elsewhere } from '../apiserver/connect/elsewhere.ts'
import type { ServiceResolver } from '../apiserver/dial/contract.ts'
import type { Streams } from '../client/streams.ts'
import { isSimulated } from '../controllers/simulated-log.ts'
import { errors } from '../machinery/status.ts'
import type { Syncer } from '../syncer/syncer.ts'
import { passStream } from './passage.ts'
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
      try {
        const { namespace, name: hostName } = found.pod.metadata
        const path = `/api/v1/namespaces/${namespace!}/pods/${hostName!}/${rest}`
        const told = (response: IncomingMessage) => refusalText(response, found.pod.metadata, pod.metadata)
        await passStream({ streams, path, told }, reply)
      } finally {
        open--
      }
    },
  }
}
