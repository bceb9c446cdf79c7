/** Names, keys, times and owners of objects. */
import type { KubeObject, OwnerReference } from '../machinery/object.ts'

/** `namespace/name`; a cluster-scoped object's key is `/name`. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name!}`
}

/** The reverse of {@link keyOf}. */
export function splitKey(key: string): { namespace: string; name: string } {
  const at = key.indexOf('/')
  return { namespace: key.slice(0, at), name: key.slice(at + 1) }
}

/** RFC 3339 in UTC with seconds, as metav1.Time is written. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}

/** RFC 3339 with microseconds, as metav1.MicroTime is written. */
export function microTimestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 23)}000Z`
}

/** Milliseconds since the epoch; 0 for no time or none that can be read. */
export function parseTime(text: string | null | undefined): number {
  if (text === undefined || text === null) return 0
  const time = Date.parse(text)
  return Number.isNaN(time) ? 0 : time
}

/** The owner reference with `controller: true`. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true)
}

/** The reference that a controller puts on what it makes. */
export function controllerReference(apiVersion: string, kind: string, owner: KubeObject): OwnerReference {
  return {
    apiVersion,
    kind,
    name: owner.metadata.name!,
    uid: owner.metadata.uid!,
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** An annotation; absent when the object has none of this name. */
export function annotation(object: KubeObject, name: string): string | undefined {
  const { annotations } = object.metadata
  return annotations !== undefined && Object.hasOwn(annotations, name) ? annotations[name] : undefined
}

/** A label; absent when the object has none of this name. */
export function label(object: KubeObject, name: string): string | undefined {
  const { labels } = object.metadata
  return labels !== undefined && Object.hasOwn(labels, name) ? labels[name] : undefined
}

/**
 * Whether two JSON values mean the same to the API: key order does not matter, and absent, null and an empty list are
 * one. Unlike with `equalJson`, that is: what a controller computes has empty lists where a stored object has none.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (isNothing(a) && isNothing(b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, i) => sameValue(item, b[i]))
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key of Object.keys(left)) {
    if (!sameValue(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false
  }
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key) && !isNothing(right[key])) return false
  return true
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}
