/** Types while an expression is checked: the declared ones, and those that only the checker knows. */
import type { CelType } from './contract.ts'

export type TypeKind =
  | 'dyn'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'struct'
  | 'opaque'
  | 'type'
  | 'param'
  | 'error'

export interface Type {
  readonly kind: TypeKind
  /** As `type()` tells it. */
  readonly name: string
  readonly params: readonly Type[]
  /** The declaration, where there is one: limits and fields. */
  readonly source?: CelType
}

const NO_PARAMS: readonly Type[] = []

function simple(kind: TypeKind, name: string = kind): Type {
  return { kind, name, params: NO_PARAMS }
}

export const DYN = simple('dyn')
export const BOOL = simple('bool')
export const INT = simple('int')
export const STRING = simple('string')
export const ERROR = simple('error', '!error!')
const SIMPLE: ReadonlyMap<string, Type> = new Map([
  ['dyn', DYN],
  ['bool', BOOL],
  ['int', INT],
  ['uint', simple('uint')],
  ['double', simple('double')],
  ['string', STRING],
  ['bytes', simple('bytes')],
  ['null', simple('null', 'null_type')],
  ['timestamp', simple('timestamp', 'google.protobuf.Timestamp')],
  ['duration', simple('duration', 'google.protobuf.Duration')],
  ['type', simple('type')],
])

export function simpleType(kind: string): Type {
  return SIMPLE.get(kind)!
}

export function listOf(item: Type): Type {
  return { kind: 'list', name: 'list', params: [item] }
}

export function mapOf(key: Type, value: Type): Type {
  return { kind: 'map', name: 'map', params: [key, value] }
}

export function optionalOf(value: Type): Type {
  return { kind: 'opaque', name: 'optional_type', params: [value] }
}

/** The type of a type's name. */
export function typeOf(type: Type): Type {
  return { kind: 'type', name: 'type', params: [type] }
}

export function param(name: string): Type {
  return { kind: 'param', name, params: NO_PARAMS }
}

export function opaque(name: string, params: readonly Type[] = NO_PARAMS): Type {
  return { kind: 'opaque', name, params }
}

/** Library types that count as messages: they may be null, and their names are types. */
const STRUCTS: ReadonlySet<string> = new Set([
  'kubernetes.URL',
  'kubernetes.Quantity',
  'kubernetes.NamedFormat',
  'kubernetes.Semver',
  'kubernetes.authorization.Authorizer',
  'kubernetes.authorization.PathCheck',
  'kubernetes.authorization.GroupCheck',
  'kubernetes.authorization.ResourceCheck',
  'kubernetes.authorization.Decision',
])

export function libraryType(name: string): Type {
  return { kind: STRUCTS.has(name) ? 'struct' : 'opaque', name, params: NO_PARAMS }
}

const converted = new WeakMap<CelType, Type>()

export function fromDeclared(declared: CelType): Type {
  const known = converted.get(declared)
  if (known !== undefined) return known
  const made = convert(declared)
  converted.set(declared, made)
  return made
}

function convert(declared: CelType): Type {
  switch (declared.kind) {
    case 'list':
      return { ...listOf(fromDeclared(declared.item)), source: declared }
    case 'map':
      return { ...mapOf(fromDeclared(declared.key), fromDeclared(declared.value)), source: declared }
    case 'optional':
      return { ...optionalOf(fromDeclared(declared.value)), source: declared }
    case 'object':
      return { kind: 'struct', name: declared.name, params: NO_PARAMS, source: declared }
    case 'opaque':
      return { ...libraryType(declared.name), source: declared }
    default:
      return { ...simpleType(declared.kind), source: declared }
  }
}

/** A checked type as the contract has it. */
export function toDeclared(type: Type): CelType {
  if (type.source !== undefined) return type.source
  const declared = declaration(type)
  converted.set(declared, type)
  return declared
}

function declaration(type: Type): CelType {
  switch (type.kind) {
    case 'list':
      return { kind: 'list', item: toDeclared(type.params[0]!) }
    case 'map':
      return { kind: 'map', key: toDeclared(type.params[0]!), value: toDeclared(type.params[1]!) }
    case 'opaque':
      return type.name === 'optional_type'
        ? { kind: 'optional', value: toDeclared(type.params[0]!) }
        : { kind: 'opaque', name: type.name }
    case 'struct':
      return { kind: 'opaque', name: type.name }
    case 'param':
    case 'error':
      return { kind: 'dyn' }
    default:
      return { kind: type.kind }
  }
}

/** A type as results tell it: `must evaluate to bool but got list(int)`. */
export function typeText(declared: CelType): string {
  const text = ({ name, params }: Type): string =>
    params.length === 0 ? name : `${name}(${params.map(text).join(', ')})`
  return text(fromDeclared(declared))
}

/** A type as problems show it. */
export function formatType(type: Type): string {
  switch (type.kind) {
    case 'timestamp':
    case 'duration':
    case 'null':
      return type.kind
    case 'error':
      return '!error!'
    default:
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(', ')})`
  }
}

/** `(int, string)`, or `string.(int)` of a method. */
export function formatArguments(types: readonly Type[], method: boolean): string {
  const args = method ? types.slice(1) : types
  return `${method ? `${formatType(types[0]!)}.` : ''}(${args.map(formatType).join(', ')})`
}

export function sameType(a: Type, b: Type): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((one, i) => sameType(one, b.params[i]!)))
  )
}
