/** Placement relative to other pods: affinity, anti-affinity and spreading over topology domains. Pure. */
import type { StringMap } from '../../machinery/object.ts'
import { matchesLabels } from '../../machinery/selector/labels.ts'
import { repellingTaint, selectsNode } from './node-affinity.ts'
import type { NodeState } from './node-state.ts'
import { type PodFacts, type PodTerm, type SpreadConstraint, termMatches } from './pod-facts.ts'

export type NamespaceLabels = (namespace: string) => StringMap | undefined

/** The node's domain for a key; `undefined` when it has no such label. */
export function domainOf(state: NodeState, key: string): string | undefined {
  const labels = state.node?.metadata.labels
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
}

/** What the pods that are there mean for one incoming pod. Worked out once per pod, asked once per node. */
export interface TopologyView {
  /** The first rule that a node breaks. */
  problem(state: NodeState): string | undefined
  /** Higher is better; any range. */
  affinityScore(state: NodeState): number
  /** Lower is better: matching pods in the node's domains. */
  spreadCost(state: NodeState): number
  readonly scores: boolean
  /** Whether pods had to be looked at. */
  readonly counts: boolean
}

const NONE: TopologyView = {
  problem: () => undefined,
  affinityScore: () => 0,
  spreadCost: () => 0,
  scores: false,
  counts: false,
}

/** `others`: whether any pod on any node has (anti-)affinity rules of its own. */
export function topologyView(
  facts: PodFacts,
  states: readonly NodeState[],
  others: { readonly antiAffinity: boolean; readonly preferences: boolean },
  labelsOf: NamespaceLabels,
): TopologyView {
  const own = facts.affinity.length + facts.antiAffinity.length + facts.preferred.length + facts.spread.length
  if (own === 0 && !others.antiAffinity && !others.preferences) return NONE

  const wanted = facts.affinity.map((term) => domainsWith(term, states, labelsOf))
  const first = wanted.every(({ total }) => total === 0) && facts.affinity.every((t) => termMatches(t, facts, labelsOf))
  const avoided = facts.antiAffinity.map((term) => domainsWith(term, states, labelsOf))
  const forbidden = others.antiAffinity ? forbiddenDomains(facts, states, labelsOf) : []
  const hard = facts.spread.filter(({ source }) => source.whenUnsatisfiable === 'DoNotSchedule')
  const soft = facts.spread.filter(({ source }) => source.whenUnsatisfiable !== 'DoNotSchedule')
  const hardCounts = hard.map((constraint) => spreadCounts(constraint, facts, states, hard))
  const softCounts = soft.map((constraint) => spreadCounts(constraint, facts, states, soft))
  const pulls = pullsOf(facts, states, labelsOf, others.preferences)

  return {
    scores: pulls.length > 0 || soft.length > 0,
    counts: true,
    problem(state) {
      for (const [i, { source, selector }] of hard.entries()) {
        const domain = domainOf(state, source.topologyKey)
        if (domain === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)"
        const counts = hardCounts[i]!
        const self = matchesLabels(selector, facts.labels) ? 1 : 0
        const least = counts.size < (source.minDomains ?? 1) ? 0 : Math.min(...counts.values())
        const skew = (counts.get(domain) ?? 0) + self - (least === Infinity ? 0 : least)
        if (skew > source.maxSkew) return "node(s) didn't match pod topology spread constraints"
      }
      for (const [i, term] of facts.affinity.entries()) {
        const domain = domainOf(state, term.topologyKey)
        // The first of a group that wants to be together may go anywhere in a domain.
        const fits = domain !== undefined && (first || wanted[i]!.counts.has(domain))
        if (!fits) return "node(s) didn't match pod affinity rules"
      }
      for (const [i, term] of facts.antiAffinity.entries()) {
        const domain = domainOf(state, term.topologyKey)
        if (domain !== undefined && avoided[i]!.counts.has(domain))
          return "node(s) didn't match pod anti-affinity rules"
      }
      for (const [key, domain] of forbidden) {
        if (domainOf(state, key) === domain) return "node(s) didn't satisfy existing pods anti-affinity rules"
      }
      return undefined
    },
    affinityScore(state) {
      let score = 0
      for (const { key, domain, weight } of pulls) if (domainOf(state, key) === domain) score += weight
      return score
    },
    spreadCost(state) {
      let cost = 0
      for (const [i, { source }] of soft.entries()) {
        const domain = domainOf(state, source.topologyKey)
        if (domain !== undefined) cost += softCounts[i]!.get(domain) ?? 0
      }
      return cost
    },
  }
}

