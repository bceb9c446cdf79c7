/** Security contexts of pods and containers. */
import { child, duplicate, forbidden, index, invalid, notSupported, required, tooLong } from '../../field.ts'
import { isDns1123Subdomain } from '../../names.ts'
import { each, isUnixId, oneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { relativePath } from '../paths.ts'
import { shownAs } from '../internal.ts'

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined']

function unixId(value: Json, path: string, out: Errors): void {
  if (isSet(value)) each(isUnixId(value), path, value, out)
}

/** A container's; `hostUsers` says whether the pod shares the host's user namespace. */
export function containerSecurity(sc: Json, hostUsers: boolean, path: string, out: Errors): void {
  if (!isSet(sc)) return
  unixId(sc.runAsUser, child(path, 'runAsUser'), out)
  unixId(sc.runAsGroup, child(path, 'runAsGroup'), out)
  if (isSet(sc.procMount)) {
    const at = child(path, 'procMount')
    oneOf(sc.procMount, ['Default', 'Unmasked'], at, out)
    if (hostUsers && sc.procMount === 'Unmasked') {
      out.push(invalid(at, sc.procMount, '`hostUsers` must be false to use `Unmasked`'))
    }
  }
  seccomp(sc.seccompProfile, child(path, 'seccompProfile'), out)
  if (sc.allowPrivilegeEscalation === false) {
    if (sc.privileged === true) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
      out.push(invalid(path, shownAs('io.k8s.api.core.v1.SecurityContext', sc), detail))
    }
    if (listOf(sc.capabilities?.add).includes('CAP_SYS_ADMIN')) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'
      out.push(invalid(path, shownAs('io.k8s.api.core.v1.SecurityContext', sc), detail))
    }
  }
  windowsOptions(sc.windowsOptions, child(path, 'windowsOptions'), out)
  appArmor(sc.appArmorProfile, child(path, 'appArmorProfile'), out)
}

/** A pod's. */
export function podSecurity(spec: Json, path: string, out: Errors): void {
  const sc: Json = spec.securityContext
  if (!isSet(sc)) return
  unixId(sc.fsGroup, child(path, 'fsGroup'), out)
  unixId(sc.runAsUser, child(path, 'runAsUser'), out)
  unixId(sc.runAsGroup, child(path, 'runAsGroup'), out)
  listOf(sc.supplementalGroups).forEach((group, i) => unixId(group, index(child(path, 'supplementalGroups'), i), out))
  sysctls(spec, child(path, 'sysctls'), out)
  if (isSet(sc.fsGroupChangePolicy)) {
    oneOf(sc.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], child(path, 'fsGroupChangePolicy'), out)
  }
  seccomp(sc.seccompProfile, child(path, 'seccompProfile'), out)
  windowsOptions(sc.windowsOptions, child(path, 'windowsOptions'), out)
  appArmor(sc.appArmorProfile, child(path, 'appArmorProfile'), out)
  if (isSet(sc.supplementalGroupsPolicy)) {
    oneOf(sc.supplementalGroupsPolicy, ['Merge', 'Strict'], child(path, 'supplementalGroupsPolicy'), out)
  }
  if (isSet(sc.seLinuxChangePolicy)) {
    oneOf(sc.seLinuxChangePolicy, ['MountOption', 'Recursive'], child(path, 'seLinuxChangePolicy'), out)
  }
}

function seccomp(profile: Json, path: string, out: Errors): void {
  if (!isSet(profile)) return
  const type: string = profile.type ?? ''
  if (type === '') out.push(required(child(path, 'type'), 'type is required when seccompProfile is set'))
  else if (!PROFILE_TYPES.includes(type)) out.push(notSupported(child(path, 'type'), type, PROFILE_TYPES))
  const at = child(path, 'localhostProfile')
  if (type === 'Localhost') {
    if (!isSet(profile.localhostProfile)) out.push(required(at, 'must be set when seccomp type is Localhost'))
    else relativePath(profile.localhostProfile, at, out)
  } else if (isSet(profile.localhostProfile)) {
    const shown = { Type: type, LocalhostProfile: profile.localhostProfile }
    out.push(invalid(at, shown, 'can only be set when seccomp type is Localhost'))
  }
}

