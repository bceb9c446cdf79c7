/** Volume mounts and block devices of a container. */
import { child, forbidden, index, invalid, notFound, notSupported, required } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { noBacksteps, relativePath } from '../paths.ts'
import type { VolumesByName } from './volumes.ts'

const PROPAGATION = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible']

export function mounts(container: Json, volumes: VolumesByName, path: string, out: Errors): void {
  const devices = listOf(container.volumeDevices)
  const seen = new Set<string>()
  listOf(container.volumeMounts).forEach((mount, i) => {
    const at = index(path, i)
    const { name = '', mountPath = '' } = mount
    if (name === '') out.push(required(child(at, 'name')))
    if (!volumes.has(name)) out.push(notFound(child(at, 'name'), name))
    if (mountPath === '') out.push(required(child(at, 'mountPath')))
    if (seen.has(mountPath)) out.push(invalid(child(at, 'mountPath'), mountPath, 'must be unique'))
    seen.add(mountPath)
    if (devices.some((d) => (d.name ?? '') === name)) {
      out.push(invalid(child(at, 'name'), name, 'must not already exist in volumeDevices'))
    }
    if (lastByName(devices, 'devicePath').includes(mountPath)) {
      out.push(invalid(child(at, 'mountPath'), mountPath, 'must not already exist as a path in volumeDevices'))
    }
    if (mount.subPath) relativePath(mount.subPath, child(path, 'subPath'), out)
    if (mount.subPathExpr) {
      if (mount.subPath) {
        out.push(invalid(child(at, 'subPathExpr'), mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      }
      relativePath(mount.subPathExpr, child(path, 'subPathExpr'), out)
    }
    propagation(mount.mountPropagation, container, child(path, 'mountPropagation'), out)
    recursive(mount, child(path, 'recursiveReadOnly'), out)
  })
}

function propagation(mode: Json, container: Json, path: string, out: Errors): void {
  if (!isSet(mode)) return
  if (!PROPAGATION.includes(mode)) out.push(notSupported(path, mode, PROPAGATION))
  if (mode === 'Bidirectional' && container.securityContext?.privileged !== true) {
    out.push(forbidden(path, 'Bidirectional mount propagation is available only to privileged containers'))
  }
}

function recursive(mount: Json, path: string, out: Errors): void {
  const mode: Json = mount.recursiveReadOnly
  if (!isSet(mode) || mode === 'Disabled') return
  if (mode !== 'Enabled' && mode !== 'IfPossible') {
    out.push(notSupported(path, mode, RECURSIVE))
    return
  }
  if (mount.readOnly !== true) out.push(forbidden(path, 'may only be specified when readOnly is true'))
  if (isSet(mount.mountPropagation) && mount.mountPropagation !== 'None') {
    out.push(forbidden(path, 'may only be specified when mountPropagation is None or not specified'))
  }
}

/** Upstream keeps one path per name, the last. */
function lastByName(list: readonly Json[], field: string): string[] {
  const byName = new Map<string, string>()
  for (const item of list) byName.set(item.name ?? '', item[field] ?? '')
  return [...byName.values()]
}

export function devices(container: Json, volumes: VolumesByName, path: string, out: Errors): void {
  const mounted = listOf(container.volumeMounts)
  const paths = new Set<string>()
  const names = new Set<string>()
  listOf(container.volumeDevices).forEach((device, i) => {
    const at = index(path, i)
    const { name = '', devicePath = '' } = device
    const namePath = child(at, 'name')
    const pathPath = child(at, 'devicePath')
    const volume: Json = volumes.get(name)
    if (name === '') out.push(required(namePath))
    if (names.has(name)) out.push(invalid(namePath, name, 'must be unique'))
    if (volume === undefined) out.push(notFound(namePath, name))
    else if (!isSet(volume.persistentVolumeClaim) && !isSet(volume.ephemeral)) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
      out.push(invalid(namePath, name, detail))
    }
    if (devicePath === '') out.push(required(pathPath))
    if (paths.has(devicePath)) out.push(invalid(pathPath, devicePath, 'must be unique'))
    const steps: Errors = []
    noBacksteps(devicePath, pathPath, steps)
    if (steps.length > 0) out.push(invalid(pathPath, devicePath, "can not contain backsteps ('..')"))
    else paths.add(devicePath)
    if (mounted.some((m) => (m.name ?? '') === name)) {
      out.push(invalid(namePath, name, 'must not already exist in volumeMounts'))
    }
    if (lastByName(mounted, 'mountPath').includes(devicePath)) {
      out.push(invalid(pathPath, devicePath, 'must not already exist as a path in volumeMounts'))
    }
    if (name !== '') names.add(name)
  })
}
