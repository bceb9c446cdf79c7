import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tenantPod } from './fixture.ts'
import { violations } from './isolation.ts'

const container = (more: object) => ({ containers: [{ name: 'c', image: 'busybox', ...more }] })
const context = (securityContext: object) => container({ securityContext })
const volume = (source: object) => ({ volumes: [{ name: 'v', ...source }] })

const refused: readonly [string, object, RegExp][] = [
  ['host network', { hostNetwork: true }, /spec\.hostNetwork/],
  ['host PIDs', { hostPID: true }, /spec\.hostPID/],
  ['host IPC', { hostIPC: true }, /spec\.hostIPC/],
  ['a host path', volume({ hostPath: { path: '/' } }), /hostPath/],
  ['a flex volume', volume({ flexVolume: { driver: 'x/y' } }), /flexVolume/],
  ['a git repository', volume({ gitRepo: { repository: 'x' } }), /gitRepo/],
  ['a certificate of the host', volume({ projected: { sources: [{ podCertificate: {} }] } }), /podCertificate/],
  ['trust of the host', volume({ projected: { sources: [{ clusterTrustBundle: {} }] } }), /clusterTrustBundle/],
  ['a claim of a certain volume', volume({ ephemeral: { volumeClaimTemplate: { spec: { volumeName: 'pv' } } } }), /volumeName/],
  ['a claim from another', volume({ ephemeral: { volumeClaimTemplate: { spec: { dataSource: {} } } } }), /dataSource/],
  ['claims of devices', { resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] }, /resourceClaims/],
  ['a host port', container({ ports: [{ containerPort: 1, hostPort: 80 }] }), /hostPort 80/],
  ['privileged', context({ privileged: true }), /privileged/],
  ['an unmasked /proc', context({ procMount: 'Unmasked' }), /procMount/],
  ['a capability', context({ capabilities: { add: ['CHOWN', 'NET_RAW'] } }), /NET_RAW/],
  ['no seccomp', context({ seccompProfile: { type: 'Unconfined' } }), /seccompProfile/],
  ['no seccomp for the pod', { securityContext: { seccompProfile: { type: 'Unconfined' } } }, /seccompProfile/],
  ['no AppArmor', context({ appArmorProfile: { type: 'Unconfined' } }), /appArmorProfile/],
  ['a host process', { securityContext: { windowsOptions: { hostProcess: true } } }, /hostProcess/],
  ['an SELinux type', context({ seLinuxOptions: { type: 'spc_t' } }), /seLinuxOptions\.type/],
  ['an SELinux user', context({ seLinuxOptions: { user: 'root' } }), /user or role/],
  ['a sysctl', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, /kernel\.msgmax/],
  ['a probe of another host', container({ livenessProbe: { httpGet: { host: '169.254.169.254' } } }), /livenessProbe\.httpGet/],
  ['a hook to another host', container({ lifecycle: { preStop: { tcpSocket: { host: 'x' } } } }), /preStop\.tcpSocket/],
] // prettier-ignore

for (const [name, spec, reason] of refused) {
  test(`refused: ${name}`, () => {
    const found = violations(tenantPod(spec as Record<string, unknown>))
    assert.equal(found.length, 1, found.join('; '))
    assert.match(found[0]!, reason)
  })
}

test('refused: in init and ephemeral containers as well', () => {
  const bad = { name: 'i', image: 'busybox', securityContext: { privileged: true } }
  assert.match(violations(tenantPod({ initContainers: [bad] }))[0]!, /spec\.initContainers\[0\]/)
  assert.match(violations(tenantPod({ ephemeralContainers: [bad] }))[0]!, /spec\.ephemeralContainers\[0\]/)
})

test('refused: AppArmor taken off by annotation', () => {
  const annotations = { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' }
  const pod = tenantPod()
  pod.metadata.annotations = annotations
  assert.equal(violations(pod).length, 1)
})

const allowed: readonly [string, object][] = [
  ['nothing special', {}],
  ['false is not true', { hostNetwork: false, ...context({ privileged: false, procMount: 'Default' }) }],
  ['no host port', container({ ports: [{ containerPort: 80, hostPort: 0 }] })],
  ['safe capabilities', context({ capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } })],
  ['safe sysctls', { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1 2 3' }] } }],
  ['profiles', context({ seccompProfile: { type: 'RuntimeDefault' }, appArmorProfile: { type: 'Localhost' } })],
  ['SELinux of containers', context({ seLinuxOptions: { type: 'container_t', level: 's0:c1' } })],
  ['a probe of the pod itself', container({ readinessProbe: { httpGet: { port: 80, host: '' } } })],
  ['a claim of any volume', volume({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: [] } } } })],
  ['root', context({ runAsUser: 0, allowPrivilegeEscalation: true })],
] // prettier-ignore

for (const [name, spec] of allowed) {
  test(`allowed: ${name}`, () => assert.deepEqual(violations(tenantPod(spec as Record<string, unknown>)), []))
}
