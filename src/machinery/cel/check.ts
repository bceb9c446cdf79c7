/** Types of an expression: cel-go's rules and words. */
import type { Steps } from '../schema/steps.ts'
import type { Call, Comprehension, Expr, ListExpr, MapExpr, Select, Struct } from './ast.ts'
import type { Issue } from './issues.ts'
import type { FunctionDecl, Overload } from './overload.ts'
import type { Type } from './types.ts'
import {
  BOOL,
  DYN,
  ERROR,
  INT,
  formatArguments,
  formatType,
  listOf,
  mapOf,
  optionalOf,
  param,
  simpleType,
  typeOf,
} from './types.ts'
import { Bindings, fitAll, mostGeneral, substitute } from './unify.ts'
import { Double, Uint } from './values.ts'

/** What an expression may name. */
export interface Scope {
  readonly variables: ReadonlyMap<string, Type>
  function(name: string): FunctionDecl | undefined
  /** A type by its name: `int`, `kubernetes.Quantity`, `Object.spec`. */
  type(name: string): Type | undefined
  /** A field of a message type; undefined when it has none of that name. */
  field(type: Type, name: string): Type | undefined
}

/** Annotates the tree with types and overloads; answers with what is wrong. */
export function* checkInSteps(
  expr: Expr,
  scope: Scope,
): Steps<{ readonly type: Type; readonly issues: readonly Issue[] }> {
  const checker = new Checker(scope)
  const type = yield* checker.run(expr)
  return { type, issues: checker.issues }
}

/** Nodes of one step. */
const STEP = 2000

function isOptional(t: Type): boolean {
  return t.kind === 'opaque' && t.name === 'optional_type'
}

function unwrap(t: Type): Type {
  return isOptional(t) ? t.params[0]! : t
}

/** The names of `a.b.c`; undefined for anything else. */
function qualifiedName(e: Expr): string | undefined {
  if (e.kind === 'ident') return e.name
  if (e.kind !== 'select' || e.test) return undefined
  const operand = qualifiedName(e.operand)
  return operand === undefined ? undefined : `${operand}.${e.field}`
}

class Checker {
  readonly issues: Issue[] = []
  readonly #scope: Scope
  readonly #locals: { readonly name: string; readonly type: Type }[] = []
  readonly #typed: Expr[] = []
  readonly #bindings = new Bindings()
  #free = 0
  /** Nodes after which others may have their turn. */
  #pause = STEP

  constructor(scope: Scope) {
    this.#scope = scope
  }

  *run(expr: Expr): Steps<Type> {
    yield* this.#check(expr)
    for (const [i, one] of this.#typed.entries()) {
      if (i % (4 * STEP) === STEP) yield undefined
      one.type = substitute(this.#bindings, one.type!, true)
    }
    return expr.type!
  }

  #report(pos: number, message: string): void {
    this.issues.push({ pos, message })
  }

