/** Kinds of which only the defaults (and what the server resets) are written here. */
import type { KindRules } from './contract.ts'
import { listOf } from './json.ts'
import type { Json } from './json.ts'
import { fill } from './pod/defaults.ts'
import { defaultStorageClass } from './storage/defaults.ts'

const csiDriver: KindRules = {
  defaults: (object) => {
    const spec: Json = (object['spec'] ??= {})
    fill(spec, 'attachRequired', true)
    fill(spec, 'podInfoOnMount', false)
    fill(spec, 'storageCapacity', false)
    fill(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType')
    if (listOf(spec.volumeLifecycleModes).length === 0) spec.volumeLifecycleModes = ['Persistent']
    fill(spec, 'requiresRepublish', false)
    fill(spec, 'seLinuxMount', false)
    fill(spec, 'preventPodSchedulingIfMissing', false)
  },
  generation: false,
}

const storageClass: KindRules = { defaults: defaultStorageClass, generation: false }

/** By group and kind. */
export const DEFAULTS_ONLY: readonly (readonly [string, KindRules])[] = [
  ['apps/ControllerRevision', { generation: false }],
  ['storage.k8s.io/StorageClass', storageClass],
  ['storage.k8s.io/CSIDriver', csiDriver],
  ['storage.k8s.io/CSINode', { generation: false }],
  ['storage.k8s.io/CSIStorageCapacity', { generation: false }],
  ['storage.k8s.io/VolumeAttachment', { generation: false }],
  ['storage.k8s.io/VolumeAttributesClass', { generation: false }],
  ['node.k8s.io/RuntimeClass', { generation: false }],
]
