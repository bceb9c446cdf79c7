/**
 * The most that an expression can cost, from the limits of the declared types: cel-go's and Kubernetes' rules. What has
 * no limit costs infinitely much.
 */
import type { Steps } from '../schema/steps.ts'
import type { Call, Comprehension, Expr, Select } from './ast.ts'
import { ACCU } from './ast.ts'
import type { CelType } from './contract.ts'
import type { CallEstimate, Sized } from './estimate-calls.ts'
import { elementsOf, extensionCall, libraryCall, standardCall } from './estimate-calls.ts'
import type { Range } from './range.ts'
import { ANY, LIMIT, ONE, ZERO, either, fixed, plus, range, times } from './range.ts'
import { pointsIn } from './strings.ts'
import type { Type } from './types.ts'
import { Bytes } from './values.ts'

/** Sizes of the keys and values of a container that an expression makes. */
interface Entries {
  readonly list: boolean
  readonly key: Range
  readonly value: Range
}

/** A declared part of a variable, and how many steps lead to it. */
interface Place {
  readonly type: CelType | undefined
  readonly steps: number
}

interface Local {
  readonly name: string
  readonly place: Place | undefined
  readonly size: Range | undefined
  readonly entries: Entries | undefined
}

/** Infinity when nothing bounds it. */
export function* worstCostInSteps(expr: Expr, variables: ReadonlyMap<string, CelType>): Steps<number> {
  const { max } = yield* new Estimator(variables).cost(expr)
  return max >= LIMIT ? Number.POSITIVE_INFINITY : max
}

/** Nodes of one step. */
const STEP = 2000

class Estimator {
  readonly #variables: ReadonlyMap<string, CelType>
  readonly #locals: Local[] = []
  readonly #places = new Map<Expr, Place>()
  readonly #sizes = new Map<Expr, Range>()
  readonly #entries = new Map<Expr, Entries>()
  #count = 0

  constructor(variables: ReadonlyMap<string, CelType>) {
    this.#variables = variables
  }

