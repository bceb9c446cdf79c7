/** JSON merge patch, RFC 7386, as upstream's library applies it. */
import { PatchError } from './error.ts'
import { isObject, own, put } from './value.ts'
import type { JsonObject } from './value.ts'

/** A value taken from a patch: members that are null are left out, at every depth. Shares what has none. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) {
    const out = value.map((item: unknown) => pruned(item))
    return out.every((item, i) => item === value[i]) ? value : out
  }
  if (!isObject(value)) return value
  const out: JsonObject = {}
  let same = true
  for (const [key, member] of Object.entries(value)) {
    if (member === null) {
      same = false
      continue
    }
    const kept = pruned(member)
    if (kept !== member) same = false
    put(out, key, kept)
  }
  return same ? value : out
}

function merge(current: JsonObject, patch: JsonObject): JsonObject {
  let out = current
  const change = (): JsonObject => {
    if (out === current) out = { ...current }
    return out
  }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      if (Object.hasOwn(out, key)) delete change()[key]
      continue
    }
    const before = own(current, key)
    const after = isObject(before) ? (isObject(value) ? merge(before, value) : value) : pruned(value)
    if (after !== before || before === undefined) put(change(), key, after)
  }
  return out
}

/**
 * Applies a merge patch: members of objects are merged, null removes one, everything else replaces.
 * Gives the document itself when nothing changes; never changes its arguments.
 *
 * @throws PatchError BadRequest when the patch is no object
 */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (patch === null || patch === undefined) throw new PatchError('BadRequest', 'Invalid JSON Patch')
  if (!isObject(patch)) {
    const type = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch
    const text = `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`
    throw new PatchError('BadRequest', `error decoding patch: ${text}`)
  }
  return isObject(document) ? merge(document, patch) : pruned(patch)
}
