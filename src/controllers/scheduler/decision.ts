/** Where a pod goes: filters, then scores. Pure. */
import { isCordoned, preference, repellingTaint, selectsNode, tolerates } from './node-affinity.ts'
import type { NodeState } from './node-state.ts'
import type { PodFacts } from './pod-facts.ts'
import { type NamespaceLabels, topologyView, type TopologyView } from './topology.ts'

export type Choice =
  | { readonly fits: true; readonly node: NodeState }
  /** `message` is worded as upstream's event. */
  | { readonly fits: false; readonly message: string }

export interface Surroundings {
  readonly states: readonly NodeState[]
  /** Whether any pod that runs has such rules. */
  readonly antiAffinity: boolean
  readonly preferences: boolean
  readonly namespaceLabels: NamespaceLabels
  /** The node on which room has been made for the pod: it goes there if it can. */
  readonly nominated?: NodeState | undefined
  /** A number in [0, 1), for a choice among equals. */
  random(): number
}

export function chooseNode(facts: PodFacts, around: Surroundings): Choice {
  const { states } = around
  if (states.length === 0) return { fits: false, message: 'no nodes available to schedule pods' }
  const view = topologyView(facts, states, around, around.namespaceLabels)
  const reasons = new Map<string, number>()
  const fitting: NodeState[] = []
  for (const state of states) {
    const alone = state.nominated.size === 0
    const problems = alone ? problemsOf(facts, state, view) : problemsBesideRivals(facts, state, view)
    if (problems.length === 0) fitting.push(state)
    for (const problem of problems) reasons.set(problem, (reasons.get(problem) ?? 0) + 1)
  }
  if (fitting.length === 0) {
    const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).toSorted()
    return { fits: false, message: `0/${states.length} nodes are available: ${parts.join(', ')}.` }
  }
  const { nominated } = around
  if (nominated !== undefined && fitting.includes(nominated)) return { fits: true, node: nominated }
  return { fits: true, node: best(facts, fitting, view, around) }
}

/** Pods for which room is being made on a node, and which this one may not overtake. */
export function rivalsOf(facts: PodFacts, { nominated, pods }: NodeState): readonly PodFacts[] {
  if (nominated.size === 0) return NOBODY
  return [...nominated.values()].filter(
    ({ uid, priority }) => uid !== facts.uid && priority >= facts.priority && !pods.has(uid),
  )
}

const NOBODY: readonly PodFacts[] = []

/** With the pods for which room is being made counted as if they were there. */
function problemsBesideRivals(facts: PodFacts, state: NodeState, view: TopologyView): string[] {
  const rivals = rivalsOf(facts, state)
  for (const rival of rivals) state.add(rival)
  const problems = problemsOf(facts, state, view)
  for (const { uid } of rivals) state.remove(uid)
  return problems
}

/** Why a pod cannot go to a node: the first filter that says no, which may have several reasons. */
export function problemsOf(facts: PodFacts, state: NodeState, view: TopologyView): string[] {
  const never = unsuitable(facts, state)
  if (never !== undefined) return [never]
  if (facts.hostPorts.some((port) => state.hasPort(port))) {
    return ["node(s) didn't have free ports for the requested pod ports"]
  }
  const lacking = insufficient(facts, state)
  if (lacking.length > 0) return lacking
  const problem = view.problem(state)
  return problem === undefined ? [] : [problem]
}

/** Why a pod cannot go to a node whatever else runs there. */
export function unsuitable(facts: PodFacts, state: NodeState): string | undefined {
  const { spec } = facts.pod
  const node = state.node!
  if (spec.nodeName !== undefined && spec.nodeName !== state.name) return "node(s) didn't match the requested node name"
  if (isCordoned(spec, node)) return 'node(s) were unschedulable'
  if (node.spec?.taints !== undefined && repellingTaint(spec, node) !== undefined) {
    return 'node(s) had untolerated taint(s)'
  }
  return selectsNode(spec, node) ? undefined : "node(s) didn't match Pod's node affinity/selector"
}

function insufficient(facts: PodFacts, state: NodeState): string[] {
  const out: string[] = []
  if (state.pods.size + 1 > (state.allocatable.get('pods') ?? 0)) out.push('Too many pods')
  for (const [name, wanted] of facts.requests) {
    if (wanted === 0) continue
    const free = (state.allocatable.get(name) ?? 0) - (state.requested.get(name) ?? 0)
    if (wanted > free) out.push(`Insufficient ${name}`)
  }
  return out
}

const WEIGHTS = { taints: 3, nodeAffinity: 2, podAffinity: 2, spread: 2, owner: 2, resources: 1, balance: 1 } as const

/** The node with the highest weighted sum of scores from 0 to 100; equals are drawn. */
function best(facts: PodFacts, states: readonly NodeState[], view: TopologyView, around: Surroundings): NodeState {
  if (states.length === 1) return states[0]!
  const { spec } = facts.pod
  const totals = new Float64Array(states.length)
  const add = (weight: number, raw: (state: NodeState) => number, lowIsGood = false): void => {
    const values = states.map((state) => raw(state))
    const [low, high] = [Math.min(...values), Math.max(...values)]
    if (low === high) return
    values.forEach((value, i) => {
      const part = (value - low) / (high - low)
      totals[i]! += weight * 100 * (lowIsGood ? 1 - part : part)
    })
  }
  if (states.some(({ node }) => node!.spec?.taints !== undefined)) {
    add(WEIGHTS.taints, (state) => softTaints(facts, state), true)
  }
  if (spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution !== undefined) {
    add(WEIGHTS.nodeAffinity, (state) => preference(spec, state.node!))
  }
  if (view.scores) {
    add(WEIGHTS.podAffinity, (state) => view.affinityScore(state))
    add(WEIGHTS.spread, (state) => view.spreadCost(state), true)
  }
  if (facts.owner !== '') add(WEIGHTS.owner, (state) => state.owners.get(facts.owner) ?? 0, true)
  states.forEach((state, i) => {
    const cpu = usedShare(state.scoredCpu + facts.scoredCpu, state.allocatable.get('cpu'))
    const memory = usedShare(state.scoredMemory + facts.scoredMemory, state.allocatable.get('memory'))
    totals[i]! += WEIGHTS.resources * 100 * (1 - (cpu + memory) / 2)
    totals[i]! += WEIGHTS.balance * 100 * (1 - Math.abs(cpu - memory) / 2)
  })
  let chosen = 0
  let equals = 1
  for (let i = 1; i < states.length; i++) {
    if (totals[i]! > totals[chosen]!) {
      chosen = i
      equals = 1
    } else if (totals[i] === totals[chosen] && around.random() * ++equals < 1) {
      chosen = i
    }
  }
  return states[chosen]!
}

function usedShare(used: number, of: number | undefined): number {
  return of === undefined || of === 0 ? 1 : Math.min(1, used / of)
}

function softTaints({ pod }: PodFacts, { node }: NodeState): number {
  let count = 0
  for (const taint of node!.spec?.taints ?? []) {
    if (taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint)) count++
  }
  return count
}
