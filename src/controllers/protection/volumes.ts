/** Keeps volumes that a claim is bound to: `kubernetes.io/pv-protection`. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { workloads } from '../resources.ts'
import { Protection } from './finalizer.ts'

interface Volume extends KubeObject {
  readonly status?: { readonly phase?: string }
}

/** Keys are names. */
export function volumeProtection(context: ControllerContext): Controller {
  const volumes = context.client.informer<Volume>(workloads.persistentvolumes)
  const protection = new Protection(context.client, workloads.persistentvolumes, 'kubernetes.io/pv-protection')
  return {
    name: 'pv-protection',
    start() {
      volumes.onEvent(({ type, object }) => {
        if (type !== 'delete' && protection.needsWork(object)) context.enqueue(object.metadata.name!)
      })
    },
    async reconcile(name) {
      if (!volumes.synced) await volumes.ready()
      const volume = volumes.get('', name)
      if (volume !== undefined) await protection.settle(volume, () => volume.status?.phase === 'Bound')
    },
  }
}
