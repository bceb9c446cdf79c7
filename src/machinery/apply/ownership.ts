/** How a change of an object moves fields between managers. */
import { compare } from './compare.ts'
import type { Difference } from './compare.ts'
import type { Conflict } from './conflict.ts'
import { ApplyConflict } from './conflict.ts'
import type { FieldFilter } from './filter.ts'
import type { Manager, Managers } from './managed.ts'
import { reconcile } from './reconcile.ts'
import type { Typed, Versions } from './versions.ts'

/** Fields that an endpoint does not track, by API version. */
export type Ignored = (apiVersion: string) => FieldFilter | undefined

/** The difference of two objects in one version, without what is not tracked. */
export function tracked(old: Typed, now: Typed, ignored: Ignored): Difference {
  const difference = compare(old.object, now.object, now.schema)
  const filter = ignored(now.apiVersion)
  if (filter === undefined) return difference
  const { added, modified, removed } = difference
  return { added: filter(added), modified: filter(modified), removed: filter(removed) }
}

/** Every manager's fields as the present schemas have them; managers of versions that are gone are left out. */
export function reconciled(managers: Managers, live: Typed, versions: Versions): Managers {
  let out: Map<string, Manager> | undefined
  for (const [id, manager] of managers) {
    const typed = manager.apiVersion === live.apiVersion ? live : versions.convert(live, manager.apiVersion)
    // Entries of versions that are gone are not kept.
    const fields = typed === undefined ? undefined : reconcile(manager.fields, typed.schema)
    if (fields === manager.fields) continue
    out ??= new Map(managers)
    if (fields === undefined) out.delete(id)
    else out.set(id, { ...manager, fields })
  }
  return out ?? managers
}

/**
 * Takes from all managers but `self` what the change took from them: what was removed, and what was modified or
 * added under their names.
 * @throws ApplyConflict without force, when the change touches what they manage
 */
export function takeAway(
  managers: Managers,
  self: string,
  old: Typed,
  now: Typed,
  versions: Versions,
  ignored: Ignored,
  force: boolean,
): { readonly managers: Managers; readonly difference: Difference } {
  const difference = tracked(old, now, ignored)
  const byVersion = new Map<string, Difference | undefined>([[now.apiVersion, difference]])
  const conflicts: Conflict[] = []
  let out: Map<string, Manager> | undefined
  for (const [id, manager] of managers) {
    let { fields } = manager
    if (id !== self) {
      if (!byVersion.has(manager.apiVersion)) {
        byVersion.set(manager.apiVersion, inVersion(old, now, manager.apiVersion, versions, ignored))
      }
      const change = byVersion.get(manager.apiVersion)
      if (change === undefined) {
        ;(out ??= new Map(managers)).delete(id)
        continue
      }
      const touched = fields.intersection(change.modified.union(change.added))
      if (!touched.isEmpty) {
        conflicts.push({ id, manager, fields: touched })
        fields = fields.difference(touched)
      }
      fields = fields.difference(change.removed)
    }
    if (fields.isEmpty) (out ??= new Map(managers)).delete(id)
    else if (fields !== manager.fields) (out ??= new Map(managers)).set(id, { ...manager, fields })
  }
  if (!force && conflicts.length > 0) throw new ApplyConflict(conflicts)
  return { managers: out ?? managers, difference }
}

function inVersion(
  old: Typed,
  now: Typed,
  apiVersion: string,
  versions: Versions,
  ignored: Ignored,
): Difference | undefined {
  const before = versions.convert(old, apiVersion)
  const after = versions.convert(now, apiVersion)
  return before === undefined || after === undefined ? undefined : tracked(before, after, ignored)
}
