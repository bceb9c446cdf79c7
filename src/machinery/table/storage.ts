/** Tables of volumes and storage. */
import type { KubeObject } from '../object.ts'
import { age, hasEntry, list, nameOf, simple, text } from './cells.ts'
import { columns, wide } from './contract.ts'
import type { TableDefinition } from './contract.ts'
import { quantityText } from './quantity-cell.ts'

const MODES = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const

function accessModes(modes: readonly string[] | undefined): string {
  return MODES.filter(([mode]) => list(modes).includes(mode))
    .map(([, short]) => short)
    .join(',')
}

const orUnset = (value: string | undefined): string => value ?? '<unset>'

function classOf(object: KubeObject): string {
  const beta = 'volume.beta.kubernetes.io/storage-class'
  const { annotations } = object.metadata
  if (annotations !== undefined && Object.hasOwn(annotations, beta)) return annotations[beta]!
  return text(object['spec']?.storageClassName as string | undefined)
}

function phaseOf(object: KubeObject): string {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating'
  return text(object['status']?.phase as string | undefined)
}

export const persistentVolumeTable: TableDefinition = {
  columns: columns(
    'Name',
    'Capacity',
    'Access Modes',
    'Reclaim Policy',
    'Status',
    'Claim',
    'StorageClass',
    'VolumeAttributesClass',
    'Reason',
    'Age',
    ...wide('VolumeMode'),
  ),
  cells(object, now) {
    const claim = object['spec']?.claimRef as { namespace?: string; name?: string } | undefined
    return [
      nameOf(object),
      quantityText(object['spec']?.capacity, 'storage'),
      accessModes(object['spec']?.accessModes),
      text(object['spec']?.persistentVolumeReclaimPolicy as string | undefined),
      phaseOf(object),
      claim === undefined ? '' : `${text(claim.namespace)}/${text(claim.name)}`,
      classOf(object),
      orUnset(object['spec']?.volumeAttributesClassName as string | undefined),
      text(object['status']?.reason as string | undefined),
      age(object, now),
      orUnset(object['spec']?.volumeMode as string | undefined),
    ]
  },
}

export const persistentVolumeClaimTable: TableDefinition = {
  columns: columns(
    'Name',
    'Status',
    'Volume',
    'Capacity',
    'Access Modes',
    'StorageClass',
    'VolumeAttributesClass',
    'Age',
    ...wide('VolumeMode'),
  ),
  cells(object, now) {
    const volume = text(object['spec']?.volumeName as string | undefined)
    return [
      nameOf(object),
      phaseOf(object),
      volume,
      volume === '' ? '' : quantityText(object['status']?.capacity, 'storage'),
      volume === '' ? '' : accessModes(object['status']?.accessModes),
      classOf(object),
      orUnset(object['spec']?.volumeAttributesClassName as string | undefined),
      age(object, now),
      orUnset(object['spec']?.volumeMode as string | undefined),
    ]
  },
}

const isDefaultClass = (object: KubeObject): boolean =>
  hasEntry(object.metadata.annotations, 'storageclass.kubernetes.io/is-default-class', 'true') ||
  hasEntry(object.metadata.annotations, 'storageclass.beta.kubernetes.io/is-default-class', 'true')

/** Of several default classes the newest counts, then the first by name. */
function effectiveDefault(classes: readonly KubeObject[]): KubeObject | undefined {
  let best: KubeObject | undefined
  for (const one of classes) {
    if (!isDefaultClass(one)) continue
    const [mine, theirs] = [text(one.metadata.creationTimestamp), text(best?.metadata.creationTimestamp)]
    if (best === undefined || mine > theirs || (mine === theirs && nameOf(one) < nameOf(best))) best = one
  }
  return best
}

const defaults = new WeakMap<readonly KubeObject[], { readonly one: KubeObject | undefined }>()

function isEffectiveDefault(object: KubeObject, siblings: readonly KubeObject[]): boolean {
  let found = defaults.get(siblings)
  if (found === undefined) defaults.set(siblings, (found = { one: effectiveDefault(siblings) }))
  return found.one?.metadata.name === object.metadata.name
}

export const storageClassTable: TableDefinition = {
  columns: columns('Name', 'Provisioner', 'ReclaimPolicy', 'VolumeBindingMode', 'AllowVolumeExpansion', 'Age'),
  cells: (object, now, siblings) => [
    siblings !== undefined && isDefaultClass(object) && isEffectiveDefault(object, siblings)
      ? `${nameOf(object)} (default)`
      : nameOf(object),
    text(object['provisioner'] as string | undefined),
    (object['reclaimPolicy'] as string | undefined) ?? 'Delete',
    (object['volumeBindingMode'] as string | undefined) ?? 'Immediate',
    object['allowVolumeExpansion'] === true,
    age(object, now),
  ],
}

export const volumeAttributesClassTable: TableDefinition = {
  columns: columns('Name', 'DriverName', 'Age'),
  cells: simple((object) => text(object['driverName'] as string | undefined)),
}

export const volumeAttachmentTable: TableDefinition = {
  columns: columns('Name', ['Attacher', 'string', 0, 'name'], 'PV', 'Node', ['Attached', 'boolean'], 'Age'),
  cells: simple(
    (object) => text(object['spec']?.attacher as string | undefined),
    (object) => text(object['spec']?.source?.persistentVolumeName as string | undefined),
    (object) => text(object['spec']?.nodeName as string | undefined),
    (object) => object['status']?.attached === true,
  ),
}

export const csiNodeTable: TableDefinition = {
  columns: columns('Name', ['Drivers', 'integer'], 'Age'),
  cells: simple((object) => list(object['spec']?.drivers as unknown[] | undefined).length),
}

const flag = (name: string) => [name, 'boolean'] as const

export const csiDriverTable: TableDefinition = {
  columns: columns(
    'Name',
    flag('AttachRequired'),
    flag('PodInfoOnMount'),
    flag('StorageCapacity'),
    'TokenRequests',
    flag('RequiresRepublish'),
    'Modes',
    'Age',
  ),
  cells: simple(
    (object) => object['spec']?.attachRequired !== false,
    (object) => object['spec']?.podInfoOnMount === true,
    (object) => object['spec']?.storageCapacity === true,
    (object) => {
      const requests = object['spec']?.tokenRequests as { audience?: string }[] | undefined
      return requests === undefined ? '<unset>' : requests.map((one) => text(one.audience)).join(',')
    },
    (object) => object['spec']?.requiresRepublish === true,
    (object) => list(object['spec']?.volumeLifecycleModes as string[] | undefined).join(',') || '<none>',
  ),
}
