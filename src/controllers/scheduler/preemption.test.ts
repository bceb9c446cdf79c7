import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { labelSelectorOf } from '../../machinery/selector/labels.ts'
import type { Pod, PodSpec } from '../objects.ts'
import { chooseNode, type Surroundings } from './decision.ts'
import { NodeState } from './node-state.ts'
import { factsOf } from './pod-facts.ts'
import { type Guard, makeRoom, mayPreempt } from './preemption.ts'

interface Shape {
  readonly priority?: number
  readonly cpu?: string
  /** Minute of its start. */
  readonly since?: number
  readonly spec?: Partial<PodSpec>
  readonly labels?: Record<string, string>
  readonly going?: boolean
}

function pod(name: string, { priority = 0, cpu = '1', since, spec, labels = {}, going = false }: Shape): Pod {
  const at = `2026-01-01T00:${String(since ?? 0).padStart(2, '0')}:00Z`
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }
  return {
    metadata: { name, namespace: 'default', uid: name, labels, ...(going ? { deletionTimestamp: at } : {}) },
    spec: { priority, containers: [{ name: 'main', resources: { requests: { cpu } } }], ...spec },
    status: { ...(since === undefined ? {} : { startTime: at }), ...(going ? { conditions: [condition] } : {}) },
  }
}

type Shapes = readonly Record<string, Shape>[]

/** Nodes n0, n1, … of 4 CPUs with pods. */
function statesOf(nodes: Shapes): NodeState[] {
  return nodes.map((pods, i) => {
    const state = new NodeState(`n${i}`)
    const allocatable = { cpu: '4', memory: '8Gi', pods: '110' }
    state.setNode({ metadata: { name: `n${i}`, labels: { host: `n${i}` } }, spec: {}, status: { allocatable } })
    for (const [name, shape] of Object.entries(pods)) state.add(factsOf(pod(name, shape)))
    return state
  })
}

function surroundings(states: readonly NodeState[]): Surroundings {
  return {
    states,
    antiAffinity: states.some(({ withAntiAffinity }) => withAntiAffinity.size > 0),
    preferences: false,
    namespaceLabels: () => ({}),
    random: () => 0,
  }
}

const guard = (app: string, allowed: number, disrupted = ''): Guard => ({
  namespace: 'default',
  selector: labelSelectorOf({ matchLabels: { app } }),
  allowed,
  disrupted: (name) => name === disrupted,
})

function decide(incoming: Shape, nodes: Shapes, guards: readonly Guard[] = []): string {
  const states = statesOf(nodes)
  const room = makeRoom(factsOf(pod('incoming', incoming)), surroundings(states), () => guards)
  return room === undefined ? 'none' : `${room.node.name}: ${room.victims.map(({ uid }) => uid).join(' ')}`
}

const web = { app: 'web' }
const away = (app: string): Partial<PodSpec> => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'host', labelSelector: { matchLabels: { app } } },
      ],
    },
  },
})

const cases: readonly [what: string, incoming: Shape, nodes: Shapes, guards: readonly Guard[], answer: string][] = [
  ['nobody is less important', { priority: 5, cpu: '4' }, [{ a: { priority: 5 } }], [], 'none'],
  ['too big for any node', { priority: 5, cpu: '5' }, [{ a: {} }], [], 'none'],
  ['the least important', { priority: 5, cpu: '2' }, [{ a: { priority: 2, cpu: '2' }, b: { cpu: '2' } }], [], 'n0: b'],
  [
    'as few as will do, the important stay',
    { priority: 4, cpu: '2' },
    [{ a: { priority: 1, cpu: '1' }, b: { priority: 2, cpu: '1' }, c: { priority: 3, cpu: '2' } }],
    [],
    'n0: b a',
  ],
  [
    'the node whose most important victim is the least important',
    { priority: 5, cpu: '4' },
    [{ a: { priority: 3 } }, { b: { priority: 2 }, c: { priority: 2 } }],
    [],
    'n1: b c',
  ],
  [
    'then the lower sum, which is fewer pods as well',
    { priority: 5, cpu: '4' },
    [{ a: { priority: 2 }, b: { priority: 1 } }, { c: { priority: 2 } }],
    [],
    'n1: c',
  ],
  ['then the younger', { priority: 5, cpu: '4' }, [{ a: { since: 1 } }, { b: { since: 2 } }], [], 'n1: b'],
  [
    'the younger on a node',
    { priority: 5, cpu: '2' },
    [{ a: { cpu: '2', since: 2 }, b: { cpu: '2', since: 1 } }],
    [],
    'n0: a',
  ],
  [
    'budgets are kept before priorities',
    { priority: 5, cpu: '4' },
    [{ a: { labels: web } }, { b: { priority: 4 } }],
    [guard('web', 0)],
    'n1: b',
  ],
  [
    'budgets that allow',
    { priority: 5, cpu: '4' },
    [{ a: { labels: web } }, { b: { priority: 4 } }],
    [guard('web', 1)],
    'n0: a',
  ],
  [
    'budgets that have counted the pod',
    { priority: 5, cpu: '4' },
    [{ a: { labels: web } }, { b: { priority: 4 } }],
    [guard('web', 0, 'a')],
    'n0: a',
  ],
  [
    'a budget is broken rather than nothing done',
    { priority: 5, cpu: '4' },
    [{ a: { labels: web } }],
    [guard('web', 0)],
    'n0: a',
  ],
  [
    'who has a budget stays before others',
    { priority: 5, cpu: '2' },
    [{ a: { labels: web, cpu: '2' }, b: { priority: 1, cpu: '2' } }],
    [guard('web', 0)],
    'n0: b',
  ],
  ['what keeps it away goes', { priority: 5, spec: away('web') }, [{ a: { labels: web }, b: {} }], [], 'n0: a'],
  [
    'a selector is not argued with',
    { priority: 5, cpu: '4', spec: { nodeSelector: { host: 'n1' } } },
    [{ a: {} }, { b: { priority: 4 } }],
    [],
    'n1: b',
  ],
]

