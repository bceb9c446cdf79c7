/**
 * From a checked tree to closures. The shape of the plan is upstream's, because costs follow it: a chain of selects is
 * one attribute, constant lists cost nothing, `in` a constant list is a look-up.
 */
import type { Call, Comprehension, Expr, ListExpr, MapExpr, Select, Struct } from './ast.ts'
import { childrenOf } from './ast.ts'
import { Context } from './context.ts'
import type { CallCost } from './costs.ts'
import { costOfCall } from './costs.ts'
import { goValue } from './gotext.ts'
import type { Implementation, Overload } from './overload.ts'
import { accepts, typeName } from './overload.ts'
import type { Type } from './types.ts'
import { iterate, quickLoop, shapeOf } from './loops.ts'
import { MutableList, MutableMap } from './mutable.ts'
import type { Regex } from './regex.ts'
import { compileRegex } from './regex.ts'
import {
  ArrayList,
  CelMap,
  Double,
  Failure,
  List,
  NONE,
  Opaque,
  Optional,
  TypeValue,
  Uint,
  ValueMap,
  isInt,
  normal,
} from './values.ts'

export type Eval = (c: Context) => unknown

/** A constant that cannot be made: the program is refused. */
export class PlanError extends Error {}

/** Reads or tests a part of a value. `present` is told only when the part is there. */
interface Qualifier {
  /** Of `a.?b` and `a[?b]`. */
  readonly optional: boolean
  /** Of `has(a.b)`. */
  readonly test: boolean
  readonly key: Eval | string | number | undefined
  /** Neither text nor a small int. */
  readonly constant?: unknown
}

type Attribute =
  | { readonly root: Eval; readonly qualifiers: readonly Qualifier[] }
  | { readonly condition: Eval; readonly yes: Attribute; readonly no: Attribute }

type Node =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'attribute'; readonly attribute: Attribute; readonly test: boolean }
  | { readonly kind: 'call'; readonly run: Eval }

/** Makes values of message types; undefined when the profile has none. */
export type StructMaker = (type: Type, fields: ReadonlyMap<string, unknown>) => unknown

export interface Plan {
  readonly run: Eval
  /** Slots of an evaluation: the variables, in order, and those of loops. */
  readonly slots: number
  readonly variables: readonly string[]
}

const UNSET = Symbol('unset')

/** For what is made at compile time: its size is bounded by the text. */
function quietContext(): Context {
  return new Context(Number.POSITIVE_INFINITY, [], () => undefined)
}

const CONVERSIONS: ReadonlySet<string> = new Set(
  'bool bytes double duration dyn int string timestamp type uint'.split(' '),
)

/** Patterns that are compiled already. */
type Patterns = ReadonlyMap<string, Regex | Failure>

/** @throws PlanError */
export function plan(expr: Expr, makeStruct: StructMaker, patterns: Patterns): Plan {
  const planner = new Planner(makeStruct, patterns)
  const run = planner.run(planner.plan(expr))
  return { run, slots: planner.slots, variables: planner.variables }
}

/** Variables that an expression names and does not bind itself. */
export function variablesOf(expr: Expr): Set<string> {
  const found = new Set<string>()
  const walk = (e: Expr, bound: ReadonlySet<string>) => {
    if (e.kind === 'ident') {
      if (e.constant === undefined && e.type?.kind !== 'type' && !bound.has(e.name)) found.add(plainName(e.name))
      return
    }
    if (e.kind === 'select' && e.resolved !== undefined) {
      if (e.resolved.type?.kind !== 'type') found.add(plainName(e.resolved.name))
      return
    }
    if (e.kind === 'comprehension') {
      walk(e.range, bound)
      walk(e.init, bound)
      const outer = new Set([...bound, e.accu])
      const inner = new Set([...outer, e.iter, e.iter2])
      walk(e.condition, inner)
      walk(e.step, inner)
      walk(e.result, outer)
      return
    }
    for (const child of childrenOf(e)) walk(child, bound)
  }
  walk(expr, new Set())
  return found
}

