/**
 * StorageObjectInUseProtection: claims, volumes and classes of volume attributes in use are not removed. Its partners are
 * the controllers that take the finalizers off again; without them the plug-in must stay out of the chain.
 */
import type { AdmissionPlugin } from './contract.ts'

const FINALIZERS: ReadonlyMap<string, string> = new Map([
  ['persistentvolumeclaims', 'kubernetes.io/pvc-protection'],
  ['persistentvolumes', 'kubernetes.io/pv-protection'],
  ['volumeattributesclasses', 'kubernetes.io/vac-protection'],
])

const GROUPS: ReadonlySet<string> = new Set(['', 'storage.k8s.io'])

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (operation, info, subresource) =>
    operation === 'CREATE' && subresource === '' && GROUPS.has(info.group) && FINALIZERS.has(info.resource),
  mutate({ object, resource }) {
    const finalizer = FINALIZERS.get(resource.info.resource)!
    const list = (object.metadata.finalizers ??= [])
    if (!list.includes(finalizer)) list.push(finalizer)
  },
}
