/** The arithmetic of rollouts: how many replicas which ReplicaSet may have next. Pure. */
import { annotation, parseTime } from '../meta.ts'
import type { Deployment, ReplicaSet } from '../objects.ts'

export const REVISION = 'deployment.kubernetes.io/revision'
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
export const HASH_LABEL = 'pod-template-hash'

export function desiredReplicas(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1
}

export function replicasOf(set: ReplicaSet): number {
  return set.spec.replicas ?? 1
}

export function isRolling(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== 'Recreate'
}

/** A number, or a percentage of `total` rounded up or down. What cannot be read is 0. */
export function scaledValue(value: number | string | undefined, total: number, roundUp: boolean): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const match = /^([0-9]{1,9})%$/.exec(value)
  if (match === null) return 0
  const exact = (Number(match[1]) * total) / 100
  return roundUp ? Math.ceil(exact) : Math.floor(exact)
}

interface Limits {
  readonly surge: number
  readonly unavailable: number
}

/** How many pods beyond and below the desired number a rolling update may have; both 0 would never move. */
export function fenceposts(deployment: Deployment): Limits {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 }
  const desired = desiredReplicas(deployment)
  const rolling = deployment.spec.strategy?.rollingUpdate
  const surge = scaledValue(rolling?.maxSurge, desired, true)
  const unavailable = scaledValue(rolling?.maxUnavailable, desired, false)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

export function maxSurge(deployment: Deployment): number {
  return fenceposts(deployment).surge
}

export function maxUnavailable(deployment: Deployment): number {
  const desired = desiredReplicas(deployment)
  return desired === 0 ? 0 : Math.min(fenceposts(deployment).unavailable, desired)
}