function plainName(name: string): string {
  return name.startsWith('.') ? name.slice(1) : name
}

class Planner {
  readonly variables: string[] = []
  slots = 0
  readonly #makeStruct: StructMaker
  readonly #patterns: Patterns
  readonly #slotOf = new Map<string, number>()
  readonly #locals: { readonly name: string; readonly read: Eval }[] = []

  constructor(makeStruct: StructMaker, patterns: Patterns) {
    this.#makeStruct = makeStruct
    this.#patterns = patterns
  }

  plan(e: Expr): Node {
    switch (e.kind) {
      case 'literal':
        return { kind: 'constant', value: e.value }
      case 'ident':
        return this.#ident(e.name, e.type!)
      case 'select':
        return this.#select(e)
      case 'call':
        return this.#call(e)
      case 'list':
        return this.#list(e)
      case 'map':
        return this.#map(e)
      case 'struct':
        return this.#struct(e)
      case 'comprehension':
        return this.#comprehension(e)
    }
  }

  /** The closure of a node, with what it costs. */
  run(node: Node): Eval {
    switch (node.kind) {
      case 'constant': {
        const { value } = node
        return () => value
      }
      case 'call':
        return node.run
      case 'attribute': {
        const { attribute, test } = node
        const resolve = resolver(attribute)
        if (test) {
          return (c) => {
            const value = resolve(c)
            return value instanceof Optional ? value.present : value
          }
        }
        if (!('root' in attribute)) return resolve
        if (attribute.qualifiers.length === 0) {
          return (c) => {
            c.charge(1)
            return resolve(c)
          }
        }
        return (c) => {
          const value = resolve(c)
          c.charge(1)
          return value
        }
      }
    }
  }

