/** Logs of a tenant's pods: from the host's API server, for the pod that the syncer made, as long as they are read. */
import type { LogQuery, LogSource } from '../apiserver/connect/logs.ts'
import type { Streams } from '../client/streams.ts'
import { isSimulated, simulatedLog } from '../controllers/simulated-log.ts'
import { errors } from '../machinery/status.ts'
import type { Syncer } from '../syncer/syncer.ts'
import { passLog } from './passage.ts'
import { refusalText } from './refusal.ts'

export interface HostLogsOptions {
  /** The host's API server, as the manager. */
  readonly streams: Pick<Streams, 'open'>
  /** The syncer, once it exists. */
  syncer(): Pick<Syncer, 'hostPod'>
  now(): number
  /** Logs of one tenant that are read at a time. @default 256 */
  readonly most?: number
}

/** The log source of a virtual cluster. */
export function hostLogs({ streams, syncer, now, most = 256 }: HostLogsOptions, uid: string): LogSource {
  let open = 0
  return async (pod, query, _node, signal) => {
    const { namespace = '', name = '' } = pod.metadata
    const found = syncer().hostPod(uid, namespace, name)
    if (found === undefined || found.pod['spec'].nodeName === undefined) {
      throw errors.badRequest(`container "${query.container}" in pod "${name}" is waiting to start: ContainerCreating`)
    }
    if (found.node !== undefined && isSimulated(found.node)) return simulatedLog(found.pod, query, now())
    if (open >= most) throw errors.tooManyRequests('too many logs of this cluster are being read', 1)
    signal.throwIfAborted()
    open++
    signal.addEventListener('abort', () => open--, { once: true })
    const there = found.pod.metadata
    const path = `/api/v1/namespaces/${there.namespace!}/pods/${there.name!}/log?${logQueryText(query)}`
    return passLog({ streams, path, told: (response) => refusalText(response, there, pod.metadata) }, signal)
  }
}

/** The query of a log: of the options that were read, none of which is text but a time and a checked name. */
export function logQueryText(query: LogQuery): string {
  const { container, follow, previous, timestamps, tailLines, limitBytes, sinceSeconds, sinceTime } = query
  const out = new URLSearchParams({ container })
  if (follow) out.set('follow', 'true')
  if (previous) out.set('previous', 'true')
  if (timestamps) out.set('timestamps', 'true')
  if (tailLines !== undefined) out.set('tailLines', String(tailLines))
  if (limitBytes !== undefined) out.set('limitBytes', String(limitBytes))
  if (sinceSeconds !== undefined) out.set('sinceSeconds', String(sinceSeconds))
  if (sinceTime !== undefined) out.set('sinceTime', sinceTime)
  return out.toString()
}