export function sum(sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number {
  return sets.reduce((total, set) => total + of(set), 0)
}

export function availableOf(set: ReplicaSet): number {
  return set.status?.availableReplicas ?? 0
}

/** Older first; of the same age, by name. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const difference = parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp)
  return difference === 0 ? compareNames(a, b) : difference
}

function compareNames(a: ReplicaSet, b: ReplicaSet): number {
  return a.metadata.name! < b.metadata.name! ? -1 : a.metadata.name === b.metadata.name ? 0 : 1
}

/** The revision that a text is, of 64 bits; undefined for any other text. */
export function parseRevision(text: string): bigint | undefined {
  if (!/^[0-9]{1,19}$/.test(text)) return undefined
  const revision = BigInt(text)
  return revision < 2n ** 63n ? revision : undefined
}

/** The revision that a ReplicaSet stands for; 0: none. */
export function revisionOf(set: ReplicaSet): bigint {
  return parseRevision(annotation(set, REVISION) ?? '') ?? 0n
}

export function maxRevision(sets: readonly ReplicaSet[]): bigint {
  return sets.reduce((most, set) => (revisionOf(set) > most ? revisionOf(set) : most), 0n)
}

/** The new set's size now: it grows as far as the surge allows. */
export function newSetReplicas(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const desired = desiredReplicas(deployment)
  if (!isRolling(deployment)) return desired
  const surge = scaledValue(deployment.spec.strategy?.rollingUpdate?.maxSurge, desired, true)
  const room = desired + surge - sum(all, replicasOf)
  return room <= 0 ? current : current + Math.min(room, desired - current)
}

/** One ReplicaSet's new size. */
export interface Scale {
  readonly set: ReplicaSet
  readonly replicas: number
}

/**
 * How the old sets shrink in a step of a rolling update: first their pods that are not available, which takes
 * nothing away from anybody, then others as far as enough pods stay available. Sizes that stay are left out.
 */
export function shrinkOldSets(deployment: Deployment, newSet: ReplicaSet, old: readonly ReplicaSet[]): Scale[] {
  const sets = old.filter((set) => replicasOf(set) > 0).toSorted(byAge)
  if (sets.length === 0) return []
  const minAvailable = desiredReplicas(deployment) - maxUnavailable(deployment)
  const unavailableNew = replicasOf(newSet) - availableOf(newSet)
  const total = sum(sets, replicasOf) + replicasOf(newSet)
  const most = total - minAvailable - unavailableNew
  if (most <= 0) return []

  const sizes = new Map(sets.map((set) => [set, replicasOf(set)]))
  let cleaned = 0
  for (const set of sets) {
    const unhealthy = Math.max(0, replicasOf(set) - availableOf(set))
    const step = Math.min(most - cleaned, unhealthy)
    sizes.set(set, replicasOf(set) - step)
    cleaned += step
  }

  const available = sum([...sets, newSet], availableOf)
  let left = available - minAvailable
  for (const set of sets) {
    if (left <= 0) break
    const step = Math.min(sizes.get(set)!, left)
    sizes.set(set, sizes.get(set)! - step)
    left -= step
  }
  return sets.flatMap((set) => (sizes.get(set) === replicasOf(set) ? [] : [{ set, replicas: sizes.get(set)! }]))
}

/**
 * The only active set, or the newest when none is active; `undefined` when several are active and must share, or
 * there is none.
 */
export function activeOrLatest(newSet: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet | undefined {
  const all = newSet === undefined ? old : [...old, newSet]
  const active = all.filter((set) => replicasOf(set) > 0)
  if (active.length === 1) return active[0]
  if (active.length > 1) return undefined
  return newSet ?? old.toSorted(byAge).at(-1)
}

/** Whether the new set has all replicas, for this size of the Deployment, and all are available. */
export function isSaturated(deployment: Deployment, set: ReplicaSet | undefined): boolean {
  if (set === undefined) return false
  const desired = desiredReplicas(deployment)
  return (
    replicasOf(set) === desired && annotation(set, DESIRED_REPLICAS) === String(desired) && availableOf(set) === desired
  )
}

/**
 * Spreads a change of size over the active sets in proportion to their sizes, so that a rollout under way neither
 * hurries nor stalls. All active sets are in the answer: their annotations change even where the size does not.
 */
export function proportionalScale(deployment: Deployment, active: readonly ReplicaSet[]): Scale[] {
  const desired = desiredReplicas(deployment)
  const allowed = desired > 0 ? desired + maxSurge(deployment) : 0
  const toAdd = allowed - sum(active, replicasOf)
  const sorted = active.toSorted((a, b) => {
    const size = replicasOf(b) - replicasOf(a)
    if (size !== 0) return size
    return toAdd > 0 ? byAge(b, a) : byAge(a, b)
  })
  let added = 0
  const sizes = sorted.map((set) => {
    const part = toAdd === 0 ? 0 : proportion(deployment, set, toAdd, added)
    added += part
    return replicasOf(set) + part
  })
  if (sizes.length > 0 && toAdd !== 0) sizes[0] = Math.max(0, sizes[0]! + toAdd - added)
  return sorted.map((set, i) => ({ set, replicas: sizes[i]! }))
}

function proportion(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(set) === 0 || toAdd === added) return 0
  const fraction = fractionOf(deployment, set)
  const left = toAdd - added
  // Somebody's own numbers in the annotation must not turn the direction.
  return toAdd > 0 ? Math.max(0, Math.min(fraction, left)) : Math.min(0, Math.max(fraction, left))
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const desired = desiredReplicas(deployment)
  if (desired === 0) return -replicasOf(set)
  const noted = annotation(set, MAX_REPLICAS)
  const before =
    noted !== undefined && /^[0-9]{1,9}$/.test(noted) && Number(noted) > 0
      ? Number(noted)
      : (deployment.status?.replicas ?? 0)
  if (before === 0) return 0
  const exact = (replicasOf(set) * (desired + maxSurge(deployment))) / before
  // Halves go away from zero.
  return (exact < 0 ? -Math.round(-exact) : Math.round(exact)) - replicasOf(set)
}

/** The old ReplicaSets that the history has no room for: scaled down, observed, oldest revision first. */
export function expendableSets(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit
  if (limit === undefined || limit === 2 ** 31 - 1) return []
  const alive = old.filter((set) => set.metadata.deletionTimestamp === undefined)
  const surplus = alive.length - limit
  if (surplus <= 0) return []
  return alive
    .toSorted((a, b) => Number(revisionOf(a) - revisionOf(b)) || byAge(a, b))
    .slice(0, surplus)
    .filter(
      (set) =>
        (set.status?.replicas ?? 0) === 0 &&
        replicasOf(set) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
}
