/**
 * The type table: what is known of every built-in type. It is generated (npm run
 * generate) from the published Go modules and read lazily; everything that needs to
 * know a field (strict decoding, protobuf, strategic merge, apply, OpenAPI) asks here.
 */

/** The JSON shape of a value. `object` values have a `type`. */
export type ValueKind = 'string' | 'bool' | 'int32' | 'int64' | 'double' | 'bytes' | 'object'

/**
 * Types whose JSON or protobuf form is not their field list.
 * `Quantity`, `IntOrString`, `Time`, `MicroTime`, `Duration`, `FieldsV1`, `RawExtension` and `JSON` as in Go.
 */
export type SpecialType =
  | 'Time'
  | 'MicroTime'
  | 'Duration'
  | 'Quantity'
  | 'IntOrString'
  | 'RawExtension'
  | 'FieldsV1'
  | 'JSON'
  | 'JSONSchemaPropsOrBool'
  | 'JSONSchemaPropsOrArray'
  | 'JSONSchemaPropsOrStringArray'

/** One field of a type, under its JSON name. Inlined Go structs are flattened; protobuf keeps their nesting in `path`. */
export interface FieldInfo {
  readonly name: string
  /** Protobuf field number in the innermost message. */
  readonly number: number
  /** Field numbers of the nested messages that JSON inlines, outermost first (`volumeSource` of Volume …). Empty for most. */
  readonly path: readonly number[]
  readonly kind: ValueKind
  /** Whether the value is a list, or a map with string keys, of `kind`. */
  readonly container: 'none' | 'list' | 'map'
  /** For maps of lists (`map<string, list>`; ExtraValue, Verbs): the list's wrapper message has `items` = 1. */
  readonly wrapped: boolean
  /** The element's type when `kind` is `object`. */
  readonly type?: string
  readonly required: boolean
  /**
   * When Go leaves the field out of JSON: `never` (no omitempty: a zero value is written), `empty` (omitempty: also
   * empty lists, maps, strings, 0 and false, but never a struct), `zero` (omitzero: also an empty struct).
   */
  readonly omit: 'never' | 'empty' | 'zero'
  /** A Go pointer: presence differs from the zero value. Lists and maps are never pointers here. */
  readonly pointer: boolean
  readonly enum?: readonly string[]
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly listMapKeys?: readonly string[]
  readonly mapType?: 'atomic' | 'granular'
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[]
  readonly patchMergeKey?: string
  readonly immutable: boolean
  /** From validation markers, where present. */
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly format?: string
  /** The value of a `+default` marker, as JSON. Only a hint: defaulting is written per kind. */
  readonly default?: unknown
}

/** A type: `io.k8s.api.core.v1.PodSpec`. */
export interface TypeInfo {
  readonly name: string
  readonly special?: SpecialType
  /** `+structType=atomic` or `+mapType=atomic` on the type. */
  readonly atomic: boolean
  readonly fields: readonly FieldInfo[]
  readonly byName: ReadonlyMap<string, FieldInfo>
}

export interface SubresourceInfo {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

/** One served resource. */
export interface ResourceInfo {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly subresources: readonly SubresourceInfo[]
  /** The name in the type table; absent for custom resources. */
  readonly type?: string
  /** Group priority and version priority decide the order in discovery (APIService's numbers). */
  readonly groupPriority: number
  readonly versionPriority: number
}

export interface TypeTable {
  /** @throws Error when the table has no such type: a bug, never tenant input. */
  type(name: string): TypeInfo
  /** The type of a kind, also of kinds that are no resource (DeleteOptions, Eviction, Scale …). */
  kind(group: string, version: string, kind: string): TypeInfo | undefined
  /** Served resources in discovery order. */
  readonly resources: readonly ResourceInfo[]
  resource(group: string, version: string, resource: string): ResourceInfo | undefined
}