function domainsWith(term: PodTerm, states: readonly NodeState[], labelsOf: NamespaceLabels) {
  const counts = new Map<string, number>()
  let total = 0
  for (const state of states) {
    const domain = domainOf(state, term.topologyKey)
    if (domain === undefined) continue
    for (const other of state.pods.values()) {
      if (!termMatches(term, other, labelsOf)) continue
      counts.set(domain, (counts.get(domain) ?? 0) + 1)
      total++
    }
  }
  return { counts, total }
}

/** Domains from which pods that are there keep the incoming one away. */
function forbiddenDomains(facts: PodFacts, states: readonly NodeState[], labelsOf: NamespaceLabels) {
  const out: [key: string, domain: string][] = []
  for (const state of states) {
    for (const other of state.withAntiAffinity.values()) {
      for (const term of other.antiAffinity) {
        const domain = domainOf(state, term.topologyKey)
        if (domain !== undefined && termMatches(term, facts, labelsOf)) out.push([term.topologyKey, domain])
      }
    }
  }
  return out
}

interface Pull {
  readonly key: string
  readonly domain: string
  readonly weight: number
}

/** Preferences of the incoming pod about others, and of others about it; a required affinity pulls a little too. */
function pullsOf(
  facts: PodFacts,
  states: readonly NodeState[],
  labelsOf: NamespaceLabels,
  othersPrefer: boolean,
): Pull[] {
  const sums = new Map<string, Pull>()
  const pull = (key: string, domain: string, weight: number): void => {
    const id = `${key}\n${domain}`
    sums.set(id, { key, domain, weight: (sums.get(id)?.weight ?? 0) + weight })
  }
  for (const term of facts.preferred) {
    for (const [domain, count] of domainsWith(term, states, labelsOf).counts) {
      pull(term.topologyKey, domain, term.weight * count)
    }
  }
  for (const state of othersPrefer ? states : []) {
    for (const other of state.withPreferences.values()) {
      for (const term of [...other.preferred, ...other.affinity]) {
        const domain = domainOf(state, term.topologyKey)
        if (domain === undefined || !termMatches(term, facts, labelsOf)) continue
        pull(term.topologyKey, domain, term.weight === 0 ? 1 : term.weight)
      }
    }
  }
  return [...sums.values()].filter(({ weight }) => weight !== 0)
}

/** Matching pods per domain, over the nodes that count for a constraint. */
function spreadCounts(
  { source, selector }: SpreadConstraint,
  facts: PodFacts,
  states: readonly NodeState[],
  all: readonly SpreadConstraint[],
): Map<string, number> {
  const counts = new Map<string, number>()
  const { spec } = facts.pod
  for (const state of states) {
    if (state.node === undefined) continue
    if (all.some((one) => domainOf(state, one.source.topologyKey) === undefined)) continue
    if (source.nodeAffinityPolicy !== 'Ignore' && !selectsNode(spec, state.node)) continue
    if (source.nodeTaintsPolicy === 'Honor' && repellingTaint(spec, state.node) !== undefined) continue
    const domain = domainOf(state, source.topologyKey)!
    let count = counts.get(domain) ?? 0
    for (const other of state.pods.values()) {
      if (other.namespace !== facts.namespace || other.pod.metadata.deletionTimestamp !== undefined) continue
      if (matchesLabels(selector, other.labels)) count++
    }
    counts.set(domain, count)
  }
  return counts
}