  #slot(name: string): number {
    const known = this.#slotOf.get(name)
    if (known !== undefined) return known
    const slot = this.slots++
    this.#slotOf.set(name, slot)
    this.variables[slot] = name
    return slot
  }

  #ident(name: string, type: Type): Node {
    const local = name.startsWith('.') ? undefined : this.#locals.findLast((one) => one.name === name)
    if (local !== undefined) {
      return { kind: 'attribute', attribute: { root: local.read, qualifiers: [] }, test: false }
    }
    const plain = plainName(name)
    if (type.kind === 'type') {
      const named = type.params[0]
      if (named?.kind === 'struct') throw new PlanError(`reference to undefined type: ${plain}`)
      return { kind: 'constant', value: new TypeValue(named?.name ?? 'type') }
    }
    const slot = this.#slot(plain)
    const root: Eval = (c) => {
      const value = c.slots[slot]
      return value === undefined ? c.load(slot) : value
    }
    return { kind: 'attribute', attribute: { root, qualifiers: [] }, test: false }
  }

  /** An attribute to read from: a value that is none becomes the root of one. */
  #attribute(node: Node): Attribute {
    if (node.kind === 'attribute' && !node.test) return node.attribute
    return { root: this.run(node), qualifiers: [] }
  }

  #select(e: Select): Node {
    if (e.resolved !== undefined) return this.#ident(e.resolved.name, e.resolved.type!)
    const attribute = this.#attribute(this.plan(e.operand))
    const qualifier: Qualifier = { optional: false, test: e.test, key: e.field }
    return { kind: 'attribute', attribute: qualified(attribute, qualifier), test: e.test }
  }

  #index(args: readonly Node[], optional: boolean): Node {
    const [operand, key] = args as [Node, Node]
    const attribute = this.#attribute(operand)
    let qualifier: Qualifier
    if (key.kind === 'constant') {
      const { value } = key
      qualifier =
        typeof value === 'string' || typeof value === 'number'
          ? { optional, test: false, key: value }
          : { optional, test: false, key: undefined, constant: value }
    } else {
      // The key of an attribute is read without the cost of a name.
      const read = key.kind === 'attribute' && !key.test ? resolver(key.attribute) : this.run(key)
      qualifier = { optional, test: false, key: read }
    }
    return { kind: 'attribute', attribute: qualified(attribute, qualifier), test: false }
  }

  #call(e: Call): Node {
    const args = [...(e.target === undefined ? [] : [e.target]), ...e.args].map((one) => this.plan(one))
    switch (e.name) {
      case '_&&_':
        return { kind: 'call', run: and(this.run(args[0]!), this.run(args[1]!)) }
      case '_||_':
        return { kind: 'call', run: or(this.run(args[0]!), this.run(args[1]!)) }
      case '_?_:_': {
        const [condition, yes, no] = args as [Node, Node, Node]
        const attribute: Attribute = {
          condition: this.run(condition),
          yes: this.#attribute(yes),
          no: this.#attribute(no),
        }
        return { kind: 'attribute', attribute, test: false }
      }
      case '_[_]':
        return this.#index(args, false)
      case '_[?_]':
      case '_?._':
        return this.#index(args, true)
      default:
        return this.#function(e, args)
    }
  }

  #function(e: Call, args: readonly Node[]): Node {
    const overloads = e.overloads!
    if ((e.name === 'or' || e.name === 'orValue') && args.length === 2) {
      return { kind: 'call', run: otherwise(this.run(args[0]!), this.run(args[1]!), e.name === 'orValue') }
    }
    const only = overloads.length === 1 ? overloads[0]! : undefined
    const id = only?.id ?? ''
    if (id === 'in_list') {
      const node = this.#membership(args)
      if (node !== undefined) return node
    }
    const cost = costOfCall(e.name, id)
    const types = [...(e.target === undefined ? [] : [e.target]), ...e.args].map((one) => one.type!)
    const invoke = only === undefined ? dispatcher(e.name, overloads) : invoker(only, types)
    if (CONVERSIONS.has(e.name) && args.length === 1 && args[0]!.kind === 'constant') {
      const value: unknown = invoke(quietContext(), args[0]!.value)
      if (value instanceof Failure) throw new PlanError(value.message)
      return { kind: 'constant', value }
    }
    const prepared = prepareRegex(e.name, args, invoke, this.#patterns)
    return {
      kind: 'call',
      run: call(
        args.map((one) => this.run(one)),
        cost,
        prepared,
        e.name,
      ),
    }
  }

  /** `x in [constants]`; undefined when it must look through the list. */
  #membership(args: readonly Node[]): Node | undefined {
    const [value, list] = args as [Node, Node]
    if (list.kind !== 'constant') return undefined
    const items = list.value as List
    if (items.length === 0) return { kind: 'constant', value: false }
    const known = new Set<unknown>()
    for (let i = 0; i < items.length; i++) {
      const key = membershipKey(items.at(i))
      if (key === undefined) return undefined
      known.add(key)
    }
    const run = this.run(value)
    return {
      kind: 'call',
      run: (c) => {
        const found = run(c)
        return found instanceof Failure ? found : known.has(membershipKey(found))
      },
    }
  }

  #list(e: ListExpr): Node {
    const nodes = e.elements.map((one) => this.plan(one))
    const optionals = e.optionals.size === 0 ? undefined : e.elements.map((_, i) => e.optionals.has(i))
    const runs = nodes.map((one) => this.run(one))
    const run: Eval = (c) => {
      const items: unknown[] = []
      const value = fill(c, runs, optionals, items)
      c.charge(10)
      return value ?? new ArrayList(items)
    }
    return nodes.every((one) => one.kind === 'constant') ? constantOf(run) : { kind: 'call', run }
  }

  #map(e: MapExpr): Node {
    const keys = e.entries.map((one) => this.plan(one.key))
    const values = e.entries.map((one) => this.plan(one.value))
    const runs = e.entries.map((one, i) => ({
      key: this.run(keys[i]!),
      value: this.run(values[i]!),
      optional: one.optional,
    }))
    const run: Eval = (c) => {
      const value = makeMap(c, runs)
      c.charge(30)
      return value
    }
    return [...keys, ...values].every((one) => one.kind === 'constant') ? constantOf(run) : { kind: 'call', run }
  }

  #struct(e: Struct): Node {
    const fields = e.fields.map((one) => ({
      name: one.name,
      optional: one.optional,
      run: this.run(this.plan(one.value)),
    }))
    const type = e.type!
    const make = this.#makeStruct
    const run: Eval = (c) => {
      const made = new Map<string, unknown>()
      let failure: Failure | undefined
      for (const { name, optional, run: read } of fields) {
        let value = read(c)
        if (value instanceof Failure) {
          failure = value
          break
        }
        if (optional) {
          if (!(value instanceof Optional)) {
            failure = notOptionalEntry(name, value)
            break
          }
          if (!value.present) {
            made.delete(name)
            continue
          }
          value = value.value
        }
        made.set(name, value)
      }
      c.charge(40)
      return failure ?? make(type, made)
    }
    return { kind: 'call', run }
  }

  /** The usual macros without their accumulator, at the same costs; undefined for other loops. */
  #quickLoop(e: Comprehension, over: Eval, slot: number): Eval | undefined {
    const shape = shapeOf(e)
    if (shape === undefined) return undefined
    const body = this.#within([[e.iter, (c) => c.slots[slot]]], () => this.plan(shape.body))
    if (shape.kind === 'map' && body.kind === 'constant') return undefined
    return quickLoop(shape.kind, over, slot, this.run(body))
  }

  /** A name for a slot within `body`. */
  #within<T>(locals: readonly (readonly [string, Eval])[], body: () => T): T {
    for (const [name, read] of locals) this.#locals.push({ name, read })
    const result = body()
    this.#locals.length -= locals.length
    return result
  }

  #comprehension(e: Comprehension): Node {
    const init = this.run(this.plan(e.init))
    const range = this.run(this.plan(e.range))
    const accu = this.slots++
    const one = this.slots++
    const two = e.iter2 === '' ? -1 : this.slots++
    // First: planning the parts twice would double with every level of nesting.
    const quick = two === -1 ? this.#quickLoop(e, range, one) : undefined
    if (quick !== undefined) return { kind: 'call', run: quick }
    const readAccu: Eval = (c) => {
      const value = c.slots[accu]
      return value === UNSET ? (c.slots[accu] = mutable(init(c))) : value
    }
    const readOne: Eval = (c) => c.slots[one]
    const readTwo: Eval = (c) => c.slots[two]
    const { condition, step, result } = this.#within([[e.accu, readAccu]], () => {
      const names: (readonly [string, Eval])[] = [[e.iter, readOne]]
      if (two !== -1) names.push([e.iter2, readTwo])
      const loop = this.#within(names, () => ({
        condition: this.run(this.plan(e.condition)),
        step: this.run(this.plan(e.step)),
      }))
      return { ...loop, result: this.run(this.plan(e.result)) }
    })
    const run: Eval = (c) => {
      const over = range(c)
      if (over instanceof Failure) return over
      c.slots[accu] = UNSET
      const failure = iterate(c, over, two !== -1, (first, second) => {
        c.slots[one] = first
        if (two !== -1) c.slots[two] = second
        c.labour(2)
        if (condition(c) === false) return false
        c.slots[accu] = step(c)
        return true
      })
      return failure ?? immutable(result(c))
    }
    return { kind: 'call', run }
  }
}

