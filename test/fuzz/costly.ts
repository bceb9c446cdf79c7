/**
 * Requests that upstream lets in and that take long: texts, lists and rules as large as they may be. Each is answered in
 * steps, so that none stops the event loop.
 */
import type { Family, Hostile } from './hostile.ts'
import type { Random } from './random.ts'

export interface Costly {
  /** What they find. */
  readonly before?: readonly Hostile[]
  readonly request: Family
}

const NAMESPACE = '/api/v1/namespaces/default'
const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const send = (method: string, path: string, value: unknown, headers: Record<string, string> = {}): Hostile => ({
  method,
  path,
  headers: { 'content-type': 'application/json', ...headers },
  body: Buffer.from(JSON.stringify(value)),
})
const post = (path: string, value: unknown, headers?: Record<string, string>): Hostile =>
  send('POST', path, value, headers)
const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const members = <T>(count: number, make: (n: number) => readonly [string, T]): Record<string, T> =>
  Object.fromEntries(times(count, make))
const configMap = (name: string, data: object = {}, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
})

/** As long as an expression may be. */
function filled(unit: string, join: string, length = 99_900): string {
  return times(Math.floor((length + join.length) / (unit.length + join.length)), () => unit).join(join)
}

const list = (unit: string): string => `[${filled(unit, ',', 99_000)}].size() > 0`
const LONG: readonly string[] = [
  filled('true', ' && '), filled('object.metadata.name == "a"', ' || '), list('1'), list('[]'), list('[1][0]'), list('true?1:2'), list('[[1].map(x,[x].map(y,y))]'), list('1+""'), list('"é"'), list('a.b.c.d.e.f.g.h'), `{${times(12_000, (n) => `${n}:1`).join(',')}}.size() > 0`,
  filled('[1].all(x,x>0)', '&&'), `[1].all(x, ${filled('x>0', '&&', 99_000)})`, filled('[1,2].sortBy(x,x)==[1]', '||'), filled('dyn(1)==dyn("a")', '||'), filled('quantity("1").isLessThan(quantity("2"))', '&&'), filled('a', '||'), '#'.repeat(99_000), `'''${'\\a'.repeat(49_000)}`,
  `[${times(4000, (n) => `"a".matches("a${n}")`).join(',')}].size() > 0`, `[${filled('timestamp("2020-01-01T00:00:00Z")', ',', 99_000)}].size() > 0`, `"a".matches("${filled('a{1,100}', '|', 90_000)}")`,
] // prettier-ignore

/** Patterns that take long to compile. */
const HEAVY: readonly string[] = [
  `(?i)${'\\pL'.repeat(1000)}`, '[^\\pL]'.repeat(600), `(?i)${'[a-zÀ-ӿ]'.repeat(500)}`, 'a{1000}'.repeat(500), '((a{30}){30})'.repeat(100), '(a|b)*'.repeat(600),
] // prettier-ignore

const policy = (name: string, spec: object) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: {
    failurePolicy: 'Ignore',
    matchConstraints: {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    },
    ...spec,
  },
})

