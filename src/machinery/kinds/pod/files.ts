/** Files that volumes write: their modes, owners and paths. */
import { child, invalid, required } from '../../field.ts'
import { each, isUnixId } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { unreservedPath } from '../paths.ts'
import { objectField, resourceField, VOLUME_FIELDS } from './downward.ts'

const FILE_MODE = 'must be a number between 0 and 0777 (octal), both inclusive'

/** A permission that may be absent. */
export function fileMode(mode: Json, path: string, out: Errors): void {
  if (isSet(mode) && (mode > 0o777 || mode < 0)) out.push(invalid(path, mode, FILE_MODE))
}

/** An owner of files that may be absent. */
export function fileUser(user: Json, path: string, out: Errors): void {
  if (isSet(user)) each(isUnixId(user), path, user, out)
}

/** One `key → path` item of secrets and config maps. */
export function keyToPath(item: Json, path: string, out: Errors): void {
  if (!item.key) out.push(required(child(path, 'key')))
  if (!item.path) out.push(required(child(path, 'path')))
  unreservedPath(item.path ?? '', child(path, 'path'), out)
  fileMode(item.mode, child(path, 'mode'), out)
  fileUser(item.user, child(path, 'user'), out)
}

/** One file of a downward API volume. Its own path stands in front only where upstream puts it. */
export function downwardFile(file: Json, path: string, out: Errors): void {
  if (!file.path) out.push(required(child(path, 'path')))
  unreservedPath(file.path ?? '', child(path, 'path'), out)
  if (isSet(file.fieldRef)) {
    objectField(file.fieldRef, VOLUME_FIELDS, child(path, 'fieldRef'), out)
    if (isSet(file.resourceFieldRef)) {
      out.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    }
  } else if (isSet(file.resourceFieldRef)) {
    resourceField(file.resourceFieldRef, child(path, 'resourceFieldRef'), true, out)
  } else out.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  fileMode(file.mode, child(path, 'mode'), out)
  fileUser(file.user, child(path, 'user'), out)
}
