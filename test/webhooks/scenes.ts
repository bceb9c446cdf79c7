/** Scenes of the webhook story: webhooks that are there, and the requests that are made meanwhile. */

export interface Hook {
  readonly path?: string
  /** Instead of a path of the webhook server. */
  readonly client?: object
  /** `CREATE,UPDATE core/v1/pods,pods/status`; several by a space and a bar. */
  readonly rules?: string
  readonly more?: object
}

export interface Scene {
  readonly name: string
  readonly mutating?: readonly Hook[]
  readonly validating?: readonly Hook[]
  /** Lines `METHOD path`, each with what is sent. */
  readonly asks: readonly (readonly [line: string, body?: unknown, headers?: Record<string, string>])[]
}

const NS = '/api/v1/namespaces/hooks'
const MAPS = `${NS}/configmaps`
const PODS = `${NS}/pods`
const WIDGETS = (version: string) => `/apis/example.com/${version}/namespaces/hooks/widgets`
const HOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const VALIDATING = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'

const map = (name: string, more: object = {}, labels?: object) => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  data: { a: '1' },
  ...more,
})
const pod = (name: string, metadata: object = {}) => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name, ...metadata },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'main:1' }] },
})
const widget = (version: string, name: string, spec: object = { size: 1 }) => ({
  apiVersion: `example.com/${version}`,
  kind: 'Widget',
  metadata: { name },
  spec,
})
const merge = { 'content-type': 'application/merge-patch+json' }
const apply = { 'content-type': 'application/apply-patch+yaml' }
const maps = 'CREATE,UPDATE,DELETE core/v1/configmaps'
const pods = 'CREATE,UPDATE core/v1/pods'

/** Webhook answers that are wrong in some way; each is tried as a mutating webhook that must not fail. */
const WRONG = [
  'no-type', 'no-patch', 'empty-type', 'other-type', 'bad-base64', 'bad-patch', 'object-patch', 'bad-allowed', 'bad-status', 'bad-warnings', 'wrong-uid',
  'no-response', 'no-kind', 'old-version', 'garbage', 'list', 'empty', 'error-text', 'error-json', 'error-status', 'not-found', 'reset',
  'misfit', 'remove-all', 'wrong-type', 'unknown', 'no-operation',
] // prettier-ignore

const valid = {
  name: 'a.example.com',
  clientConfig: { url: 'https://example.com/x' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
}

const configuration = (kind: string, name: string, webhooks: readonly object[]) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name },
  webhooks,
})

const rule = (more: object) => ({ ...valid, rules: [{ ...valid.rules[0], ...more }] })

/** Configurations that are refused, or taken with a warning. */
const CONFIGURATIONS: readonly (readonly object[])[] = [
  [valid],
  [{ ...valid, name: 'short' }],
  [{ ...valid, name: '' }],
  [{ ...valid, name: 'UPPER.example.com' }],
  [valid, valid],
  [{ ...valid, clientConfig: {} }],
  [{ ...valid, clientConfig: { url: 'https://a.b/', service: { name: 'a', namespace: 'b' } } }],
  [{ ...valid, clientConfig: { url: 'http://a.b/' } }],
  [{ ...valid, clientConfig: { url: 'https://u:p@a.b/x?q=1#f' } }],
  [{ ...valid, clientConfig: { url: 'https:///x' } }],
  [{ ...valid, clientConfig: { url: 'https://a b/' } }],
  [{ ...valid, clientConfig: { url: ':::' } }],
  [{ ...valid, clientConfig: { url: '/relative' } }],
  [{ ...valid, clientConfig: { service: { name: 'a', namespace: 'b' } } }],
  [{ ...valid, clientConfig: { service: { name: '', namespace: '', port: 0, path: '//' } } }],
  [{ ...valid, clientConfig: { service: { name: 'a', namespace: 'b', port: 70000, path: 'x' } } }],
  [{ ...valid, clientConfig: { service: { name: 'a', namespace: 'b', path: '/a//B/' } } }],
  [{ ...valid, clientConfig: { url: 'https://a.b/', caBundle: 'bm9uc2Vuc2U=' } }],
  [{ ...valid, sideEffects: undefined }],
  [{ ...valid, sideEffects: 'Some' }],
  [{ ...valid, sideEffects: 'Nonsense' }],
  [{ ...valid, timeoutSeconds: 0 }],
  [{ ...valid, timeoutSeconds: 31 }],
  [{ ...valid, timeoutSeconds: 30 }],
  [{ ...valid, admissionReviewVersions: [] }],
  [{ ...valid, admissionReviewVersions: ['v2'] }],
  [{ ...valid, admissionReviewVersions: ['v1', 'v1', 'X'] }],
  [{ ...valid, failurePolicy: 'Maybe', matchPolicy: 'Close' }],
  [{ ...valid, reinvocationPolicy: 'Always' }],
  [{ ...valid, reinvocationPolicy: 'IfNeeded' }],
  [
    {
      ...valid,
      namespaceSelector: { matchLabels: { 'a b': 'c d' }, matchExpressions: [{ key: 'x', operator: 'Is' }] },
    },
  ],
  [{ ...valid, objectSelector: { matchExpressions: [{ key: 'x', operator: 'In', values: [] }] } }],
  [rule({ operations: [] })],
  [rule({ operations: ['*', 'CREATE'] })],
  [rule({ operations: ['PATCH'] })],
  [rule({ apiGroups: [] })],
  [rule({ apiGroups: ['*', 'apps'] })],
  [rule({ apiVersions: [] })],
  [rule({ apiVersions: ['*', 'v1', ''] })],
  [rule({ resources: [] })],
  [rule({ resources: ['', 'pods'] })],
  [rule({ resources: ['*/*', 'pods'] })],
  [rule({ resources: ['*', 'pods'] })],
  [rule({ resources: ['*', 'pods', 'pods/status'] })],
  [rule({ resources: ['pods/*', 'pods/status'] })],
  [rule({ resources: ['*/status', 'pods/status'] })],
  [rule({ scope: 'Galaxy' })],
  [rule({ scope: 'Cluster' })],
  [{ ...valid, rules: [] }],
  [{ ...valid, rules: undefined }],
]

