/**
 * Strategic merge patch, with all directives: `$patch` (replace, delete), `$retainKeys`,
 * `$deleteFromPrimitiveList/LIST`, `$setElementOrder/LIST` (`apimachinery/pkg/util/strategicpatch`).
 *
 * Nothing is changed in place: what the patch does not touch is shared with the document.
 */
import { equalJson } from '../equality.ts'
import type { TypeInfo, TypeTable } from '../types/table.ts'
import { PatchError } from './error.ts'
import { elementType, identity, ordered, requireKey } from './order.ts'
import { listRule, memberRule } from './schema.ts'
import type { MemberRule } from './schema.ts'
import { goText, goType, isObject, jsonType, own, put } from './value.ts'
import type { JsonObject } from './value.ts'

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const DELETE_PREFIX = '$deleteFromPrimitiveList'
const ORDER_PREFIX = '$setElementOrder'

const badOrder = (): PatchError => new PatchError('BadRequest', 'invalid patch format of setElementOrder list')
const badRetain = (): PatchError => new PatchError('BadRequest', 'invalid patch format of retainKeys')
const badPatch = (directive: unknown, map: JsonObject): PatchError =>
  new PatchError('Unknown', `unknown patch type: ${goText(directive)} in map: ${goText(map)}`)

/** The list that `$directive/LIST` names. */
function target(key: string, prefix: string, bad: () => PatchError): string {
  const slash = key.indexOf('/')
  if (slash < 0 || key.slice(0, slash) !== prefix) throw bad()
  return key.slice(slash + 1)
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  throw new PatchError('Unknown', `expected a []interface {}, but received a ${goType(value)}`)
}

const DROP = Symbol('drop')

/** A patch value as a new value: without maps that carry `$patch`, and with `nulls` false without null members. */
function taken(value: unknown, nulls: boolean): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => taken(item, nulls)).filter((item) => item !== DROP)
  }
  if (!isObject(value)) return value
  if (Object.hasOwn(value, PATCH)) return DROP
  const out: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === null && !nulls) continue
    const kept = taken(member, nulls)
    if (kept !== DROP) put(out, key, kept)
  }
  return out
}

class Merger {
  readonly #table: TypeTable

  constructor(table: TypeTable) {
    this.#table = table
  }

  map(original: JsonObject, patch: JsonObject, type: TypeInfo | undefined): JsonObject {
    if (Object.hasOwn(patch, PATCH)) {
      const directive = patch[PATCH]
      if (directive === 'delete') return {}
      if (directive !== 'replace') throw badPatch(directive, patch)
      const out = { ...patch }
      delete out[PATCH]
      return out
    }
    const out = { ...original }
    const members = new Map(Object.entries(patch))
    if (members.has(RETAIN_KEYS)) {
      const keys = members.get(RETAIN_KEYS)
      members.delete(RETAIN_KEYS)
      retain(out, keys, members)
    }
    for (const key of members.keys()) {
      if (key.startsWith(ORDER_PREFIX)) this.#orderedList(out, members, key, type)
    }
    for (const [key, value] of members) this.#member(out, key, value, type)
    return out
  }

  /** `$setElementOrder/LIST` with the patch of the same list. Takes both out of `members`. */
  #orderedList(out: JsonObject, members: Map<string, unknown>, key: string, type: TypeInfo | undefined): void {
    const order = asList(members.get(key))
    members.delete(key)
    const name = target(key, ORDER_PREFIX, badOrder)
    const hasLive = Object.hasOwn(out, name)
    const live = hasLive ? asList(out[name]) : []
    const hasPatch = members.has(name)
    const patch = hasPatch ? asList(members.get(name)) : []
    const rule = listRule(type, name, this.#table)
    checkOrder(patch, order, rule.mergeKey)
    if (!hasLive && !hasPatch) return
    const merged = !hasPatch
      ? live
      : hasLive
        ? this.#list(live, patch, rule, false)
        : (taken(patch, true) as readonly unknown[])
    if (rule.mergeKey !== '') for (const item of [...merged, ...order]) requireKey(item, rule.mergeKey)
    put(out, name, ordered(merged, order, live, rule.mergeKey))
    members.delete(name)
  }

