/** What the syncer has to say about a tenant's own object. */
import { createHash } from 'node:crypto'
import type { KubeObject } from '../machinery/object.ts'

/**
 * A warning event on an object. Its name is a hash of what it says: saying it twice makes one event.
 *
 * @param now milliseconds since the epoch
 */
export function complaint(object: KubeObject, reason: string, message: string, now: number): KubeObject {
  const { name, namespace, uid } = object.metadata
  const hash = createHash('sha256').update(`${uid!}/${reason}/${message}`).digest('hex').slice(0, 16)
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name!.slice(0, 200)}.${hash}`, namespace: namespace! },
    involvedObject: {
      apiVersion: object.apiVersion ?? 'v1',
      kind: object.kind!,
      name: name!,
      namespace: namespace!,
      uid: uid!,
    },
    type: 'Warning',
    reason,
    message,
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: 'tenantry-syncer' },
    reportingComponent: 'tenantry-syncer',
  }
}
