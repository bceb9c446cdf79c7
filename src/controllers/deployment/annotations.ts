/** What a Deployment writes into its ReplicaSets' annotations. Pure. */
import type { StringMap } from '../../machinery/object.ts'
import type { Deployment, ReplicaSet } from '../objects.ts'
import {
  DESIRED_REPLICAS,
  desiredReplicas,
  MAX_REPLICAS,
  maxSurge,
  parseRevision,
  REVISION,
  REVISION_HISTORY,
} from './maths.ts'

/** Not copied from the Deployment to its ReplicaSets. */
const OWN: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
])

/** Characters that the revision history may take. */
const MAX_HISTORY = 2000

/**
 * The annotations of the Deployment's current ReplicaSet: copies of the Deployment's, its revision, and the revisions
 * that it had before (a rollback gives an old set a new revision). The same object when nothing changes.
 */
export function revisionAnnotations(deployment: Deployment, current: StringMap, revision: bigint): StringMap {
  const out = new Map(Object.entries(current))
  let changed = false
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (OWN.has(key) || out.get(key) === value) continue
    out.set(key, value)
    changed = true
  }
  const before = out.get(REVISION)
  // Somebody's own text stands there: leave it alone.
  const stood = parseRevision(before ?? '0')
  if (stood === undefined) return changed ? asObject(out) : current
  if (stood < revision) {
    out.set(REVISION, String(revision))
    changed = true
    if (before !== undefined) out.set(REVISION_HISTORY, history(out.get(REVISION_HISTORY) ?? '', before))
  }
  return changed ? asObject(out) : current
}

/** The annotations with the sizes that proportional scaling compares; the same object when they are right. */
export function sizeAnnotations(deployment: Deployment, current: StringMap): StringMap {
  const desired = desiredReplicas(deployment)
  const sizes = { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(desired + maxSurge(deployment)) }
  const right = Object.entries(sizes).every(([key, value]) => Object.hasOwn(current, key) && current[key] === value)
  return right ? current : { ...current, ...sizes }
}

export function annotationsOf(set: ReplicaSet): StringMap {
  return set.metadata.annotations ?? {}
}

function history(before: string, revision: string): string {
  if (before === '') return revision
  const revisions = [...before.split(','), revision]
  while (revisions.length > 1 && revisions.join(',').length > MAX_HISTORY) revisions.shift()
  return revisions.join(',')
}

/** `__proto__` is a key like any other. */
function asObject(map: ReadonlyMap<string, string>): StringMap {
  const out: StringMap = {}
  for (const [key, value] of map) {
    Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return out
}
