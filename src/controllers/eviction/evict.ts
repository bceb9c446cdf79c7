/** Pods that are made to go for the cluster's sake, and are told why. */
import type { Client } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { isReason } from '../../machinery/status.ts'
import { timestamp } from '../meta.ts'
import type { Pod } from '../objects.ts'

/** What the condition `DisruptionTarget` says. */
export interface Disruption {
  readonly reason: string
  readonly message: string
}

/**
 * Marks a pod and deletes it gracefully.
 *
 * @param now milliseconds since the epoch
 * @returns whether it was this call; `false`: it goes already, or has gone
 */
export async function evict(client: Client, pod: Pod, { reason, message }: Disruption, now: number): Promise<boolean> {
  if (pod.metadata.deletionTimestamp !== undefined) return false
  const { name, namespace, uid, generation } = pod.metadata
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    lastTransitionTime: timestamp(now),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
  const body = { metadata: { uid: uid! }, status: { conditions: [condition] } }
  try {
    const where = { namespace: namespace!, subresource: 'status' }
    await client.patch(resources.pods, name!, { type: 'strategic', body }, where)
    await client.delete(resources.pods, name!, { namespace: namespace!, preconditions: { uid: uid! } })
    return true
  } catch (error) {
    // Gone already, or another of the same name: a uid never changes.
    if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return false
    throw error
  }
}
