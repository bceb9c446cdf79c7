import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate, violationText } from './evaluate.ts'
import { policyOf, standardText, type Level } from './policy.ts'

/** A pod that "restricted" allows. */
function good(spec: object = {}, container: object = {}): { metadata: object; spec: object } {
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  }
  return { metadata: {}, spec: { containers: [{ name: 'a', securityContext, ...container }], ...spec } }
}

const plain = (spec: object = {}, ...containers: object[]): { metadata: object; spec: object } => ({
  metadata: {},
  spec: { containers: containers.length === 0 ? [{ name: 'a' }] : containers, ...spec },
})

const text = (level: Level, pod: object, minor = Infinity): string => violationText(evaluate({ level, minor }, pod))

const cases: readonly [level: Level, pod: object, expected: string, minor?: number][] = [
  ['privileged', plain({ hostNetwork: true }), ''],
  ['baseline', plain(), ''],
  ['restricted', good(), ''],
  [
    'restricted',
    plain({}, { name: 'a' }, { name: 'b' }),
    'allowPrivilegeEscalation != false (containers "a", "b" must set securityContext.allowPrivilegeEscalation=false), ' +
      'unrestricted capabilities (containers "a", "b" must set securityContext.capabilities.drop=["ALL"]), ' +
      'runAsNonRoot != true (pod or containers "a", "b" must set securityContext.runAsNonRoot=true), ' +
      'seccompProfile (pod or containers "a", "b" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
  ['baseline', plain({ hostNetwork: true, hostIPC: true }), 'host namespaces (hostNetwork=true, hostIPC=true)'],
  [
    'baseline',
    plain({}, { name: 'a', securityContext: { privileged: true } }),
    'privileged (container "a" must not set securityContext.privileged=true)',
  ],
  [
    'baseline',
    plain({}, { name: 'a', ports: [{ hostPort: 80 }, { hostPort: 443 }, { containerPort: 1 }] }),
    'hostPort (container "a" uses hostPorts 443, 80)',
  ],
  ['baseline', plain({ volumes: [{ name: 'v', hostPath: {} }] }), 'hostPath volumes (volume "v")'],
  [
    'restricted',
    good({
      volumes: [
        { name: 'v', hostPath: {} },
        { name: 'w', nfs: {} },
        { name: 'x', emptyDir: {} },
      ],
    }),
    'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
  ],
  [
    'baseline',
    plain({}, { name: 'a', securityContext: { capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_RAW'] } } }),
    'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
  ],
  [
    'baseline',
    plain({ securityContext: { seLinuxOptions: { type: 'x', user: 'u' } } }),
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "x"; user may not be set)',
  ],
  ['baseline', plain({ securityContext: { seLinuxOptions: { type: 'container_engine_t' } } }), ''],
  [
    'baseline',
    plain({ securityContext: { seLinuxOptions: { type: 'container_engine_t' } } }),
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
    30,
  ],
  [
    'baseline',
    plain({ securityContext: { sysctls: [{ name: 'kernel.msgmax' }, { name: 'net.ipv4.tcp_rmem' }] } }),
    'forbidden sysctls (kernel.msgmax)',
  ],
  [
    'baseline',
    plain({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }] } }),
    'forbidden sysctls (net.ipv4.tcp_rmem)',
    31,
  ],
  [
    'baseline',
    plain({ securityContext: { seccompProfile: { type: 'Unconfined' } } }),
    'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    'baseline',
    {
      metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' } },
      spec: { containers: [{ name: 'a', securityContext: { appArmorProfile: { type: 'Unconfined' } } }] },
    },
    'forbidden AppArmor profiles (container "a" and annotation must not set AppArmor profile type to "Unconfined", ' +
      '"container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
  ],
  [
    'baseline',
    plain(
      {},
      {
        name: 'a',
        livenessProbe: { httpGet: { host: '10.0.0.1' } },
        lifecycle: { preStop: { tcpSocket: { host: 'x' } } },
      },
    ),
    'probe or lifecycle host (container "a" uses probe or lifecycle hosts "10.0.0.1", "x")',
  ],
  ['baseline', plain({}, { name: 'a', livenessProbe: { httpGet: { host: '10.0.0.1' } } }), '', 33],
  [
    'baseline',
    plain({ securityContext: { windowsOptions: { hostProcess: true } } }),
    'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
  ],
  [
    'baseline',
    plain({}, { name: 'a', securityContext: { procMount: 'Unmasked' } }),
    'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  ],
  ['baseline', plain({ hostUsers: false }, { name: 'a', securityContext: { procMount: 'Unmasked' } }), ''],
  ['restricted', good({ securityContext: { runAsUser: 0 } }), 'runAsUser=0 (pod must not set runAsUser=0)'],
  ['restricted', good({ securityContext: { runAsUser: 0 }, hostUsers: false }), ''],
  [
    'restricted',
    good({ securityContext: { runAsNonRoot: false } }),
    'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
  ],
  ['restricted', plain({ os: { name: 'windows' }, securityContext: { runAsNonRoot: true } }), ''],
  [
    'baseline',
    plain({
      initContainers: [{ name: 'i', securityContext: { privileged: true } }],
      ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }],
    }),
    'privileged (containers "i", "e" must not set securityContext.privileged=true)',
  ],
]
for (const [level, pod, expected, minor] of cases) {
  test(`${level}: ${expected === '' ? `allows ${JSON.stringify(pod)}` : expected}`, () => {
    assert.equal(text(level, pod, minor), expected)
  })
}

test('labels: levels, versions, and that warn follows enforce', () => {
  const shown = (labels: Record<string, string>): string => {
    const { policy, errors } = policyOf(
      Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value])),
    )
    const parts = (['enforce', 'audit', 'warn'] as const).map((mode) => standardText(policy[mode]))
    return [...parts, ...errors.map(({ field, message }) => `${field}: ${message}`)].join(' ')
  }
  assert.equal(shown({}), 'privileged:latest privileged:latest privileged:latest')
  assert.equal(
    shown({ enforce: 'baseline', 'enforce-version': 'v1.30' }),
    'baseline:v1.30 privileged:latest baseline:v1.30',
  )
  assert.equal(
    shown({ enforce: 'restricted', warn: 'baseline' }),
    'restricted:latest privileged:latest baseline:latest',
  )
  assert.equal(
    shown({ enforce: 'x', 'audit-version': '1.2' }),
    'restricted:latest privileged:latest privileged:latest ' +
      'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted ' +
      'metadata.labels[pod-security.kubernetes.io/audit-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
  )
})