  #set(e: Expr, type: Type): Type {
    e.type = type
    this.#typed.push(e)
    return type
  }

  #fits(a: Type, b: Type): boolean {
    return fitAll(this.#bindings, [a], [b])
  }

  #resolved(type: Type): Type {
    return substitute(this.#bindings, type, false)
  }

  #freeType(): Type {
    return param(`_var${this.#free++}`)
  }

  #undeclared(pos: number, name: string): Type {
    this.#report(pos, `undeclared reference to '${name}' (in container '')`)
    return ERROR
  }

  /** The type of what has no parts, which is most of a text. */
  #leaf(e: Expr): Type | undefined {
    if (e.kind === 'literal') return this.#set(e, literalType(e.value))
    if (e.kind === 'ident') return this.#set(e, this.#ident(e.name) ?? this.#undeclared(e.pos, e.name))
    return undefined
  }

  *#check(e: Expr): Steps<Type> {
    if (this.#typed.length >= this.#pause) {
      this.#pause = this.#typed.length + STEP
      yield undefined
    }
    switch (e.kind) {
      case 'literal':
      case 'ident':
        return this.#leaf(e)!
      case 'select':
        return this.#set(e, yield* this.#select(e))
      case 'call':
        return this.#set(e, yield* this.#call(e))
      case 'list':
        return this.#set(e, yield* this.#list(e))
      case 'map':
        return this.#set(e, yield* this.#map(e))
      case 'struct':
        return this.#set(e, yield* this.#struct(e))
      case 'comprehension':
        return this.#set(e, yield* this.#comprehension(e))
    }
  }

  #local(name: string): Type | undefined {
    return this.#locals.findLast((one) => one.name === name)?.type
  }

  #global(name: string): Type | undefined {
    const plain = name.startsWith('.') ? name.slice(1) : name
    const variable = this.#scope.variables.get(plain)
    if (variable !== undefined) return variable
    const type = this.#scope.type(plain)
    return type === undefined ? undefined : typeOf(type)
  }

  #ident(name: string): Type | undefined {
    return (name.startsWith('.') ? undefined : this.#local(name)) ?? this.#global(name)
  }

  *#select(e: Select): Steps<Type> {
    const name = e.test ? undefined : qualifiedName(e)
    if (name !== undefined && this.#local(name.slice(0, name.indexOf('.', 1))) === undefined) {
      const type = this.#global(name)
      if (type !== undefined) {
        e.resolved = { kind: 'ident', pos: e.pos, name, type }
        return type
      }
    }
    const type = yield* this.#field(e.pos, e.operand, e.field, false)
    return e.test ? BOOL : this.#resolved(type)
  }

  *#field(pos: number, operand: Expr, field: string, optional: boolean): Steps<Type> {
    const type = this.#resolved(this.#leaf(operand) ?? (yield* this.#check(operand)))
    const target = unwrap(type)
    let result: Type = ERROR
    switch (target.kind) {
      case 'map':
        result = target.params[1]!
        break
      case 'struct': {
        const found = this.#scope.field(target, field)
        if (found !== undefined) result = found
        // Messages of libraries have no fields at all.
        else if (target.source?.kind === 'object' || this.#scope.type(target.name) !== undefined)
          this.#report(pos, `undefined field '${field}'`)
        else this.#report(pos, `unexpected failed resolution of '${target.name}'`)
        break
      }
      case 'param':
        this.#fits(DYN, target)
        result = DYN
        break
      default:
        if (target.kind !== 'dyn' && target.kind !== 'error') {
          this.#report(pos, `type '${formatType(target)}' does not support field selection`)
        }
        result = DYN
    }
    return isOptional(type) || optional ? optionalOf(result) : result
  }

  *#call(e: Call): Steps<Type> {
    if (e.name === '_?._') return yield* this.#optionalField(e)
    for (const arg of e.args) if (this.#leaf(arg) === undefined) yield* this.#check(arg)
    if (e.target === undefined) {
      const name = e.name.startsWith('.') ? e.name.slice(1) : e.name
      const found = this.#scope.function(name)
      if (found === undefined) return this.#undeclared(e.pos, e.name)
      e.name = name
      return this.#resolve(e, found, undefined)
    }
    const prefix = qualifiedName(e.target)
    if (prefix !== undefined) {
      const name = `${prefix.startsWith('.') ? prefix.slice(1) : prefix}.${e.name}`
      const found = this.#scope.function(name)
      if (found !== undefined) {
        e.name = name
        e.target = undefined
        return this.#resolve(e, found, undefined)
      }
    }
    if (this.#leaf(e.target) === undefined) yield* this.#check(e.target)
    const found = this.#scope.function(e.name)
    return found === undefined ? this.#undeclared(e.pos, e.name) : this.#resolve(e, found, e.target)
  }

  *#optionalField(e: Call): Steps<Type> {
    const [operand, field] = e.args as [Expr, Expr & { kind: 'literal' }]
    this.#set(field, literalType(field.value))
    const type = yield* this.#field(e.pos, operand, String(field.value), true)
    e.overloads = []
    return this.#resolved(type)
  }

  #resolve(e: Call, found: FunctionDecl, target: Expr | undefined): Type {
    const args = (target === undefined ? e.args : [target, ...e.args]).map((one) => one.type!)
    const chosen: Overload[] = []
    let result: Type | undefined
    for (const overload of found.overloads) {
      if (overload.method !== (target !== undefined)) continue
      if (e.name === '_&&_' || e.name === '_||_') return this.#logic(e, overload, args)
      const fresh = new Bindings()
      for (const name of overload.params) fresh.set(name, this.#freeType())
      const declared =
        overload.params.length === 0 ? overload.args : overload.args.map((one) => substitute(fresh, one, false))
      if (!fitAll(this.#bindings, args, declared)) continue
      chosen.push(overload)
      const type = this.#resolved(substitute(fresh, overload.result, false))
      if (result === undefined) result = type
      else if (result.kind !== 'dyn' && formatType(type) !== formatType(result)) result = DYN
    }
    if (result === undefined) {
      const shown = args.map((one) => substitute(this.#bindings, one, true))
      const signature = formatArguments(shown, target !== undefined)
      this.#report(e.pos, `found no matching overload for '${e.name}' applied to '${signature}'`)
      return ERROR
    }
    e.overloads = chosen
    return result
  }

  #logic(e: Call, overload: Overload, args: readonly Type[]): Type {
    let wrong = false
    for (const [i, type] of args.entries()) {
      if (this.#fits(type, BOOL)) continue
      this.#report(e.args[i]!.pos, `expected type 'bool' but found '${formatType(type)}'`)
      wrong = true
    }
    e.overloads = [overload]
    return wrong ? ERROR : BOOL
  }

  #join(before: Type | undefined, type: Type): Type {
    if (before === undefined) return type
    // Mixed types are refused later, but for the arguments of `format`.
    return this.#fits(before, type) ? mostGeneral(before, type) : DYN
  }

  /** The type in an element with `?`. */
  #optional(e: Expr, type: Type): Type {
    if (!isOptional(type) && type.kind !== 'dyn') {
      this.#report(e.pos, `expected type '${formatType(optionalOf(type))}' but found '${formatType(type)}'`)
    }
    return unwrap(type)
  }

  *#list(e: ListExpr): Steps<Type> {
    let item: Type | undefined
    for (const [i, element] of e.elements.entries()) {
      const type = this.#leaf(element) ?? (yield* this.#check(element))
      item = this.#join(item, e.optionals.has(i) ? this.#optional(element, type) : type)
    }
    return listOf(item ?? this.#freeType())
  }

  *#map(e: MapExpr): Steps<Type> {
    let keys: Type | undefined
    let values: Type | undefined
    for (const { key, value, optional } of e.entries) {
      keys = this.#join(keys, yield* this.#check(key))
      const type = yield* this.#check(value)
      values = this.#join(values, optional ? this.#optional(value, type) : type)
    }
    if (keys === undefined || values === undefined) return mapOf(this.#freeType(), this.#freeType())
    return mapOf(keys, values)
  }

  *#struct(e: Struct): Steps<Type> {
    const name = e.name.startsWith('.') ? e.name.slice(1) : e.name
    let type = this.#scope.type(name)
    if (type === undefined) {
      this.#undeclared(e.pos, e.name)
      return ERROR
    }
    if (type.kind !== 'struct') {
      this.#report(e.pos, `'${name}' is not a message type`)
      type = ERROR
    }
    for (const field of e.fields) {
      const given = yield* this.#check(field.value)
      let expected: Type = ERROR
      if (type.kind === 'struct') {
        const found = this.#scope.field(type, field.name)
        if (found === undefined) this.#report(field.pos, `undefined field '${field.name}'`)
        else expected = found
      }
      const value = field.optional ? this.#optional(field.value, given) : given
      if (!this.#fits(expected, value)) {
        const shown = `expected type of field '${field.name}' is '${formatType(expected)}' but provided type is '${formatType(value)}'`
        this.#report(field.pos, shown)
      }
    }
    return type
  }

  *#comprehension(e: Comprehension): Steps<Type> {
    const range = this.#resolved(yield* this.#check(e.range))
    const accu = yield* this.#check(e.init)
    this.#locals.push({ name: e.accu, type: accu })
    let one: Type = DYN
    let two: Type = DYN
    const double = e.iter2 !== ''
    switch (range.kind) {
      case 'list':
        one = double ? INT : range.params[0]!
        two = range.params[0]!
        break
      case 'map':
        one = range.params[0]!
        two = range.params[1]!
        break
      case 'dyn':
      case 'error':
      case 'param':
        this.#fits(DYN, range)
        break
      default:
        this.#report(
          e.range.pos,
          `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        )
        one = ERROR
        two = ERROR
    }
    this.#locals.push({ name: e.iter, type: one })
    if (double) this.#locals.push({ name: e.iter2, type: two })
    yield* this.#check(e.condition)
    this.#expect(e.condition, BOOL)
    yield* this.#check(e.step)
    this.#expect(e.step, accu)
    this.#locals.length -= double ? 2 : 1
    const result = yield* this.#check(e.result)
    this.#locals.length--
    return this.#resolved(result)
  }

  #expect(e: Expr, type: Type): void {
    if (this.#fits(type, e.type!)) return
    this.#report(e.pos, `expected type '${formatType(type)}' but found '${formatType(e.type!)}'`)
  }
}

function literalType(value: unknown): Type {
  return simpleType(literalKind(value))
}

function literalKind(value: unknown): 'null' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    case 'number':
    case 'bigint':
      return 'int'
    default:
      return value === null ? 'null' : value instanceof Double ? 'double' : value instanceof Uint ? 'uint' : 'bytes'
  }
}
