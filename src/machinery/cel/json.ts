/** JSON as values of declared types. Containers are wrapped, not copied. */
import type { CelType } from './contract.ts'
import { escapeField, unescapeField } from './escape.ts'
import { fromDateTime, parseDuration } from './time.ts'
import { Bytes, CelMap, Double, Failure, List, Uint, isValue, normal } from './values.ts'

/** A list of JSON. */
export class JsonList extends List {
  readonly raw: readonly unknown[]
  readonly item: CelType
  /** The declared list: `set` and `map` compare and add in their own way. */
  readonly declared: (CelType & { kind: 'list' }) | undefined
  constructor(raw: readonly unknown[], item: CelType, declared?: CelType & { kind: 'list' }) {
    super()
    this.raw = raw
    this.item = item
    this.declared = declared
  }
  get length(): number {
    return this.raw.length
  }
  at(i: number): unknown {
    return adapt(this.raw[i], this.item)
  }
}

/** An object of JSON as a map with string keys. */
export class JsonMap extends CelMap {
  readonly raw: Readonly<Record<string, unknown>>
  readonly value: CelType
  constructor(raw: Readonly<Record<string, unknown>>, value: CelType) {
    super()
    this.raw = raw
    this.value = value
  }
  get size(): number {
    return Object.keys(this.raw).length
  }
  get(key: unknown): unknown {
    if (typeof key !== 'string' || !Object.hasOwn(this.raw, key)) return undefined
    return adapt(this.raw[key], this.value)
  }
  has(key: unknown): boolean {
    return typeof key === 'string' && Object.hasOwn(this.raw, key)
  }
  keys(): readonly unknown[] {
    return Object.keys(this.raw)
  }
}

export type ObjectType = CelType & { readonly kind: 'object' }

/** An object of JSON with declared fields. What is not declared cannot be seen. */
export class JsonObject extends CelMap {
  readonly raw: Readonly<Record<string, unknown>>
  readonly type: ObjectType
  constructor(raw: Readonly<Record<string, unknown>>, type: ObjectType) {
    super()
    this.raw = raw
    this.type = type
  }
  /** Undeclared fields count, as upstream counts them. */
  get size(): number {
    return Object.keys(this.raw).length
  }
  get(key: unknown): unknown {
    if (typeof key !== 'string') return undefined
    const name = unescapeField(key)
    if (!Object.hasOwn(this.raw, name)) return undefined
    const type = this.type.field(key)
    const raw = this.raw[name]
    // A null is as good as absent.
    return type === undefined || raw === null ? undefined : adapt(raw, type)
  }
  has(key: unknown): boolean {
    if (typeof key !== 'string') return false
    const name = unescapeField(key)
    return Object.hasOwn(this.raw, name) && this.raw[name] !== null && this.type.field(key) !== undefined
  }
  keys(): readonly unknown[] {
    const keys: string[] = []
    for (const name in this.raw) {
      const key = this.#keyOf(name)
      if (key !== undefined) keys.push(key)
    }
    return keys
  }
  /** Names of properties that rules cannot see. */
  undeclared(): readonly string[] {
    return Object.keys(this.raw).filter((name) => this.#keyOf(name) === undefined)
  }
  #keyOf(name: string): string | undefined {
    const key = escapeField(name)
    if (key !== undefined && this.type.field(key) !== undefined) return key
    return key !== name && this.type.field(name) !== undefined ? name : undefined
  }
}

const DYN: CelType = { kind: 'dyn' }

/** JSON as a value of a declared type. Containers are wrapped, not copied. */
export function adapt(raw: unknown, type: CelType): unknown {
  switch (typeof raw) {
    case 'string':
      switch (type.kind) {
        case 'bytes':
          return fromBase64(raw)
        case 'timestamp':
          return fromDateTime(raw)
        case 'duration':
          return parseDuration(raw)
        default:
          return raw
      }
    case 'boolean':
    case 'bigint':
      return raw
    case 'number':
      switch (type.kind) {
        case 'double':
          return new Double(raw)
        case 'uint':
          return new Uint(BigInt(Math.trunc(raw)))
        default:
          if (Number.isSafeInteger(raw)) return raw === 0 ? 0 : raw
          if (!Number.isInteger(raw) || Math.abs(raw) >= 2 ** 63) return new Double(raw)
          return BigInt(raw)
      }
    case 'object':
      if (raw === null) return null
      if (Array.isArray(raw)) {
        return type.kind === 'list' ? new JsonList(raw, type.item, type) : new JsonList(raw, DYN)
      }
      if (isRaw(raw)) {
        const exact = BigInt(raw.rawJSON)
        return type.kind === 'double'
          ? new Double(Number(exact))
          : type.kind === 'uint'
            ? new Uint(exact)
            : normal(exact)
      }
      if (isValue(raw)) return raw
      if (type.kind === 'object') return new JsonObject(raw as Record<string, unknown>, type)
      return new JsonMap(raw as Record<string, unknown>, type.kind === 'map' ? type.value : DYN)
    default:
      return new Failure('invalid data')
  }
}

function isRaw(value: object): value is { readonly rawJSON: string } {
  return Object.getPrototypeOf(value) === null && JSON.isRawJSON(value)
}

function fromBase64(text: string): Bytes | Failure {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text)
    return new Failure(`Invalid byte formatted string ${text}: illegal base64 data`)
  return new Bytes(bytes)
}
