/** The Endpoints controller: the older API beside EndpointSlices. */
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { annotation, keyOf, label, sameValue, splitKey } from '../meta.ts'
import { createUnlessEnding } from '../service-account.ts'
import { labelsFrom, selectsPods } from './endpoint.ts'
import { subsetsOf, type Subset } from './subsets.ts'
import { podsOf, type ServiceSource, watchServices } from './watch.ts'

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const MANAGER = 'endpoint-controller'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'

interface Endpoints extends KubeObject {
  subsets?: Subset[]
}

/** Keeps the Endpoints of services with a selector; they go with their service. */
export function endpointsController(context: ControllerContext): Controller {
  const endpoints = context.client.informer<Endpoints>(resources.endpoints)
  let source: ServiceSource
  return {
    name: 'endpoints',
    start() {
      source = watchServices(context)
      endpoints.onEvent((event) => {
        // One whose service went while nobody looked is found here.
        if (event.type !== 'add' || label(event.object, MANAGED_BY) === MANAGER) context.enqueue(keyOf(event.object))
      })
    },
    async reconcile(key) {
      // What waits for nothing is bounded by the engine: it begins no more keys than a turn of the event loop has time for.
      const read = [source.services, source.pods, endpoints]
      if (!read.every((one) => one.synced)) await Promise.all(read.map((one) => one.ready()))
      const { namespace, name } = splitKey(key)
      const service = source.services.get(namespace, name)
      const current = endpoints.get(namespace, name)
      if (service === undefined) {
        if (current !== undefined && label(current, MANAGED_BY) === MANAGER) await remove(namespace, name, current)
        return
      }
      if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return
      const { subsets, truncated } = subsetsOf(service, podsOf(service, source.pods))
      const labels = labelsFrom(service, { [MANAGED_BY]: MANAGER })
      if (current === undefined) {
        const object: Endpoints = {
          apiVersion: 'v1',
          kind: 'Endpoints',
          metadata: {
            name,
            namespace,
            labels,
            ...(truncated ? { annotations: { [OVER_CAPACITY]: 'truncated' } } : {}),
          },
          subsets,
        }
        await createUnlessEnding(() => context.client.create(resources.endpoints, object, { namespace }))
        return
      }
      const capacityRight = (annotation(current, OVER_CAPACITY) === 'truncated') === truncated
      const right = sameValue(current.subsets, subsets) && sameValue(current.metadata.labels, labels)
      if (right && capacityRight) return
      const { [OVER_CAPACITY]: _, ...kept } = current.metadata.annotations ?? {}
      const annotations = truncated ? { ...kept, [OVER_CAPACITY]: 'truncated' } : kept
      await context.client.update(
        resources.endpoints,
        { ...current, metadata: { ...current.metadata, labels, annotations }, subsets },
        { namespace },
      )
    },
  }

  async function remove(namespace: string, name: string, current: Endpoints): Promise<void> {
    try {
      const uid = current.metadata.uid!
      await context.client.delete(resources.endpoints, name, { namespace, preconditions: { uid } })
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
    }
  }
}
