/** PersistentVolume. */
import { forbidden, invalid } from '../../field.ts'
import { immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, same } from '../json.ts'
import type { Json } from '../json.ts'
import { defaultPlugins, fill } from '../pod/defaults.ts'
import { shownAs } from '../internal.ts'
import { sameButStableLabels } from '../node-labels.ts'
import { roundList } from '../resources.ts'
import { VOLUME_SOURCE_FIELDS, validateVolumeSpec } from './volume-spec.ts'

function sameAffinity(now: Json, old: Json): boolean {
  return isSet(now) && sameButStableLabels(now.required, old.required)
}

export const persistentVolumeRules: KindRules = {
  defaults: (volume) => {
    const spec: Json = (volume['spec'] ??= {})
    defaultPlugins(spec)
    if (isSet(spec.hostPath) && !isSet(spec.hostPath.type)) spec.hostPath.type = ''
    fill((volume['status'] ??= {}) as Json, 'phase', 'Pending')
    fill(spec, 'persistentVolumeReclaimPolicy', 'Retain')
    spec.volumeMode ??= 'Filesystem'
    roundList(spec.capacity)
  },
  prepareCreate: (volume) => {
    const now = volume.metadata.creationTimestamp
    volume['status'] = { phase: 'Pending', ...(now === undefined ? {} : { lastPhaseTransitionTime: now }) }
  },
  prepareUpdate: (volume, old) => {
    volume['status'] = old['status']
  },
  prepareStatus: (volume, old, now) => {
    volume['spec'] = old['spec']
    const [status, before]: Json[] = [volume['status'] ?? {}, old['status'] ?? {}]
    const [time, last] = [status.lastPhaseTransitionTime, before.lastPhaseTransitionTime]
    if (status.phase === before.phase) {
      if (!isSet(time) && isSet(last)) status.lastPhaseTransitionTime = last
    } else if (!isSet(time) || time === last) status.lastPhaseTransitionTime = now()
  },
  validate: (volume) => {
    const out: Errors = []
    validateVolumeSpec(volume['spec'] ?? {}, volume.metadata.name ?? '', false, 'spec', out)
    return out
  },
  validateUpdate: (volume, old) => {
    const out: Errors = []
    const [spec, before]: Json[] = [volume['spec'] ?? {}, old['spec'] ?? {}]
    if (!same(sourceOf(spec, before), sourceOf(before))) {
      const detail = 'spec.persistentvolumesource is immutable after creation\n'
      out.push(forbidden('spec.persistentvolumesource', detail))
    }
    immutable(spec.volumeMode, before.volumeMode, 'volumeMode', out)
    if (isSet(before.nodeAffinity) && !sameAffinity(spec.nodeAffinity, before.nodeAffinity)) {
      const affinity: Json = spec.nodeAffinity
      const shown: Json = isSet(affinity) ? shownAs('io.k8s.api.core.v1.VolumeNodeAffinity', affinity) : null
      out.push(invalid('nodeAffinity', shown, 'field is immutable, except for updating from beta label to GA'))
    }
    if (isSet(before.volumeAttributesClassName) && !isSet(spec.volumeAttributesClassName)) {
      out.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
    }
    return out
  },
  generation: false,
  warnings,
}

/** Where the files are. The secret for growing may still be set on a volume that has none. */
function sourceOf(spec: Json, before?: Json): Json {
  const out: Json = {}
  for (const field of VOLUME_SOURCE_FIELDS) if (isSet(spec[field])) out[field] = spec[field]
  if (isSet(out.csi) && isSet(before?.csi) && !isSet(before.csi.controllerExpandSecretRef)) {
    const { controllerExpandSecretRef: _secret, ...csi } = out.csi
    out.csi = csi
  }
  return out
}

const OLD_SOURCES: readonly (readonly [field: string, shown: string, text: string])[] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

function warnings(volume: Json): string[] {
  const out: string[] = []
  const spec: Json = volume.spec ?? {}
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    out.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    )
  }
  for (const [field, shown, text] of OLD_SOURCES) if (isSet(spec[field])) out.push(`spec.${shown}: ${text}`)
  return out
}
