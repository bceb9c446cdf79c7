/**
 * Values while an expression runs. `null`, booleans and strings are themselves. An int is a number when it is a safe
 * integer and a bigint otherwise, never anything else: two equal ints are `===`. A double is always boxed.
 */
import type { Context } from './context.ts'

export type Int = number | bigint

export const MAX_INT = 2n ** 63n - 1n
export const MIN_INT = -(2n ** 63n)
export const MAX_UINT = 2n ** 64n - 1n

/** A failure of an expression; `&&`, `||`, `all` and `exists` may absorb it. */
export class Failure {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export class Double {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

export class Bytes {
  readonly value: Uint8Array
  constructor(value: Uint8Array) {
    this.value = value
  }
}

/** Nanoseconds within an int64. */
export class Duration {
  readonly ns: bigint
  constructor(ns: bigint) {
    this.ns = ns
  }
}

/** Seconds since 1970 (year 1 to 9999) and nanoseconds after them. */
export class Timestamp {
  readonly seconds: number
  readonly nanos: number
  /** Seconds east of UTC in which it was written; only texts show it. */
  readonly offset: number
  constructor(seconds: number, nanos: number, offset = 0) {
    this.seconds = seconds
    this.nanos = nanos
    this.offset = offset
  }
}

export class Optional {
  readonly value: unknown
  readonly present: boolean
  constructor(present: boolean, value: unknown) {
    this.present = present
    this.value = value
  }
}
export const NONE = new Optional(false, undefined)

/** The value of a type's name: `type(1) == int`. */
export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value of a library. `type` is its CEL name. */
export abstract class Opaque {
  abstract readonly type: string
  /** What comparing or scanning it costs. */
  get size(): number {
    return 1
  }
  /** Of a format: the length of the regular expression that upstream has for it. */
  get weight(): number {
    return 0
  }
  get isZero(): boolean {
    return false
  }
  /** @param other of the same type */
  equals(other: Opaque, c: Context): boolean {
    c.labour(1)
    return this === other
  }
  /** Of a message; undefined when it is not set. */
  field(name: unknown): unknown {
    void name
    return undefined
  }
}

export abstract class List {
  abstract readonly length: number
  /** `i` is within the list. */
  abstract at(i: number): unknown
}

export class ArrayList extends List {
  readonly items: unknown[]
  constructor(items: unknown[]) {
    super()
    this.items = items
  }
  get length(): number {
    return this.items.length
  }
  at(i: number): unknown {
    return this.items[i]
  }
}

/** Nothing is copied, as upstream does not: what is added counts when it is read. */
export class ConcatList extends List {
  readonly left: List
  readonly right: List
  readonly length: number
  constructor(left: List, right: List) {
    super()
    this.left = left
    this.right = right
    this.length = left.length + right.length
  }
  at(i: number): unknown {
    let { left, right } = this
    for (;;) {
      let list = left
      if (i >= left.length) {
        i -= left.length
        list = right
      }
      if (!(list instanceof ConcatList)) return list.at(i)
      left = list.left
      right = list.right
    }
  }
}

export abstract class CelMap {
  abstract readonly size: number
  /** Undefined when there is no such key. */
  abstract get(key: unknown): unknown
  abstract has(key: unknown): boolean
  abstract keys(): readonly unknown[]
}

/** Keys by their identity: numbers of all kinds are one, as `1 == 1u`. */
function keyOf(key: unknown): unknown {
  if (key instanceof Uint) return normal(key.value)
  if (key instanceof Double) return Number.isInteger(key.value) ? normal(BigInt(key.value)) : `d${key.value}`
  return typeof key === 'string' ? `s${key}` : key
}

/** A map that an expression makes. */
export class ValueMap extends CelMap {
  readonly #entries = new Map<unknown, { readonly key: unknown; value: unknown }>()
  get size(): number {
    return this.#entries.size
  }
  set(key: unknown, value: unknown): void {
    this.#entries.set(keyOf(key), { key, value })
  }
  delete(key: unknown): void {
    this.#entries.delete(keyOf(key))
  }
  get(key: unknown): unknown {
    return this.#entries.get(keyOf(key))?.value
  }
  has(key: unknown): boolean {
    return this.#entries.has(keyOf(key))
  }
  keys(): readonly unknown[] {
    return Array.from(this.#entries.values(), (one) => one.key)
  }
}

/** The number of the smaller representation. */
export function normal(value: bigint): Int {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

export function isInt(value: unknown): value is Int {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** Values that need no type: they come from an expression or a library. */
export function isValue(value: unknown): boolean {
  return (
    value instanceof List ||
    value instanceof CelMap ||
    value instanceof Opaque ||
    value instanceof Double ||
    value instanceof Uint ||
    value instanceof Bytes ||
    value instanceof Duration ||
    value instanceof Timestamp ||
    value instanceof Optional ||
    value instanceof TypeValue ||
    value instanceof Failure
  )
}