  #member(out: JsonObject, name: string, value: unknown, type: TypeInfo | undefined): void {
    const deletes = name.startsWith(DELETE_PREFIX)
    const key = deletes
      ? target(name, DELETE_PREFIX, () => new PatchError('BadRequest', 'invalid patch format of primitive list'))
      : name
    if (value === null) {
      delete out[key]
      return
    }
    const before = own(out, key)
    const same = Object.hasOwn(out, key) && jsonType(before) === jsonType(value)
    if (same && isObject(before) && isObject(value)) {
      const rule = memberRule(type, key, this.#table)
      put(out, key, rule.strategy === 'replace' ? value : this.map(before, value, rule.type))
    } else if (same && Array.isArray(before) && Array.isArray(value)) {
      put(out, key, this.#list(before, value, memberRule(type, key, this.#table), deletes))
    } else if (!deletes) {
      const kept = taken(value, false)
      if (kept === DROP) delete out[key]
      else put(out, key, kept)
    }
  }

  #list(live: readonly unknown[], patch: readonly unknown[], rule: MemberRule, deletes: boolean): readonly unknown[] {
    if (rule.strategy !== 'merge' && !deletes) return patch
    const elements = elementType(live, patch)
    if (elements === undefined) return live
    if (elements !== 'object') {
      const named = new Set(patch.map((item) => identity(item, '')))
      if (deletes) return live.filter((item) => !named.has(identity(item, '')))
      const merged = new Map([...live, ...patch].map((item) => [identity(item, ''), item]))
      return ordered([...merged.values()], patch, live, '')
    }
    if (rule.mergeKey === '') throw new PatchError('Unknown', 'cannot merge lists without merge key for struct')
    return this.#keyed(live, patch, rule)
  }

  /** Merges lists of maps by their merge key. */
  #keyed(live: readonly unknown[], patch: readonly unknown[], { mergeKey, type }: MemberRule): readonly unknown[] {
    const plain: unknown[] = []
    const gone = new Set<unknown>()
    let replaces = false
    for (const item of patch) {
      const map = item as JsonObject
      const directive = own(map, PATCH)
      if (!Object.hasOwn(map, PATCH)) plain.push(item)
      else if (directive === 'delete') gone.add(requireKey(map, mergeKey).id)
      else if (directive === 'replace') replaces = true
      else if (directive === 'merge') {
        throw new PatchError('Unknown', 'merging lists cannot yet be specified in the patch')
      } else throw badPatch(directive, map)
    }
    if (replaces) {
      for (const item of plain) requireKey(item, mergeKey)
      return plain
    }
    const kept = live.filter((item) => !gone.has(identity(item, mergeKey)))
    const merged = [...kept]
    const first = new Map<unknown, number>()
    for (const [i, item] of merged.entries()) {
      const { id } = requireKey(item, mergeKey)
      if (!first.has(id)) first.set(id, i)
    }
    for (const item of plain) {
      const { object, id } = requireKey(item, mergeKey)
      const at = first.get(id)
      if (at === undefined) {
        first.set(id, merged.length)
        merged.push(item)
      } else {
        merged[at] = this.map(merged[at] as JsonObject, object, type)
      }
    }
    return ordered(merged, plain, kept, mergeKey)
  }
}

/** `$retainKeys`: clears what the list does not name. The patch may only set what it names. */
function retain(out: JsonObject, list: unknown, members: ReadonlyMap<string, unknown>): void {
  if (!Array.isArray(list)) throw badRetain()
  const keys = new Set<unknown>(list)
  for (const [key, value] of members) {
    if (value === null || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX)) continue
    if (!keys.has(key)) throw badRetain()
  }
  for (const key of Object.keys(out)) if (!keys.has(key)) delete out[key]
}

/** The patched elements must stand in the order list, in its order. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return
  const kept = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, PATCH)))
  const id = (item: unknown): unknown => (mergeKey === '' ? identity(item, '') : requireKey(item, mergeKey).id)
  let i = 0
  for (let j = 0; i < kept.length && j < order.length; j++) {
    const [a, b] = [id(kept[i]), id(order[j])]
    if (a === b || equalJson(a, b)) i++
  }
  if (i < kept.length) {
    const words = `The order in patch list:\n${goText(patch)}\n doesn't match ${ORDER_PREFIX} list:\n${goText(order)}\n`
    throw new PatchError('Unknown', words)
  }
}

/**
 * Applies a strategic merge patch to a document of a built-in type (`io.k8s.api.core.v1.Pod`).
 *
 * @throws PatchError BadRequest, Invalid, or Unknown (upstream: 500) with upstream's texts
 */
export function applyStrategicPatch(document: unknown, patch: unknown, typeName: string, table: TypeTable): unknown {
  if (!isObject(patch)) {
    const type = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch
    if (patch === null || patch === undefined) return document
    throw new PatchError('BadRequest', `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`)
  }
  return new Merger(table).map(isObject(document) ? document : {}, patch, table.type(typeName))
}
