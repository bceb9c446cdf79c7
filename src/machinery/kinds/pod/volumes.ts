/** A pod's volumes: names, and the sources that clusters use today. Older plugins are in volume-plugins.ts. */
import { child, duplicate, forbidden, index, invalid, required, tooLong } from '../../field.ts'
import { isDns1123Subdomain } from '../../names.ts'
import { parseQuantity, signOf } from '../../quantity.ts'
import { dnsLabel, each, oneOf, requiredOneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { noBacksteps, relativePath } from '../paths.ts'
import { validateClaimSpec } from '../storage/claim.ts'
import { templateMetadata } from '../template-metadata.ts'
import { downwardFile, fileMode, fileUser, keyToPath } from './files.ts'
import { projectedSources } from './projected.ts'
import { OLD_PLUGINS } from './volume-plugins.ts'

/** The valid volumes by name; containers refer to them. */
export type VolumesByName = ReadonlyMap<string, Json>

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

/** Checks all volumes. `podName` is empty for templates. */
export function volumes(list: Json, podName: string, path: string, out: Errors): VolumesByName {
  const byName = new Map<string, Json>()
  const ownClaims = new Set<string>()
  if (podName !== '') {
    for (const volume of listOf(list)) if (isSet(volume.ephemeral)) ownClaims.add(`${podName}-${String(volume.name)}`)
  }
  listOf(list).forEach((volume, i) => {
    const at = index(path, i)
    const found: Errors = []
    source(volume, at, podName, found)
    if (!volume.name) found.push(required(child(at, 'name')))
    else dnsLabel(volume.name, child(at, 'name'), found)
    if (byName.has(volume.name)) {
      found.push(duplicate(child(at, 'name'), volume.name))
    }
    if (found.length === 0) byName.set(volume.name, volume)
    else out.push(...found)
    const claim: Json = volume.persistentVolumeClaim?.claimName
    if (isSet(claim) && ownClaims.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume'
      out.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail))
    }
  })
  return byName
}

/** What a source says about itself; `at` is the volume's path. */
export type SourceCheck = (source: Json, path: string, out: Errors, volume: Json, at: string) => void

interface SourceKind {
  readonly field: string
  /** The path under which its problems are reported, where upstream's differs from the field. */
  readonly path?: string
  readonly twice?: string
  readonly check: SourceCheck
}

const SOURCES: readonly SourceKind[] = [
  { field: 'hostPath', check: hostPath },
  { field: 'gitRepo', check: gitRepo },
  { field: 'gcePersistentDisk', path: 'persistentDisk', check: OLD_PLUGINS.gcePersistentDisk },
  { field: 'awsElasticBlockStore', check: OLD_PLUGINS.awsElasticBlockStore },
  { field: 'secret', check: secret },
  { field: 'nfs', check: nfs },
  { field: 'iscsi', check: OLD_PLUGINS.iscsi },
  { field: 'glusterfs', check: OLD_PLUGINS.glusterfs },
  { field: 'flocker', check: OLD_PLUGINS.flocker },
  { field: 'persistentVolumeClaim', check: claim },
  { field: 'rbd', check: OLD_PLUGINS.rbd },
  { field: 'cinder', check: OLD_PLUGINS.cinder },
  { field: 'cephfs', twice: 'cephFS', check: OLD_PLUGINS.cephfs },
  { field: 'quobyte', check: OLD_PLUGINS.quobyte },
  { field: 'downwardAPI', twice: 'downwarAPI', check: downwardApi },
  { field: 'fc', check: OLD_PLUGINS.fc },
  { field: 'flexVolume', check: OLD_PLUGINS.flexVolume },
  { field: 'configMap', check: configMap },
  { field: 'azureFile', check: OLD_PLUGINS.azureFile },
  { field: 'vsphereVolume', check: OLD_PLUGINS.vsphereVolume },
  { field: 'photonPersistentDisk', check: OLD_PLUGINS.photonPersistentDisk },
  { field: 'portworxVolume', check: OLD_PLUGINS.portworxVolume },
  { field: 'azureDisk', check: OLD_PLUGINS.azureDisk },
  { field: 'storageos', check: OLD_PLUGINS.storageos },
  { field: 'projected', check: projected },
  { field: 'scaleIO', check: OLD_PLUGINS.scaleIO },
  { field: 'csi', check: csi },
  { field: 'ephemeral', check: ephemeral },
  { field: 'image', check: image },
]

