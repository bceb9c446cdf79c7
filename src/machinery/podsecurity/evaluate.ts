/**
 * The Pod Security Standards (kubernetes.io/docs/concepts/security/pod-security-standards) by version: what a pod, or
 * the template of one, does that a standard does not allow. Pure.
 */
import * as baseline from './baseline.ts'
import type { Check } from './baseline.ts'
import { factsOf, type Violation } from './containers.ts'
import type { Standard } from './policy.ts'
import * as restricted from './restricted.ts'

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

const SYSCTLS: readonly (readonly [minor: number, names: readonly string[]])[] = [
  [0, [
    'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range',
    'net.ipv4.ip_unprivileged_port_start',
  ]],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [29, [
    'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl',
    'net.ipv4.tcp_keepalive_probes',
  ]],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
  [37, ['net.ipv4.tcp_slow_start_after_idle', 'net.ipv4.tcp_notsent_lowat']],
] // prettier-ignore

const sysctlsOf = (minor: number): Check =>
  baseline.sysctls(new Set(SYSCTLS.flatMap(([since, names]) => (since <= minor ? names : []))))

interface Entry {
  readonly id: string
  /** By the minor version since when. */
  readonly versions: readonly (readonly [since: number, check: Check])[]
  /** Restricted checks that say more than one of baseline: that one is left out then. */
  readonly replaces?: string
}

/** In the order of their ids, which is that of messages. */
const BASELINE: readonly Entry[] = [
  { id: 'appArmorProfile', versions: [[0, baseline.appArmor]] },
  { id: 'capabilities_baseline', versions: [[0, baseline.capabilities]] },
  { id: 'hostNamespaces', versions: [[0, baseline.hostNamespaces]] },
  { id: 'hostPathVolumes', versions: [[0, baseline.hostPathVolumes]] },
  { id: 'hostPorts', versions: [[0, baseline.hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', versions: [[34, baseline.hostProbes]] },
  { id: 'privileged', versions: [[0, baseline.privileged]] },
  {
    id: 'procMount',
    versions: [
      [0, baseline.procMount],
      [35, baseline.unlessOwnUsers(baseline.procMount)],
    ],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      [0, baseline.seLinux(SELINUX_TYPES)],
      [31, baseline.seLinux([...SELINUX_TYPES, 'container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccomp],
    ],
  },
  { id: 'sysctls', versions: SYSCTLS.map(([since]) => [since, sysctlsOf(since)]) },
  { id: 'windowsHostProcess', versions: [[0, baseline.hostProcess]] },
]

const RESTRICTED: readonly Entry[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      [8, restricted.privilegeEscalation],
      [25, restricted.unlessWindows(restricted.privilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    versions: [
      [22, restricted.restrictedCapabilities],
      [25, restricted.unlessWindows(restricted.restrictedCapabilities)],
    ],
    replaces: 'capabilities_baseline',
  },
  { id: 'procMount_restricted', versions: [[35, baseline.procMount]], replaces: 'procMount' },
  { id: 'restrictedVolumes', versions: [[0, restricted.volumes]], replaces: 'hostPathVolumes' },
  {
    id: 'runAsNonRoot',
    versions: [
      [0, restricted.runAsNonRoot],
      [35, baseline.unlessOwnUsers(restricted.runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    versions: [
      [23, restricted.runAsUser],
      [35, baseline.unlessOwnUsers(restricted.runAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    versions: [
      [19, restricted.restrictedSeccomp],
      [25, restricted.unlessWindows(restricted.restrictedSeccomp)],
    ],
    replaces: 'seccompProfile_baseline',
  },
]

function checkAt({ versions }: Entry, minor: number): Check | undefined {
  return versions.findLast(([since]) => since <= minor)?.[1]
}

function checksOf({ level, minor }: Standard): Check[] {
  const entries: Entry[] = []
  if (level === 'restricted') {
    const strict = RESTRICTED.filter((entry) => checkAt(entry, minor) !== undefined)
    const replaced = new Set(strict.map(({ replaces }) => replaces))
    entries.push(...BASELINE.filter(({ id }) => !replaced.has(id)), ...strict)
  } else entries.push(...BASELINE)
  return entries.flatMap((entry) => checkAt(entry, minor) ?? [])
}

/** What of the pod (or template) the standard does not allow, in the order of upstream's messages. */
export function evaluate(
  standard: Standard,
  pod: { metadata?: { annotations?: Record<string, string> }; spec?: unknown },
): Violation[] {
  if (standard.level === 'privileged') return []
  const facts = factsOf(pod)
  return checksOf(standard).flatMap((check) => check(facts) ?? [])
}

/** `privileged (container "a" must not …), host namespaces (hostPID=true)` */
export function violationText(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')
}
