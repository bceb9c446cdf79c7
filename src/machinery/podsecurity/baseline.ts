/** The checks of the Pod Security Standard "baseline". */
import type { KubeObject } from '../object.ts'
import {
  names,
  offenders,
  plural,
  quoted,
  setters,
  sorted,
  these,
  type PodFacts,
  type Violation,
} from './containers.ts'

export type Check = (pod: PodFacts) => Violation | undefined
type Context = KubeObject['securityContext']

const CAPABILITIES = new Set([
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE',
  'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT',
]) // prettier-ignore

export const appArmor: Check = (pod) => {
  const badType = (context: Context): boolean =>
    context.appArmorProfile !== undefined && !['RuntimeDefault', 'Localhost'].includes(context.appArmorProfile.type)
  const { spec, containers, annotations } = pod
  const values = sorted(
    [spec, ...containers]
      .filter(({ securityContext: context }) => context !== undefined && badType(context))
      .map(({ securityContext: context }) => String(context.appArmorProfile.type ?? '')),
  )
  const allowed = (value: string): boolean =>
    value === '' || value === 'runtime/default' || value.startsWith('localhost/')
  const notes = sorted(
    Object.entries(annotations)
      .filter(([key, value]) => key.startsWith('container.apparmor.security.beta.kubernetes.io/') && !allowed(value))
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`),
  )
  const who = [offenders(pod, badType), notes.length > 0 ? plural('annotation', notes.length) : undefined]
  const setting = who.filter((one) => one !== undefined)
  if (setting.length === 0) return undefined
  const bad = [...values, ...notes]
  return {
    reason: plural('forbidden AppArmor profile', bad.length),
    detail: `${setting.join(' and ')} must not set AppArmor profile type to ${quoted(bad)}`,
  }
}

export const capabilities: Check = ({ containers }) => {
  const wrong = (container: KubeObject['container']): string[] =>
    ((container.securityContext?.capabilities?.add ?? []) as string[]).filter((one) => !CAPABILITIES.has(one))
  const bad = containers.filter((container) => wrong(container).length > 0)
  if (bad.length === 0) return undefined
  const added = quoted(sorted(bad.flatMap(wrong)))
  return {
    reason: 'non-default capabilities',
    detail: `${these(bad)} must not include ${added} in securityContext.capabilities.add`,
  }
}

export const hostNamespaces: Check = ({ spec }) => {
  const used = ['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true)
  if (used.length === 0) return undefined
  return { reason: 'host namespaces', detail: used.map((field) => `${field}=true`).join(', ') }
}

export const hostPathVolumes: Check = ({ spec }) => {
  const bad = ((spec.volumes ?? []) as KubeObject['volume'][]).filter(({ hostPath }) => hostPath !== undefined)
  if (bad.length === 0) return undefined
  return { reason: 'hostPath volumes', detail: `${plural('volume', bad.length)} ${quoted(names(bad))}` }
}

export const hostPorts: Check = ({ containers }) => {
  const ports = (container: KubeObject['container']): string[] =>
    ((container.ports ?? []) as { hostPort?: number }[])
      .filter(({ hostPort = 0 }) => hostPort !== 0)
      .map(({ hostPort }) => String(hostPort))
  const bad = containers.filter((container) => ports(container).length > 0)
  if (bad.length === 0) return undefined
  const used = sorted(bad.flatMap(ports))
  const verb = plural('uses', bad.length, 'use')
  return { reason: 'hostPort', detail: `${these(bad)} ${verb} ${plural('hostPort', used.length)} ${used.join(', ')}` }
}

export const hostProbes: Check = ({ containers }) => {
  const hosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: KubeObject['container']): string[] =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap((handler) =>
      [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host): host is string => (host ?? '') !== ''),
    )
  const bad = containers.filter((container) => hosts(container).length > 0)
  if (bad.length === 0) return undefined
  const used = sorted(bad.flatMap(hosts))
  const who = `${plural('container', bad.length)} ${quoted(sorted(names(bad)))} ${plural('uses', bad.length, 'use')}`
  return {
    reason: 'probe or lifecycle host',
    detail: `${who} ${plural('probe or lifecycle host', used.length)} ${quoted(used)}`,
  }
}

export const privileged: Check = ({ containers }) => {
  const bad = containers.filter(({ securityContext }) => securityContext?.privileged === true)
  if (bad.length === 0) return undefined
  return { reason: 'privileged', detail: `${these(bad)} must not set securityContext.privileged=true` }
}

export const procMount: Check = ({ containers }) => {
  const bad = containers.filter(({ securityContext }) => (securityContext?.procMount ?? 'Default') !== 'Default')
  if (bad.length === 0) return undefined
  const types = quoted(sorted(bad.map(({ securityContext }) => String(securityContext.procMount))))
  return { reason: 'procMount', detail: `${these(bad)} must not set securityContext.procMount to ${types}` }
}

/** Root in a user namespace of its own is not root on the node. */
export function unlessOwnUsers(check: Check): Check {
  return (pod) => (pod.spec.hostUsers === false ? undefined : check(pod))
}

export function seLinux(types: readonly string[]): Check {
  return (pod) => {
    const kinds: string[] = []
    let [user, role] = [false, false]
    const who = offenders(pod, ({ seLinuxOptions: options }) => {
      if (options === undefined || options === null) return false
      const type = String(options.type ?? '')
      const [setsUser, setsRole] = [(options.user ?? '') !== '', (options.role ?? '') !== '']
      if (!types.includes(type)) kinds.push(type)
      user ||= setsUser
      role ||= setsRole
      return !types.includes(type) || setsUser || setsRole
    })
    if (who === undefined) return undefined
    const bad = sorted(kinds)
    const what = [
      ...(bad.length > 0 ? [`${plural('type', bad.length)} ${quoted(bad)}`] : []),
      ...(user ? ['user may not be set'] : []),
      ...(role ? ['role may not be set'] : []),
    ]
    const detail = `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`
    return { reason: 'seLinuxOptions', detail }
  }
}

/** Before there was a field. */
export const seccompAnnotations: Check = ({ annotations, containers }) => {
  const keys = ['pod', ...containers.map(({ name }) => `container.seccomp.security.alpha.kubernetes.io/${name}`)]
  keys[0] = 'seccomp.security.alpha.kubernetes.io/pod'
  const allowed = (value: string): boolean =>
    value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')
  const bad = sorted(
    keys.flatMap((key) => {
      const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined
      return value === undefined || allowed(value) ? [] : [`${key}=${JSON.stringify(value)}`]
    }),
  )
  if (bad.length === 0) return undefined
  return { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', bad.length)} ${bad.join(', ')}` }
}

