/** What a DaemonSet does next: pods that are missing, too many or outdated; and its status. Pure. */
import { scaledValue } from '../deployment/maths.ts'
import { label } from '../meta.ts'
import type { Node, Pod } from '../objects.ts'
import { isAvailable, isReady } from '../pods.ts'
import { REVISION_HASH } from '../history.ts'
import type { DaemonSet, DaemonSetStatus } from './objects.ts'
import { isUpdated, placementOn, type ByNode } from './pods.ts'

export interface Step {
  /** Nodes that are to get a pod. */
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
}

export interface Upkeep extends Step {
  /** Pods among those to remove that have ended, to be told of. */
  readonly ended: readonly Pod[]
}

interface Limits {
  readonly surge: number
  readonly unavailable: number
}

/** How many nodes may be without a pod, or have two; both 0 would never move. */
export function limitsOf({ spec }: DaemonSet, desired: number): Limits {
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
  const surge = scaledValue(rollingUpdate?.maxSurge, desired, true)
  const unavailable = scaledValue(rollingUpdate?.maxUnavailable, desired, true)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

function allowsSurge(set: DaemonSet): boolean {
  return limitsOf(set, 100).surge > 0
}

/** One pod on each node that should have one. `mayRetry`: whether a node's failed pod may be replaced by now. */
export function upkeep(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: ByNode,
  hash: string,
  now: number,
  mayRetry: (node: string) => boolean,
): Upkeep {
  const create: string[] = []
  const remove: Pod[] = []
  const ended: Pod[] = []
  const known = new Set<string>()
  for (const node of nodes) {
    const name = node.metadata.name!
    known.add(name)
    const own = pods.get(name) ?? []
    const { run, keep } = placementOn(node, set)
    const staying = own.filter((pod) => pod.metadata.deletionTimestamp === undefined)
    if (run && own.length === 0) create.push(name)
    else if (!keep) remove.push(...staying)
    else {
      const running: Pod[] = []
      for (const pod of staying) {
        const phase = pod.status?.phase
        if (phase === 'Failed' ? mayRetry(name) : phase === 'Succeeded') ended.push(pod)
        else if (phase !== 'Failed') running.push(pod)
      }
      const surplus = allowsSurge(set) ? surging(set, running, hash, now) : running.slice(1)
      remove.push(...surplus)
      if (allowsSurge(set) && running.length === 0 && run) create.push(name)
    }
  }
  for (const [node, list] of pods) {
    if (known.has(node)) continue
    remove.push(
      ...list.filter(({ spec, metadata }) => (spec.nodeName ?? '') === '' && metadata.deletionTimestamp === undefined),
    )
  }
  return { create, remove: [...remove, ...ended], ended }
}

/** With a surge, a node may have an old and a new pod, until the new one is available. */
function surging(set: DaemonSet, running: readonly Pod[], hash: string, now: number): Pod[] {
  if (running.length <= 1) return []
  const isNew = (pod: Pod): boolean => label(pod, REVISION_HASH) === hash
  const [fresh, ...moreNew] = running.filter(isNew)
  const [old, ...moreOld] = running.filter((pod) => !isNew(pod))
  const done =
    fresh !== undefined &&
    old !== undefined &&
    (!isReady(old) || isAvailable(fresh, set.spec.minReadySeconds ?? 0, now))
  return [...moreNew, ...moreOld, ...(done ? [old] : [])]
}

interface Pair {
  readonly node: string
  readonly fresh: Pod | undefined
  readonly old: Pod | undefined
  /** Upkeep has to put the node right first. */
  readonly crowded: boolean
}

/** Which old pods go, and which nodes get a new one beside the old, within the limits. */
export function rollingUpdate(set: DaemonSet, nodes: readonly Node[], pods: ByNode, hash: string, now: number): Step {
  const wanted = new Map(nodes.map((node) => [node.metadata.name!, placementOn(node, set).run]))
  const desired = [...wanted.values()].filter(Boolean).length
  const limits = limitsOf(set, desired)
  const names = new Set([...pods.keys(), ...[...wanted].filter(([, run]) => run).map(([name]) => name)])
  const pairs = [...names].map((node): Pair => {
    const living = (pods.get(node) ?? []).filter((pod) => pod.metadata.deletionTimestamp === undefined)
    const fresh = living.filter((pod) => isUpdated(pod, set, hash))
    const old = living.filter((pod) => !isUpdated(pod, set, hash))
    return { node, fresh: fresh[0], old: old[0], crowded: fresh.length > 1 || old.length > 1 }
  })
  const available = (pod: Pod): boolean => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)
  return limits.surge === 0
    ? withoutSurge(pairs, limits.unavailable, available)
    : withSurge(pairs, limits.surge, desired, wanted, available)
}

function withoutSurge(pairs: readonly Pair[], most: number, available: (pod: Pod) => boolean): Step {
  let missing = 0
  const broken: Pod[] = []
  const candidates: Pod[] = []
  for (const { fresh, old, crowded } of pairs) {
    if (crowded || (old === undefined) === (fresh === undefined)) missing++
    else if (fresh !== undefined) missing += available(fresh) ? 0 : 1
    else if (available(old!)) candidates.push(old!)
    else {
      broken.push(old!)
      missing++
    }
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, most - missing))] }
}

function withSurge(
  pairs: readonly Pair[],
  most: number,
  desired: number,
  wanted: ReadonlyMap<string, boolean>,
  available: (pod: Pod) => boolean,
): Step {
  let [surging, running] = [0, 0]
  const remove: Pod[] = []
  const leaving: Pod[] = []
  const allowed: string[] = []
  const candidates: string[] = []
  for (const { node, fresh, old, crowded } of pairs) {
    if (crowded) {
      surging++
      continue
    }
    const one = old ?? fresh
    if (one !== undefined && available(one)) running++
    if (old === undefined) continue
    if (fresh !== undefined) {
      if (available(fresh)) remove.push(old)
      else surging++
    } else if (wanted.get(node) !== true) (available(old) ? leaving : remove).push(old)
    else (available(old) ? candidates : allowed).push(node)
  }
  remove.push(...leaving.slice(0, Math.max(0, running - desired)))
  return { create: [...allowed, ...candidates.slice(0, Math.max(0, most - surging))], remove }
}

export function statusOf(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: ByNode,
  hash: string,
  collisionCount: number,
  now: number,
): DaemonSetStatus {
  let [desired, current, misplaced, ready, updated, available] = [0, 0, 0, 0, 0, 0]
  for (const node of nodes) {
    const [pod] = pods.get(node.metadata.name!) ?? []
    if (!placementOn(node, set).run) {
      if (pod !== undefined) misplaced++
      continue
    }
    desired++
    if (pod === undefined) continue
    current++
    if (isReady(pod)) ready++
    if (isAvailable(pod, set.spec.minReadySeconds ?? 0, now)) available++
    if (isUpdated(pod, set, hash)) updated++
  }
  const status: DaemonSetStatus = {
    currentNumberScheduled: current,
    numberMisscheduled: misplaced,
    desiredNumberScheduled: desired,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 0,
  }
  if (updated > 0) status.updatedNumberScheduled = updated
  if (available > 0) status.numberAvailable = available
  if (desired > available) status.numberUnavailable = desired - available
  if (collisionCount > 0) status.collisionCount = collisionCount
  if (set.status?.conditions !== undefined) status.conditions = set.status.conditions
  return status
}
