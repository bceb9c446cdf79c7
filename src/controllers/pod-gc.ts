/** Pod garbage collection: finished pods beyond a threshold, pods of nodes that are gone, pods that nobody will end. */
import { resources } from '../client/resources.ts'
import { isReason } from '../machinery/status.ts'
import { forEachLimited } from './batches.ts'
import type { ControllerFactory } from './contract.ts'
import { withCondition } from './conditions.ts'
import { parseTime, timestamp } from './meta.ts'
import type { Node, Pod } from './objects.ts'
import { BY_NODE, isTerminal } from './pods.ts'

/** Milliseconds that a node may be missing before its pods are taken for lost. */
const QUARANTINE = 40_000
const FINISHED = 'finished'
const UNSCHEDULED = 'unscheduled'

export interface PodGcOptions {
  /** Finished pods that may stay; 0: any number. @default 12500 */
  readonly terminatedPodThreshold?: number
}

/** Keys: `finished`, `unscheduled`, `node/<name>`. Nothing is polled: changes of pods and nodes cause all work. */
export function podGarbageCollector({ terminatedPodThreshold = 12_500 }: PodGcOptions = {}): ControllerFactory {
  return (context) => {
    const { client } = context
    const pods = client.informer<Pod>(resources.pods)
    const nodes = client.informer<Node>(resources.nodes)
    const remove = async (pod: Pod): Promise<void> => {
      const { namespace, name, uid } = pod.metadata
      try {
        const preconditions = { uid: uid! }
        await client.delete(resources.pods, name!, { namespace: namespace!, gracePeriodSeconds: 0, preconditions })
      } catch (error) {
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
      }
    }
    return {
      name: 'pod-gc',
      start() {
        pods.addIndex(BY_NODE, (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName]))
        pods.addIndex(FINISHED, (pod) => (isTerminal(pod) ? [FINISHED] : []))
        pods.onEvent((event) => {
          if (event.type === 'delete') return
          const pod = event.object
          const old = event.type === 'update' ? event.old : undefined
          if (isTerminal(pod) && (old === undefined || !isTerminal(old))) context.enqueue(FINISHED, 1000)
          const { nodeName } = pod.spec
          if (nodeName === undefined && pod.metadata.deletionTimestamp !== undefined) context.enqueue(UNSCHEDULED)
          if (nodeName === undefined || old?.spec.nodeName === nodeName || !nodes.synced) return
          if (nodes.get('', nodeName) === undefined) context.enqueue(`node/${nodeName}`, QUARANTINE)
        })
        nodes.onEvent(({ type, object }) => {
          if (type === 'delete') context.enqueue(`node/${object.metadata.name!}`, QUARANTINE)
        })
        context.enqueue('start')
      },
      async reconcile(key) {
        await Promise.all([pods.ready(), nodes.ready()])
        if (key === FINISHED) {
          if (terminatedPodThreshold > 0) await forEachLimited(surplus(pods.byIndex(FINISHED, FINISHED)), remove)
          return
        }
        if (key === UNSCHEDULED) {
          const ending = pods.list().filter((pod) => pod.metadata.deletionTimestamp !== undefined)
          await forEachLimited(
            ending.filter((pod) => pod.spec.nodeName === undefined),
            remove,
          )
          return
        }
        if (key === 'start') {
          const missing = new Set(pods.list().map((pod) => pod.spec.nodeName ?? ''))
          for (const name of missing) {
            if (name !== '' && nodes.get('', name) === undefined) context.enqueue(`node/${name}`, QUARANTINE)
          }
          return
        }
        const name = key.slice('node/'.length)
        if (nodes.get('', name) !== undefined || (await nodeExists(name))) return
        await forEachLimited(pods.byIndex(BY_NODE, name), async (pod) => {
          if (!isTerminal(pod)) await markLost(pod)
          await remove(pod)
        })
      },
    }

    function surplus(finished: Pod[]): Pod[] {
      const extra = finished.length - terminatedPodThreshold
      if (extra <= 0) return []
      const age = (pod: Pod): number => parseTime(pod.metadata.creationTimestamp)
      return finished.toSorted((a, b) => age(a) - age(b)).slice(0, extra)
    }

    async function nodeExists(name: string): Promise<boolean> {
      try {
        await client.get(resources.nodes, name)
        return true
      } catch (error) {
        if (isReason(error, 'NotFound')) return false
        throw error
      }
    }

    /** Whoever watches the pod learns that it did not end by itself. */
    async function markLost(pod: Pod): Promise<void> {
      const conditions = withCondition(pod.status?.conditions ?? [], {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
        lastTransitionTime: timestamp(context.now()),
      })
      const status = { ...pod.status, phase: 'Failed', conditions }
      try {
        const { namespace } = pod.metadata
        await client.update(resources.pods, { ...pod, status }, { namespace: namespace!, subresource: 'status' })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    }
  }
}