  /** The cost of what has no parts. */
  #leaf(e: Expr): Range | undefined {
    return e.kind === 'literal' ? ZERO : e.kind === 'ident' ? this.#named(e, e.name) : undefined
  }

  *cost(e: Expr): Steps<Range> {
    if (++this.#count % STEP === 0) yield undefined
    switch (e.kind) {
      case 'literal':
      case 'ident':
        return this.#leaf(e)!
      case 'select':
        return e.resolved === undefined ? yield* this.#select(e) : this.#named(e, e.resolved.name)
      case 'call':
        return yield* this.#call(e)
      case 'list': {
        const [cost, value] = yield* this.#all(e.elements)
        this.#entries.set(e, { list: true, key: ONE, value })
        return plus(fixed(10), cost)
      }
      case 'map': {
        const [keyCost, key] = yield* this.#all(e.entries.map((one) => one.key))
        const [valueCost, value] = yield* this.#all(e.entries.map((one) => one.value))
        this.#entries.set(e, { list: false, key, value })
        return plus(fixed(30), keyCost, valueCost)
      }
      case 'struct': {
        const [cost] = yield* this.#all(e.fields.map((one) => one.value))
        return plus(fixed(40), cost)
      }
      case 'comprehension':
        return yield* isBinding(e) ? this.#binding(e) : this.#loop(e)
    }
  }

  /** What all cost together, and the size of any. */
  *#all(list: readonly Expr[]): Steps<readonly [cost: Range, size: Range]> {
    let cost = ZERO
    let size: Range | undefined
    for (const one of list) {
      cost = plus(cost, this.#leaf(one) ?? (yield* this.cost(one)))
      const own = this.#size(one) ?? ANY
      size = size === undefined ? own : either(size, own)
    }
    return [cost, size ?? ZERO]
  }

  #local(name: string): Local | undefined {
    return this.#locals.findLast((one) => one.name === name)
  }

  #named(e: Expr, name: string): Range {
    const local = this.#local(name)
    const plain = name.startsWith('.') ? name.slice(1) : name
    // Upstream takes all names for the root, those of types too.
    const type = this.#variables.get(plain) ?? this.#variables.get('self')
    this.#put(e, local === undefined ? { type, steps: 1 } : local.place)
    return ONE
  }

  #put(e: Expr, place: Place | undefined): void {
    if (place === undefined) this.#places.delete(e)
    else this.#places.set(e, place)
  }

  *#select(e: Select): Steps<Range> {
    const operand = this.#leaf(e.operand) ?? (yield* this.cost(e.operand))
    if (e.test) return operand
    this.#put(e, step(this.#placeOf(e.operand), e.field))
    return ['map', 'struct', 'param'].includes(e.operand.type!.kind) ? plus(operand, ONE) : operand
  }

  #placeOf(e: Expr): Place | undefined {
    if (e.kind === 'ident') {
      const local = this.#local(e.name)
      if (local !== undefined) return local.place
    }
    return this.#places.get(e)
  }

  /** What is known of a size; undefined when nothing is. */
  #size(e: Expr): Range | undefined {
    const known = this.#sizes.get(e)
    if (known !== undefined) return known
    const own = literalSize(e)
    if (own !== undefined) return own
    const type = this.#placeOf(e)?.type
    if (type !== undefined) return range(0, elementsOf(type))
    if (isScalar(e.type!)) return ONE
    return e.kind === 'ident' ? this.#local(e.name)?.size : undefined
  }

  #entriesOf(e: Expr): Entries | undefined {
    return this.#entries.get(e) ?? (e.kind === 'ident' ? this.#local(e.name)?.entries : undefined)
  }

  #sized(e: Expr): Sized {
    return { expr: e, type: e.type!, size: this.#size(e), declared: this.#placeOf(e)?.type }
  }

  #setSize(e: Expr, size: Range | undefined): void {
    if (size !== undefined) this.#sizes.set(e, size)
  }

  *#call(e: Call): Steps<Range> {
    const [first] = e.args
    if (e.name === 'dyn' && first !== undefined) {
      const cost = yield* this.cost(first)
      this.#setSize(e, this.#size(first))
      const entries = this.#entriesOf(first)
      if (entries !== undefined) this.#entries.set(e, entries)
      return plus(ONE, cost)
    }
    const costs: Range[] = []
    for (const one of e.args) costs.push(this.#leaf(one) ?? (yield* this.cost(one)))
    const args = e.args.map((one) => this.#sized(one))
    const ids = e.name === '_?._' ? ['select_optional_field'] : e.overloads!.map((one) => one.id)
    const targetCost = e.target === undefined ? ZERO : (this.#leaf(e.target) ?? (yield* this.cost(e.target)))
    const target = e.target === undefined ? undefined : this.#sized(e.target)
    let cost: Range | undefined
    let result: Range | undefined
    for (const id of ids) {
      const estimate = this.#overload(e, id, target, args, costs)
      cost = cost === undefined ? estimate.cost : either(cost, estimate.cost)
      if (estimate.result !== undefined) {
        result = result === undefined ? estimate.result : either(result, estimate.result)
      }
      if (id === 'index_list' || id === 'index_map') {
        result = this.#entriesOf(first!)?.value
        this.#put(e, step(this.#placeOf(first!), id === 'index_list' ? '@items' : '@values'))
      }
      result ??= this.#size(e)
    }
    this.#setSize(e, result)
    return plus(targetCost, cost ?? ZERO)
  }

  /** With the costs of the arguments. */
  #overload(
    e: Call,
    id: string,
    target: Sized | undefined,
    args: readonly Sized[],
    costs: readonly Range[],
  ): CallEstimate {
    switch (id) {
      case 'logical_or':
      case 'logical_and':
        return { cost: range(costs[0]!.min, plus(costs[0]!, costs[1]!).max) }
      case 'conditional': {
        const [, yes, no] = e.args as [Expr, Expr, Expr]
        const entries = unite(this.#entriesOf(yes), this.#entriesOf(no))
        if (entries !== undefined) this.#entries.set(e, entries)
        const result = either(this.#size(yes) ?? ANY, this.#size(no) ?? ANY)
        return { cost: plus(costs[0]!, either(costs[1]!, costs[2]!)), result }
      }
      case 'add_string':
      case 'add_bytes':
      case 'add_list': {
        const entries = unite(this.#entriesOf(e.args[0]!), this.#entriesOf(e.args[1]!))
        if (entries !== undefined) this.#entries.set(e, entries)
        break
      }
    }
    const estimate = extensionCall(id, target, args) ??
      libraryCall(e.name, id, target, args) ??
      standardCall(id, target, args) ?? { cost: ONE }
    return { ...estimate, cost: plus(estimate.cost, ...costs) }
  }

  /** A loop's variable: the keys or the values of what it goes through. */
  #variable(name: string, over: Expr, part: 'key' | 'value' | 'single'): Local {
    const entries = this.#entriesOf(over)
    const list = entries?.list ?? over.type!.kind === 'list'
    const keys = part === 'key' || (part === 'single' && !list)
    const place = this.#placeOf(over)
    // Upstream's two paths share their memory when there is room left in it, and the second overwrites the first.
    const shared = part === 'key' && place !== undefined && !Number.isInteger(Math.log2(place.steps))
    const path = keys && !shared ? (list ? '@indices' : '@keys') : list ? '@items' : '@values'
    // Items of what is no part of a variable are measured as if they were the root.
    const inner = place === undefined ? { type: this.#variables.get('self'), steps: 1 } : step(place, path)
    return { name, place: inner, size: keys ? entries?.key : entries?.value, entries: undefined }
  }

  #accumulator(name: string, init: Expr): Local {
    return { name, place: this.#placeOf(init), size: this.#size(init), entries: this.#entriesOf(init) }
  }

  *#loop(e: Comprehension): Steps<Range> {
    const before = plus(yield* this.cost(e.range), yield* this.cost(e.init))
    this.#locals.push(this.#accumulator(e.accu, e.init))
    const double = e.iter2 !== ''
    this.#locals.push(this.#variable(e.iter, e.range, double ? 'key' : 'single'))
    if (double) this.#locals.push(this.#variable(e.iter2, e.range, 'value'))
    const condition = yield* this.cost(e.condition)
    const step = yield* this.cost(e.step)
    const added = this.#entriesOf(e.step)
    this.#locals.length -= double ? 2 : 1
    const result = yield* this.cost(e.result)
    this.#locals.length--
    const count = this.#size(e.range) ?? ANY
    if (e.init.kind === 'literal') this.#setSize(e, this.#size(e.init))
    else if (e.init.kind === 'list' || e.init.kind === 'map') {
      this.#setSize(e, count)
      if (added !== undefined) this.#entries.set(e, added)
    }
    return plus(before, result, times(count, plus(step, condition)))
  }

  *#binding(e: Comprehension): Steps<Range> {
    const before = plus(yield* this.cost(e.range), yield* this.cost(e.init))
    this.#locals.push(this.#accumulator(e.accu, e.init))
    const result = yield* this.cost(e.result)
    const size = this.#size(e.result)
    const entries = this.#entriesOf(e.result)
    this.#locals.length--
    this.#setSize(e, size)
    if (entries !== undefined) this.#entries.set(e, entries)
    return plus(before, result)
  }
}

function isBinding(e: Comprehension): boolean {
  return (
    e.range.kind === 'list' &&
    e.range.elements.length === 0 &&
    e.condition.kind === 'literal' &&
    e.condition.value === false &&
    e.accu !== ACCU
  )
}

function step(place: Place | undefined, to: string): Place | undefined {
  if (place === undefined) return undefined
  const { type } = place
  return { type: type === undefined ? undefined : partOf(type, to), steps: place.steps + 1 }
}

function partOf(type: CelType, to: string): CelType | undefined {
  switch (to) {
    case '@items':
    case '@values':
      return type.kind === 'list' ? type.item : type.kind === 'map' ? type.value : undefined
    case '@keys':
      return type.kind === 'map' ? type.key : undefined
    default:
      if (type.kind === 'map' && type.members === true) return type.value
      return type.kind === 'object' ? type.field(to) : undefined
  }
}

function unite(a: Entries | undefined, b: Entries | undefined): Entries | undefined {
  if (a === undefined || b === undefined) return undefined
  return { list: a.list, key: either(a.key, b.key), value: either(a.value, b.value) }
}

function literalSize(e: Expr): Range | undefined {
  switch (e.kind) {
    case 'literal':
      if (typeof e.value === 'string') return fixed(pointsIn(e.value))
      return fixed(e.value instanceof Bytes ? e.value.value.length : 1)
    case 'list':
      return fixed(e.elements.length)
    case 'map':
      return fixed(e.entries.length)
    default:
      return undefined
  }
}

function isScalar(type: Type): boolean {
  if (type.name === 'optional_type') return isScalar(type.params[0]!)
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind)
}
