/** The EndpointSlice controller. */
import { resources } from '../../client/resources.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { Expectations } from '../expectations.ts'
import { label, splitKey } from '../meta.ts'
import type { Node } from '../objects.ts'
import { createUnlessEnding } from '../service-account.ts'
import { selectsPods } from './endpoint.ts'
import { type EndpointSlice, MANAGED_BY, MANAGER, SERVICE_NAME, sliceChanges } from './slices.ts'
import { podsOf, type ServiceSource, watchServices } from './watch.ts'

const BY_SERVICE = 'service'
const ZONE = 'topology.kubernetes.io/zone'

/** Keeps the slices of services with a selector. Those of a deleted service go with it, by owner reference. */
export function endpointSliceController(context: ControllerContext): Controller {
  const slices = context.client.informer<EndpointSlice>(resources.endpointslices)
  const nodes = context.client.informer<Node>(resources.nodes)
  const expectations = new Expectations(() => context.now())
  let source: ServiceSource
  return {
    name: 'endpointslice',
    start() {
      slices.addIndex(BY_SERVICE, (slice) => {
        const key = ownKey(slice)
        return key === undefined ? [] : [key]
      })
      source = watchServices(context)
      slices.onEvent((event) => {
        const key = ownKey(event.object)
        if (key === undefined) return
        if (event.type === 'add') expectations.creationObserved(key)
        context.enqueue(key)
      })
      nodes.onEvent((event) => {
        if (event.type === 'delete' || !source.services.synced) return
        const before = event.type === 'update' ? label(event.old, ZONE) : undefined
        if (label(event.object, ZONE) === before) return
        for (const service of source.services.list()) {
          context.enqueue(`${service.metadata.namespace!}/${service.metadata.name!}`)
        }
      })
    },
    async reconcile(key) {
      // What waits for nothing is bounded by the engine: it begins no more keys than a turn of the event loop has time for.
      const read = [source.services, source.pods, slices, nodes]
      if (!read.every((one) => one.synced)) await Promise.all(read.map((one) => one.ready()))
      const { namespace, name } = splitKey(key)
      const service = source.services.get(namespace, name)
      if (service === undefined) return expectations.forget(key)
      if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return
      const wait = expectations.waitsFor(key)
      if (wait > 0) return context.enqueue(key, wait)
      const zoneOf = (node: string): string | undefined => {
        const known = nodes.get('', node)
        return known === undefined ? undefined : label(known, ZONE)
      }
      const changes = sliceChanges(service, podsOf(service, source.pods), slices.byIndex(BY_SERVICE, key), zoneOf)
      expectations.expectCreations(key, changes.create.length)
      let failure: { error: unknown } | undefined
      for (const slice of changes.create) {
        let made = false
        try {
          await createUnlessEnding(async () => {
            await context.client.create(resources.endpointslices, slice, { namespace })
            made = true
          })
        } catch (error) {
          failure ??= { error }
        }
        if (!made) expectations.creationObserved(key)
      }
      if (failure !== undefined) throw failure.error
      for (const slice of changes.update) await context.client.update(resources.endpointslices, slice, { namespace })
      for (const slice of changes.delete) {
        try {
          const uid = slice.metadata.uid!
          await context.client.delete(resources.endpointslices, slice.metadata.name!, {
            namespace,
            preconditions: { uid },
          })
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error
        }
      }
    },
  }
}

/** The service whose slice this is, if this controller manages it. */
function ownKey(slice: EndpointSlice): string | undefined {
  if (label(slice, MANAGED_BY) !== MANAGER) return undefined
  const service = label(slice, SERVICE_NAME)
  return service === undefined ? undefined : `${slice.metadata.namespace!}/${service}`
}
