/** Server-side apply: merges what a manager wants into the live object, and records what it manages. */
import { equalJson } from '../equality.ts'
import type { KubeObject } from '../object.ts'
import { errors } from '../status.ts'
import { checkTyped } from './check.ts'
import type { Conflict } from './conflict.ts'
import { ApplyConflict, conflictStatus, conflictsWithout } from './conflict.ts'
import { fieldsOf } from './fields-of.ts'
import { KUBECTL, lastAppliedFields, withLastApplied } from './last-applied.ts'
import type { Manager, Managers } from './managed.ts'
import { managerId } from './managed.ts'
import { merge } from './merge.ts'
import { reconciled, takeAway } from './ownership.ts'
import { prune } from './prune.ts'
import type { Tracking } from './update.ts'
import { nameOf, stripped, updateManagers } from './update.ts'
import type { Typed } from './versions.ts'
import { TypedError } from './walk.ts'

export interface Applying extends Tracking {
  /** Take what others manage. */
  readonly force: boolean
}

export interface Applied {
  /** The live object itself when nothing changed. Not defaulted; shares parts with the live object and the configuration. */
  readonly object: KubeObject
  readonly managers: Managers
}

/** Manages what an object had before anybody applied to it. */
const BEFORE = 'before-first-apply'

/**
 * Applies `config` to `live`. For a create, `live` is the empty object of the kind and `empty` the same.
 * `config` is checked against the schema; both are in the version that was asked for.
 * @throws StatusError 409 with a cause for each field that somebody else manages; 500, as upstream has it, when the
 * configuration does not fit the schema
 * @throws TypedError when the live object does not
 */
export function applyConfig(
  live: Typed,
  empty: Typed,
  config: KubeObject,
  managers: Managers,
  applying: Applying,
): Applied {
  checkConfig(config, live)
  // Before anybody applied, all that an object had is managed by nobody who can be named.
  const known = managers.size > 0 ? managers : updateManagers(managers, empty, live, { ...applying, manager: BEFORE })
  const kubectl = applying.manager === KUBECTL
  let applied: Applied
  try {
    applied = attempt(live, config, known, applying)
  } catch (error) {
    if (!(error instanceof ApplyConflict)) throw error
    const left = kubectl ? withoutOwn(error.conflicts, live) : error.conflicts
    if (left.length > 0) throw conflictStatus(left)
    applied = attempt(live, config, known, { ...applying, force: true })
  }
  return kubectl ? { ...applied, object: withLastApplied(applied.object, config) } : applied
}

/** Upstream answers a configuration that does not fit with a plain error. */
function checkConfig(config: KubeObject, { schema, object, apiVersion }: Typed): void {
  if (config.kind !== object.kind || config.apiVersion !== apiVersion) {
    throw errors.badRequest(`invalid object type: ${kindOf(config)}`)
  }
  if ((config.metadata?.managedFields ?? null) !== null) throw errors.badRequest('metadata.managedFields must be nil')
  try {
    checkTyped(config, schema)
  } catch (error) {
    if (!(error instanceof TypedError)) throw error
    throw errors.unknown(`failed to create typed patch object (${titleOf(config)}): ${error.message}`)
  }
}

/** `default/x; apps/v1, Kind=Deployment` */
function titleOf({ apiVersion = '', kind = '', metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}; ${kindOf({ apiVersion, kind })}`
}

/** `apps/v1, Kind=Deployment`. What is no text counts as empty, and with a broken apiVersion everything does. */
function kindOf(config: { readonly apiVersion?: unknown; readonly kind?: unknown }): string {
  const [apiVersion, kind] = [config.apiVersion, config.kind].map((text) => (typeof text === 'string' ? text : ''))
  const slashes = apiVersion!.split('/').length - 1
  if (slashes > 1) return '/, Kind='
  return `${slashes === 1 ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}

function withoutOwn(conflicts: readonly Conflict[], live: Typed): readonly Conflict[] {
  const own = lastAppliedFields(live)
  return own === undefined ? conflicts : conflictsWithout(conflicts, own)
}

function attempt(live: Typed, config: KubeObject, start: Managers, applying: Applying): Applied {
  const { versions, ignored } = applying
  const managers = reconciled(start, live, versions)
  const name = nameOf(applying, 'Apply', live.apiVersion)
  const id = managerId(name)
  const last = managers.get(id)
  let fields = fieldsOf(config, live.schema)
  const filter = ignored(live.apiVersion)
  if (filter !== undefined) fields = filter(fields)
  const own: Manager = { ...name, fields, time: last?.time }
  const claimed = new Map(managers).set(id, own)
  const merged: Typed = { ...live, object: merge(live.object, config, live.schema) as KubeObject }
  const now = prune(merged, claimed, last, versions)
  const taken = takeAway(claimed, id, live, now, versions, ignored, applying.force).managers

  const unchanged = equalJson(live.object, now.object)
  const out = new Map(taken)
  const kept = stripped(taken.get(id)?.fields ?? fields)
  if (kept.isEmpty) out.delete(id)
  else {
    const time = unchanged ? last?.time : applying.now
    const same =
      last !== undefined && last.time === time && last.apiVersion === own.apiVersion && last.fields.equals(kept)
    out.set(id, same ? last : { ...own, fields: kept, time })
  }
  return { object: unchanged ? live.object : now.object, managers: out }
}
