import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REVISION_HASH } from '../history.ts'
import type { Node, Pod, Taint } from '../objects.ts'
import { limitsOf, rollingUpdate, statusOf, upkeep } from './decision.ts'
import type { DaemonSet } from './objects.ts'
import { byNode, daemonPod, nodeOf, placementOn } from './pods.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')

function set(strategy: object = {}, spec: object = {}): DaemonSet {
  return {
    metadata: { name: 'd', namespace: 'n', uid: 'set', generation: 2 },
    spec: {
      selector: {},
      template: { spec: { containers: [], ...spec } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: strategy },
    },
  }
}

const node = (name: string, taints: Taint[] = [], labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  spec: { taints },
})

/** `a:old`, `a:new!` (not ready), `a:old?` (failed), `a:old-` (ending) */
function pod(text: string, i: number): Pod {
  const [where = '', what = ''] = text.split(':')
  const ready = { type: 'Ready', status: /[!?]/.test(what) ? 'False' : 'True' }
  return {
    metadata: {
      name: text,
      uid: `${text}${i}`,
      namespace: 'n',
      creationTimestamp: new Date(NOW - 1e6 + i * 1000).toISOString(),
      labels: { [REVISION_HASH]: what.slice(0, 3) },
      ...(what.endsWith('-') ? { deletionTimestamp: new Date(NOW).toISOString() } : {}),
    },
    spec: { containers: [], nodeName: where },
    status: { phase: what.endsWith('?') ? 'Failed' : 'Running', conditions: [ready] },
  }
}

const NODES = ['a', 'b', 'c'].map((name) => node(name))
const names = (pods: readonly Pod[]): string => pods.map(({ metadata }) => metadata.name!).join(' ')
const keeping = (of: DaemonSet, nodes: Node[], ...pods: string[]): string => {
  const { create, remove } = upkeep(of, nodes, byNode(pods.map(pod)), 'new', NOW, () => true)
  return `+${create.join(' ')} -${names(remove)}`
}
const rolling = (strategy: object, ...pods: string[]): string => {
  const { create, remove } = rollingUpdate(set(strategy), NODES, byNode(pods.map(pod)), 'new', NOW)
  return `+${create.join(' ')} -${names(remove)}`
}

test('one pod on each node; doubles and ended ones go; what ends is waited for', () => {
  assert.equal(keeping(set(), NODES), '+a b c -')
  assert.equal(keeping(set(), NODES, 'a:new', 'b:new', 'b:old'), '+c -b:old')
  assert.equal(keeping(set(), NODES, 'a:new', 'b:new?', 'c:old-'), '+ -b:new?')
  const { remove } = upkeep(set(), NODES, byNode([pod('b:new?', 0)]), 'new', NOW, () => false)
  assert.equal(names(remove), '')
})

test('nodes that the set is not for, by selector and by taint', () => {
  const tainted = (effect: string): Node => node('a', [{ key: 'k', effect }])
  assert.deepEqual(placementOn(tainted('NoSchedule'), set()), { run: false, keep: true })
  assert.deepEqual(placementOn(tainted('NoExecute'), set()), { run: false, keep: false })
  assert.deepEqual(placementOn(tainted('PreferNoSchedule'), set()), { run: true, keep: true })
  const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }
  assert.deepEqual(placementOn(node('a', [notReady]), set()), { run: true, keep: true })
  const network = { key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }
  assert.equal(placementOn(node('a', [network]), set()).run, false)
  assert.equal(placementOn(node('a', [network]), set({}, { hostNetwork: true })).run, true)
  const chosen = set({}, { nodeSelector: { disk: 'ssd' } })
  assert.equal(placementOn(node('a'), chosen).run, false)
  assert.equal(placementOn(node('a', [], { disk: 'ssd' }), chosen).run, true)
  assert.equal(keeping(chosen, [node('a')], 'a:new'), '+ -a:new')
})

test('pods are bound to their node by affinity', () => {
  const made = daemonPod(set(), 'a', 'h')
  assert.equal(nodeOf(made), 'a')
  assert.equal(made.metadata.labels![REVISION_HASH], 'h')
  assert.equal(made.spec.tolerations!.length, 6)
  const lost = upkeep(set(), [], byNode([{ ...made, metadata: { ...made.metadata, name: 'x' } }]), 'h', NOW, () => true)
  assert.equal(names(lost.remove), 'x')
})

test('roll-outs within maxUnavailable: what does not run anyway goes at once', () => {
  assert.equal(rolling({ maxUnavailable: 1 }, 'a:old', 'b:old', 'c:old'), '+ -a:old')
  assert.equal(rolling({ maxUnavailable: 1 }, 'a:new!', 'b:old', 'c:old'), '+ -')
  assert.equal(rolling({ maxUnavailable: 1 }, 'a:new', 'b:old', 'c:old'), '+ -b:old')
  assert.equal(rolling({ maxUnavailable: 1 }, 'a:old!', 'b:old', 'c:old!'), '+ -a:old! c:old!')
  assert.equal(rolling({ maxUnavailable: '50%' }, 'a:old', 'b:old', 'c:old'), '+ -a:old b:old')
  assert.equal(rolling({ maxUnavailable: 1 }, 'a:old-', 'b:old', 'c:old'), '+ -')
  assert.deepEqual(limitsOf(set({ maxUnavailable: 0, maxSurge: 0 }), 3), { surge: 0, unavailable: 1 })
})

test('roll-outs with a surge: the new one first', () => {
  const surge = { maxSurge: 1, maxUnavailable: 0 }
  assert.equal(rolling(surge, 'a:old', 'b:old', 'c:old'), '+a -')
  assert.equal(rolling(surge, 'a:old', 'a:new!', 'b:old', 'c:old'), '+ -')
  assert.equal(rolling(surge, 'a:old', 'a:new', 'b:old', 'c:old'), '+b -a:old')
  assert.equal(rolling(surge, 'a:old!', 'b:old', 'c:old'), '+a b -')
  assert.equal(keeping(set(surge), NODES, 'a:old', 'a:new!', 'b:new', 'c:old'), '+ -')
  assert.equal(keeping(set(surge), NODES, 'a:old', 'a:new', 'b:new', 'c:old'), '+ -a:old')
})

test('the status counts nodes', () => {
  const nodes = [...NODES, node('d', [{ key: 'k', effect: 'NoSchedule' }])]
  const pods = byNode(['a:new', 'b:old!', 'd:new'].map(pod))
  assert.deepEqual(statusOf(set(), nodes, pods, 'new', 0, NOW), {
    currentNumberScheduled: 2,
    numberMisscheduled: 1,
    desiredNumberScheduled: 3,
    numberReady: 1,
    observedGeneration: 2,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
    numberUnavailable: 2,
  })
})
