import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, PodSpec } from '../objects.ts'
import { chooseNode } from './decision.ts'
import { NodeState } from './node-state.ts'
import { factsOf } from './pod-facts.ts'

interface NodeShape {
  readonly cpu?: string
  readonly pods?: string
  readonly labels?: Record<string, string>
  readonly spec?: Node['spec'] & {}
  readonly running?: readonly Pod[]
}

let uids = 0

function pod(spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}, extra: object = {}): Pod {
  const name = `pod-${uids++}`
  return {
    metadata: { name, namespace: 'default', uid: name, labels, ...extra },
    spec: { containers: [{ name: 'main' }], ...spec },
  }
}

const asking = (cpu: string): Partial<PodSpec> => ({ containers: [{ name: 'main', resources: { requests: { cpu } } }] })

/** The chosen node's name, or the message. */
function decide(incoming: Pod, shapes: readonly NodeShape[]): string {
  const states = shapes.map(({ cpu = '4', pods = '110', labels = {}, spec = {}, running = [] }, i) => {
    const state = new NodeState(`n${i}`)
    const allocatable = { cpu, memory: '8Gi', pods, 'ephemeral-storage': '10Gi' }
    state.setNode({ metadata: { name: `n${i}`, labels: { host: `n${i}`, ...labels } }, spec, status: { allocatable } })
    for (const one of running) state.add(factsOf(one))
    return state
  })
  const choice = chooseNode(factsOf(incoming), {
    states,
    antiAffinity: states.some(({ withAntiAffinity }) => withAntiAffinity.size > 0),
    preferences: states.some(({ withPreferences }) => withPreferences.size > 0),
    namespaceLabels: (namespace) => ({ 'kubernetes.io/metadata.name': namespace }),
    random: () => 0.5,
  })
  return choice.fits ? choice.node.name : choice.message
}

const term = (topologyKey: string, app: string) => ({ topologyKey, labelSelector: { matchLabels: { app } } })
const required = (topologyKey: string, app: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [term(topologyKey, app)],
})
const port = (hostPort: number, hostIP?: string): Partial<PodSpec> => ({
  containers: [{ name: 'main', ports: [{ containerPort: 1, hostPort, ...(hostIP === undefined ? {} : { hostIP }) }] }],
})
const web = (): Pod => pod({}, { app: 'web' })
const spread = (maxSkew: number): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    {
      maxSkew,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
})
const taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }

