/** The order of merged lists: what the patch says first, else the live order. */
import { PatchError } from './error.ts'
import { goText, goType, isObject, jsonType, own } from './value.ts'
import type { JsonObject } from './value.ts'

/** What identifies an element: the merge key's value of a map, or the scalar itself. */
export function identity(item: unknown, mergeKey: string): unknown {
  return mergeKey !== '' && isObject(item) ? scalar(own(item, mergeKey)) : scalar(item)
}

const scalar = (value: unknown): unknown => (JSON.isRawJSON(value) ? JSON.stringify(value) : value)

/** The first place of each identity. */
function places(list: readonly unknown[], mergeKey: string): Map<unknown, number> {
  const out = new Map<unknown, number>()
  for (const [i, item] of list.entries()) {
    const id = identity(item, mergeKey)
    if (!out.has(id)) out.set(id, i)
  }
  return out
}

function sortBy(list: unknown[], order: ReadonlyMap<unknown, number>, mergeKey: string): unknown[] {
  return list.sort((a, b) => (order.get(identity(a, mergeKey)) ?? -1) - (order.get(identity(b, mergeKey)) ?? -1))
}

/**
 * Orders a merged list. Elements of `patchOrder` stand in its order, the others in the order of `live`; an element
 * that only the server has goes before the first patched one that comes after it in `live`.
 */
export function ordered(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const wanted = places(patchOrder, mergeKey)
  const known = places(live, mergeKey)
  const patched = sortBy(
    merged.filter((item) => wanted.has(identity(item, mergeKey))),
    wanted,
    mergeKey,
  )
  const rest = sortBy(
    merged.filter((item) => !wanted.has(identity(item, mergeKey))),
    known,
    mergeKey,
  )
  const out: unknown[] = []
  let i = 0
  let j = 0
  while (i < rest.length && j < patched.length) {
    const left = known.get(identity(rest[i], mergeKey))
    const right = known.get(identity(patched[j], mergeKey))
    if (left !== undefined && right !== undefined && left < right) out.push(rest[i++])
    else out.push(patched[j++])
  }
  return out.concat(rest.slice(i), patched.slice(j))
}

/** The type of all elements of all lists; `undefined` when there are none. */
export function elementType(...lists: readonly (readonly unknown[])[]): string | undefined {
  let type: string | undefined
  for (const list of lists) {
    for (const item of list) {
      const one = jsonType(item)
      if (type === undefined && one === 'array') throw new PatchError('Invalid', 'lists of lists are not supported')
      type ??= one
      if (type !== one) {
        throw new PatchError('Unknown', `list element types are not identical: [${lists.map(goText).join(' ')}]`)
      }
    }
  }
  return type
}

/** The merge key's value of a list element that must have one. */
export function requireKey(item: unknown, mergeKey: string): { object: JsonObject; id: unknown } {
  if (!isObject(item)) {
    throw new PatchError('Unknown', `expected a map[string]interface {}, but received a ${goType(item)}`)
  }
  if (!Object.hasOwn(item, mergeKey)) {
    throw new PatchError('Unknown', `map: ${goText(item)} does not contain declared merge key: ${mergeKey}`)
  }
  return { object: item, id: identity(item, mergeKey) }
}