function mutable(value: unknown): unknown {
  if (value instanceof List && value.length === 0) return new MutableList()
  if (value instanceof CelMap && value.size === 0) return new MutableMap()
  return value
}

function immutable(value: unknown): unknown {
  if (value instanceof MutableList) return value.freeze()
  if (value instanceof MutableMap) return value.freeze()
  return value
}

function constantOf(run: Eval): Node {
  const value = run(quietContext())
  if (value instanceof Failure) throw new PlanError(value.message)
  return { kind: 'constant', value }
}

/** Evaluates elements into a list; a failure ends it. */
function fill(
  c: Context,
  runs: readonly Eval[],
  optionals: readonly boolean[] | undefined,
  items: unknown[],
): Failure | undefined {
  for (let i = 0; i < runs.length; i++) {
    let value = runs[i]!(c)
    if (value instanceof Failure) return value
    if (optionals?.[i] === true) {
      if (!(value instanceof Optional)) {
        return new Failure(`cannot initialize optional list element from non-optional value ${goValue(value)}`)
      }
      if (!value.present) continue
      value = value.value
    }
    items.push(value)
  }
  return undefined
}

function makeMap(
  c: Context,
  runs: readonly { readonly key: Eval; readonly value: Eval; readonly optional: boolean }[],
): ValueMap | Failure {
  const map = new ValueMap()
  for (const { key: readKey, value: readValue, optional } of runs) {
    const key = readKey(c)
    if (key instanceof Failure) return key
    let value = readValue(c)
    if (value instanceof Failure) return value
    if (optional) {
      if (!(value instanceof Optional)) return notOptionalEntry(key, value)
      if (!value.present) {
        map.delete(key)
        continue
      }
      value = value.value
    }
    map.set(key, value)
  }
  return map
}

