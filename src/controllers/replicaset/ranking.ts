/** Which pods of a ReplicaSet go first when it has too many. */
import { annotation, parseTime } from '../meta.ts'
import type { Pod } from '../objects.ts'
import { isActive, isReady, mostRestarts, readySince } from '../pods.ts'

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

interface Ranked {
  readonly pod: Pod
  readonly phase: number
  readonly ready: boolean
  readonly cost: number
  /** Active pods of related ReplicaSets on the same node. */
  readonly crowd: number
  readonly readySince: number
  readonly restarts: number
  readonly created: number
}

/**
 * The `count` pods to delete: not assigned to a node before assigned, Pending before Unknown before Running, not ready
 * before ready, lower `controller.kubernetes.io/pod-deletion-cost` first, crowded nodes first, ready for a shorter
 * time first, more restarts first, younger first. Times are compared by their order of magnitude, so that it is not
 * always the youngest of pods that are about as old.
 */
export function podsToDelete(pods: readonly Pod[], related: readonly Pod[], count: number, now: number): Pod[] {
  if (count >= pods.length) return [...pods]
  const crowds = new Map<string, number>()
  for (const pod of related) {
    if (isActive(pod)) crowds.set(pod.spec.nodeName ?? '', (crowds.get(pod.spec.nodeName ?? '') ?? 0) + 1)
  }
  const ranked = pods.map((pod): Ranked => ({
    pod,
    phase: PHASES[pod.status?.phase ?? ''] ?? 0,
    ready: isReady(pod),
    cost: deletionCost(pod),
    crowd: crowds.get(pod.spec.nodeName ?? '') ?? 0,
    readySince: readySince(pod),
    restarts: mostRestarts(pod),
    created: parseTime(pod.metadata.creationTimestamp),
  }))
  ranked.sort((a, b) => compare(a, b, now))
  return ranked.slice(0, count).map(({ pod }) => pod)
}

function compare(a: Ranked, b: Ranked, now: number): number {
  const [here, there] = [a.pod.spec.nodeName ?? '', b.pod.spec.nodeName ?? '']
  if ((here === '') !== (there === '')) return here === '' ? -1 : 1
  if (a.phase !== b.phase) return a.phase - b.phase
  if (a.ready !== b.ready) return a.ready ? 1 : -1
  if (a.cost !== b.cost) return a.cost - b.cost
  if (a.crowd !== b.crowd) return b.crowd - a.crowd
  if (a.ready && a.readySince !== b.readySince) return byAge(a, b, a.readySince, b.readySince, now)
  if (a.restarts !== b.restarts) return b.restarts - a.restarts
  if (a.created !== b.created) return byAge(a, b, a.created, b.created, now)
  return 0
}

function byAge(a: Ranked, b: Ranked, one: number, other: number, now: number): number {
  const difference = magnitude(now - one) - magnitude(now - other)
  if (difference !== 0) return difference
  return a.pod.metadata.uid! < b.pod.metadata.uid! ? -1 : 1
}

function magnitude(age: number): number {
  return age > 0 ? Math.trunc(Math.log2(age * 1e6)) : -1
}

/** An annotation that is no 32 bit integer counts as 0. */
function deletionCost(pod: Pod): number {
  const text = annotation(pod, 'controller.kubernetes.io/pod-deletion-cost')
  if (text === undefined || !/^(0|-?[1-9][0-9]{0,9})$/.test(text)) return 0
  const cost = Number(text)
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0
}
