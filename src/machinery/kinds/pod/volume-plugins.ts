/** Volume plugins that predate CSI. Their objects still exist, so their rules still do. */
import { child, invalid, notSupported, required } from '../../field.ts'
import { isInRange } from '../../names.ts'
import { dnsLabel, each, oneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

type Check = (value: Json, path: string, out: Errors, volume: Json, at: string) => void

const IQN = /iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$/
const EUI = /^eui.[A-Za-z0-9]{16}$/
const NAA = /^naa.[A-Za-z0-9]{32}$/

function needs(value: Json, fields: readonly string[], path: string, out: Errors): void {
  for (const field of fields) if (!value[field]) out.push(required(child(path, field)))
}

function partition(value: Json, path: string, out: Errors): void {
  const number: number = value.partition ?? 0
  if (number < 0 || number > 255) each(['must be between 1 and 255, inclusive'], child(path, 'partition'), number, out)
}

function secretName(value: Json, path: string, out: Errors): void {
  if (isSet(value.secretRef) && !value.secretRef.name) out.push(required(`${path}.secretRef.name`))
}

function isIscsiName(name: string): boolean {
  if (name.startsWith('iqn')) return name.length <= 512 && IQN.test(name)
  return name.startsWith('eui') ? EUI.test(name) : NAA.test(name)
}

function iscsiName(name: string, path: string, out: Errors): void {
  if (!/^(iqn|eui|naa)/.test(name)) out.push(invalid(path, name, 'must be valid format starting with iqn, eui, or naa'))
  else if (!isIscsiName(name)) out.push(invalid(path, name, 'must be valid format'))
}

const gcePersistentDisk: Check = (value, path, out) => {
  needs(value, ['pdName'], path, out)
  partition(value, path, out)
}

const awsElasticBlockStore: Check = (value, path, out) => {
  needs(value, ['volumeID'], path, out)
  partition(value, path, out)
}

const iscsi: Check = (value, path, out, volume, at) => {
  needs(value, ['targetPortal'], path, out)
  if (!value.iqn) out.push(required(child(path, 'iqn')))
  else iscsiName(value.iqn, child(path, 'iqn'), out)
  each(isInRange(value.lun ?? 0, 0, 255), child(path, 'lun'), value.lun ?? 0, out)
  if ((value.chapAuthDiscovery || value.chapAuthSession) && !isSet(value.secretRef)) {
    out.push(required(child(path, 'secretRef')))
  }
  if (!isSet(value.initiatorName)) return
  iscsiName(value.initiatorName, child(path, 'initiatorname'), out)
  if (Buffer.byteLength(`${String(volume.name)}:${String(value.targetPortal)}`) > 64) {
    const detail =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'
    out.push(invalid(child(at, 'name'), volume.name, detail))
  }
}

const glusterfs: Check = (value, path, out) => needs(value, ['endpoints', 'path'], path, out)

const flocker: Check = (value, path, out) => {
  const { datasetName = '', datasetUUID = '' } = value
  if (datasetName === '' && datasetUUID === '') {
    out.push(required(path, 'one of datasetName and datasetUUID is required'))
  }
  if (datasetName !== '' && datasetUUID !== '') {
    out.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  }
  if (String(datasetName).includes('/')) {
    out.push(invalid(child(path, 'datasetName'), datasetName, "must not contain '/'"))
  }
}

function monitors(value: Json, path: string, out: Errors): void {
  if (listOf(value.monitors).length === 0) out.push(required(child(path, 'monitors')))
}

const rbd: Check = (value, path, out) => {
  monitors(value, path, out)
  needs(value, ['image'], path, out)
}

const cinder: Check = (value, path, out) => {
  needs(value, ['volumeID'], path, out)
  secretName(value, path, out)
}

const cephfs: Check = (value, path, out) => monitors(value, path, out)

const HOST_PORT = /^(?:\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/
const PAIRS = 'must be a host:port pair or multiple pairs separated by commas'

const quobyte: Check = (value, path, out) => {
  if (!value.registry) out.push(required(child(path, 'registry'), PAIRS))
  else if (Buffer.byteLength(String(value.tenant ?? '')) >= 65) {
    out.push(required(child(path, 'tenant'), 'must be a UUID and may not exceed a length of 64 characters'))
  } else {
    for (const pair of String(value.registry).split(',')) {
      if (!HOST_PORT.test(pair)) out.push(invalid(child(path, 'registry'), value.registry, PAIRS))
    }
  }
  needs(value, ['volume'], path, out)
}

const fc: Check = (value, path, out) => {
  const names = listOf(value.targetWWNs)
  const ids = listOf(value.wwids)
  const at = child(path, 'targetWWNs')
  if (names.length === 0 && ids.length === 0) {
    out.push(required(at, 'must specify either targetWWNs or wwids, but not both'))
  }
  if (names.length > 0 && ids.length > 0) {
    out.push(invalid(at, names, 'targetWWNs and wwids can not be specified simultaneously'))
  }
  if (names.length === 0) return
  if (!isSet(value.lun)) out.push(required(child(path, 'lun'), 'lun is required if targetWWNs is specified'))
  else each(isInRange(value.lun, 0, 255), child(path, 'lun'), value.lun, out)
}

const flexVolume: Check = (value, path, out) => {
  needs(value, ['driver'], path, out)
  for (const [option] of entriesOf(value.options)) {
    const domain = `.${(option.split('/')[0] ?? '').toLowerCase()}`
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io')) {
      out.push(invalid(`${path}.options[${option}]`, option, 'kubernetes.io and k8s.io namespaces are reserved'))
    }
  }
}

const azureFile: Check = (value, path, out) => needs(value, ['secretName', 'shareName'], path, out)

const MANAGED_URI = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

const azureDisk: Check = (value, path, out) => {
  needs(value, ['diskName', 'diskURI'], path, out)
  if (isSet(value.cachingMode))
    oneOf(value.cachingMode, ['None', 'ReadOnly', 'ReadWrite'], child(path, 'cachingMode'), out)
  if (!isSet(value.kind)) return
  oneOf(value.kind, ['Dedicated', 'Managed', 'Shared'], child(path, 'kind'), out)
  const uri = String(value.diskURI ?? '')
  const at = child(path, 'diskURI')
  if (value.kind === 'Managed') {
    if (!uri.startsWith('/subscriptions/')) out.push(notSupported(at, uri, [MANAGED_URI]))
  } else if (!uri.startsWith('https://')) out.push(notSupported(at, uri, [BLOB_URI]))
}

const vsphereVolume: Check = (value, path, out) => needs(value, ['volumePath'], path, out)
const photonPersistentDisk: Check = (value, path, out) => needs(value, ['pdID'], path, out)
const portworxVolume: Check = (value, path, out) => needs(value, ['volumeID'], path, out)
const scaleIO: Check = (value, path, out) => needs(value, ['gateway', 'system', 'volumeName'], path, out)

const storageos: Check = (value, path, out) => {
  if (!value.volumeName) out.push(required(child(path, 'volumeName')))
  else dnsLabel(value.volumeName, child(path, 'volumeName'), out)
  if (value.volumeNamespace) dnsLabel(value.volumeNamespace, child(path, 'volumeNamespace'), out)
  secretName(value, path, out)
}

/** By the field of a volume. */
export const OLD_PLUGINS = {
  gcePersistentDisk,
  awsElasticBlockStore,
  iscsi,
  glusterfs,
  flocker,
  rbd,
  cinder,
  cephfs,
  quobyte,
  fc,
  flexVolume,
  azureFile,
  azureDisk,
  vsphereVolume,
  photonPersistentDisk,
  portworxVolume,
  scaleIO,
  storageos,
} as const