function notOptionalEntry(key: unknown, value: unknown): Failure {
  return new Failure(`cannot initialize optional entry '${goValue(key)}' from non-optional value ${goValue(value)}`)
}

function noOverload(value: unknown): Failure {
  return value instanceof Failure ? value : new Failure('no such overload')
}

function and(left: Eval, right: Eval): Eval {
  return (c) => {
    const a = left(c)
    if (a === false) return false
    const b = right(c)
    if (b === false) return false
    return a === true ? (b === true ? true : noOverload(b)) : noOverload(a)
  }
}

function or(left: Eval, right: Eval): Eval {
  return (c) => {
    const a = left(c)
    if (a === true) return true
    const b = right(c)
    if (b === true) return true
    return a === false ? (b === false ? false : noOverload(b)) : noOverload(a)
  }
}

/** `a.or(b)` and `a.orValue(b)`: the other side is looked at when it is needed only, and the call is free. */
function otherwise(left: Eval, right: Eval, value: boolean): Eval {
  return (c) => {
    const found = left(c)
    if (found instanceof Failure) return found
    if (!(found instanceof Optional)) return new Failure('no such overload')
    return found.present ? (value ? found.value : found) : right(c)
  }
}

function qualified(attribute: Attribute, qualifier: Qualifier): Attribute {
  return 'root' in attribute
    ? { root: attribute.root, qualifiers: [...attribute.qualifiers, qualifier] }
    : {
        condition: attribute.condition,
        yes: qualified(attribute.yes, qualifier),
        no: qualified(attribute.no, qualifier),
      }
}

/** Reads an attribute without the cost of its name. */
function resolver(attribute: Attribute): Eval {
  if (!('root' in attribute)) {
    const { condition } = attribute
    const yes = resolver(attribute.yes)
    const no = resolver(attribute.no)
    return (c) => {
      const value = condition(c)
      return value === true ? yes(c) : value === false ? no(c) : noOverload(value)
    }
  }
  const { root, qualifiers } = attribute
  const [first, second] = qualifiers
  if (first === undefined) return root
  if (second === undefined && !first.optional && !first.test && typeof first.key === 'string') {
    const { key } = first
    return (c) => {
      const value = root(c)
      if (value instanceof Optional) return chain(c, value, qualifiers)
      if (value instanceof Failure) return value
      c.charge(1)
      return part(c, value, key)
    }
  }
  return (c) => chain(c, root(c), qualifiers)
}

