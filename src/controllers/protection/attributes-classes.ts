/** Keeps classes of volume attributes that a claim or a volume names: `kubernetes.io/vac-protection`. */
import type { InformerEvent } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { workloads } from '../resources.ts'
import { Protection } from './finalizer.ts'

interface Volume extends KubeObject {
  readonly spec?: { readonly volumeAttributesClassName?: string }
}

interface Claim extends Volume {
  readonly status?: {
    readonly currentVolumeAttributesClassName?: string
    readonly modifyVolumeStatus?: { readonly targetVolumeAttributesClassName?: string }
  }
}

const BY_CLASS = 'class'

const named = (...names: readonly (string | undefined)[]): string[] => [
  ...new Set(names.filter((name): name is string => name !== undefined && name !== '')),
]
const ofVolume = ({ spec }: Volume): string[] => named(spec?.volumeAttributesClassName)

/** The class that is asked for, the one that there is, and the one that it is being changed to. */
const ofClaim = ({ spec, status }: Claim): string[] =>
  named(
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  )

/** Keys are names. */
export function attributesClassProtection(context: ControllerContext): Controller {
  const { client } = context
  const classes = client.informer<KubeObject>(workloads.volumeattributesclasses)
  const claims = client.informer<Claim>(workloads.persistentvolumeclaims)
  const volumes = client.informer<Volume>(workloads.persistentvolumes)
  claims.addIndex(BY_CLASS, ofClaim)
  volumes.addIndex(BY_CLASS, ofVolume)
  const protection = new Protection(client, workloads.volumeattributesclasses, 'kubernetes.io/vac-protection')
  const isUsed = (name: string): boolean =>
    claims.byIndex(BY_CLASS, name).length > 0 || volumes.byIndex(BY_CLASS, name).length > 0
  const leave = <T extends KubeObject>(event: InformerEvent<T>, of: (object: T) => string[]): void => {
    if (event.type === 'add') return
    const kept = event.type === 'update' ? of(event.object) : []
    for (const name of of(event.type === 'update' ? event.old : event.object)) {
      if (!kept.includes(name)) context.enqueue(name)
    }
  }
  return {
    name: 'vac-protection',
    start() {
      classes.onEvent(({ type, object }) => {
        if (type !== 'delete' && protection.needsWork(object)) context.enqueue(object.metadata.name!)
      })
      // Whoever stops to name a class may have been the last one.
      claims.onEvent((event) => leave(event, ofClaim))
      volumes.onEvent((event) => leave(event, ofVolume))
    },
    async reconcile(name) {
      for (const informer of [classes, claims, volumes]) if (!informer.synced) await informer.ready()
      const found = classes.get('', name)
      if (found !== undefined) await protection.settle(found, () => isUsed(name))
    },
  }
}
