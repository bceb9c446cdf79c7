/** What the scheduler needs to know of a pod, worked out once per pod object. */
import type { StringMap } from '../../machinery/object.ts'
import { type LabelSelector, labelSelectorOf, matchesLabels, nothing } from '../../machinery/selector/labels.ts'
import { controllerOf } from '../meta.ts'
import type { LabelSelectorObject, Pod, PodAffinityTerm, TopologySpreadConstraint } from '../objects.ts'
import { type Amounts, requestsOf } from './amounts.ts'

/** Requests that a pod without any is scored with, so that such pods spread too. */
const LEAST_CPU = 100
const LEAST_MEMORY = 200 * 1024 * 1024

/** A required or preferred (anti-)affinity to pods. */
export interface PodTerm {
  readonly selector: LabelSelector
  readonly namespaces: ReadonlySet<string>
  /** Absent: only the names. */
  readonly namespaceSelector: LabelSelector | undefined
  readonly topologyKey: string
  readonly weight: number
}

export interface SpreadConstraint {
  readonly source: TopologySpreadConstraint
  readonly selector: LabelSelector
}

export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

export interface PodFacts {
  readonly pod: Pod
  readonly uid: string
  readonly namespace: string
  readonly labels: StringMap | undefined
  /** Uid of the controller, '' without one. */
  readonly owner: string
  readonly priority: number
  readonly requests: Amounts
  readonly scoredCpu: number
  readonly scoredMemory: number
  readonly hostPorts: readonly HostPort[]
  readonly affinity: readonly PodTerm[]
  readonly antiAffinity: readonly PodTerm[]
  readonly preferred: readonly PodTerm[]
  readonly spread: readonly SpreadConstraint[]
}

const known = new WeakMap<Pod, PodFacts>()

export function factsOf(pod: Pod): PodFacts {
  let facts = known.get(pod)
  if (facts === undefined) {
    facts = workOut(pod)
    known.set(pod, facts)
  }
  return facts
}

function workOut(pod: Pod): PodFacts {
  const { affinity } = pod.spec
  const requests = requestsOf(pod)
  const weighted = (
    list: { weight: number; podAffinityTerm: PodAffinityTerm }[] | undefined,
    sign: number,
  ): PodTerm[] => (list ?? []).map(({ weight, podAffinityTerm }) => termOf(pod, podAffinityTerm, weight * sign))
  const terms = (list: PodAffinityTerm[] | undefined): PodTerm[] => (list ?? []).map((term) => termOf(pod, term, 0))
  return {
    pod,
    uid: pod.metadata.uid!,
    namespace: pod.metadata.namespace!,
    labels: pod.metadata.labels,
    owner: controllerOf(pod)?.uid ?? '',
    priority: pod.spec.priority ?? 0,
    requests,
    scoredCpu: requests.get('cpu') ?? LEAST_CPU,
    scoredMemory: requests.get('memory') ?? LEAST_MEMORY,
    hostPorts: hostPortsOf(pod),
    affinity: terms(affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: terms(affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: [
      ...weighted(affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
      ...weighted(affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
    ],
    spread: (pod.spec.topologySpreadConstraints ?? []).map((source) => ({
      source,
      selector: selectorOf(pod, source.labelSelector, source.matchLabelKeys, undefined),
    })),
  }
}

function termOf(pod: Pod, term: PodAffinityTerm, weight: number): PodTerm {
  const { namespaceSelector, namespaces = [] } = term
  const own = namespaces.length === 0 && namespaceSelector === undefined
  return {
    selector: selectorOf(pod, term.labelSelector, term.matchLabelKeys, term.mismatchLabelKeys),
    namespaces: new Set(own ? [pod.metadata.namespace!] : namespaces),
    namespaceSelector: namespaceSelector === undefined ? undefined : labelSelectorOf(namespaceSelector),
    topologyKey: term.topologyKey,
    weight,
  }
}

/** No selector selects nothing; keys to match take their values from the pod's own labels. */
function selectorOf(
  pod: Pod,
  selector: LabelSelectorObject | undefined,
  match: readonly string[] | undefined,
  mismatch: readonly string[] | undefined,
): LabelSelector {
  if (selector === undefined) return nothing
  const labels = pod.metadata.labels ?? {}
  const expressions = [...(selector.matchExpressions ?? [])]
  for (const [keys, operator] of [
    [match, 'In'],
    [mismatch, 'NotIn'],
  ] as const) {
    for (const key of keys ?? []) {
      if (Object.hasOwn(labels, key)) expressions.push({ key, operator, values: [labels[key]!] })
    }
  }
  return labelSelectorOf({ ...selector, matchExpressions: expressions })
}

export function hostPortsOf(pod: Pod): HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...pod.spec.containers, ...sidecars].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [
            {
              port: hostPort,
              ip: hostIP === undefined || hostIP === '' ? '0.0.0.0' : hostIP,
              protocol: protocol ?? 'TCP',
            },
          ],
    ),
  )
}

/** The same port and protocol on the same address, or one of them on all. */
export function conflict(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')
}

/** Whether a term is about this pod. `labelsOf` gives a namespace's labels. */
export function termMatches(
  term: PodTerm,
  facts: PodFacts,
  labelsOf: (namespace: string) => StringMap | undefined,
): boolean {
  const inside =
    term.namespaces.has(facts.namespace) ||
    (term.namespaceSelector !== undefined && matchesLabels(term.namespaceSelector, labelsOf(facts.namespace)))
  return inside && matchesLabels(term.selector, facts.labels)
}