export const hasGoodSeccomp = (context: Context): boolean =>
  context?.seccompProfile?.type === 'RuntimeDefault' || context?.seccompProfile?.type === 'Localhost'

export const seccomp: Check = (pod) => {
  const badType = (context: Context): boolean => context.seccompProfile !== undefined && !hasGoodSeccomp(context)
  const who = offenders(pod, badType)
  if (who === undefined) return undefined
  const values = [pod.spec, ...pod.containers]
    .filter(({ securityContext: context }) => context !== undefined && badType(context))
    .map(({ securityContext: context }) => String(context.seccompProfile.type ?? ''))
  const detail = `${who} must not set securityContext.seccompProfile.type to ${quoted(sorted(values))}`
  return { reason: 'seccompProfile', detail }
}

export function sysctls(allowed: ReadonlySet<string>): Check {
  return ({ spec }) => {
    const set = (spec.securityContext?.sysctls ?? []) as { name: string }[]
    const bad = set.map(({ name }) => name).filter((name) => !allowed.has(name))
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
  }
}

export const hostProcess: Check = (pod) => {
  const uses = (context: Context): boolean => context?.windowsOptions?.hostProcess === true
  const bad = pod.containers.filter(({ securityContext }) => uses(securityContext))
  const who = setters(uses(pod.spec.securityContext), bad)
  if (who === undefined) return undefined
  return { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` }
}
