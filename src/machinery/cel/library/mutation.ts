/** What mutations make: `Object{spec: Object.spec{…}}` and `JSONPatch{op: 'add', …}`. */
import { equals } from '../equal.ts'
import type { Context } from '../context.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import type { Type } from '../types.ts'
import { DYN, STRING } from '../types.ts'
import { CelMap, Failure, List, Opaque, ValueMap } from '../values.ts'

/** An object that a mutation makes. Fields have any type; the name tells where it belongs. */
export class ObjectValue extends Opaque {
  readonly type: string
  readonly fields: ReadonlyMap<string, unknown>
  constructor(type: string, fields: ReadonlyMap<string, unknown>) {
    super()
    this.type = type
    this.fields = fields
  }
  override field(name: unknown): unknown {
    const value = typeof name === 'string' ? this.fields.get(name) : undefined
    return value instanceof ObjectValue ? value.toMap() : value
  }
  /** What is read out of an object is a plain map. */
  toMap(): ValueMap {
    const map = new ValueMap()
    for (const name of this.fields.keys()) map.set(name, this.field(name))
    return map
  }
  override get isZero(): boolean {
    return this.fields.size === 0
  }
  override equals(other: ObjectValue, c: Context): boolean {
    if (this.fields.size !== other.fields.size) return false
    for (const [name, value] of this.fields) {
      c.labour(4)
      if (!other.fields.has(name) || equals(c, value, other.fields.get(name)) !== true) return false
    }
    return true
  }
}

const PATCH_TEXTS = ['op', 'path', 'from'] as const

/** One operation of a JSON patch. */
export class PatchValue extends ObjectValue {
  constructor(fields: ReadonlyMap<string, unknown>) {
    super('JSONPatch', fields)
  }
  override field(name: unknown): unknown {
    return super.field(name) ?? (PATCH_TEXTS.includes(name as 'op') ? '' : undefined)
  }
}

const structs = new Map<string, Type>()
const MAX_STRUCTS = 2000

/** The type of a name in mutations; undefined for other names. */
export function mutationType(name: string): Type | undefined {
  if (name !== 'JSONPatch' && name !== 'Object' && !name.startsWith('Object.')) return undefined
  const known = structs.get(name)
  if (known !== undefined) return known
  const type: Type = { kind: 'struct', name, params: [] }
  if (structs.size >= MAX_STRUCTS) structs.clear()
  structs.set(name, type)
  return type
}

export function mutationField(type: Type, field: string): Type | undefined {
  if (type.name !== 'JSONPatch') return DYN
  return field === 'value' ? DYN : PATCH_TEXTS.includes(field as 'op') ? STRING : undefined
}

export function makeMutation(type: Type, fields: ReadonlyMap<string, unknown>): unknown {
  if (type.name !== 'JSONPatch') return new ObjectValue(type.name, fields)
  for (const name of PATCH_TEXTS) {
    const value = fields.get(name)
    if (value !== undefined && typeof value !== 'string') {
      return new Failure(`unexpected type for JSONPatchType '${name}' field`)
    }
  }
  return new PatchValue(fields)
}

/**
 * Objects in a result whose type names do not follow the fields that they are in, in upstream's words: the type in
 * `spec` of `Object` must be `Object.spec`.
 */
export function misnamedObjects(value: unknown): string[] {
  const errors: string[] = []
  const walk = (one: unknown, path: string, depth: number): void => {
    if (depth > 100 || errors.length > 100) return
    if (one instanceof ObjectValue) {
      if (one.type !== path) {
        errors.push(
          `unexpected type name ${JSON.stringify(one.type)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
        )
      }
      for (const [name, inner] of one.fields) walk(inner, `${path}.${name}`, depth + 1)
    } else if (one instanceof List) {
      for (let i = 0; i < one.length; i++) walk(one.at(i), path, depth + 1)
    } else if (one instanceof CelMap) {
      for (const key of one.keys()) walk(one.get(key), path, depth + 1)
    }
  }
  if (value instanceof ObjectValue) walk(value, value.type, 0)
  return errors
}

export const JSON_PATCH: readonly Overload[] = [
  overload('jsonpatch.escapeKey', 'string_jsonpatch_escapeKey_string', '(string): string', (c, key: string) => {
    c.labour(key.length >> 3)
    return key.replaceAll(/[~/]/g, (one) => (one === '~' ? '~0' : '~1'))
  }),
]
