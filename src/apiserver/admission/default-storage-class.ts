/** DefaultStorageClass: a claim that names no class gets the default one. */
import type { AdmissionPlugin } from './contract.ts'
import { newestDefault } from './default-class.ts'

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
    const classes = state.list('storage.k8s.io', 'storageclasses', '')
    const chosen = newestDefault(classes, [IS_DEFAULT, IS_DEFAULT_BETA])
    if (chosen !== undefined) spec.storageClassName = chosen
  },
}