/** An AppArmor profile in a security context. */
export function appArmor(profile: Json, path: string, out: Errors): void {
  if (!isSet(profile)) return
  const at = child(path, 'localhostProfile')
  const name: Json = profile.localhostProfile
  switch (profile.type ?? '') {
    case 'Localhost':
      if (!isSet(name)) {
        out.push(required(at, 'must be set when AppArmor type is Localhost'))
        return
      }
      if (String(name).trim() !== name) out.push(invalid(at, name, 'must not be padded with whitespace'))
      else if (name === '') out.push(required(at, 'must be set when AppArmor type is Localhost'))
      if (Buffer.byteLength(name) > 4095) out.push(tooLong(at, 4095))
      return
    case 'RuntimeDefault':
    case 'Unconfined':
      if (isSet(name)) out.push(invalid(at, name, 'can only be set when AppArmor type is Localhost'))
      return
    case '':
      out.push(required(child(path, 'type'), 'type is required when appArmorProfile is set'))
      return
    default:
      out.push(notSupported(child(path, 'type'), profile.type, PROFILE_TYPES))
  }
}

const SYSCTL_SEGMENT = /^[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/
const SYSCTL_SHOWN =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const IPC_SYSCTLS = [
  'kernel.sem',
  'kernel.shm',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
  'kernel.msg',
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
]

function isSysctl(name: string): boolean {
  return Buffer.byteLength(name) <= 253 && name.split(/[./]/).every((segment) => SYSCTL_SEGMENT.test(segment))
}

function sysctls(spec: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(spec.securityContext.sysctls).forEach((sysctl, i) => {
    const at = child(index(path, i), 'name')
    const name: string = sysctl.name ?? ''
    if (name === '') out.push(required(at))
    else if (!isSysctl(name)) out.push(invalid(at, name, SYSCTL_SHOWN))
    else if (seen.has(name)) out.push(duplicate(at, name))
    const dotted = dottedSysctl(name)
    if (spec.hostNetwork && dotted.startsWith('net.')) {
      out.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"))
    } else if (spec.hostIPC && (IPC_SYSCTLS.includes(dotted) || dotted.startsWith('fs.mqueue.'))) {
      out.push(invalid(at, name, "may not be specified when 'hostIPC' is true"))
    }
    seen.add(name)
  })
}

/** sysctl(8) lets `/` separate, and then `.` stands for a slash inside a name. */
function dottedSysctl(name: string): string {
  const slash = name.indexOf('/')
  const dot = name.indexOf('.')
  if (slash < 0 || (dot >= 0 && dot < slash)) return name
  return name.replaceAll(/[./]/g, (c) => (c === '/' ? '.' : '/'))
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const WINDOWS_DNS_LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

function windowsOptions(options: Json, path: string, out: Errors): void {
  if (!isSet(options)) return
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: credentialSpec } = options
  if (isSet(specName)) each(isDns1123Subdomain(specName), child(path, 'gmsaCredentialSpecName'), specName, out)
  if (isSet(credentialSpec)) {
    const at = child(path, 'gmsaCredentialSpec')
    const size = Buffer.byteLength(credentialSpec)
    if (size === 0) out.push(invalid(at, credentialSpec, 'gmsaCredentialSpec cannot be an empty string'))
    else if (size > 65536) out.push(invalid(at, credentialSpec, 'gmsaCredentialSpec size must be under 64 KiB'))
  }
  if (isSet(options.runAsUserName)) windowsUser(options.runAsUserName, child(path, 'runAsUserName'), out)
}

function windowsUser(name: string, path: string, out: Errors): void {
  const refuse = (detail: string): unknown => out.push(invalid(path, name, detail))
  if (name === '') {
    refuse('runAsUserName cannot be an empty string')
    return
  }
  if (CONTROL.test(name)) {
    refuse('runAsUserName cannot contain control characters')
    return
  }
  const parts = name.split('\\')
  if (parts.length > 2) {
    refuse('runAsUserName cannot contain more than one backslash')
    return
  }
  const user = parts.at(-1)!
  if (parts.length === 2) {
    const domain = parts[0]!
    if (Buffer.byteLength(domain) >= 256) refuse("runAsUserName's Domain length must be under 256 characters")
    if (!NETBIOS.test(domain) && !domain.split('.').every((label) => WINDOWS_DNS_LABEL.test(label))) {
      refuse("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    }
  }
  if (user === '') refuse("runAsUserName's User cannot be empty")
  else if (Buffer.byteLength(user) > 104) refuse("runAsUserName's User length must not be longer than 104 characters")
  if (/^[. ]+$/.test(user)) refuse("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    refuse('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  }
}

/** Fields that only the other operating system has. */
const NOT_FOR_WINDOWS_PODS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
]
const NOT_FOR_WINDOWS_CONTAINERS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
]

/** `spec.os` and what it rules out. */
export function operatingSystem(spec: Json, path: string, out: Errors): void {
  if (!isSet(spec.os)) return
  const name: string = spec.os.name ?? ''
  if (name === '') out.push(required(`${path}.os.name`))
  else if (name === 'linux') {
    const detail = 'windows options cannot be set for a linux pod'
    if (isSet(spec.securityContext?.windowsOptions)) {
      out.push(forbidden(`${path}.securityContext.windowsOptions`, detail))
    }
    eachContainer(spec, path, (container, at) => {
      if (isSet(container.securityContext?.windowsOptions)) {
        out.push(forbidden(`${at}.securityContext.windowsOptions`, detail))
      }
    })
  } else if (name === 'windows') windowsPod(spec, path, out)
  else out.push(notSupported(child(path, 'os'), name, ['linux', 'windows']))
}

function windowsPod(spec: Json, path: string, out: Errors): void {
  const refuse = (at: string): unknown => out.push(forbidden(at, 'cannot be set for a windows pod'))
  for (const field of NOT_FOR_WINDOWS_PODS) {
    const value: Json = spec.securityContext?.[field]
    if (isSet(value) && !(field === 'sysctls' && value.length === 0)) refuse(`${path}.securityContext.${field}`)
  }
  if (isSet(spec.hostUsers)) refuse(child(path, 'hostUsers'))
  if (spec.hostPID) refuse(child(path, 'hostPID'))
  if (spec.hostIPC) refuse(child(path, 'hostIPC'))
  if (isSet(spec.shareProcessNamespace)) refuse(child(path, 'shareProcessNamespace'))
  eachContainer(spec, path, (container, at) => {
    for (const field of NOT_FOR_WINDOWS_CONTAINERS) {
      if (isSet(container.securityContext?.[field])) refuse(`${at}.securityContext.${field}`)
    }
  })
}

/** Visits init, regular and ephemeral containers, in this order; without a path of the spec they have none. */
export function eachContainer(spec: Json, path: string, visit: (container: Json, path: string) => void): void {
  for (const field of ['initContainers', 'containers', 'ephemeralContainers']) {
    const at = path === '' ? '' : child(path, field)
    listOf(spec[field]).forEach((container, i) => visit(container, at === '' ? '' : index(at, i)))
  }
}

/** HostProcess containers of Windows: all or none, on the host's network. */
export function hostProcess(spec: Json, path: string, out: Errors): void {
  const pod: Json = spec.securityContext?.windowsOptions?.hostProcess
  let all = 0
  let used = 0
  eachContainer(spec, path, (container, at) => {
    all++
    const own: Json = container.securityContext?.windowsOptions?.hostProcess
    if (isSet(pod) && isSet(own) && pod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${String(pod)}`
      out.push(invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, detail))
    }
    if ((own ?? pod) === true) used++
  })
  if (used === 0) return
  if (used !== all) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers'
    out.push(invalid(path, '', detail))
  }
  if (!spec.hostNetwork) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers'
    out.push(invalid(child(path, 'hostNetwork'), false, detail))
  }
}
