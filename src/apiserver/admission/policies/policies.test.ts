import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../machinery/object.ts'
import type { AuditSink } from '../../contract.ts'
import type { TestCluster } from '../../registry/fixture.ts'
import { call, pod, refusalOf, testCluster } from '../../registry/fixture.ts'
import { finish } from '../../../machinery/schema/steps.ts'
import { compiledValidating } from './compiled.ts'
import { inSlices } from './slices.ts'

const GROUP = 'admissionregistration.k8s.io/v1'
const RULES = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]

async function policy(cluster: TestCluster, name: string, spec: object, binding: object = {}): Promise<KubeObject> {
  const matchConstraints = { resourceRules: RULES }
  const made = await cluster.create(`${GROUP}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: { matchConstraints, ...spec },
  })
  await cluster.create(`${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  })
  return made
}

const map = (name: string): KubeObject => ({ metadata: { name, namespace: 'default' } })

/** What admission leaves in the audit log. */
function sink(): AuditSink & { readonly notes: Record<string, string> } {
  const notes: Record<string, string> = {}
  return {
    notes,
    annotate: (key, value) => void (key.startsWith('authorization') || (notes[key] ??= value)),
    annotateBody: () => {},
    requestObject: () => {},
  }
}

test('a policy counts from its first moment to its last', async () => {
  const cluster = await testCluster()
  const refused =
    /^422 Invalid: configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request/
  const attempt = () => refusalOf(cluster.create('v1/configmaps', map('a')))
  await policy(cluster, 'p', { validations: [{ expression: 'false' }] })
  assert.match(await attempt(), refused)
  const target = cluster.target(`${GROUP}/validatingadmissionpolicybindings`, '', 'p')
  await cluster.api.delete(call, target, {})
  assert.equal(await attempt(), 'no error')
})

test('clusters with the same text share what is compiled', async () => {
  const spec = { validations: [{ expression: 'object.metadata.name != "shared"' }] }
  const [one, two, other] = await Promise.all([
    policy(await testCluster(), 'p', spec),
    policy(await testCluster(), 'q', {
      ...spec,
      matchConstraints: { resourceRules: [{ ...RULES[0], scope: 'Cluster' }] },
    }),
    policy(await testCluster(), 'p', { validations: [{ expression: 'object.metadata.name != "other"' }] }),
  ])
  assert.equal(finish(compiledValidating(one)), finish(compiledValidating(two)))
  assert.notEqual(finish(compiledValidating(one)), finish(compiledValidating(other)))
})

test('the audit log is told what a real kube-apiserver tells it', async () => {
  const cluster = await testCluster()
  for (const name of ['a', 'b']) await cluster.create('v1/secrets', map(name))
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'Secret' },
    validations: [{ expression: 'true' }, { expression: 'false', message: 'no' }],
    auditAnnotations: [
      { key: 'k', valueExpression: "'v ' + string(params.metadata.name)" },
      { key: 'l', valueExpression: "'same'" },
      { key: 'n', valueExpression: 'null' },
    ],
  }
  const validationActions = ['Audit', 'Warn']
  await policy(cluster, 'p', spec, {
    validationActions,
    paramRef: { selector: {}, parameterNotFoundAction: 'Deny' },
  })
  const audit = sink()
  await cluster.create('v1/configmaps', map('x'), { ...call, audit })
  const failure = { message: 'no', policy: 'p', binding: 'p', expressionIndex: 1, validationActions }
  assert.deepEqual(audit.notes, {
    'p/k': 'v a, v b',
    'p/l': 'same',
    'validation.policy.admission.k8s.io/validation_failure': JSON.stringify([failure, failure]),
  })
})

test('Pod Security notes the enforced policy and what violates the audited one', async () => {
  const cluster = await testCluster()
  const labels = { 'pod-security.kubernetes.io/audit': 'baseline', 'pod-security.kubernetes.io/enforce': 'baseline' }
  await cluster.create('v1/namespaces', { metadata: { name: 'n', labels } })
  await cluster.create('v1/serviceaccounts', { metadata: { name: 'default', namespace: 'n' } })
  const notes = async (namespace: string, extra: object): Promise<Record<string, string>> => {
    const audit = sink()
    await refusalOf(cluster.create('v1/pods', pod('p', namespace, extra), { ...call, audit }))
    return audit.notes
  }
  assert.deepEqual(await notes('default', { hostNetwork: true }), {
    'pod-security.kubernetes.io/enforce-policy': 'privileged:latest',
  })
  assert.deepEqual(await notes('n', { hostNetwork: true }), {
    'pod-security.kubernetes.io/enforce-policy': 'baseline:latest',
    'pod-security.kubernetes.io/audit-violations':
      'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
  })
  assert.deepEqual(await notes('n', {}), { 'pod-security.kubernetes.io/enforce-policy': 'baseline:latest' })
})

const DIGITS = '[0,1,2,3,4,5,6,7,8,9]'
/** Costs about 350,000 units. */
const COSTLY = 'abcde'
  .split('')
  .reduceRight((inner, name) => `${DIGITS}.all(${name}, ${inner})`, 'a + b + c + d + e >= 0')

test('policies that are dear let others in between, and end', async () => {
  const cluster = await testCluster()
  for (let i = 0; i < 40; i++) {
    const validations = Array.from({ length: 20 }, () => ({ expression: COSTLY }))
    await policy(cluster, `p${i}`, { failurePolicy: 'Ignore', validations })
  }
  let longest = 0
  let last = performance.now()
  const tick = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 1)
  const began = performance.now()
  const outcome = await refusalOf(cluster.create('v1/configmaps', map('x'), { ...call, deadline: began + 50 }))
  clearInterval(tick)
  assert.equal(outcome.slice(0, 11), '504 Timeout')
  assert.ok(performance.now() - began < 2000)
  // One expression is what cannot be interrupted. A slow machine gets room.
  assert.ok(longest < 250, `others waited for ${longest} ms`)
})

test('quick work stays in the turn of its caller', () => {
  // oxlint-disable-next-line require-yield -- nothing to interrupt
  function* quick(): Generator<void, string> {
    return 'done'
  }
  assert.equal(inSlices(quick(), call), 'done')
})
