/** DefaultStorageClass: a claim that names no class gets the default one. */
import type { KubeObject } from '../../machinery/object.ts'
import type { AdmissionPlugin } from './contract.ts'

const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class'
const IS_DEFAULT_BETA = 'storageclass.beta.kubernetes.io/is-default-class'
const CLASS_BETA = 'volume.beta.kubernetes.io/storage-class'

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  handles: (operation, info, subresource) =>
    operation === 'CREATE' && subresource === '' && info.group === '' && info.resource === 'persistentvolumeclaims',
  mutate({ object, state }) {
    const spec = (object['spec'] ??= {}) as { storageClassName?: string }
    if (spec.storageClassName !== undefined || Object.hasOwn(object.metadata.annotations ?? {}, CLASS_BETA)) return
    const chosen = state.list('storage.k8s.io', 'storageclasses', '').filter(isDefault).toSorted(newestFirst)[0]
    if (chosen?.metadata.name !== undefined) spec.storageClassName = chosen.metadata.name
  },
}

function isDefault({ metadata }: KubeObject): boolean {
  const annotations = new Map(Object.entries(metadata.annotations ?? {}))
  return annotations.get(IS_DEFAULT) === 'true' || annotations.get(IS_DEFAULT_BETA) === 'true'
}

/** The newest wins, of two equally new ones the first by name. */
function newestFirst(a: KubeObject, b: KubeObject): number {
  const times = (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
  return times !== 0 ? times : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
