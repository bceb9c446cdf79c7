import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podRules } from './rules.ts'
import { podWarnings } from './warnings.ts'

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/c'
const container = { name: 'c', image: 'i' }
const DEPRECATED = `metadata.annotations[${APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`

test('names that are no hostnames', () => {
  const pod = { metadata: { name: 'a.b' }, spec: { containers: [container] } }
  // What a real kube-apiserver 1.37 warned of.
  assert.deepEqual(podRules.warnings!(pod, undefined), [
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  ])
  assert.deepEqual(podRules.warnings!(pod, pod), [])
})

test('annotations that became fields', () => {
  const annotations = {
    [APPARMOR]: 'unconfined',
    'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
    'container.seccomp.security.alpha.kubernetes.io/c': 'unconfined',
    'security.alpha.kubernetes.io/sysctls': 'a=b',
  }
  const pod = { metadata: { annotations }, spec: { containers: [container] } }
  const use = 'non-functional in v1.27+; use the "seccompProfile" field instead'
  const rest = [
    'metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
    `metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: ${use}`,
    `metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: ${use}`,
  ]
  assert.deepEqual(podWarnings(pod), rest)
  const inTemplate = [...rest, DEPRECATED].map((text) => text.replace(/^/, 'spec.template.'))
  assert.deepEqual(podWarnings(pod, 'spec.template'), inTemplate)
  // Told before the annotation becomes a field, and before anything is checked.
  assert.deepEqual(podRules.earlyWarnings!(pod), [DEPRECATED])
  const field = { securityContext: { appArmorProfile: { type: 'Unconfined' } } }
  assert.deepEqual(podRules.earlyWarnings!({ ...pod, spec: { containers: [container], ...field } }), [])
  assert.deepEqual(podRules.earlyWarnings!({ ...pod, spec: { containers: [{ ...container, ...field }] } }), [])
})

test('places, ports and addresses', () => {
  const old = { key: 'beta.kubernetes.io/os', operator: 'In', values: ['a b'] }
  const spec = {
    containers: [{ ...container, ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP', hostIP: 'x' }] }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [old] }] },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [old] } }],
      },
    },
    dnsConfig: { nameservers: ['010.0.0.1'] },
    hostAliases: [{ ip: '::ffff:1.2.3.4' }],
  }
  const node = 'spec.affinity.nodeAffinity'
  const instead = 'beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead'
  const found = podWarnings({ metadata: {}, spec })
  const weighted = `${node}.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0]`
  assert.deepEqual(
    found.filter((text) => !text.startsWith(`${weighted}.values`)),
    [
      `${node}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: ${instead}`,
      `${weighted}.key: ${instead}`,
      'spec.containers[0].ports[0]: hostIP set without hostPort: {Name:http HostPort:0 ContainerPort:8080 Protocol:TCP HostIP:x}',
      'spec.dnsConfig.nameservers[0]: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
      'spec.hostAliases[0].ip: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
    ],
  )
  assert.match(found[2]!, /values\[0\]: a b is invalid, a valid label must be/)
})

test('a spec without warnings gives none again, whatever pod has it', () => {
  const spec = () => ({ containers: [container], terminationGracePeriodSeconds: 3 })
  const warningsOf = (pod: object) => podRules.warnings!(pod as never, undefined)
  assert.deepEqual(warningsOf({ metadata: { name: 'a' }, spec: spec() }), [])
  assert.deepEqual(warningsOf({ metadata: { name: 'b' }, spec: spec() }), [])
  assert.equal(warningsOf({ metadata: { name: 'c.d' }, spec: spec() }).length, 1)
  const annotations = { 'container.seccomp.security.alpha.kubernetes.io/c': 'unconfined' }
  assert.equal(warningsOf({ metadata: { name: 'e', annotations }, spec: spec() }).length, 1)
  const negative = () => ({ metadata: { name: 'f' }, spec: { ...spec(), terminationGracePeriodSeconds: -1 } })
  for (let i = 0; i < 2; i++) assert.equal(warningsOf(negative()).length, 1)
})