function source(volume: Json, at: string, podName: string, out: Errors): void {
  let found = 0
  if (isSet(volume.emptyDir)) {
    found++
    const limit: Json = volume.emptyDir.sizeLimit
    const size = isSet(limit) ? parseQuantity(String(limit)) : undefined
    if (size !== undefined && signOf(size) < 0) {
      out.push(forbidden(`${at}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
    }
  }
  for (const kind of SOURCES) {
    const value: Json = volume[kind.field]
    if (!isSet(value)) continue
    if (found > 0) {
      out.push(forbidden(child(at, kind.twice ?? kind.field), 'may not specify more than 1 volume type'))
      continue
    }
    found++
    kind.check(value, child(at, kind.path ?? kind.field), out, volume, at)
    if (kind.field === 'ephemeral' && podName !== '' && volume.name) {
      const name = `${podName}-${String(volume.name)}`
      for (const message of isDns1123Subdomain(name)) {
        out.push(invalid(child(at, 'name'), volume.name, `PVC name ${JSON.stringify(name)}: ${message}`))
      }
    }
  }
  if (found === 0) out.push(required(at, 'must specify a volume type'))
}

export function hostPath(value: Json, path: string, out: Errors): void {
  if (!value.path) {
    out.push(required(child(path, 'path')))
    return
  }
  noBacksteps(value.path, child(path, 'path'), out)
  if (isSet(value.type)) oneOf(value.type, HOST_PATH_TYPES, child(path, 'type'), out)
}

function gitRepo(value: Json, path: string, out: Errors): void {
  if (!value.repository) out.push(required(child(path, 'repository')))
  relativePath(value.directory ?? '', child(path, 'directory'), out)
}

function secret(value: Json, path: string, out: Errors): void {
  if (!value.secretName) out.push(required(child(path, 'secretName')))
  keyed(value, path, out)
}

function configMap(value: Json, path: string, out: Errors): void {
  if (!value.name) out.push(required(child(path, 'name')))
  keyed(value, path, out)
}

function keyed(value: Json, path: string, out: Errors): void {
  fileMode(value.defaultMode, child(path, 'defaultMode'), out)
  fileUser(value.defaultUser, child(path, 'defaultUser'), out)
  listOf(value.items).forEach((item, i) => keyToPath(item, index(child(path, 'items'), i), out))
}

export function nfs(value: Json, path: string, out: Errors): void {
  if (!value.server) out.push(required(child(path, 'server')))
  if (!value.path) out.push(required(child(path, 'path')))
  if (!String(value.path ?? '').startsWith('/')) {
    out.push(invalid(child(path, 'path'), value.path ?? '', 'must be an absolute path'))
  }
}

function claim(value: Json, path: string, out: Errors): void {
  if (!value.claimName) out.push(required(child(path, 'claimName')))
}

function downwardApi(value: Json, path: string, out: Errors): void {
  fileMode(value.defaultMode, child(path, 'defaultMode'), out)
  fileUser(value.defaultUser, child(path, 'defaultUser'), out)
  for (const file of listOf(value.items)) downwardFile(file, path, out)
}

function projected(value: Json, path: string, out: Errors): void {
  fileMode(value.defaultMode, child(path, 'defaultMode'), out)
  fileUser(value.defaultUser, child(path, 'defaultUser'), out)
  projectedSources(value, path, out)
}

function csi(value: Json, path: string, out: Errors): void {
  csiDriverName(value.driver, child(path, 'driver'), out)
  if (!isSet(value.nodePublishSecretRef)) return
  const name: Json = value.nodePublishSecretRef.name
  if (!name) out.push(required(`${path}.nodePublishSecretRef.name`))
  else each(isDns1123Subdomain(name), child(path, 'name'), name, out)
}

/** Names of CSI drivers: subdomains in any case, at most 63 bytes. */
export function csiDriverName(name: Json, path: string, out: Errors): void {
  if (!name) {
    out.push(required(path))
    return
  }
  if (Buffer.byteLength(name) > 63) {
    out.push(tooLong(path, 63))
  }
  each(isDns1123Subdomain(String(name).toLowerCase()), path, name, out)
}

function ephemeral(value: Json, path: string, out: Errors): void {
  const template: Json = value.volumeClaimTemplate
  const at = child(path, 'volumeClaimTemplate')
  if (!isSet(template)) {
    out.push(required(at))
    return
  }
  templateMetadata(template.metadata ?? {}, child(at, 'metadata'), out)
  validateClaimSpec(template.spec ?? {}, child(at, 'spec'), out)
}

function image(value: Json, path: string, out: Errors): void {
  if (!value.reference) out.push(required(child(path, 'reference')))
  requiredOneOf(value.pullPolicy, PULL_POLICIES, child(path, 'pullPolicy'), out)
}