/** What the conditions say, under which failure policy, and their expressions. */
const CONDITIONS = [
  ['true', 'Fail', "object.metadata.name == 'conditioned'", "request.operation == 'CREATE'"],
  ['false', 'Fail', "object.metadata.name != 'conditioned'"],
  ['an error', 'Fail', 'object.nowhere.deeper == 1'],
  ['an error', 'Ignore', 'object.nowhere.deeper == 1'],
  ['an error and false', 'Fail', 'object.nowhere.deeper == 1', 'false'],
  ['two errors', 'Fail', 'object.nowhere.deeper == 1', 'object.elsewhere == 1', 'true'],
  ['the user', 'Fail', "!('system:masters' in request.userInfo.groups)"],
  ['no old object', 'Fail', 'oldObject == null'],
  [
    'the authorizer allows',
    'Fail',
    "authorizer.group('').resource('configmaps').namespace('hooks').check('get').allowed()",
  ],
  ['the request is allowed', 'Fail', "!authorizer.requestResource.check('create').allowed()"],
  ['options', 'Fail', "request.options.kind == 'CreateOptions' && request.dryRun"],
] as const

function configurations(): Scene['asks'] {
  const out: [string, unknown?][] = []
  CONFIGURATIONS.forEach((webhooks, i) => {
    for (const [path, kind] of [
      [HOOKS, 'MutatingWebhookConfiguration'],
      [VALIDATING, 'ValidatingWebhookConfiguration'],
    ] as const) {
      out.push([`POST ${path}?dryRun=All`, configuration(kind, `invalid-${i}`, webhooks)])
    }
  })
  return out
}

