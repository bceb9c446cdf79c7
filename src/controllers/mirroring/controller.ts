/** The EndpointSlice mirroring controller: for services without a selector, whose Endpoints are written by hand. */
import { resources } from '../../client/resources.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { Expectations } from '../expectations.ts'
import { keyOf, label, splitKey } from '../meta.ts'
import type { Service } from '../objects.ts'
import { createUnlessEnding } from '../service-account.ts'
import { isMirrored, MANAGED_BY, MANAGER, mirrorChanges, SERVICE_NAME } from './slices.ts'
import type { Endpoints, MirrorSlice } from './slices.ts'

const BY_SERVICE = 'mirrored-service'

export function endpointSliceMirroringController(context: ControllerContext): Controller {
  const { client } = context
  const endpoints = client.informer<Endpoints>(resources.endpoints)
  const services = client.informer<Service>(resources.services)
  const slices = client.informer<MirrorSlice>(resources.endpointslices)
  const expectations = new Expectations(() => context.now())

  return {
    name: 'endpointslicemirroring',
    start() {
      slices.addIndex(BY_SERVICE, (slice) => {
        const key = ownKey(slice)
        return key === undefined ? [] : [key]
      })
      const enqueue = ({ object }: { readonly object: Endpoints | Service }): void => context.enqueue(keyOf(object))
      endpoints.onEvent(enqueue)
      services.onEvent(enqueue)
      slices.onEvent(({ type, object }) => {
        const key = ownKey(object)
        if (key === undefined) return
        if (type === 'add') expectations.creationObserved(key)
        context.enqueue(key)
      })
    },
    async reconcile(key) {
      const sources = [endpoints, services, slices]
      if (sources.some(({ synced }) => !synced)) await Promise.all(sources.map((one) => one.ready()))
      const { namespace, name } = splitKey(key)
      const wait = expectations.waitsFor(key)
      if (wait > 0) return context.enqueue(key, wait)
      const changes = mirrorChanges(mirrored(namespace, name), slices.byIndex(BY_SERVICE, key))
      expectations.expectCreations(key, changes.create.length)
      let failure: { error: unknown } | undefined
      for (const slice of changes.create) {
        let made = false
        try {
          await createUnlessEnding(async () => {
            await client.create(resources.endpointslices, slice, { namespace })
            made = true
          })
        } catch (error) {
          failure ??= { error }
        }
        if (!made) expectations.creationObserved(key)
      }
      if (failure !== undefined) throw failure.error
      for (const slice of changes.update) await client.update(resources.endpointslices, slice, { namespace })
      for (const { metadata } of changes.delete) {
        try {
          const preconditions = { uid: metadata.uid! }
          await client.delete(resources.endpointslices, metadata.name!, { namespace, preconditions })
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error
        }
      }
    },
  }

  /** The Endpoints of this name, if there is anything to mirror. */
  function mirrored(namespace: string, name: string): Endpoints | undefined {
    const found = endpoints.get(namespace, name)
    const service = services.get(namespace, name)
    if (found === undefined || service === undefined || service.spec.selector !== undefined) return undefined
    return isMirrored(found) ? found : undefined
  }
}

function ownKey(slice: MirrorSlice): string | undefined {
  if (label(slice, MANAGED_BY) !== MANAGER) return undefined
  const service = label(slice, SERVICE_NAME)
  return service === undefined ? undefined : `${slice.metadata.namespace!}/${service}`
}