function chain(c: Context, start: unknown, qualifiers: readonly Qualifier[]): unknown {
  if (start instanceof Failure) return start
  let value = start
  let optional = false
  if (value instanceof Optional) {
    if (!value.present) return value
    value = value.value
    optional = true
  }
  for (const qualifier of qualifiers) {
    if (qualifier.optional) optional = true
    const { key } = qualifier
    const at = typeof key === 'function' ? key(c) : key === undefined ? qualifier.constant : key
    if (at instanceof Failure) {
      // A key that cannot be read is not counted when it was optional.
      if (!optional) c.charge(1)
      return at
    }
    if (qualifier.test) {
      c.charge(1)
      const found = find(c, value, at)
      if (found instanceof Failure) return found
      if (optional) return found === undefined ? NONE : new Optional(true, true)
      return found !== undefined
    }
    if (optional) {
      const found = find(c, value, at)
      if (found === undefined) return NONE
      if (found instanceof Failure) return found
      c.charge(1)
      value = found
    } else {
      c.charge(1)
      value = part(c, value, at)
      if (value instanceof Failure) return value
    }
  }
  return optional ? new Optional(true, value) : value
}

/** A part that must be there. */
function part(c: Context, value: unknown, key: unknown): unknown {
  if (value instanceof CelMap) {
    const found = value.get(key)
    return found === undefined ? new Failure(`no such key: ${goValue(key)}`) : found
  }
  if (value instanceof List) {
    const index = indexOf(key)
    if (index instanceof Failure) return index
    return index >= 0 && index < value.length ? value.at(index) : new Failure(`index out of bounds: ${goValue(key)}`)
  }
  if (value instanceof Failure) return value
  const found = value instanceof Opaque ? value.field(key) : undefined
  return found ?? new Failure(`no such key: ${goValue(key)}`)
}

/** A part that may be missing: undefined then. */
function find(c: Context, value: unknown, key: unknown): unknown {
  if (value instanceof CelMap) return value.get(key)
  if (value instanceof List) {
    const index = indexOf(key)
    if (index instanceof Failure) return index
    return index >= 0 && index < value.length ? value.at(index) : undefined
  }
  if (value instanceof Opaque) return value.field(key)
  return value instanceof Failure ? value : undefined
}

function indexOf(key: unknown): number | Failure {
  if (typeof key === 'number') return key
  if (typeof key === 'bigint') return -1
  if (key instanceof Double) {
    return Number.isInteger(key.value) ? key.value : new Failure(`unsupported index value ${goValue(key)} in list`)
  }
  if (key instanceof Uint) return key.value <= 9007199254740991n ? Number(key.value) : -1
  return new Failure(`unsupported index type '${typeName(key)}' in list`)
}

/** Calls one overload; what the checker could not know is looked at here. */
function invoker(overload: Overload, types: readonly Type[]): Implementation {
  const { run, name } = overload
  const guards: (readonly [number, Type])[] = []
  if (!overload.unguarded) {
    for (const [i, type] of overload.args.entries()) {
      if (type.kind === 'dyn' || type.kind === 'param') continue
      if (types[i]!.kind === 'dyn' || types[i]!.kind === 'param' || types[i]!.kind === 'null') guards.push([i, type])
    }
  }
  if (guards.length === 0) return run
  return (c, ...args) => {
    for (const [i, type] of guards) if (!accepts(type, args[i])) return noSuchOverload(name, args)
    return run(c, ...args)
  }
}

function noSuchOverload(name: string, args: readonly unknown[]): Failure {
  return new Failure(`no such overload: ${name}(${args.map(typeName).join(', ')})`)
}

/** Finds the overload when the types of the values are known. */
function dispatcher(name: string, overloads: readonly Overload[]): Implementation {
  if (overloads.some((one) => one.unguarded)) return overloads[0]!.run
  return (c, ...args) => {
    for (const overload of overloads) {
      if (overload.args.every((type, i) => accepts(type, args[i]))) return overload.run(c, ...args)
    }
    return noSuchOverload(name, args)
  }
}

