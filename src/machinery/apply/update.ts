/** Create, update and patch: whoever changes a field manages it from then on. */
import { fieldSetOf } from './fieldset.ts'
import type { FieldSet } from './fieldset.ts'
import type { Manager, ManagerName, Managers } from './managed.ts'
import { compareTimes, managerId } from './managed.ts'
import { compareText } from './gotext.ts'
import type { Ignored } from './ownership.ts'
import { reconciled, takeAway } from './ownership.ts'
import { steadyChange } from './steady.ts'
import type { Typed, Versions } from './versions.ts'

/** Fields of metadata that the server keeps, and that nobody manages. */
const STRIPPED_METADATA: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
])
const STRIPPED: FieldSet = fieldSetOf(
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...[...STRIPPED_METADATA].map((name) => ['metadata', name]),
)

export function stripped(fields: FieldSet): FieldSet {
  return fields.difference(STRIPPED)
}

export interface Tracking {
  /** Who writes; an empty name is `unknown`. */
  readonly manager: string
  /** @default '' */
  readonly subresource?: string
  readonly versions: Versions
  /** What a write through this endpoint cannot change. */
  readonly ignored: Ignored
  /** The present time as metadata has it; undefined for writes whose time is not kept. */
  readonly now: string | undefined
}

/** How many updating managers an object keeps apart. */
export const MAX_UPDATERS = 10
const ANCIENT = 'ancient-changes'

/** Whose a write is. */
export function nameOf(tracking: Tracking, operation: 'Apply' | 'Update', apiVersion: string): ManagerName {
  const { manager, subresource = '' } = tracking
  return { manager: manager === '' ? 'unknown' : manager, operation, apiVersion, subresource }
}

/**
 * The managers after a write that made `now` of `old`. For a create, `old` is the empty object of the kind. The same
 * managers come back when the write changed nothing that is tracked.
 * @throws TypedError when an object does not fit its schema
 */
export function updateManagers(managers: Managers, old: Typed, now: Typed, tracking: Tracking): Managers {
  const { versions, ignored } = tracking
  const before = reconciled(managers, old, versions)
  const kept = steady(before, old, now, tracking)
  if (kept !== undefined) return kept
  const { managers: left, difference } = takeAway(before, '', old, now, versions, ignored, true)
  let fields = difference.modified.union(difference.added)
  const filter = ignored(now.apiVersion)
  if (filter !== undefined) fields = filter(fields)
  fields = stripped(fields)
  if (fields.isEmpty) return left
  const name = nameOf(tracking, 'Update', now.apiVersion)
  const id = managerId(name)
  const previous = left.get(id)
  const out = new Map(left)
  out.set(id, { ...name, fields: previous === undefined ? fields : fields.union(previous.fields), time: tracking.now })
  return capped(out)
}

/** What comes out when only values changed that their writer manages already, and nobody else; undefined otherwise. */
function steady(managers: Managers, old: Typed, now: Typed, tracking: Tracking): Managers | undefined {
  const id = managerId(nameOf(tracking, 'Update', now.apiVersion))
  const self = managers.get(id)
  if (self === undefined || old.apiVersion !== now.apiVersion) return undefined
  const others: FieldSet[] = []
  for (const manager of managers.values()) {
    if (manager.apiVersion !== now.apiVersion) return undefined
    if (manager !== self) others.push(manager.fields)
  }
  const change = steadyChange(old.object, now.object, now.schema, self.fields, others, STRIPPED_METADATA)
  if (change === undefined) return undefined
  if (change === 'same' || self.time === tracking.now) return managers
  return new Map(managers).set(id, { ...self, time: tracking.now })
}

/** Keeps the newest updating managers apart and puts the older ones of each version together. */
function capped(managers: Map<string, Manager>): Managers {
  const updaters: [string, Manager][] = []
  for (const entry of managers) if (entry[1].operation === 'Update') updaters.push(entry)
  if (updaters.length <= MAX_UPDATERS) return managers
  updaters.sort((a, b) => compareTimes(a[1], b[1]) || compareText(a[0], b[0]))
  const first = new Map<string, string>()
  let count = updaters.length
  for (const [id, manager] of updaters) {
    if (count <= MAX_UPDATERS) break
    const { apiVersion } = manager
    const name: ManagerName = { manager: ANCIENT, operation: 'Update', apiVersion, subresource: '' }
    const bucketId = managerId(name)
    const oldest = first.get(apiVersion)
    if (oldest === undefined) {
      first.set(apiVersion, id)
      continue
    }
    let bucket = managers.get(bucketId)
    if (bucket === undefined) {
      bucket = managers.get(oldest)!
      managers.delete(oldest)
    }
    managers.delete(id)
    managers.set(bucketId, { ...name, fields: manager.fields.union(bucket.fields), time: manager.time })
    count--
  }
  return managers
}
