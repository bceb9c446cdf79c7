/**
 * Makes decoded JSON of a built-in kind what Go's decoding and encoding make of it: nulls and unknown fields go,
 * absent fields that Go always writes come, quantities and times are canonical, fields stand in the order of the Go
 * struct and map keys are sorted. Lists and maps that are empty count as absent, as they do after upstream's storage
 * (protobuf cannot tell them apart).
 */
import type { TypeInfo } from '../types/table.ts'
import { DecodeError, childPath } from './error.ts'
import { setOwn } from './exact.ts'
import { isRawNumber, jsonTypeOf } from './json.ts'
import { type Plan, type Slot, elementPlan, goTypeOf, planOf } from './plan.ts'
import { canonicalBase64, cutToInt32, isInt32, isInt64, normalQuantity } from './scalars.ts'
import { canonicalMicroTime, canonicalTime } from './times.ts'

/** A JSON object. */
export type JsonObject = { [key: string]: unknown }

/** The result of {@link normalize}. */
export interface Normalized {
  readonly object: JsonObject
  /** Paths of fields that the type does not have, such as `spec.containers[0].foo`. */
  readonly unknown: readonly string[]
  /**
   * Where a field was an empty list or map, and is null now, or absent; `metadata.managedFields` among them, where it
   * was an empty list, which asks for a reset. Absent when nowhere.
   */
  readonly emptied?: readonly Emptied[]
}

/** A field that was empty: its path, and what was there. */
export interface Emptied {
  readonly path: readonly (string | number)[]
  readonly empty: readonly never[] | Readonly<Record<string, never>>
  /** Whether the field is absent now; otherwise Go always writes it. @default false */
  readonly omitted?: boolean
}

/** Members of the document that are normal already, and are taken as they are: nobody may change them. */
export interface Kept {
  /** Where they are known from: only a member that is the very same value is kept. */
  readonly from: Readonly<Record<string, unknown>>
  readonly names: ReadonlySet<string>
}

/** More unknown fields than this are not listed, as upstream does. */
const MAX_UNKNOWN = 100
/** Nor do more than these count as empty, of those that are absent and of the others. */
const MAX_EMPTIED = 100
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/**
 * Normalises a decoded document. The result shares nothing with other results; free-form values (RawExtension,
 * FieldsV1, JSON) are shared with the input, and so are members that are `kept`.
 *
 * @param wraps whether an integer that is too large for its field is cut to the field's bits, as upstream does with
 *   what a strategic patch or an apply made
 * @throws DecodeError when a value has a wrong type, in the words of Go's decoder.
 */
export function normalize(value: unknown, type: TypeInfo, kept?: Kept, wraps = false): Normalized {
  const run = new Run(wraps)
  const plan = planOf(type)
  if (value !== null && !isObject(value)) {
    throw new DecodeError(`json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type ${plan.goType}`)
  }
  const object = value === null ? zeroStruct(plan) : run.struct(value, plan, kept)
  return run.emptied === undefined
    ? { object, unknown: run.unknown }
    : { object, unknown: run.unknown, emptied: run.emptied }
}

/** Whether a body asks for managers to be forgotten by an empty `metadata.managedFields`. */
export function resetsManagers(emptied: readonly Emptied[] | undefined): boolean {
  return emptied?.some(({ path }) => path.length === 2 && path[1] === 'managedFields') === true
}

/**
 * An object as it was before its empty lists and maps went; where something else stands by now, it stays. The result
 * shares all the rest with `object`, which does not change. Who manages fields is told apart by what Go always writes;
 * what a refusal shows also by what it omits.
 */
export function withEmptied<T extends object>(
  object: T,
  emptied: readonly Emptied[] | undefined,
  which: 'written' | 'all',
): T {
  if (emptied === undefined) return object
  const copies = new Set<unknown>()
  let result: unknown = object
  for (const { path, empty, omitted = false } of emptied) {
    if (omitted && which === 'written') continue
    const holder = path.slice(0, -1).reduce(member, result)
    const there = isObject(holder) ? member(holder, path.at(-1)!) : empty
    if (there === (omitted ? undefined : null)) result = replaced(result as JsonObject, path, 0, empty, copies)
  }
  return result as T
}

/** A member of its own, never one of a prototype. */
function member(value: unknown, name: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as JsonObject)[name]
}

/** `holder` with another value at a path, of which everything but the last part is there. What is in `copies` is changed itself. */
function replaced(holder: object, path: Emptied['path'], at: number, value: unknown, copies: Set<unknown>): object {
  const copy: object = copies.has(holder) ? holder : Array.isArray(holder) ? holder.slice() : { ...holder }
  copies.add(copy)
  const name = path[at]!
  const own = at === path.length - 1 ? value : replaced(member(holder, name) as object, path, at + 1, value, copies)
  setOwn(copy as JsonObject, name as string, own)
  return copy
}

