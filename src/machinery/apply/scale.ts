/** The scale subresource shows one field of its parent under another name; so do its managers. */
import type { PathElement } from './element.ts'
import { fieldElement } from './element.ts'
import { fieldSetOf } from './fieldset.ts'
import type { Manager, Managers } from './managed.ts'
import { managerId } from './managed.ts'

const SCALE = 'autoscaling/v1'
const SCALE_REPLICAS: readonly PathElement[] = ['spec', 'replicas'].map(fieldElement)

/** Where a version of the parent has its replicas; undefined: the version has no scale, null: it does not exist. */
export type ReplicasPaths = (apiVersion: string) => readonly string[] | null | undefined

const elements = (path: readonly string[]): readonly PathElement[] => path.map(fieldElement)

/** Those of the parent's managers who manage its replicas, as managers of a Scale. */
export function scaleManagers(parent: Managers, paths: ReplicasPaths): Managers {
  const out = new Map<string, Manager>()
  for (const manager of parent.values()) {
    const path = paths(manager.apiVersion)
    if (path === undefined || path === null || !manager.fields.has(elements(path))) continue
    const scaled = { ...manager, apiVersion: SCALE, fields: fieldSetOf(SCALE_REPLICAS) }
    out.set(managerId(scaled), scaled)
  }
  return out
}

/** The parent's managers after a write of its Scale left `scale` as the Scale's. */
export function parentManagers(parent: Managers, scale: Managers, apiVersion: string, paths: ReplicasPaths): Managers {
  const out = new Map<string, Manager>()
  const left = new Map(scale)
  for (const [id, manager] of parent) {
    const path = paths(manager.apiVersion)
    if (path === null) continue
    if (path === undefined || !manager.fields.has(elements(path))) {
      out.set(id, manager)
    } else if (left.has(id)) {
      out.set(id, manager)
      left.delete(id)
    } else {
      const fields = manager.fields.difference(fieldSetOf(path))
      if (!fields.isEmpty) out.set(id, { ...manager, fields })
    }
  }
  for (const [id, manager] of left) {
    const path = paths(apiVersion)
    if (!manager.fields.has(SCALE_REPLICAS) || path === undefined || path === null) continue
    const own = { ...manager, apiVersion, fields: fieldSetOf(path) }
    const known = out.get(managerId(own))
    // Upstream keeps no time of updates here: a Scale's managers have other ids than its parent's.
    const time = parent.get(id)?.time
    out.set(
      managerId(own),
      known === undefined ? { ...own, time } : { ...known, fields: known.fields.union(own.fields) },
    )
  }
  return out
}
