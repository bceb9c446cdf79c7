/** FlowSchemas and PriorityLevelConfigurations that Kubernetes 1.37 makes at its start, as facts. */
import type { KubeObject } from '../../machinery/object.ts'

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'
const everyResource = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }
const everything = { resourceRules: [everyResource], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }

const group = (name: string): object => ({ kind: 'Group', group: { name } })
const user = (name: string): object => ({ kind: 'User', user: { name } })
const systemAccounts = { kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name: '*' } }
const everybody = [group('system:unauthenticated'), group('system:authenticated')]

/** name, priority level, precedence, distinguisher ('' for none), subjects, what they ask */
type SchemaFacts = readonly [string, string, number, '' | 'ByUser' | 'ByNamespace', readonly object[], object]

const schemas: readonly SchemaFacts[] = [
  ['catch-all', 'catch-all', 10000, 'ByUser', everybody, everything],
  ['exempt', 'exempt', 1, '', [group('system:masters')], everything],
  ['global-default', 'global-default', 9900, 'ByUser', everybody, everything],
  [
    'kube-controller-manager',
    'workload-high',
    800,
    'ByNamespace',
    [user('system:kube-controller-manager')],
    everything,
  ],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace', [user('system:kube-scheduler')], everything],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [systemAccounts], everything],
  [
    'probes',
    'exempt',
    2,
    '',
    everybody,
    { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  ],
  ['service-accounts', 'workload-low', 9000, 'ByUser', [group('system:serviceaccounts')], everything],
  [
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    [user('system:kube-controller-manager'), user('system:kube-scheduler'), systemAccounts],
    {
      resourceRules: [
        {
          verbs: ['get', 'create', 'update'],
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          namespaces: ['*'],
        },
      ],
    },
  ],
  [
    'system-node-high',
    'node-high',
    400,
    'ByUser',
    [group('system:nodes')],
    {
      resourceRules: [
        { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ['*'] },
        { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
      ],
    },
  ],
  ['system-nodes', 'system', 500, 'ByUser', [group('system:nodes')], everything],
]

/** name, shares, lendable percent, [queues, hand size] */
const levels: readonly (readonly [string, number, number, readonly [number, number]])[] = [
  ['global-default', 20, 50, [128, 6]],
  ['leader-election', 10, 0, [16, 4]],
  ['node-high', 40, 25, [64, 6]],
  ['system', 30, 33, [64, 6]],
  ['workload-high', 40, 50, [128, 6]],
  ['workload-low', 100, 90, [128, 6]],
]

const metadata = (name: string): KubeObject['metadata'] => ({
  name,
  generation: 1,
  annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' },
})

/** @param time what stands where the cluster's birth time belongs */
export function flowSchemas(time: string): KubeObject[] {
  return schemas.map(([name, level, matchingPrecedence, by, subjects, asked]) => ({
    kind: 'FlowSchema',
    apiVersion,
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(by !== '' && { distinguisherMethod: { type: by } }),
      rules: [{ subjects, ...asked }],
    },
    status: {
      conditions: [
        {
          type: 'Dangling',
          status: 'False',
          lastTransitionTime: time,
          reason: 'Found',
          message: `This FlowSchema references the PriorityLevelConfiguration object named "${level}" and it exists`,
        },
      ],
    },
  }))
}

export function priorityLevels(): KubeObject[] {
  const level = (name: string, spec: object): KubeObject => ({
    kind: 'PriorityLevelConfiguration',
    apiVersion,
    metadata: metadata(name),
    spec,
    status: {},
  })
  const limited = (shares: number, limitResponse: object, lendablePercent: number): object => ({
    type: 'Limited',
    limited: { nominalConcurrencyShares: shares, limitResponse, lendablePercent },
  })
  return [
    level('catch-all', limited(5, { type: 'Reject' }, 0)),
    level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
    ...levels.map(([name, shares, lendable, [queues, handSize]]) =>
      level(name, limited(shares, { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } }, lendable)),
    ),
  ]
}
