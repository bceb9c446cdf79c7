/** What API servers say of pods on simulated nodes, in the place of kubelets. */
import type { ConnectorOptions } from '../apiserver/connect/connectors.ts'
import { hostOf } from '../apiserver/connect/proxy.ts'
import { isSimulated, simulatedLog } from '../controllers/simulated-log.ts'

/** `now`: milliseconds since the epoch. */
export function simulatedNodes(now: () => number): Required<Pick<ConnectorOptions, 'logs' | 'absent'>> {
  return {
    logs: (pod, query, node) => (node !== undefined && isSimulated(node) ? simulatedLog(pod, query, now()) : undefined),
    // As it looks where nobody listens.
    absent: (node, place) =>
      node !== undefined && isSimulated(node) ? `dial tcp ${hostOf(place)}: connect: connection refused` : undefined,
  }
}
