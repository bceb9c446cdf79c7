/** PersistentVolume specs, also those that stand inside VolumeAttachments. */
import { child, forbidden, invalid, key, notSupported, required } from '../../field.ts'
import { isDns1123Label } from '../../names.ts'
import { parseQuantity, quantityValue, signOf } from '../../quantity.ts'
import { dnsLabel, dnsSubdomain, each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, entry, isSet, listOf, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { noBacksteps } from '../paths.ts'
import { nodeSelector } from '../pod/placement.ts'
import { OLD_PLUGINS } from '../pod/volume-plugins.ts'
import { csiDriverName, hostPath, nfs } from '../pod/volumes.ts'

export const ACCESS_MODES: readonly string[] = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES: readonly string[] = ['Block', 'Filesystem']
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']
const INLINE = 'in the context of inline volumes'

type Check = (source: Json, path: string, out: Errors, name: string) => void

interface Source {
  readonly field: string
  /** Where its problems are reported, if not under the field. */
  readonly path?: string
  /** How it is called when there is another one. */
  readonly twice?: string
  readonly check: Check
}

const old =
  (field: keyof typeof OLD_PLUGINS): Check =>
  (source, path, out, name) =>
    OLD_PLUGINS[field](source, path, out, { name }, '')

/** In the order in which the first one wins. */
const SOURCES: readonly Source[] = [
  { field: 'hostPath', check: hostPath },
  { field: 'gcePersistentDisk', path: 'persistentDisk', check: old('gcePersistentDisk') },
  { field: 'awsElasticBlockStore', check: old('awsElasticBlockStore') },
  { field: 'glusterfs', check: glusterfs },
  { field: 'flocker', check: old('flocker') },
  { field: 'nfs', check: nfs },
  { field: 'rbd', check: old('rbd') },
  { field: 'quobyte', check: old('quobyte') },
  { field: 'cephfs', twice: 'cephFS', check: old('cephfs') },
  { field: 'iscsi', check: iscsi },
  { field: 'cinder', check: withSecret('cinder') },
  { field: 'fc', check: old('fc') },
  { field: 'flexVolume', check: old('flexVolume') },
  { field: 'azureFile', check: azureFile },
  { field: 'vsphereVolume', check: old('vsphereVolume') },
  { field: 'photonPersistentDisk', check: old('photonPersistentDisk') },
  { field: 'portworxVolume', check: old('portworxVolume') },
  { field: 'azureDisk', check: old('azureDisk') },
  { field: 'scaleIO', check: old('scaleIO') },
  { field: 'local', check: local },
  { field: 'storageos', check: withSecret('storageos') },
  { field: 'csi', check: csi },
]

/** The fields that say where a volume's files are. */
export const VOLUME_SOURCE_FIELDS: readonly string[] = SOURCES.map(({ field }) => field)

/** @param inline whether it stands in a VolumeAttachment, which has a part of it only */
export function validateVolumeSpec(spec: Json, name: string, inline: boolean, path: string, out: Errors): void {
  const at = (field: string) => child(path, field)
  if (inline) {
    if (isSet(spec.claimRef)) out.push(forbidden(at('claimRef'), `may not be specified ${INLINE}`))
    if (entriesOf(spec.capacity).length > 0) out.push(forbidden(at('capacity'), `may not be specified ${INLINE}`))
    if (!isSet(spec.csi)) out.push(required(at('csi'), `has to be specified ${INLINE}`))
  }
  accessModes(spec.accessModes, at('accessModes'), out)
  if (!inline) capacity(spec.capacity, at('capacity'), out)
  const policy: string = spec.persistentVolumeReclaimPolicy ?? ''
  const policyAt = at('persistentVolumeReclaimPolicy')
  if (policy !== '' && inline && policy !== 'Retain') out.push(forbidden(policyAt, `may only be Retain ${INLINE}`))
  if (policy !== '' && !inline && !RECLAIM_POLICIES.includes(policy)) {
    out.push(notSupported(policyAt, policy, RECLAIM_POLICIES))
  }
  if (isSet(spec.nodeAffinity)) {
    const affinity = at('nodeAffinity')
    if (inline) out.push(forbidden(affinity, `may not be specified ${INLINE}`))
    else if (isSet(spec.nodeAffinity.required)) nodeSelector(spec.nodeAffinity.required, `${affinity}.required`, out)
    else out.push(required(`${affinity}.required`, 'must specify required node constraints'))
  }
  source(spec, name, path, out)
  if (isSet(spec.hostPath) && isRoot(String(spec.hostPath.path ?? '')) && policy === 'Recycle') {
    out.push(forbidden(policyAt, "may not be 'recycle' for a hostPath mount of '/'"))
  }
  if (spec.storageClassName) {
    if (inline) out.push(forbidden(at('storageClassName'), `may not be specified ${INLINE}`))
    else dnsSubdomain(spec.storageClassName, at('storageClassName'), out)
  }
  if (isSet(spec.volumeMode)) {
    const mode: string = spec.volumeMode
    if (inline && mode !== 'Filesystem') {
      out.push(forbidden(at('volumeMode'), `may not specify volumeMode other than Filesystem ${INLINE}`))
    }
    if (!inline && !VOLUME_MODES.includes(mode)) out.push(notSupported(at('volumeMode'), mode, VOLUME_MODES))
  }
  if (isSet(spec.volumeAttributesClassName)) {
    const className: string = spec.volumeAttributesClassName
    if (className === '') out.push(required(at('volumeAttributesClassName'), 'an empty string is disallowed'))
    else dnsSubdomain(className, at('volumeAttributesClassName'), out)
    if (!isSet(spec.csi)) {
      out.push(required(at('csi'), 'has to be specified when using volumeAttributesClassName'))
    }
  }
}

function accessModes(list: Json, path: string, out: Errors): void {
  const modes = listOf(list)
  if (modes.length === 0) out.push(required(path))
  for (const mode of modes) if (!ACCESS_MODES.includes(mode as string)) out.push(notSupported(path, mode, ACCESS_MODES))
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode as string))
  if (modes.includes('ReadWriteOncePod') && others) {
    out.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
  }
}

