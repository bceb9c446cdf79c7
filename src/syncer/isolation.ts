/**
 * What a tenant's pod may not ask of the host: Pod Security "baseline"
 * (kubernetes.io/docs/concepts/security/pod-security-standards), always enforced here
 * because tenants do not trust each other and the host's own admission may be off.
 */
import type { KubeObject } from '../machinery/object.ts'
import { evaluate } from '../machinery/podsecurity/evaluate.ts'
import type { Standard } from '../machinery/podsecurity/policy.ts'

const BASELINE: Standard = { level: 'baseline', minor: Infinity }
const CAPABILITIES = new Set([
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE',
  'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT',
]) // prettier-ignore
const SYSCTLS = new Set([
  'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range', 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_slow_start_after_idle', 'net.ipv4.tcp_notsent_lowat',
]) // prettier-ignore
const SELINUX_TYPES = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])
/** Volume sources that run or open things on the node itself. */
const FORBIDDEN_VOLUMES = ['hostPath', 'flexVolume', 'gitRepo'] as const
/** Sources that would give a tenant's pod what belongs to the host: an identity, or its trust. */
const FORBIDDEN_SOURCES = ['podCertificate', 'clusterTrustBundle'] as const
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const
const HOOKS = ['postStart', 'preStop'] as const

/** Why a pod may not run on the host; empty when it may. Each reason names the field. */
export function violations(pod: KubeObject): string[] {
  const spec = pod['spec']
  const out: string[] = []
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
    if (spec[field] === true) out.push(`spec.${field} is true`)
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const source of FORBIDDEN_VOLUMES)
      if (volume[source] !== undefined) out.push(`spec.volumes[${i}] is a ${source} volume`)
    for (const source of volume.projected?.sources ?? [])
      for (const kind of FORBIDDEN_SOURCES)
        if (source[kind] !== undefined) out.push(`spec.volumes[${i}] has a ${kind} source`)
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec
    for (const field of ['volumeName', 'dataSource', 'dataSourceRef'] as const)
      if (claim?.[field] !== undefined) out.push(`spec.volumes[${i}].ephemeral sets ${field}`)
  }
  // Claims are objects of the host's namespace, which a tenant may share with others.
  if ((spec.resourceClaims ?? []).length > 0) out.push('spec.resourceClaims are not carried to the host')
  if (spec.securityContext !== undefined) podContext(spec.securityContext, out)
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) containerRules(container, `spec.${list}[${i}]`, out)
  }
  for (const key of Object.keys(pod.metadata.annotations ?? {})) {
    if (
      key.startsWith('container.apparmor.security.beta.kubernetes.io/') &&
      pod.metadata.annotations![key] === 'unconfined'
    ) {
      out.push(`annotation ${key} is unconfined`)
    }
  }
  // The standard has the last word: what it forbids is refused also where nothing above names the field.
  if (out.length === 0) for (const { reason, detail } of evaluate(BASELINE, pod)) out.push(`${reason} (${detail})`)
  return out
}

function podContext(context: KubeObject['securityContext'], out: string[]): void {
  profiles(context, 'spec.securityContext', out)
  for (const sysctl of context.sysctls ?? [])
    if (!SYSCTLS.has(sysctl.name)) out.push(`sysctl ${sysctl.name} is not a safe one`)
}

function containerRules(container: KubeObject['container'], path: string, out: string[]): void {
  for (const port of container.ports ?? [])
    if ((port.hostPort ?? 0) !== 0) out.push(`${path} has hostPort ${port.hostPort}`)
  // The kubelet asks from the node: with a host of its own a probe reaches what the pod cannot.
  for (const name of PROBES) otherHost(container[name], `${path}.${name}`, out)
  for (const name of HOOKS) otherHost(container.lifecycle?.[name], `${path}.lifecycle.${name}`, out)
  const context = container.securityContext
  if (context === undefined) return
  profiles(context, `${path}.securityContext`, out)
  if (context.privileged === true) out.push(`${path}.securityContext.privileged is true`)
  if (context.procMount !== undefined && context.procMount !== 'Default')
    out.push(`${path}.securityContext.procMount is ${context.procMount}`)
  for (const capability of context.capabilities?.add ?? []) {
    if (!CAPABILITIES.has(capability)) out.push(`${path} adds capability ${capability}`)
  }
}

function otherHost(handler: KubeObject['handler'], path: string, out: string[]): void {
  for (const action of ['httpGet', 'tcpSocket'] as const)
    if ((handler?.[action]?.host ?? '') !== '') out.push(`${path}.${action}.host is ${handler[action].host}`)
}

function profiles(context: KubeObject['securityContext'], path: string, out: string[]): void {
  if (context.seccompProfile?.type === 'Unconfined') out.push(`${path}.seccompProfile is Unconfined`)
  if (context.appArmorProfile?.type === 'Unconfined') out.push(`${path}.appArmorProfile is Unconfined`)
  if (context.windowsOptions?.hostProcess === true) out.push(`${path}.windowsOptions.hostProcess is true`)
  const selinux = context.seLinuxOptions
  if (selinux !== undefined) {
    if (!SELINUX_TYPES.has(selinux.type ?? '')) out.push(`${path}.seLinuxOptions.type is ${selinux.type}`)
    if ((selinux.user ?? '') !== '' || (selinux.role ?? '') !== '') out.push(`${path}.seLinuxOptions sets user or role`)
  }
}