/** A call with its cost. An argument that failed is the result, and the call still costs, as upstream counts. */
function call(args: readonly Eval[], { before, after }: CallCost, run: Implementation, name: string): Eval {
  if (name === '@not_strictly_false') {
    const [arg] = args as [Eval]
    return (c) => {
      const value = arg(c)
      c.charge(1)
      return typeof value === 'boolean' ? value : true
    }
  }
  if (typeof before === 'number' && after === undefined && args.length <= 2) return simpleCall(args, before, run)
  const charge = (c: Context, values: readonly unknown[]) => {
    if (typeof before === 'number') c.charge(before)
    else if (before !== undefined) c.charge(before(c, values))
  }
  const finish = (c: Context, values: readonly unknown[], result: unknown) => {
    if (after !== undefined) c.charge(after(c, values, result))
    return result
  }
  if (args.length === 2) {
    const [left, right] = args as [Eval, Eval]
    return (c) => {
      const a = left(c)
      const b = right(c)
      const values = [a, b]
      charge(c, values)
      if (isFailure(a)) return finish(c, values, a)
      return finish(c, values, isFailure(b) ? b : run(c, a, b))
    }
  }
  return (c) => {
    const values: unknown[] = []
    for (const arg of args) {
      const value = arg(c)
      values.push(value)
      if (isFailure(value)) {
        // Arguments that were never looked at leave the call without a cost.
        if (values.length < args.length) return value
        charge(c, values)
        return finish(c, values, value)
      }
    }
    charge(c, values)
    return finish(c, values, run(c, ...values))
  }
}

function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value instanceof Failure
}

function simpleCall(args: readonly Eval[], cost: number, run: Implementation): Eval {
  const [left, right] = args
  if (left === undefined) {
    return (c) => {
      c.charge(cost)
      return run(c)
    }
  }
  if (right === undefined) {
    return (c) => {
      const value = left(c)
      c.charge(cost)
      return isFailure(value) ? value : run(c, value)
    }
  }
  return (c) => {
    const a = left(c)
    const b = right(c)
    c.charge(cost)
    return isFailure(a) ? a : isFailure(b) ? b : run(c, a, b)
  }
}

/** A pattern that is written in the expression is compiled once, and refused at once when it is none. */
function prepareRegex(name: string, args: readonly Node[], invoke: Implementation, patterns: Patterns): Implementation {
  const search = SEARCHES.get(name)
  const pattern = args[1]
  if (search === undefined || pattern?.kind !== 'constant' || typeof pattern.value !== 'string') return invoke
  const regex = patterns.get(pattern.value) ?? compileRegex(pattern.value)
  if (regex instanceof Failure) throw new PlanError(regex.message)
  return (c, text: unknown, _: unknown, limit: unknown) => {
    if (typeof text !== 'string' || (limit !== undefined && !isInt(limit))) return new Failure('no such overload')
    return search(c, regex, text, limit === undefined ? -1 : Number(limit))
  }
}

type Search = (c: Context, regex: Regex, text: string, limit: number) => unknown
const SEARCHES: ReadonlyMap<string, Search> = new Map<string, Search>([
  ['matches', (c, regex, text) => regex.test(c, text)],
  ['find', (c, regex, text) => regex.find(c, text)],
  ['findAll', (c, regex, text, limit) => new ArrayList(regex.findAll(c, text, limit))],
])

/** Elements of constant lists that `in` can look up. */
function membershipKey(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return `s${value}`
    case 'boolean':
    case 'number':
    case 'bigint':
      return value
    default:
      if (value instanceof Uint) return normal(value.value)
      if (!(value instanceof Double) || Number.isNaN(value.value)) return undefined
      return Number.isInteger(value.value) ? normal(BigInt(value.value)) : `d${value.value}`
  }
}
