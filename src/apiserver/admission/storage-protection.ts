/**
 * StorageObjectInUseProtection: claims and volumes in use are not removed. Its partner is the controller that takes
 * the finalizers off again; without that controller the plug-in must stay out of the chain.
 */
import type { AdmissionPlugin } from './contract.ts'

const FINALIZERS: ReadonlyMap<string, string> = new Map([
  ['persistentvolumeclaims', 'kubernetes.io/pvc-protection'],
  ['persistentvolumes', 'kubernetes.io/pv-protection'],
])

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (operation, info, subresource) =>
    operation === 'CREATE' && subresource === '' && info.group === '' && FINALIZERS.has(info.resource),
  mutate({ object, resource }) {
    const finalizer = FINALIZERS.get(resource.info.resource)!
    const list = (object.metadata.finalizers ??= [])
    if (!list.includes(finalizer)) list.push(finalizer)
  },
}
