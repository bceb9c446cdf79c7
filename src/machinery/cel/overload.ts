/** Functions as libraries declare them: one line a signature. */
import type { Type } from './types.ts'
import { libraryType, listOf, mapOf, optionalOf, param, simpleType, typeOf } from './types.ts'
import { Bytes, CelMap, Double, Duration, List, Opaque, Optional, Timestamp, TypeValue, Uint, isInt } from './values.ts'
import type { Context } from './context.ts'

/** Answers with a value or a Failure. Arguments have the declared types; the receiver is the first. */
// oxlint-disable-next-line typescript/no-explicit-any -- arguments are checked against the signature before
export type Implementation = (context: Context, ...args: any[]) => unknown

export interface Overload {
  readonly id: string
  /** Of the function. */
  readonly name: string
  readonly method: boolean
  readonly args: readonly Type[]
  readonly result: Type
  readonly params: readonly string[]
  readonly run: Implementation
  /** Takes what it gets, whatever its type: it looks for itself. */
  readonly unguarded: boolean
}

export interface FunctionDecl {
  readonly name: string
  readonly overloads: readonly Overload[]
}

/** Reads `list(A)`, `map(K, V)`, `optional(V)`, `type(A)`, a simple type, a parameter (`A`) or a library's type. */
class TypeReader {
  readonly #text: string
  #at = 0
  readonly params = new Set<string>()
  constructor(text: string) {
    this.#text = text
  }
  read(): Type {
    const [name = ''] = /^[\w.]+/.exec(this.#text.slice(this.#at)) ?? []
    this.#at += name.length
    const inner: Type[] = []
    if (this.#text[this.#at] === '(') {
      do {
        this.#at++
        while (this.#text[this.#at] === ' ') this.#at++
        inner.push(this.read())
      } while (this.#text[this.#at] === ',')
      this.#at++
    }
    switch (name) {
      case 'list':
        return listOf(inner[0]!)
      case 'map':
        return mapOf(inner[0]!, inner[1]!)
      case 'optional':
        return optionalOf(inner[0]!)
      case 'type':
        return inner.length === 0 ? simpleType('type') : typeOf(inner[0]!)
      default:
        if (/^[A-Z]$/.test(name)) {
          this.params.add(name)
          return param(name)
        }
        return name.includes('.') ? libraryType(name) : simpleType(name)
    }
  }
}

/**
 * Declares an overload. `signature` is `(string, int): bool`, or `string.(int): bool` of a method; a type in capitals is
 * a parameter.
 */
export function overload(
  name: string,
  id: string,
  signature: string,
  run: Implementation,
  options: { readonly unguarded?: boolean } = {},
): Overload {
  const colon = signature.lastIndexOf('): ')
  const dot = signature.startsWith('(') ? -1 : signature.indexOf('.(')
  const receiver = dot === -1 ? [] : [signature.slice(0, dot)]
  const texts = [...receiver, ...splitArguments(signature.slice(dot === -1 ? 1 : dot + 2, colon))]
  const params = new Set<string>()
  const read = (text: string): Type => {
    const reader = new TypeReader(text)
    const type = reader.read()
    for (const one of reader.params) params.add(one)
    return type
  }
  return {
    id,
    name,
    method: dot !== -1,
    args: texts.map(read),
    result: read(signature.slice(colon + 3)),
    params: [...params],
    run,
    unguarded: options.unguarded === true,
  }
}

function splitArguments(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (c === '(') depth++
    else if (c === ')') depth--
    else if ((c === ',' || c === undefined) && depth === 0) {
      const part = text.slice(start, i).trim()
      if (part !== '') parts.push(part)
      start = i + 1
    }
  }
  return parts
}

/** Whether a value may be given where a type is declared. */
export function accepts(type: Type, value: unknown): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
    case 'error':
      return true
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
      return isInt(value)
    case 'uint':
      return value instanceof Uint
    case 'double':
      return value instanceof Double
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return value instanceof Bytes
    case 'null':
      return value === null
    case 'timestamp':
      return value instanceof Timestamp
    case 'duration':
      return value instanceof Duration
    case 'list':
      return value instanceof List
    case 'map':
      return value instanceof CelMap
    case 'type':
      return value instanceof TypeValue
    case 'opaque':
    case 'struct':
      if (type.name === 'optional_type') return value instanceof Optional
      return value instanceof Opaque && value.type === type.name
  }
}

/** What `type()` says of a value. */
export function typeName(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
    case 'bigint':
      return 'int'
    default:
      if (value === null) return 'null_type'
      if (value instanceof List) return 'list'
      if (value instanceof CelMap) return 'map'
      if (value instanceof Double) return 'double'
      if (value instanceof Uint) return 'uint'
      if (value instanceof Bytes) return 'bytes'
      if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
      if (value instanceof Duration) return 'google.protobuf.Duration'
      if (value instanceof Optional) return 'optional_type'
      if (value instanceof TypeValue) return 'type'
      if (value instanceof Opaque) return value.type
      return 'error'
  }
}