for (const [what, incoming, nodes, guards, answer] of cases) {
  test(`preemption: ${what}`, () => assert.equal(decide(incoming, nodes, guards), answer))
}

test('room that is being made is not taken by the less important', () => {
  const [state] = statesOf([{ a: { cpu: '2' } }])
  const around = surroundings([state!])
  const waiting = factsOf(pod('waiting', { priority: 5, cpu: '2' }))
  state!.nominated.set('waiting', waiting)
  const fits = (name: string, priority: number): boolean =>
    chooseNode(factsOf(pod(name, { priority, cpu: '1' })), around).fits
  assert.equal(fits('low', 4), false)
  assert.equal(fits('alike', 5), false)
  assert.equal(fits('high', 6), true)
  assert.equal(chooseNode(waiting, { ...around, nominated: state }).fits, true)
  assert.deepEqual([...state!.pods.keys()], ['a'])
})

test('nobody pushes twice while the first victims are going', () => {
  const facts = factsOf(pod('incoming', { priority: 5, cpu: '4' }))
  const [asked, going, other] = statesOf([{ a: {} }, { b: { going: true } }, { c: {} }])
  assert.equal(mayPreempt(facts, undefined), true)
  assert.equal(mayPreempt(facts, { node: asked!, victims: new Set(['a']) }), false)
  assert.equal(mayPreempt(facts, { node: going!, victims: new Set() }), false)
  assert.equal(mayPreempt(facts, { node: other!, victims: new Set() }), true)
  const never = factsOf(pod('never', { priority: 5, spec: { preemptionPolicy: 'Never' } }))
  assert.equal(mayPreempt(never, undefined), false)
})

test('any preemption: the victims are less important, all are needed, the pod fits then, and nothing is left changed', () => {
  const shape = fc.record({ priority: fc.integer({ min: 0, max: 3 }), cpu: fc.constantFrom('0', '1', '2', '3') })
  const nodes = fc.array(fc.array(shape, { maxLength: 5 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(shape, nodes, (incoming, drawn) => {
      const states = statesOf(drawn.map((pods, n) => Object.fromEntries(pods.map((one, i) => [`${n}-${i}`, one]))))
      const around = surroundings(states)
      const facts = factsOf(pod('incoming', incoming))
      const before = states.map(({ requested, pods }) => [requested.get('cpu') ?? 0, [...pods.keys()].toSorted()])
      if (chooseNode(facts, around).fits) return
      const room = makeRoom(facts, around, () => [])
      assert.deepEqual(
        states.map(({ requested, pods }) => [requested.get('cpu') ?? 0, [...pods.keys()].toSorted()]),
        before,
      )
      if (room === undefined) return
      const fits = () => chooseNode(facts, { ...around, states: [room.node] }).fits
      for (const victim of room.victims) {
        assert.ok(victim.priority < facts.priority)
        room.node.remove(victim.uid)
      }
      assert.ok(fits())
      for (const victim of room.victims) {
        room.node.add(victim)
        assert.ok(!fits())
        room.node.remove(victim.uid)
      }
    }),
  )
})