function capacity(list: Json, path: string, out: Errors): void {
  const amounts = entriesOf(list)
  if (amounts.length === 0) out.push(required(path))
  if (!isSet(entry(list, 'storage')) || amounts.length > 1) {
    out.push(notSupported(path, sortedMap(list), ['storage']))
  }
  for (const [name, text] of amounts) {
    const quantity = parseQuantity(String(text))
    if (quantity === undefined) continue
    if (signOf(quantity) < 0)
      out.push(invalid(key(path, name), quantityValue(quantity), 'must be a valid resource quantity'))
    if (signOf(quantity) <= 0) out.push(invalid(key(path, name), String(text), 'must be greater than zero'))
  }
}

function source(spec: Json, name: string, path: string, out: Errors): void {
  let found = 0
  for (const { field, path: other = field, twice = field, check } of SOURCES) {
    const value: Json = spec[field]
    if (!isSet(value)) continue
    if (found > 0 && field !== 'flexVolume') {
      out.push(forbidden(child(path, twice), 'may not specify more than 1 volume type'))
      continue
    }
    found++
    check(value, child(path, other), out, name)
    if (field === 'local' && !isSet(spec.nodeAffinity)) {
      out.push(required(child(path, 'nodeAffinity'), 'Local volume requires node affinity'))
    }
  }
  if (found === 0) out.push(required(path, 'must specify a volume type'))
}

function isRoot(path: string): boolean {
  return path.startsWith('/') && path.split('/').every((part) => part === '' || part === '.' || part === '..')
}

function local(value: Json, path: string, out: Errors): void {
  if (!value.path) out.push(required(child(path, 'path')))
  else noBacksteps(value.path, child(path, 'path'), out)
}

function glusterfs(value: Json, path: string, out: Errors): void {
  OLD_PLUGINS.glusterfs(value, path, out, {}, '')
  const namespace: Json = value.endpointsNamespace
  if (!isSet(namespace)) return
  const at = child(path, 'endpointsNamespace')
  if (namespace === '') {
    out.push(invalid(at, '', 'if the endpointnamespace is set, it must be a valid namespace name'))
  } else each(isDns1123Label(String(namespace)), at, namespace, out)
}

const ISCSI_NAME = 'must be valid format'

function iscsi(value: Json, path: string, out: Errors, name: string): void {
  const found: Errors = []
  OLD_PLUGINS.iscsi(value, path, found, { name }, '')
  // Of a volume, names have fewer words, and the long one is reported at the portal.
  for (const error of found) {
    if (error.message.endsWith('starting with iqn, eui, or naa')) {
      const shown = error.field.endsWith('iqn') ? value.iqn : value.initiatorName
      out.push(invalid(error.field, shown, ISCSI_NAME))
    } else if (error.message.includes('Total length of')) {
      const detail = error.message.slice(error.message.indexOf('Total length of'))
      out.push(invalid(child(path, 'targetportal'), value.targetPortal, detail))
    } else out.push(error)
  }
  if (isSet(value.secretRef) && !value.secretRef.name) out.push(required(`${path}.secretRef.name`))
}

/** The secret is in a namespace, which must be named. */
function withSecret(field: 'cinder' | 'storageos'): Check {
  return (value, path, out) => {
    OLD_PLUGINS[field](value, path, out, {}, '')
    if (isSet(value.secretRef) && !value.secretRef.namespace) out.push(required(`${path}.secretRef.namespace`))
  }
}

function azureFile(value: Json, path: string, out: Errors): void {
  OLD_PLUGINS.azureFile(value, path, out, {}, '')
  if (value.secretNamespace === '') out.push(required(child(path, 'secretNamespace')))
}

const SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
]

function csi(value: Json, path: string, out: Errors): void {
  csiDriverName(value.driver, child(path, 'driver'), out)
  if (!value.volumeHandle) out.push(required(child(path, 'volumeHandle')))
  for (const field of SECRETS) {
    const secret: Json = value[field]
    if (!isSet(secret)) continue
    const at = child(path, field)
    if (!secret.name) out.push(required(child(at, 'name')))
    else dnsSubdomain(secret.name, child(at, 'name'), out)
    if (!secret.namespace) out.push(required(child(at, 'namespace')))
    else dnsLabel(secret.namespace, child(at, 'namespace'), out)
  }
}