/** A fresh zero value of a struct: what Go always writes. */
export function zeroStruct(plan: Plan): JsonObject {
  const out: JsonObject = {}
  for (const slot of plan.always) out[slot.name] = zeroValue(slot)
  return out
}

function zeroValue(slot: Slot): unknown {
  return slot.zero === undefined ? zeroStruct(elementPlan(slot)) : slot.zero
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
}

class Run {
  readonly unknown: string[] = []
  emptied: Emptied[] | undefined
  private omitted = 0
  /** Where we are: fields, list indexes, map keys. */
  private readonly path: (Slot | number | string)[] = []
  /** Within schema unions upstream decodes without strictness. */
  private lenient = 0
  private readonly wraps: boolean

  constructor(wraps: boolean) {
    this.wraps = wraps
  }

  struct(input: JsonObject, plan: Plan, kept?: Kept): JsonObject {
    const out: JsonObject = {}
    const { slots } = plan
    let found = 0
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!
      // No field of the table is called like a member of Object.prototype.
      const value = input[slot.name]
      if (value === undefined || value === null) {
        if (value === null) found++
        if (slot.always) out[slot.name] = zeroValue(slot)
        continue
      }
      found++
      if (kept !== undefined && value === kept.from[slot.name] && kept.names.has(slot.name)) {
        out[slot.name] = value
        continue
      }
      const result = this.field(value, slot)
      if (result !== undefined) out[slot.name] = result
    }
    let keys = 0
    for (const _ in input) keys++
    if (keys !== found && this.lenient === 0) this.collectUnknown(input, plan)
    return out
  }

  /** `undefined` when the field is left out. */
  private field(value: unknown, slot: Slot): unknown {
    switch (slot.info.container) {
      case 'none': {
        if (slot.info.kind !== 'object') {
          const scalar = this.scalar(value, slot)
          return slot.dropZero && isZero(scalar) ? undefined : scalar
        }
        const result = this.object(value, slot)
        return result === null && slot.info.omit === 'zero' ? undefined : result
      }
      case 'list': {
        if (!Array.isArray(value)) throw this.wrongType(value, slot, false)
        if (value.length === 0) return this.empty(slot, [])
        return this.list(value, slot)
      }
      default:
        return this.map(value, slot)
    }
  }

  /** An empty list or map of a field. */
  private empty(slot: Slot, empty: Emptied['empty']): unknown {
    const { owner, name } = slot
    const never = slot.info.omit === 'never'
    if (never && owner.keepsEmpty) return empty
    const omitted = !never && !(name === 'managedFields' && this.isOwnMetadata(owner))
    const emptied = (this.emptied ??= [])
    if ((omitted ? this.omitted : emptied.length - this.omitted) < MAX_EMPTIED) {
      const path = this.path.map((part) => (typeof part === 'object' ? part.name : part))
      emptied.push({ path: [...path, name], empty, ...(omitted && { omitted }) })
      if (omitted) this.omitted++
    }
    return never ? null : undefined
  }

  /** Of the object itself, whose managers an empty list resets; that of a template is none. */
  private isOwnMetadata({ info }: Plan): boolean {
    return info.name === OBJECT_META && this.path.length <= 1
  }

  private list(values: readonly unknown[], slot: Slot): unknown[] {
    const out: unknown[] = []
    if (slot.info.kind !== 'object') {
      for (let i = 0; i < values.length; i++) out.push(this.element(values[i], slot))
      return out
    }
    this.path.push(slot)
    for (let i = 0; i < values.length; i++) {
      this.path.push(i)
      out.push(this.element(values[i], slot))
      this.path.pop()
    }
    this.path.pop()
    return out
  }

  private map(value: unknown, slot: Slot): unknown {
    if (!isObject(value)) throw this.wrongType(value, slot, false)
    const keys = Object.keys(value)
    if (keys.length === 0) return this.empty(slot, {})
    sortKeys(keys)
    const out: JsonObject = {}
    const structs = slot.info.kind === 'object'
    if (structs) this.path.push(slot)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      if (structs) this.path.push(key)
      setOwn(out, key, slot.info.wrapped ? this.wrapped(value[key], slot) : this.element(value[key], slot))
      if (structs) this.path.pop()
    }
    if (structs) this.path.pop()
    return out
  }

  /** A list within a map. */
  private wrapped(value: unknown, slot: Slot): unknown {
    if (value === null) return null
    if (!Array.isArray(value)) throw this.wrongType(value, slot, true)
    const out: unknown[] = []
    for (const item of value) out.push(this.element(item, slot))
    return out
  }

  /** A value in a list or map; null is the zero value. */
  private element(value: unknown, slot: Slot): unknown {
    const { kind } = slot.info
    if (kind === 'object') {
      if (value === null) return elementZero(elementPlan(slot))
      return this.structure(value, elementPlan(slot), slot)
    }
    if (value === null) return kind === 'string' ? '' : kind === 'bool' ? false : kind === 'bytes' ? null : 0
    return this.scalar(value, slot)
  }

  private object(value: unknown, slot: Slot): unknown {
    this.path.push(slot)
    const result = this.structure(value, elementPlan(slot), slot)
    this.path.pop()
    return result
  }

  private structure(value: unknown, plan: Plan, slot: Slot): unknown {
    if (plan.special !== undefined) return this.special(value, plan, slot)
    if (!isObject(value)) throw this.wrongType(value, slot, true)
    return this.struct(value, plan)
  }

  private scalar(value: unknown, slot: Slot): unknown {
    switch (slot.info.kind) {
      case 'string':
        if (typeof value === 'string') return value
        break
      case 'bool':
        if (typeof value === 'boolean') return value
        break
      case 'int32':
        if (typeof value === 'number' && isInt32(value)) return value
        if (this.wraps && isInt64(value)) return cutToInt32(value)
        break
      case 'int64':
        if (isInt64(value)) return value
        break
      case 'double':
        if (typeof value === 'number' || isRawNumber(value)) return value
        break
      default:
        if (typeof value === 'string') return this.bytes(value)
    }
    throw this.wrongType(value, slot, true)
  }

  private bytes(text: string): string {
    if (!this.wraps) return canonicalBase64(text)
    try {
      return canonicalBase64(text)
    } catch (error) {
      throw error instanceof DecodeError ? new DecodeError(`error decoding from json: ${error.message}`) : error
    }
  }

  private special(value: unknown, plan: Plan, slot: Slot): unknown {
    switch (plan.special) {
      case 'Quantity':
        return normalQuantity(value)
      case 'IntOrString':
        if (typeof value === 'string' || (typeof value === 'number' && isInt32(value))) return value
        throw this.wrongType(value, slot, true)
      case 'Time':
        if (typeof value !== 'string') throw this.wrongType(value, slot, true)
        return canonicalTime(value)
      case 'MicroTime':
        if (typeof value !== 'string') throw this.wrongType(value, slot, true)
        return canonicalMicroTime(value)
      case 'Duration':
        if (typeof value !== 'string') throw this.wrongType(value, slot, true)
        return value
      case 'JSONSchemaPropsOrBool':
        if (typeof value === 'boolean') return value
        if (!isObject(value)) throw new DecodeError('boolean or JSON schema expected')
        return this.schema(value, slot)
      case 'JSONSchemaPropsOrArray':
        if (Array.isArray(value)) {
          return value.length === 0 ? null : value.map((item) => this.schema(isObject(item) ? item : {}, slot))
        }
        return isObject(value) ? this.schema(value, slot) : null
      case 'JSONSchemaPropsOrStringArray':
        if (Array.isArray(value)) return value.length === 0 ? null : value.map((item) => this.text(item, slot))
        return isObject(value) ? this.schema(value, slot) : null
      default:
        return value
    }
  }

  private schema(value: JsonObject, slot: Slot): JsonObject {
    this.lenient++
    // The unions stand only within JSONSchemaProps itself.
    const out = this.struct(value, slot.owner)
    this.lenient--
    return out
  }

  private text(value: unknown, slot: Slot): string {
    if (value === null) return ''
    if (typeof value !== 'string') throw this.wrongType(value, slot, true)
    return value
  }

  private wrongType(value: unknown, slot: Slot, element: boolean): DecodeError {
    const stack = this.path.filter((part) => typeof part === 'object').map((part) => part.name)
    if (this.path.findLast((part) => typeof part === 'object') !== slot) stack.push(slot.name)
    let what = jsonTypeOf(value)
    let type = goTypeOf(slot, element)
    const number = slot.info.kind === 'int32' || slot.info.kind === 'int64' || type === 'int32'
    if (what === 'number' && number) what = `number ${JSON.stringify(value)}`
    if (what === 'array' && slot.info.kind === 'bytes') type = 'uint8'
    const field = `${slot.owner.goName}.${stack.join('.')}`
    return new DecodeError(`json: cannot unmarshal ${what} into Go struct field ${field} of type ${type}`)
  }

  private collectUnknown(input: JsonObject, plan: Plan): void {
    let parent = ''
    for (const part of this.path) {
      if (typeof part === 'number') parent = `${parent}[${part}]`
      else parent = childPath(parent, typeof part === 'string' ? part : part.name)
    }
    for (const key of Object.keys(input)) {
      if (this.unknown.length >= MAX_UNKNOWN) return
      if (!plan.info.byName.has(key) && input[key] !== undefined) this.unknown.push(childPath(parent, key))
    }
  }
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false
}

function elementZero(plan: Plan): unknown {
  switch (plan.special) {
    case undefined:
      return zeroStruct(plan)
    case 'Quantity':
      return '0'
    case 'IntOrString':
      return 0
    default:
      return null
  }
}

/** Sorts in place; most maps come sorted. Integer-like keys stand first in any JavaScript object. */
function sortKeys(keys: string[]): void {
  for (let i = 1; i < keys.length; i++) {
    if (keys[i - 1]! > keys[i]!) {
      keys.sort()
      return
    }
  }
}
