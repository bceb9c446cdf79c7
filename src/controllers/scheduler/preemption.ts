/**
 * Preemption: room for a pod that fits nowhere, made by pods of lower priority that go. Pure.
 *
 * Upstream's rules: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
import { type LabelSelector, matchesLabels } from '../../machinery/selector/labels.ts'
import { findCondition } from '../conditions.ts'
import { parseTime } from '../meta.ts'
import { problemsOf, rivalsOf, type Surroundings, unsuitable } from './decision.ts'
import type { NodeState } from './node-state.ts'
import type { PodFacts } from './pod-facts.ts'
import { topologyView } from './topology.ts'

/** What of a PodDisruptionBudget counts here. Budgets are kept where possible, and broken rather than nothing done. */
export interface Guard {
  readonly namespace: string
  readonly selector: LabelSelector
  /** Pods that may still be disrupted. */
  readonly allowed: number
  /** Whether the budget has counted the pod of that name already. */
  disrupted(name: string): boolean
}

/** The node on which room is being made for a pod, and whose pods have been asked to go. */
export interface Nomination {
  readonly node: NodeState
  readonly victims: ReadonlySet<string>
}

export interface Preemption {
  readonly node: NodeState
  /** The most important first. */
  readonly victims: readonly PodFacts[]
  /** How many of them break a budget. */
  readonly violations: number
}

/** Nodes that are compared at most, beginning anywhere. */
const CANDIDATES = 100
/** Pods that are looked at for the sake of affinities, for one decision. */
const EFFORT = 1_000_000

/** Whether a pod may push others out: not while those that it pushed out are still going. */
export function mayPreempt(facts: PodFacts, nomination: Nomination | undefined): boolean {
  if (facts.pod.spec.preemptionPolicy === 'Never') return false
  if (nomination === undefined || nomination.node.node === undefined) return true
  if (unsuitable(facts, nomination.node) !== undefined) return true
  for (const other of nomination.node.pods.values()) {
    if (other.priority < facts.priority && (nomination.victims.has(other.uid) || isGoing(other))) return false
  }
  return true
}

/** On its way out for another pod's sake. */
function isGoing({ pod }: PodFacts): boolean {
  if (pod.metadata.deletionTimestamp === undefined) return false
  const condition = findCondition(pod.status?.conditions, 'DisruptionTarget')
  return condition?.status === 'True' && condition.reason === 'PreemptionByScheduler'
}

/**
 * The node on which the least is lost: the fewest broken budgets, then the lowest priority of the most important
 * victim, the lowest sum of priorities, the fewest victims, the youngest ones. `undefined`: no node would do.
 *
 * @param guards asked only when some node has pods of lower priority
 */
export function makeRoom(
  facts: PodFacts,
  around: Surroundings,
  guards: () => readonly Guard[],
): Preemption | undefined {
  const { states } = around
  const offset = Math.floor(around.random() * states.length)
  let best: Preemption | undefined
  let found = 0
  let known: readonly Guard[] | undefined
  const effort = { left: EFFORT }
  for (let i = 0; i < states.length && found < CANDIDATES && effort.left > 0; i++) {
    const state = states[(offset + i) % states.length]!
    if (!state.hasBelow(facts.priority) || unsuitable(facts, state) !== undefined) continue
    known ??= guards()
    const candidate = victimsOn(facts, state, around, known, effort)
    if (candidate === undefined) continue
    found++
    if (best === undefined || isBetter(candidate, best)) best = candidate
  }
  return best
}

/** Takes all less important pods away, then lets stay who may: those with budgets first, the important first. */
function victimsOn(
  facts: PodFacts,
  state: NodeState,
  around: Surroundings,
  guards: readonly Guard[],
  effort: { left: number },
): Preemption | undefined {
  const lower = [...state.pods.values()].filter(({ priority }) => priority < facts.priority).toSorted(byImportance)
  const rivals = rivalsOf(facts, state)
  const fits = (): boolean => {
    const view = topologyView(facts, around.states, around, around.namespaceLabels)
    if (view.counts) for (const { pods } of around.states) effort.left -= pods.size
    return problemsOf(facts, state, view).length === 0
  }
  try {
    for (const { uid } of lower) state.remove(uid)
    for (const rival of rivals) state.add(rival)
    if (!fits()) return undefined
    const breaking = brokenBy(lower, guards)
    const victims = new Set<PodFacts>()
    let violations = 0
    for (const guarded of [true, false]) {
      for (const pod of lower) {
        if (breaking.has(pod) !== guarded) continue
        state.add(pod)
        if (fits()) continue
        state.remove(pod.uid)
        victims.add(pod)
        if (guarded) violations++
        if (effort.left <= 0) return undefined
      }
    }
    return victims.size === 0
      ? undefined
      : { node: state, victims: lower.filter((pod) => victims.has(pod)), violations }
  } finally {
    for (const { uid } of rivals) state.remove(uid)
    for (const pod of lower) state.add(pod)
  }
}

/** Pods whose going would break a budget, when they go in this order. */
function brokenBy(pods: readonly PodFacts[], guards: readonly Guard[]): ReadonlySet<PodFacts> {
  const out = new Set<PodFacts>()
  if (guards.length === 0) return out
  const left = guards.map(({ allowed }) => allowed)
  for (const one of pods) {
    guards.forEach((guard, i) => {
      if (guard.namespace !== one.namespace || !matchesLabels(guard.selector, one.labels)) return
      if (guard.disrupted(one.pod.metadata.name!)) return
      if (--left[i]! < 0) out.add(one)
    })
  }
  return out
}

function startOf({ pod }: PodFacts): number {
  return pod.status?.startTime === undefined ? Infinity : parseTime(pod.status.startTime)
}

/** Higher priority first, then what runs longer. */
function byImportance(a: PodFacts, b: PodFacts): number {
  if (a.priority !== b.priority) return b.priority - a.priority
  const [first, second] = [startOf(a), startOf(b)]
  return first === second ? 0 : first < second ? -1 : 1
}

const PRIORITY_OFFSET = 2 ** 31

function isBetter(a: Preemption, b: Preemption): boolean {
  if (a.violations !== b.violations) return a.violations < b.violations
  const [topA, topB] = [a.victims[0]!.priority, b.victims[0]!.priority]
  if (topA !== topB) return topA < topB
  const sum = ({ victims }: Preemption): number =>
    victims.reduce((total, { priority }) => total + priority + PRIORITY_OFFSET, 0)
  if (sum(a) !== sum(b)) return sum(a) < sum(b)
  if (a.victims.length !== b.victims.length) return a.victims.length < b.victims.length
  // Victims are sorted: the first has run the longest of those of the highest priority.
  return startOf(a.victims[0]!) > startOf(b.victims[0]!)
}