export const SCENES: readonly Scene[] = [
  { name: 'configurations', asks: configurations() },
  {
    name: 'configurations: changed, counted, listed',
    asks: [
      [`POST ${HOOKS}`, configuration('MutatingWebhookConfiguration', 'stays', [rule({ operations: ['CONNECT'] })])],
      [`PATCH ${HOOKS}/stays`, { webhooks: [{ ...valid, failurePolicy: 'Ignore', rules: [] }] }, merge],
      [`PATCH ${HOOKS}/stays`, { metadata: { labels: { a: 'b' } } }, merge],
      [`PATCH ${HOOKS}/stays`, { webhooks: [{ ...valid, sideEffects: 'Some' }] }, merge],
      [`GET ${HOOKS}/stays`],
      [`DELETE ${HOOKS}/stays`],
    ],
  },
  {
    name: 'what a webhook is asked',
    validating: [{ path: 'allow', rules: maps }],
    asks: [
      [`POST ${MAPS}?fieldManager=tester&fieldValidation=Strict`, map('asked')],
      [`PUT ${MAPS}/asked`, map('asked', { data: { a: '2' } })],
      [`PATCH ${MAPS}/asked?fieldManager=patcher`, { data: { b: '3' } }, merge],
      [`PATCH ${MAPS}/asked?fieldManager=applier&force=true`, map('asked', { data: { a: '5' } }), apply],
      [`PATCH ${MAPS}/applied?fieldManager=applier`, map('applied', { data: { a: '5' } }), apply],
      [`PATCH ${MAPS}/asked?dryRun=All`, { data: { b: '4' } }, merge],
      [`DELETE ${MAPS}/asked?propagationPolicy=Background&gracePeriodSeconds=5`],
      [`DELETE ${MAPS}/applied`, { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Foreground' }],
      [`POST ${MAPS}`, { ...map(''), metadata: { generateName: 'made-', labels: { all: 'yes' } } }],
      [`DELETE ${MAPS}?labelSelector=all%3Dyes`],
      [
        `POST ${MAPS}`,
        map('by-another'),
        {
          'impersonate-user': 'jane',
          'impersonate-uid': 'u1',
          'impersonate-group': 'system:masters',
          'impersonate-extra-scopes': 'one',
        },
      ],
      [`DELETE ${MAPS}/by-another`],
    ],
  },
  {
    name: 'a refusal',
    validating: [
      { path: 'deny', rules: 'CREATE core/v1/configmaps' },
      { path: 'deny-message', rules: 'CREATE core/v1/secrets' },
      { path: 'deny-reason', rules: 'CREATE core/v1/services' },
      { path: 'deny-details', rules: 'CREATE core/v1/pods' },
    ],
    asks: [
      [`POST ${MAPS}`, map('denied')],
      [`POST ${NS}/secrets`, { metadata: { name: 'denied' } }],
      [`POST ${NS}/services`, { metadata: { name: 'denied' }, spec: { ports: [{ port: 80 }] } }],
      [`POST ${PODS}`, pod('denied')],
    ],
  },
  {
    name: 'a refusal of a mutating webhook, of an update and of a delete',
    mutating: [{ path: 'deny-message', rules: 'UPDATE,DELETE core/v1/configmaps' }],
    asks: [
      [`POST ${MAPS}`, map('kept')],
      [`PATCH ${MAPS}/kept`, { data: { b: '1' } }, merge],
      [`DELETE ${MAPS}/kept`],
      [`DELETE ${MAPS}?fieldSelector=metadata.name%3Dkept`],
      [`GET ${MAPS}/kept`],
    ],
  },
  {
    name: 'warnings',
    mutating: [{ path: 'warn', rules: maps }],
    validating: [{ path: 'warn', rules: maps }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('warned')]],
  },
  {
    name: 'changes, one after the other, with defaults',
    mutating: [
      { path: 'label', rules: pods, more: { name: 'one.example.com' } },
      { path: 'sidecar', rules: pods, more: { name: 'two.example.com' } },
      { path: 'label-two', rules: pods, more: { name: 'three.example.com' } },
    ],
    validating: [{ path: 'allow', rules: pods }],
    asks: [[`POST ${PODS}`, pod('changed', { labels: { app: 'x' } })]],
  },
  {
    name: 'asked again when the object changed after it',
    mutating: [
      { path: 'count', rules: pods, more: { name: 'one.example.com', reinvocationPolicy: 'IfNeeded' } },
      { path: 'sidecar', rules: pods, more: { name: 'two.example.com' } },
      { path: 'allow', rules: pods, more: { name: 'three.example.com', reinvocationPolicy: 'IfNeeded' } },
    ],
    asks: [[`POST ${PODS}`, pod('again', { annotations: { app: 'x' } })]],
  },
  {
    name: 'a change of an update, and of nothing',
    mutating: [{ path: 'label', rules: 'UPDATE core/v1/configmaps' }],
    asks: [
      [`POST ${MAPS}`, map('updated', {}, { app: 'x' })],
      [`PATCH ${MAPS}/updated`, { data: { a: '1' }, metadata: { labels: { x: 'y' } } }, merge],
      [`PATCH ${MAPS}/updated`, { data: { a: '1' } }, merge],
      [`PATCH ${MAPS}/updated?fieldManager=ap`, map('updated', { data: { c: '1' } }, { z: '1' }), apply],
    ],
  },
  {
    name: 'a patch of a delete',
    mutating: [{ path: 'annotate', rules: 'DELETE core/v1/configmaps' }],
    asks: [[`DELETE ${MAPS}/updated`]],
  },
  ...['rename', 'move', 'system', 'managers', 'no-managers', 'proto', 'proto-object', 'same-value'].map(
    (path): Scene => ({
      name: `a change of what is not to be changed: ${path}`,
      mutating: [{ path, rules: 'CREATE,UPDATE core/v1/configmaps' }],
      asks: [
        [`POST ${MAPS}?dryRun=All`, map('hostile')],
        [`PATCH ${MAPS}/updated?dryRun=All`, { data: { q: 'r' } }, merge],
      ],
    }),
  ),
  ...WRONG.map((path): Scene => ({
    name: `a wrong answer: ${path}`,
    mutating: [{ path, rules: 'CREATE core/v1/configmaps' }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('wrong')]],
  })),
  ...['label', 'no-patch', 'wrong-uid', 'error-text', 'no-response'].map((path): Scene => ({
    name: `a wrong answer of a validating webhook: ${path}`,
    validating: [{ path, rules: 'CREATE core/v1/configmaps' }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('wrong')]],
  })),
  {
    name: 'failures that are ignored',
    mutating: ['wrong-uid', 'error-text', 'bad-patch', 'garbage', 'other-type'].map((path, i) => ({
      path,
      rules: 'CREATE core/v1/configmaps',
      more: { name: `h${i}.example.com`, failurePolicy: 'Ignore' },
    })),
    validating: ['wrong-uid', 'error-text', 'reset'].map((path, i) => ({
      path,
      rules: 'CREATE core/v1/configmaps',
      more: { name: `h${i}.example.com`, failurePolicy: 'Ignore' },
    })),
    asks: [[`POST ${MAPS}?dryRun=All`, map('ignored')]],
  },
  {
    name: 'failures that are not ignored whatever the policy: a patch that does not fit',
    mutating: [{ path: 'misfit', rules: maps, more: { failurePolicy: 'Ignore' } }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('misfit')]],
  },
  {
    name: 'nobody there',
    mutating: [{ client: { url: 'https://127.0.0.1:1/x' }, rules: 'CREATE core/v1/configmaps' }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('nobody')]],
  },
  {
    name: 'no such Service',
    mutating: [
      {
        client: { service: { namespace: 'hooks', name: 'nowhere', path: '/x', port: 8443 } },
        rules: 'CREATE core/v1/configmaps',
      },
    ],
    asks: [[`POST ${MAPS}?dryRun=All`, map('nowhere')]],
  },
  {
    name: 'somebody else’s certificate',
    mutating: [{ path: 'allow', rules: 'CREATE core/v1/configmaps', more: { untrusted: true } }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('untrusted')]],
  },
  {
    name: 'a webhook that hangs',
    mutating: [{ path: 'hang', rules: 'CREATE core/v1/configmaps', more: { timeoutSeconds: 1 } }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('hung')]],
  },
  {
    name: 'a webhook that hangs and is ignored',
    validating: [
      { path: 'hang', rules: 'CREATE core/v1/configmaps', more: { timeoutSeconds: 1, failurePolicy: 'Ignore' } },
    ],
    asks: [[`POST ${MAPS}?dryRun=All`, map('hung')]],
  },
  {
    name: 'the old review',
    mutating: [{ path: 'old-sloppy', rules: maps, more: { admissionReviewVersions: ['v2', 'v1beta1', 'v1'] } }],
    asks: [[`POST ${MAPS}?dryRun=All`, map('old')]],
  },
  {
    name: 'another version of a built-in',
    mutating: [
      { path: 'allow', rules: 'CREATE autoscaling/v2/horizontalpodautoscalers', more: { name: 'one.example.com' } },
      {
        path: 'deny',
        rules: 'CREATE autoscaling/v2/horizontalpodautoscalers',
        more: { name: 'two.example.com', matchPolicy: 'Exact' },
      },
    ],
    asks: [
      [
        'POST /apis/autoscaling/v1/namespaces/hooks/horizontalpodautoscalers?dryRun=All',
        {
          metadata: { name: 'x' },
          spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' } },
        },
      ],
    ],
  },
  {
    name: 'events of both groups',
    validating: [{ path: 'allow', rules: 'CREATE events.k8s.io/v1/events' }],
    asks: [
      [
        `POST ${NS}/events?dryRun=All`,
        { metadata: { name: 'e' }, involvedObject: { namespace: 'hooks', kind: 'Pod', name: 'p' }, type: 'Normal' },
      ],
    ],
  },
  {
    name: 'custom resources: versions, defaults, pruning',
    mutating: [
      { path: 'spec-size', rules: 'CREATE,UPDATE example.com/v1/widgets', more: { name: 'one.example.com' } },
      { path: 'allow', rules: 'CREATE,UPDATE example.com/v2/widgets', more: { name: 'two.example.com' } },
    ],
    validating: [{ path: 'allow', rules: '* example.com/v1/widgets' }],
    asks: [
      [`POST ${WIDGETS('v1')}`, widget('v1', 'w1')],
      [`POST ${WIDGETS('v2')}`, widget('v2', 'w2')],
      [`PATCH ${WIDGETS('v2')}/w1`, { spec: { size: 2 } }, merge],
      [`DELETE ${WIDGETS('v2')}/w1`],
    ],
  },
  {
    name: 'custom resources: status and scale',
    validating: [{ path: 'allow', rules: '* example.com/*/widgets/status,widgets/scale' }],
    asks: [
      [`PATCH ${WIDGETS('v1')}/w2/status`, { status: { replicas: 2 } }, merge],
      [`PATCH ${WIDGETS('v1')}/w2/scale`, { spec: { replicas: 3 } }, merge],
      [`PATCH ${WIDGETS('v1')}/w2`, { spec: { size: 3 } }, merge],
    ],
  },
  {
    name: 'selectors',
    mutating: [
      {
        path: 'allow',
        rules: maps,
        more: { name: 'one.example.com', namespaceSelector: { matchLabels: { team: 'a' } } },
      },
      {
        path: 'deny',
        rules: maps,
        more: { name: 'two.example.com', namespaceSelector: { matchLabels: { team: 'b' } } },
      },
      {
        path: 'warn',
        rules: maps,
        more: { name: 'three.example.com', objectSelector: { matchLabels: { look: 'here' } } },
      },
    ],
    asks: [
      [`POST ${MAPS}`, map('selected', {}, { look: 'here' })],
      [`PATCH ${MAPS}/selected`, { metadata: { labels: null } }, merge],
      [`PATCH ${MAPS}/selected`, { data: { b: '1' } }, merge],
    ],
  },
  {
    name: 'namespaces themselves',
    validating: [
      {
        path: 'allow',
        rules: '* core/v1/namespaces',
        more: { name: 'one.example.com', namespaceSelector: { matchLabels: { team: 'a' } } },
      },
      {
        path: 'deny-message',
        rules: '* core/v1/namespaces',
        more: { name: 'two.example.com', namespaceSelector: { matchLabels: { team: 'never' } } },
      },
    ],
    asks: [
      ['POST /api/v1/namespaces?dryRun=All', { metadata: { name: 'fresh', labels: { team: 'a' } } }],
      ['POST /api/v1/namespaces?dryRun=All', { metadata: { name: 'fresh', labels: { team: 'never' } } }],
      ['PATCH /api/v1/namespaces/hooks?dryRun=All', { metadata: { annotations: { a: 'b' } } }, merge],
    ],
  },
  {
    name: 'cluster-wide objects',
    validating: [
      {
        path: 'allow',
        rules: 'CREATE core/v1/nodes',
        more: { namespaceSelector: { matchLabels: { team: 'never' } } },
      },
    ],
    asks: [['POST /api/v1/nodes?dryRun=All', { metadata: { name: 'n' } }]],
  },
  {
    name: 'scopes',
    validating: [{ path: 'deny-message', rules: '* */*/*', more: { scope: 'Cluster', failurePolicy: 'Ignore' } }],
    asks: [
      [`POST ${MAPS}?dryRun=All`, map('scoped')],
      ['POST /api/v1/namespaces?dryRun=All', { metadata: { name: 'scoped' } }],
      [
        'POST /apis/storage.k8s.io/v1/storageclasses?dryRun=All',
        { metadata: { name: 'scoped' }, provisioner: 'a.b/c' },
      ],
    ],
  },
  {
    name: 'subresources',
    validating: [{ path: 'allow', rules: '* */*/pods/*,deployments/scale,serviceaccounts/token' }],
    asks: [
      [`POST ${PODS}`, pod('parts')],
      [`PATCH ${PODS}/parts/status`, { status: { phase: 'Pending' } }, merge],
      [
        `PATCH ${PODS}/parts/ephemeralcontainers`,
        { spec: { ephemeralContainers: [{ name: 'debug', image: 'debug:1' }] } },
        { 'content-type': 'application/strategic-merge-patch+json' },
      ],
      [`POST ${PODS}/parts/binding`, { metadata: { name: 'parts' }, target: { kind: 'Node', name: 'n' } }],
      [`POST ${PODS}/parts/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'parts' } }],
      [`POST ${NS}/serviceaccounts/robot/token`, { spec: { audiences: ['x'], expirationSeconds: 600 } }],
      [
        `POST /apis/apps/v1/namespaces/hooks/deployments`,
        {
          metadata: { name: 'd' },
          spec: {
            selector: { matchLabels: { a: 'b' } },
            template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
          },
        },
      ],
      ['GET /apis/apps/v1/namespaces/hooks/deployments/d/scale'],
      ['PATCH /apis/apps/v1/namespaces/hooks/deployments/d/scale', { spec: { replicas: 2 } }, merge],
    ],
  },
  {
    name: 'a change of a Scale',
    mutating: [{ path: 'replicas', rules: 'UPDATE apps/v1/deployments/scale' }],
    asks: [
      ['PATCH /apis/apps/v1/namespaces/hooks/deployments/d/scale', { spec: { replicas: 3 } }, merge],
      ['GET /apis/apps/v1/namespaces/hooks/deployments/d/scale'],
    ],
  },
  {
    name: 'refusals of subresources',
    validating: [
      { path: 'deny-message', rules: 'CREATE */*/pods/binding,pods/eviction,serviceaccounts/token,bindings' },
    ],
    asks: [
      [`POST ${PODS}`, pod('bound')],
      [`POST ${PODS}/bound/binding`, { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n' } }],
      [`POST ${NS}/bindings`, { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n' } }],
      [`POST ${PODS}/bound/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'bound' } }],
      [`POST ${NS}/serviceaccounts/robot/token`, { spec: { audiences: ['x'], expirationSeconds: 600 } }],
    ],
  },
  {
    name: 'connections',
    validating: [{ path: 'deny-message', rules: 'CONNECT core/v1/pods/exec,pods/attach,pods/portforward' }],
    asks: [
      [`POST ${PODS}?dryRun=All`, pod('nobody')],
      [`POST ${PODS}/bound/exec?command=ls&command=-l&stdin=true&stdout=1&tty=false&container=main`],
      [`GET ${PODS}/bound/attach?stderr=true`],
      [`POST ${PODS}/bound/portforward?ports=80&ports=443`],
    ],
  },
  {
    name: 'what is exempt',
    mutating: [{ path: 'deny', rules: '* */*/*' }],
    validating: [{ path: 'deny', rules: '* */*/*' }],
    asks: [
      [`POST ${HOOKS}?dryRun=All`, configuration('MutatingWebhookConfiguration', 'other', [valid])],
      [`POST ${VALIDATING}?dryRun=All`, configuration('ValidatingWebhookConfiguration', 'other', [valid])],
      [
        'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
      ],
      [`POST ${MAPS}?dryRun=All`, map('not-exempt')],
      ['POST /apis/coordination.k8s.io/v1/namespaces/hooks/leases?dryRun=All', { metadata: { name: 'l' } }],
    ],
  },
  ...CONDITIONS.map(([name, failurePolicy, ...expressions]): Scene => ({
    name: `match conditions: ${name} (${failurePolicy})`,
    validating: [
      {
        path: 'deny-message',
        rules: maps,
        more: { failurePolicy, matchConditions: expressions.map((expression, i) => ({ name: `c${i}`, expression })) },
      },
    ],
    asks: [[`POST ${MAPS}?dryRun=All`, map('conditioned', {}, { look: 'here' })]],
  })),
  {
    name: 'match conditions of configurations',
    asks: [
      [{ name: 'a', expression: 'object.metadata.name ==' }],
      [{ name: 'a', expression: '1 + 1' }],
      [{ name: 'a', expression: 'params.x' }],
      [{ name: 'a', expression: ' ' }],
      [{ name: 'a b', expression: 'true' }],
      [
        { name: 'a', expression: 'true' },
        { name: 'a', expression: 'unknown' },
      ],
    ].map(
      (matchConditions) =>
        [
          `POST ${VALIDATING}?dryRun=All`,
          configuration('ValidatingWebhookConfiguration', 'conditions', [{ ...valid, matchConditions }]),
        ] as const,
    ),
  },
  {
    name: 'two that fail in different ways',
    validating: [
      { path: 'allow', rules: maps, more: { name: 'one.example.com' } },
      { path: 'deny-message', rules: maps, more: { name: 'two.example.com' } },
    ],
    asks: [[`POST ${MAPS}?dryRun=All`, map('two')]],
  },
]
