/**
 * The ResourceQuota controller: works out what is used, from all objects. Admission charges every write as it
 * happens; what objects give back when they end, and what a new quota finds, is found here.
 */
import type { Informer, Resource } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { written } from '../../machinery/quota/charge.ts'
import { scopesOf } from '../../machinery/quota/scopes.ts'
import { countedBy, evaluatorFor, type Evaluator } from '../../machinery/quota/usage.ts'
import type { Quantities } from '../../machinery/pod-resources.ts'
import { addQuantities, quantityOf, type Quantity } from '../../machinery/quantity.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { discover } from '../discovery.ts'
import { keyOf, sameValue, splitKey } from '../meta.ts'
import type { Pod } from '../objects.ts'
import { isTerminal } from '../pods.ts'
import { workloads } from '../resources.ts'

/** Milliseconds after which a quota is worked out again, for what changes without a write. */
const RESYNC = 5 * 60_000
/**
 * Milliseconds after a status has been written in which new objects have it worked out again: they may have been
 * admitted before the quota was in force, or been charged to what has been overwritten.
 */
const UNSETTLED = 10_000
/** Milliseconds in which many new objects become one piece of work. */
const GATHER = 50

interface Quota extends KubeObject {
  spec?: { hard?: Record<string, string> }
  status?: { hard?: Record<string, string>; used?: Record<string, string> }
}

const SPECIAL: readonly Resource[] = [
  resources.pods,
  resources.services,
  workloads.persistentvolumeclaims,
  workloads.resourceclaims,
]

/** Where there is no quota, nothing but quotas is listened to. */
export function resourceQuotaController(context: ControllerContext): Controller {
  const { client } = context
  const quotas = client.informer<Quota>(workloads.resourcequotas)
  const counted = new Map<string, Informer>()
  /** When the status of a quota was last written, by key. */
  const settling = new Map<string, number>()

  return {
    name: 'resourcequota',
    start() {
      quotas.onEvent((event) => {
        if (event.type === 'delete') {
          settling.delete(keyOf(event.object))
          return
        }
        const { spec, status } = event.object
        // Somebody else wrote the status: it is put right at once.
        const foreign = !sameValue(status?.hard ?? {}, spec?.hard ?? {})
        const changed = event.type === 'add' || foreign || !sameValue(event.old.spec, spec)
        if (changed) context.enqueue(keyOf(event.object))
      })
    },
    async reconcile(key) {
      if (!quotas.synced) await quotas.ready()
      const { namespace, name } = splitKey(key)
      const quota = quotas.get(namespace, name)
      if (quota === undefined) return
      context.enqueue(key, RESYNC)
      const hard = quota.spec?.hard ?? {}
      if (!sameValue(quota.status?.hard ?? {}, hard)) settling.set(key, context.now())
      const used = await usedOf(quota, Object.keys(hard))
      const status = { ...quota.status, hard, used: written(used) }
      if (sameValue(status, quota.status)) return
      settling.set(key, context.now())
      try {
        const where = { namespace, subresource: 'status' }
        await client.update(workloads.resourcequotas, { ...quota, status }, where)
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    },
  }

  /** What is used of each name that something is counted by, 0 where there is nothing. */
  async function usedOf(quota: Quota, names: readonly string[]): Promise<Quantities> {
    const used = new Map<string, Quantity>()
    const now = context.now()
    const scopes = scopesOf(quota)
    const served = names.some((name) => countedBy(name) !== undefined) ? await countable(names) : []
    for (const resource of [...SPECIAL, ...served]) {
      const evaluator = evaluatorFor(resource.group, resource.resource)
      const own = names.filter((name) => evaluator?.covers(name) === true)
      if (evaluator === undefined || own.length === 0) continue
      for (const name of own) used.set(name, quantityOf(0))
      const informer = listen(resource, evaluator)
      if (!informer.synced) await informer.ready()
      for (const object of informer.list(quota.metadata.namespace!)) {
        if (!scopes.every((scope) => evaluator.fits(scope, object))) continue
        const usage = evaluator.usage(object, now)
        for (const name of own) {
          const amount = usage.get(name)
          if (amount !== undefined) used.set(name, addQuantities(used.get(name)!, amount))
        }
      }
    }
    return used
  }

  async function countable(names: readonly string[]): Promise<Resource[]> {
    const wanted = new Set(names.map(countedBy).map((one) => `${one?.group}/${one?.resource}`))
    for (const { group, resource } of SPECIAL) wanted.delete(`${group}/${resource}`)
    if (wanted.size === 0) return []
    const { resources: served } = await discover(client, context.signal)
    return served.filter(({ group, resource, namespaced }) => namespaced && wanted.has(`${group}/${resource}`))
  }

  /** From the first quota on that counts a resource, what its objects give back is noticed. */
  function listen(resource: Resource, evaluator: Evaluator): Informer {
    const id = `${resource.group}/${resource.resource}`
    let informer = counted.get(id)
    if (informer !== undefined) return informer
    informer = client.informer(resource)
    counted.set(id, informer)
    informer.onEvent((event) => {
      if (event.type === 'update' && !matters(resource, event.old, event.object)) return
      const added = event.type === 'add'
      if (added && settling.size === 0) return
      for (const quota of quotas.list(event.object.metadata.namespace!)) {
        const key = keyOf(quota)
        // New objects are charged when they are written.
        if (added && !unsettled(key)) continue
        if (!Object.keys(quota.spec?.hard ?? {}).some((name) => evaluator.covers(name))) continue
        if (added) context.enqueue(key, GATHER)
        else context.enqueue(key)
      }
    })
    return informer
  }

  function unsettled(key: string): boolean {
    const since = settling.get(key)
    if (since === undefined) return false
    if (context.now() - since < UNSETTLED) return true
    settling.delete(key)
    return false
  }
}

/** Whether a change of an object may change what it uses. */
function matters(resource: Resource, old: KubeObject, object: KubeObject): boolean {
  if (resource === resources.pods) {
    const [before, now] = [old as Pod, object as Pod]
    return isTerminal(before) !== isTerminal(now) || !sameValue(before.spec, now.spec)
  }
  if (!SPECIAL.includes(resource)) return false
  return !sameValue(old['spec'], object['spec']) || !sameValue(old['status'], object['status'])
}
