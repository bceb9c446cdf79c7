/** Keeps claims that pods use: `kubernetes.io/pvc-protection`. */
import { resources } from '../../client/resources.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { workloads } from '../resources.ts'
import { Protection } from './finalizer.ts'
import type { Claim, Pod } from './uses.ts'
import { claimsOf, holds } from './uses.ts'

const BY_CLAIM = 'claim'
const keyOf = (namespace: string | undefined, name: string | undefined): string => `${namespace}/${name}`

/** Keys are `namespace/name`. */
export function claimProtection(context: ControllerContext): Controller {
  const { client } = context
  const claims = client.informer<Claim>(workloads.persistentvolumeclaims)
  const pods = client.informer<Pod>(resources.pods)
  pods.addIndex(BY_CLAIM, (pod) => claimsOf(pod).map((name) => keyOf(pod.metadata.namespace, name)))
  const protection = new Protection(client, workloads.persistentvolumeclaims, 'kubernetes.io/pvc-protection')
  return {
    name: 'pvc-protection',
    start() {
      claims.onEvent(({ type, object: { metadata }, object }) => {
        if (type !== 'delete' && protection.needsWork(object)) context.enqueue(keyOf(metadata.namespace, metadata.name))
      })
      pods.onEvent(({ type, object }) => {
        const { phase } = object.status ?? {}
        if (type !== 'delete' && phase !== 'Succeeded' && phase !== 'Failed') return
        for (const name of claimsOf(object)) context.enqueue(keyOf(object.metadata.namespace, name))
      })
    },
    async reconcile(key) {
      if (!claims.synced) await claims.ready()
      if (!pods.synced) await pods.ready()
      const slash = key.indexOf('/')
      const claim = claims.get(key.slice(0, slash), key.slice(slash + 1))
      if (claim === undefined) return
      await protection.settle(claim, () => pods.byIndex(BY_CLAIM, key).some((pod) => holds(pod, claim)))
    },
  }
}
