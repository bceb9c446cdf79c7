/**
 * What apply needs to know of a value's type: which lists and maps are one thing, and which are merged item by item.
 * Built-in types and custom resources provide it; see `builtin.ts` and `custom.ts`.
 */
import type { FieldElement } from './element.ts'
import { fieldElement } from './element.ts'

export type Scalar = 'string' | 'numeric' | 'boolean' | 'untyped'

/** What a value may be. A type that may be several things has several members. */
export interface Schema {
  readonly map?: MapSchema
  readonly scalar?: Scalar
  readonly list?: ListSchema
}

/** A field of an object with declared fields. */
export interface FieldSchema {
  readonly schema: Schema
  readonly element: FieldElement
  /** Stands for the key of a list item that leaves it out. */
  readonly default?: unknown
}

export interface MapSchema {
  /** Owned as a whole. */
  readonly atomic: boolean
  /** A declared field. */
  field(name: string): FieldSchema | undefined
  /** The type of fields that are not declared; undefined when there may be none. */
  readonly rest: Schema | undefined
  /** Nothing is declared, and what is there is taken as it comes. */
  readonly deduced: boolean
}

export interface ListSchema {
  /** Owned as a whole; else a set, or a map by {@link keys}. */
  readonly atomic: boolean
  readonly item: Schema
  /** Empty for sets. */
  readonly keys: readonly string[]
}

/** The type of a field or map entry. */
export function fieldSchema(map: MapSchema, name: string): Schema | undefined {
  return map.field(name)?.schema ?? map.rest
}

/** The path element of a field; those of declared fields are shared. */
export function elementOf(map: MapSchema, name: string): FieldElement {
  return map.field(name)?.element ?? fieldElement(name)
}

const NO_FIELD = (): undefined => undefined

/** A map whose fields are looked up lazily. */
export function structSchema(
  lookup: (name: string) => FieldSchema | undefined,
  { atomic = false, rest }: { readonly atomic?: boolean; readonly rest?: Schema } = {},
): MapSchema {
  const known = new Map<string, FieldSchema | undefined>()
  return {
    atomic,
    rest,
    deduced: false,
    field(name) {
      const found = known.get(name)
      if (found !== undefined) return found
      const field = lookup(name)
      // Only what is declared is kept: other names are the tenant's.
      if (field !== undefined) known.set(name, field)
      return field
    },
  }
}

/** A map without declared fields. */
export function mapSchema(item: Schema, atomic = false): MapSchema {
  return { atomic, rest: item, deduced: item === UNTYPED || item === DEDUCED || item === ANY_SCALAR, field: NO_FIELD }
}

export const STRING: Schema = { scalar: 'string' }
export const NUMERIC: Schema = { scalar: 'numeric' }
export const BOOLEAN: Schema = { scalar: 'boolean' }
export const ANY_SCALAR: Schema = { scalar: 'untyped' }

/** Anything, owned as a whole. */
export const UNTYPED: Schema = {
  scalar: 'untyped',
  get list() {
    return untypedList
  },
  get map() {
    return untypedMap
  },
}
const untypedList: ListSchema = { atomic: true, item: UNTYPED, keys: [] }
const untypedMap: MapSchema = { atomic: true, rest: UNTYPED, deduced: false, field: NO_FIELD }

/** Anything, taken as it comes: maps field by field, lists as a whole. */
export const DEDUCED: Schema = {
  scalar: 'untyped',
  list: untypedList,
  get map() {
    return deducedMap
  },
}
const deducedMap: MapSchema = { atomic: false, rest: DEDUCED, deduced: true, field: NO_FIELD }