const cases: readonly [what: string, incoming: Pod, nodes: readonly NodeShape[], answer: string][] = [
  ['no nodes', pod(), [], 'no nodes available to schedule pods'],
  ['least used', pod(), [{ running: [pod(asking('2'))] }, {}], 'n1'],
  [
    'several reasons, sorted',
    pod(asking('3')),
    [{ cpu: '1' }, { cpu: '1', pods: '0' }, { spec: { unschedulable: true } }],
    '0/3 nodes are available: 1 Too many pods, 1 node(s) were unschedulable, 2 Insufficient cpu.',
  ],
  [
    'other resources',
    pod({ containers: [{ name: 'a', resources: { requests: { 'x.io/gpu': '1' } } }] }),
    [{}],
    '0/1 nodes are available: 1 Insufficient x.io/gpu.',
  ],
  [
    'init containers count',
    pod({ initContainers: [{ name: 'i', resources: { requests: { cpu: '5' } } }] }),
    [{}],
    '0/1 nodes are available: 1 Insufficient cpu.',
  ],
  ['taint', pod(), [{ spec: { taints: [taint] } }], '0/1 nodes are available: 1 node(s) had untolerated taint(s).'],
  ['toleration', pod({ tolerations: [{ key: 'gpu', operator: 'Exists' }] }), [{ spec: { taints: [taint] } }], 'n0'],
  [
    'toleration of another value',
    pod({ tolerations: [{ key: 'gpu', value: 'no' }] }),
    [{ spec: { taints: [taint] } }],
    '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
  ],
  [
    'soft taint',
    pod(),
    [{ spec: { taints: [{ key: 'a', effect: 'PreferNoSchedule' }] } }, { running: [pod(asking('1'))] }],
    'n1',
  ],
  ['node selector', pod({ nodeSelector: { disk: 'ssd' } }), [{}, { labels: { disk: 'ssd' } }], 'n1'],
  [
    'a selector of __proto__',
    pod({ nodeSelector: JSON.parse('{"__proto__":"x"}') as Record<string, string> }),
    [{}],
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'node affinity by number',
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['8'] }] }],
          },
        },
      },
    }),
    [{ labels: { cores: '8' } }, { labels: { cores: '16' } }],
    'n1',
  ],
  [
    'an empty term matches nothing',
    pod({
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } } },
    }),
    [{}],
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'node preference',
    pod({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
          ],
        },
      },
    }),
    [{}, { labels: { disk: 'x' } }],
    'n1',
  ],
  [
    'host port',
    pod(port(80)),
    [{ running: [pod(port(80))] }],
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  ],
  ['host port on another address', pod(port(80, '1.1.1.1')), [{ running: [pod(port(80, '1.1.1.2'))] }], 'n0'],
  ['host port on all addresses', pod(port(80)), [{ running: [pod(port(80, '1.1.1.2'))] }, {}], 'n1'],
  ['affinity', pod({ affinity: { podAffinity: required('host', 'web') } }), [{}, { running: [web()] }], 'n1'],
  [
    'affinity without company',
    pod({ affinity: { podAffinity: required('host', 'web') } }),
    [{}],
    "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
  ],
  ['affinity with itself', pod({ affinity: { podAffinity: required('host', 'web') } }, { app: 'web' }), [{}], 'n0'],
  [
    'anti-affinity',
    pod({ affinity: { podAntiAffinity: required('host', 'web') } }),
    [{ running: [web()] }, { running: [pod(asking('3'))] }],
    'n1',
  ],
  [
    "others' anti-affinity",
    web(),
    [{ running: [pod({ affinity: { podAntiAffinity: required('host', 'web') } })] }],
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  ],
  [
    'preferred solitude',
    pod({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term('host', 'web') }],
        },
      },
    }),
    [{ running: [web()] }, { running: [pod(), pod()] }],
    'n1',
  ],
  [
    'spreading',
    pod(spread(1), { app: 'web' }),
    [
      { labels: { zone: 'a' }, running: [web()] },
      { labels: { zone: 'b' }, running: [pod(asking('3'))] },
    ],
    'n1',
  ],
  [
    'spreading with more skew',
    pod(spread(2), { app: 'web' }),
    [
      { labels: { zone: 'a' }, running: [web()] },
      { labels: { zone: 'b' }, running: [pod(asking('3'))] },
    ],
    'n0',
  ],
  [
    'spreading without the label',
    pod(spread(1), { app: 'web' }),
    [{}],
    "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
  ],
]

for (const [what, incoming, nodes, answer] of cases) {
  test(`scheduling: ${what}`, () => assert.equal(decide(incoming, nodes), answer))
}

test('replicas of one owner spread over nodes', () => {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }]
  const one = (): Pod => pod(asking('100m'), {}, { ownerReferences })
  assert.equal(decide(one(), [{ running: [one()] }, { running: [pod(asking('500m'))] }]), 'n1')
})

test('one decision over 20 nodes takes well under a millisecond', () => {
  const states = Array.from({ length: 20 }, (_, i) => {
    const state = new NodeState(`n${i}`)
    state.setNode({
      metadata: { name: `n${i}` },
      status: { allocatable: { cpu: '1000', memory: '1Ti', pods: '10000' } },
    })
    return state
  })
  const around = { states, antiAffinity: false, preferences: false, namespaceLabels: () => undefined, random: () => 0 }
  const count = 2000
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    const facts = factsOf(pod(asking('10m')))
    const choice = chooseNode(facts, around)
    assert.ok(choice.fits)
    choice.node.add(facts)
  }
  const each = ((performance.now() - start) / count) * 1000
  assert.ok(each < 1000, `${each.toFixed(0)} µs`)
  assert.deepEqual(new Set(states.map(({ pods }) => pods.size)), new Set([100]))
})