let serial = 0
function definition(spec: object, rules: readonly object[] = []) {
  const plural = `costs${serial++}`
  const schema = {
    type: 'object',
    properties: { spec },
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.costly.example.com` },
    spec: {
      group: 'costly.example.com',
      scope: 'Namespaced',
      names: { plural, kind: `Cost${serial}` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  }
}

const hook = (n: number, conditions: readonly string[]) => ({
  name: `h${n}.example.com`,
  clientConfig: { url: 'https://webhooks.example.com/x' },
  sideEffects: 'None',
  failurePolicy: 'Ignore',
  admissionReviewVersions: ['v1'],
  rules: [{ apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nones'] }],
  matchConditions: conditions.map((expression, m) => ({ name: `m${m}`, expression })),
})

const deviceClass = (name: string, expressions: readonly string[]) => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'DeviceClass',
  metadata: { name },
  spec: { selectors: expressions.map((expression) => ({ cel: { expression } })) },
})

const JOE = { 'impersonate-user': 'joe' }
const clusterRole = (name: string, rules: readonly object[]) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules,
})
const manyRules = (count: number) =>
  times(count, (n) => ({
    apiGroups: [`g${n}.example.com`],
    resources: [`r${n}`, `r${n}/status`],
    verbs: ['get', 'list'],
  }))
const joes = (name: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'joe' }],
})
const WRITER = clusterRole('costly-writer', [
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['create'] },
])

const text = (random: Random, i: number): string => `(${random.of(LONG)}) || ${i} == ${i}`

export const costly: Readonly<Record<string, Costly>> = {
  'long expressions of policies': { request: (random, i) => post(`${ADMISSION}/validatingadmissionpolicies`, policy(`l${i}`, { validations: [{ expression: text(random, i) }] })) },
  'long expressions of rules': { request: (random, i) => post(DEFINITIONS, definition({ type: 'object' }, [{ rule: text(random, i) }])) },
  'long match conditions': { request: (random, i) => post(`${ADMISSION}/validatingwebhookconfigurations`, { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: `l${i}` }, webhooks: [hook(0, [text(random, i)])] }) },
  'many expressions': { request: (random, i) => random.of<() => Hostile>([
    () => post(`${ADMISSION}/validatingadmissionpolicies`, policy(`m${i}`, { variables: times(1000, (n) => ({ name: `v${n}`, expression: n === 0 ? `${i}` : `variables.v${n - 1} + ${n}` })), validations: [{ expression: 'variables.v999 > 0' }] })),
    () => post(`${ADMISSION}/validatingadmissionpolicies`, policy(`m${i}`, { validations: times(3000, (n) => ({ expression: `${n} != ${i} && object.metadata.name == "a"`, messageExpression: `"a${i}${n}"` })) })),
    () => post(`${ADMISSION}/validatingwebhookconfigurations`, { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: `m${i}` }, webhooks: times(46, (n) => hook(n, times(64, (m) => `request.userInfo.username != "a${n} ${m} ${i}"`))) }),
    () => post(DEFINITIONS, definition({ type: 'object' }, times(1000, (n) => ({ rule: `${n} != ${i} && ${filled('true', '&&', 500)}` })))),
    () => post('/apis/resource.k8s.io/v1/deviceclasses', deviceClass(`m${i}`, times(32, (n) => `${filled('device.driver == "x"', ' || ', 10_000)} || ${i}==${n}`))),
  ])() },
  'heavy patterns': { request: (random, i) => random.int(2) === 0 ? post(DEFINITIONS, definition({ type: 'string', pattern: random.of(HEAVY) })) : post(`${ADMISSION}/validatingadmissionpolicies`, policy(`h${i}`, { validations: [{ expression: `"a".matches(${JSON.stringify(random.of(HEAVY))}) || ${i} == 1` }] })) },
  'roles beyond what one has': {
    before: [post(`${RBAC}/clusterroles`, WRITER), post(`${RBAC}/clusterrolebindings`, joes('costly-writer'))],
    request: (random, i) => post(`${RBAC}/clusterroles`, clusterRole(`r${i}`, random.of([manyRules(10_000), [{ apiGroups: times(1000, (n) => `g${n}`), resources: times(1000, (n) => `r${n}`), verbs: times(100, (n) => `v${n}`) }]])), JOE),
  },
  'endpoints by the thousand': { request: (random, i) => random.int(2) === 0
    ? post('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: `e${i}` }, addressType: 'IPv4', endpoints: times(1000, (n) => ({ addresses: times(60, (m) => `10.${n % 250}.${m}.${n % 199}`) })), ports: [] })
    : post(`${NAMESPACE}/endpoints`, { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: `e${i}` }, subsets: [{ addresses: times(20_000, (n) => ({ ip: `10.${n % 250}.${(n >> 8) % 250}.${n % 199}` })), ports: [{ port: 80 }] }] }) },
  'selectors of reviews': { request: (random, i) => post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user: 'joe', resourceAttributes: { verb: 'get', resource: `r${i}`, [random.of(['labelSelector', 'fieldSelector'])]: { rawSelector: times(100_000, (n) => `k${n}=a`).join(',') } } } }) },
  'lists of large objects in protobuf': {
    before: times(5, (n) => post(`${NAMESPACE}/configmaps`, configMap(`large-${n}`, members(5_000, (m) => [`a${m}`, 'b']), { large: 'true' }))),
    // What other families left would take minutes.
    request: () => ({ method: 'GET', path: `${NAMESPACE}/configmaps?labelSelector=large=true`, headers: { accept: 'application/vnd.kubernetes.protobuf' } }),
  },
  'dear expressions of policies': {
    before: [
      post(`${ADMISSION}/validatingadmissionpolicies`, policy('dear', { validations: ["object.data.a.findAll('a+?').size() > 0", "object.data.a.matches('(a|aa|aaa)*b')", "object.data.a.replace('a', 'b').size() > 0", "[0,1,2,3,4,5,6,7,8,9].all(x, object.data.a.matches('(a{' + string(x + 100) + '}){8}b'))", '[1,2,3].all(x, object == object)', "object.data.a.split('').map(x, x + x).size() > 0"].map((expression) => ({ expression })) })),
      post(`${ADMISSION}/validatingadmissionpolicybindings`, { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: 'dear' }, spec: { policyName: 'dear', validationActions: ['Audit'] } }),
    ],
    request: (random, i) => post(`${NAMESPACE}/configmaps`, configMap(`dear-${i}`, { a: 'a'.repeat(random.of([10_000, 300_000])) })),
  },
} // prettier-ignore
