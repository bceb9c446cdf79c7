/** Logs of a tenant's pods: from the host, by look-up of the synced pod. */
import type { Client } from '../client/contract.ts'
import type { LogQuery, LogSource } from '../apiserver/connect/logs.ts'
import { isSimulated, simulatedLog } from '../controllers/simulated-log.ts'
import { errors } from '../machinery/status.ts'
import type { Syncer } from '../syncer/syncer.ts'

export interface HostLogsOptions {
  readonly host: Client
  /** The syncer, once it exists. */
  syncer(): Syncer
  now(): number
}

/** The log source of a virtual cluster. */
export function hostLogs(options: HostLogsOptions, uid: string): LogSource {
  return async (pod, query) => {
    const found = options.syncer().hostPod(uid, pod.metadata.namespace!, pod.metadata.name!)
    if (found === undefined || found.pod['spec'].nodeName === undefined) {
      throw errors.badRequest(
        `container "${query.container!}" in pod "${pod.metadata.name!}" is waiting to start: ContainerCreating`,
      )
    }
    if (found.node !== undefined && isSimulated(found.node)) return simulatedLog(found.pod, query, options.now())
    const { namespace, name } = found.pod.metadata
    return options.host.raw('GET', `/api/v1/namespaces/${namespace!}/pods/${name!}/log?${queryText(query)}`)
  }
}

function queryText(query: LogQuery): string {
  const out = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== false) out.set(name, String(value))
  return out.toString()
}
