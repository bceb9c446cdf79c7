/** Loops over lists and maps, and the usual macros without the detour of their accumulators. */
import type { Comprehension, Expr } from './ast.ts'
import { ACCU } from './ast.ts'
import type { Context } from './context.ts'
import { typeName } from './overload.ts'
import { ArrayList, CelMap, Failure, List } from './values.ts'

type Eval = (c: Context) => unknown

/** Goes through a list or a map until `visit` says no. */
export function iterate(
  c: Context,
  over: unknown,
  double: boolean,
  visit: (first: unknown, second: unknown) => boolean,
): Failure | undefined {
  if (over instanceof List) {
    const { length } = over
    for (let i = 0; i < length; i++) {
      const item = over.at(i)
      if (!(double ? visit(i, item) : visit(item, undefined))) break
    }
    return undefined
  }
  if (over instanceof CelMap) {
    const keys = over.keys()
    c.labour(keys.length * 10)
    for (const key of keys) if (!visit(key, double ? over.get(key) : undefined)) break
    return undefined
  }
  const name = goTypeName(over)
  return new Failure(double ? `unsupported comprehension range type: ${name}` : `got '${name}', expected iterable type`)
}

const GO_TYPES: Readonly<Record<string, string>> = {
  int: 'types.Int',
  string: 'types.String',
  bool: 'types.Bool',
  double: 'types.Double',
  uint: 'types.Uint',
  bytes: 'types.Bytes',
  null_type: 'types.Null',
  'google.protobuf.Timestamp': 'types.Timestamp',
  'google.protobuf.Duration': 'types.Duration',
  optional_type: '*types.Optional',
  type: '*types.Type',
}

function goTypeName(value: unknown): string {
  const name = typeName(value)
  return GO_TYPES[name] ?? name
}

export type Shape = 'all' | 'exists' | 'existsOne' | 'map' | 'filter'

function isAccu(e: Expr | undefined): boolean {
  return e?.kind === 'ident' && e.name === ACCU
}

/** What a loop is, by how macros write it, and the part that the text gave. */
export function shapeOf(e: Comprehension): { readonly kind: Shape; readonly body: Expr } | undefined {
  const { step, init, condition } = e
  if (step.kind !== 'call' || e.iter2 !== '') return undefined
  const [first, second, third] = step.args
  if (init.kind === 'literal' && init.value === 0 && step.name === '_?_:_') return { kind: 'existsOne', body: first! }
  if (!isAccu(e.result)) return undefined
  if (init.kind === 'literal' && isAccu(first)) {
    if (step.name === '_&&_') return { kind: 'all', body: second! }
    return step.name === '_||_' ? { kind: 'exists', body: second! } : undefined
  }
  if (init.kind !== 'list' || condition.kind !== 'literal') return undefined
  if (step.name === '_+_' && isAccu(first) && second?.kind === 'list') {
    return { kind: 'map', body: second.elements[0]! }
  }
  if (step.name !== '_?_:_' || second?.kind !== 'call' || !isAccu(third)) return undefined
  const [, list] = second.args
  const kept = list?.kind === 'list' ? list.elements[0] : undefined
  return kept?.kind === 'ident' && kept.name === e.iter ? { kind: 'filter', body: first! } : undefined
}

function noOverload(value: unknown): Failure {
  return value instanceof Failure ? value : new Failure('no such overload')
}

/** The costs are those of the loop as the macro writes it. */
export function quickLoop(kind: Shape, over: Eval, slot: number, body: Eval): Eval {
  switch (kind) {
    case 'all':
      return quantifier(over, slot, body, false, 3)
    case 'exists':
      return quantifier(over, slot, body, true, 4)
    case 'existsOne':
      return counter(over, slot, body)
    case 'map':
      return collector(over, slot, (c, item, items) => {
        const value = body(c)
        c.charge(12)
        if (value instanceof Failure) return value
        items.push(value)
        return undefined
      })
    case 'filter':
      return collector(over, slot, (c, item, items) => {
        const value = body(c)
        if (value === true) {
          c.charge(13)
          items.push(item)
        } else if (value !== false) return noOverload(value)
        return undefined
      })
  }
}

/** @param decides the value that ends the loop; `turn`: what a turn costs besides the body */
function quantifier(over: Eval, slot: number, body: Eval, decides: boolean, turn: number): Eval {
  return (c) => {
    const items = over(c)
    if (items instanceof Failure) return items
    let result: unknown = !decides
    const failure = iterate(c, items, false, (item) => {
      // The condition is looked at before each turn, also before the one that is not made.
      if (result === decides) {
        c.charge(turn - 1)
        return false
      }
      c.charge(turn)
      c.slots[slot] = item
      const value = body(c)
      if (value === decides) result = decides
      else if (result === !decides && value !== !decides) result = noOverload(value)
      return true
    })
    if (failure !== undefined) return failure
    c.charge(1)
    return result
  }
}

/** Every element is counted, also when there is a second already. */
function counter(over: Eval, slot: number, body: Eval): Eval {
  return (c) => {
    const items = over(c)
    if (items instanceof Failure) return items
    let count = 0
    let first: Failure | undefined
    const failure = iterate(c, items, false, (item) => {
      c.labour(1)
      c.slots[slot] = item
      const value = body(c)
      if (value === true) {
        c.charge(2)
        count++
      } else if (value !== false) first ??= noOverload(value)
      return true
    })
    if (failure !== undefined) return failure
    // The accumulator is read and compared.
    c.charge(2)
    return first ?? count === 1
  }
}

/** A failed element does not end the loop: upstream goes on, and the first failure is the result. */
function collector(
  over: Eval,
  slot: number,
  turn: (c: Context, item: unknown, items: unknown[]) => Failure | undefined,
): Eval {
  return (c) => {
    const source = over(c)
    if (source instanceof Failure) return source
    const items: unknown[] = []
    let first: Failure | undefined
    const failure = iterate(c, source, false, (item) => {
      c.labour(1)
      c.slots[slot] = item
      const failed = turn(c, item, items)
      first ??= failed
      return true
    })
    if (failure !== undefined) return failure
    c.charge(1)
    return first ?? new ArrayList(items)
  }
}
