/** The taint eviction controller: pods go from nodes with `NoExecute` taints, at once or when their toleration ends. */
import { resources } from '../../client/resources.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { keyOf, sameValue, splitKey } from '../meta.ts'
import type { Node, Pod } from '../objects.ts'
import { BY_NODE } from '../pods.ts'
import { createRecorder } from '../recorder.ts'
import { evict } from './evict.ts'
import { expellingTaints, toleratedFor } from './toleration.ts'

const DISRUPTION = {
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
}

/** Keys: `node/<name>`, `pod/<namespace>/<name>`. */
export function taintEvictionController(context: ControllerContext): Controller {
  const { client } = context
  const pods = client.informer<Pod>(resources.pods)
  const nodes = client.informer<Node>(resources.nodes)
  const recorder = createRecorder(context, 'taint-eviction-controller', { apiVersion: 'v1', kind: 'Pod' })
  /** Since when pods that will have to go bear their taints, by uid; only those. */
  const since = new Map<string, number>()

  return {
    name: 'taint-eviction',
    start() {
      pods.addIndex(BY_NODE, (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName]))
      nodes.onEvent((event) => {
        if (event.type === 'delete') return
        const before = event.type === 'update' ? expellingTaints(event.old) : []
        if (!sameValue(before, expellingTaints(event.object))) context.enqueue(`node/${event.object.metadata.name!}`)
      })
      pods.onEvent((event) => {
        const pod = event.object
        if (event.type === 'delete') {
          if (since.delete(pod.metadata.uid!)) tellSpared(pod)
          return
        }
        const { nodeName, tolerations } = pod.spec
        if (nodeName === undefined || expellingTaints(nodes.get('', nodeName)).length === 0) return
        const old = event.type === 'update' ? event.old.spec : undefined
        if (old?.nodeName === nodeName && sameValue(old.tolerations, tolerations)) return
        context.enqueue(`pod/${keyOf(pod)}`)
      })
    },
    async reconcile(key) {
      if (!pods.synced || !nodes.synced) await Promise.all([pods.ready(), nodes.ready()])
      if (key.startsWith('node/')) {
        for (const pod of pods.byIndex(BY_NODE, key.slice('node/'.length))) context.enqueue(`pod/${keyOf(pod)}`)
        return
      }
      const { namespace, name } = splitKey(key.slice('pod/'.length))
      const pod = pods.get(namespace, name)
      if (pod?.spec.nodeName === undefined || pod.metadata.deletionTimestamp !== undefined) return
      const uid = pod.metadata.uid!
      const time = toleratedFor(pod.spec.tolerations, expellingTaints(nodes.get('', pod.spec.nodeName)))
      if (time === Infinity) {
        if (since.delete(uid)) tellSpared(pod)
        return
      }
      const now = context.now()
      const begin = since.get(uid) ?? now
      if (now < begin + time) {
        since.set(uid, begin)
        context.enqueue(key, begin + time - now)
        return
      }
      recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${name}`)
      await evict(client, pod, DISRUPTION, now)
      since.delete(uid)
    },
  }

  function tellSpared(pod: Pod): void {
    recorder.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${keyOf(pod)}`)
  }
}
