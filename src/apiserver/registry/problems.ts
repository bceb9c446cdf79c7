/** What is wrong with an object of many members: found on the helper thread, by what checks every other object. */
import type { FieldError } from '../../machinery/field.ts'
import { validateMetadata, validateMetadataUpdate } from '../../machinery/kinds/index.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Call, Target } from '../contract.ts'
import { placeOf, textOf } from '../large/many.ts'
import { onThread } from '../large/thread.ts'
import { workingVersion } from './convert.ts'
import type { Core } from './core.ts'
import { warn, writtenRules } from './core.ts'
import { makeTexts } from './stored.ts'
import { addWarnings, contentErrors, customErrors, metadataRules } from './strategy.ts'

/** More is not told, as of custom resources: a body of a few megabytes can be wrong in a million places. */
const MAX_ERRORS = 1000

/** What is looked at. */
export interface Looked {
  /** Whether more than the metadata. */
  readonly content: boolean
  /** Whether an object with which nothing is wrong is warned of. */
  readonly warns: boolean
  /** Of custom resources: only the status may have changed. */
  readonly part?: 'status'
}

/** Everything wrong with an object in its working version; with `old` it is an update. */
export async function problemsOf(
  core: Pick<Core, 'catalog'>,
  call: Call,
  { resource }: Target,
  object: KubeObject,
  old: KubeObject | undefined,
  { content, warns, part }: Looked,
): Promise<FieldError[]> {
  const storage = workingVersion(core, resource)
  const rules = writtenRules(resource, storage)
  const meta = metadataRules(storage, rules, object)
  let all = validateMetadata(object.metadata, meta)
  if (old !== undefined) {
    all = all.concat(validateMetadataUpdate(object.metadata, old.metadata, meta.legacyFinalizers))
  }
  if (content && storage.custom !== undefined) {
    all = all.concat(await customErrors(call, storage.custom, object, old, part))
  } else if (content) {
    all = all.concat(await contentErrors(call, storage, rules, object, old))
    if (old !== undefined) all = all.concat(rules.validateUpdate?.(object, old) ?? [])
  }
  if (warns && all.length === 0) addWarnings(call, resource, object, old)
  return all.slice(0, MAX_ERRORS)
}

/** {@link problemsOf}, on the helper thread. Nothing but metadata may be changed from then on. */
export async function problemsOfMany(
  call: Call,
  target: Target,
  object: KubeObject,
  old: KubeObject | undefined,
  looked: Looked,
): Promise<FieldError[]> {
  const text = await makeTexts(object, call.seat)
  const before = old === undefined ? undefined : await textOf(old, call.seat)
  const found = await onThread(call.seat, 'check', { place: placeOf(target), text, old: before, ...looked })
  for (const warning of found.warnings) warn(call, warning)
  return found.errors
}
