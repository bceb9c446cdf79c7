/** metadata of a change: which object and state it is about, and what stays as it is stored. */
import type { Target } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { Entry } from '../../store/contract.ts'
import { groupKind, groupResource } from './core.ts'
import { checkNamespace } from './create.ts'
import { upstreamKey } from './key.ts'

/** The body is about the object in the URL. @throws StatusError 400 */
export function checkIdentity(target: Target, object: KubeObject): void {
  const meta = (object.metadata ??= {})
  checkNamespace(target.resource, target.namespace, meta)
  if ((meta.name ?? '') === '') {
    throw errors.badRequest(
      `the name of the object (${target.name} based on URL) was undeterminable: name must be provided`,
    )
  }
  if (meta.name !== target.name) {
    throw errors.badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${target.name})`)
  }
}

/** Whether the object says which state it is made from; refuses another state or object. */
export function checkVersion(
  target: Target,
  meta: ObjectMeta,
  entry: Entry,
  { unconditional, fresh }: { readonly unconditional: boolean; readonly fresh: boolean },
): boolean {
  const gr = groupResource(target.resource)
  const { uid = '' } = objectOf(entry).metadata
  // What a patch makes of a uid is refused by validation.
  if (!fresh && (meta.uid ?? '') !== '' && meta.uid !== uid) {
    throw errors.conflict(
      gr,
      target.name,
      // Upstream's store says it, by the key in its own database.
      `StorageError: invalid object, Code: 4, Key: ${upstreamKey(target)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${uid}`,
    )
  }
  const asked = meta.resourceVersion ?? ''
  if (asked === '' || asked === '0') {
    if (unconditional) return false
    const list: FieldError[] = [
      {
        type: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ]
    // Of the resource, not of the kind: upstream's store says it.
    throw errors.invalid({ ...groupKind(target.resource), kind: target.resource.info.resource }, target.name, list)
  }
  if (!/^\d+$/.test(asked)) throw errors.unknown(`strconv.ParseUint: parsing ${JSON.stringify(asked)}: invalid syntax`)
  if (asked !== String(entry.revision) && asked !== objectOf(entry).metadata.resourceVersion) {
    throw errors.conflict(gr, target.name)
  }
  return true
}

/** What an update can not change, or keeps where it does not say. */
export function keepMetadata(meta: ObjectMeta, old: ObjectMeta): void {
  keep(meta, old, 'generation')
  keep(meta, old, 'creationTimestamp')
  if (old.deletionTimestamp !== undefined) meta.deletionTimestamp = old.deletionTimestamp
  if (old.deletionGracePeriodSeconds !== undefined) meta.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds
  if ((meta.uid ?? '') === '') keep(meta, old, 'uid')
  if ((meta.generateName ?? '') === '') keep(meta, old, 'generateName')
  keep(meta, old, 'managedFields')
  delete meta.selfLink
}

function keep<K extends keyof ObjectMeta>(meta: ObjectMeta, old: ObjectMeta, field: K): void {
  if (old[field] === undefined) delete meta[field]
  else meta[field] = old[field]
}
