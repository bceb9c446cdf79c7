/** Macros: calls that become loops and tests before types are looked at. */
import type { Expr } from './ast.ts'
import { ACCU, NONE, childrenOf } from './ast.ts'

/** The arguments of a macro are not what it takes. */
export class MacroError extends Error {
  readonly pos: number
  constructor(pos: number, message: string) {
    super(message)
    this.pos = pos
  }
}

/** Answers undefined for a call that only looks like the macro. */
export type Macro = (pos: number, target: Expr | undefined, args: readonly Expr[]) => Expr | undefined

/** Makers of nodes that stand at the place of the macro. */
function at(pos: number) {
  const literal = (value: unknown): Expr => ({ kind: 'literal', pos, value })
  const ident = (name: string): Expr => ({ kind: 'ident', pos, name })
  const call = (name: string, ...args: Expr[]): Expr => ({ kind: 'call', pos, name, target: undefined, args })
  return {
    literal,
    ident,
    call,
    accu: () => ident(ACCU),
    member: (name: string, target: Expr, ...args: Expr[]): Expr => ({ kind: 'call', pos, name, target, args }),
    list: (...elements: Expr[]): Expr => ({ kind: 'list', pos, elements, optionals: NONE }),
    map: (): Expr => ({ kind: 'map', pos, entries: [] }),
  }
}

type Parts = { init: Expr; condition: Expr; step: Expr; result: Expr }

function loop(pos: number, range: Expr, iter: string, iter2: string, parts: Parts): Expr {
  return { kind: 'comprehension', pos, range, iter, iter2, accu: ACCU, ...parts }
}

function simpleName(arg: Expr, message: string): string {
  if (arg.kind !== 'ident') throw new MacroError(arg.pos, message)
  if (arg.name === ACCU || arg.name === '__result__') {
    throw new MacroError(arg.pos, 'iteration variable overwrites accumulator variable')
  }
  return arg.name
}

/** The loop variables: one in classic macros, index or key and value in those of two. */
function variables(args: readonly Expr[], two: boolean, message: string): [string, string] {
  if (!two) return [simpleName(args[0]!, message), '']
  for (const arg of args.slice(0, 2)) if (arg.kind !== 'ident') throw new MacroError(arg.pos, message)
  const [one, other] = args as [Expr & { kind: 'ident' }, Expr & { kind: 'ident' }]
  if (one.name === other.name) throw new MacroError(other.pos, `duplicate variable name: ${one.name}`)
  return [simpleName(one, message), simpleName(other, message)]
}

const SIMPLE = 'argument must be a simple name'

function all(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const [iter, iter2] = variables(args, args.length === 3, SIMPLE)
  const make = at(pos)
  return loop(pos, target!, iter, iter2, {
    init: make.literal(true),
    condition: make.call('@not_strictly_false', make.accu()),
    step: make.call('_&&_', make.accu(), args.at(-1)!),
    result: make.accu(),
  })
}

function exists(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const [iter, iter2] = variables(args, args.length === 3, SIMPLE)
  const make = at(pos)
  return loop(pos, target!, iter, iter2, {
    init: make.literal(false),
    condition: make.call('@not_strictly_false', make.call('!_', make.accu())),
    step: make.call('_||_', make.accu(), args.at(-1)!),
    result: make.accu(),
  })
}

function existsOne(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const [iter, iter2] = variables(args, args.length === 3, SIMPLE)
  const make = at(pos)
  return loop(pos, target!, iter, iter2, {
    init: make.literal(0),
    condition: make.literal(true),
    step: make.call('_?_:_', args.at(-1)!, make.call('_+_', make.accu(), make.literal(1)), make.accu()),
    result: make.call('_==_', make.accu(), make.literal(1)),
  })
}

/** A loop that collects, of the elements that `filter` lets through. */
function collect(
  pos: number,
  target: Expr,
  [iter, iter2]: readonly [string, string],
  init: Expr,
  add: Expr,
  filter: Expr | undefined,
): Expr {
  const make = at(pos)
  return loop(pos, target, iter, iter2, {
    init,
    condition: make.literal(true),
    step: filter === undefined ? add : make.call('_?_:_', filter, add, make.accu()),
    result: make.accu(),
  })
}

function map(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const names = variables(args, false, 'argument is not an identifier')
  const make = at(pos)
  const add = make.call('_+_', make.accu(), make.list(args.at(-1)!))
  return collect(pos, target!, names, make.list(), add, args.length === 3 ? args[1] : undefined)
}

function filter(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const names = variables(args, false, 'argument is not an identifier')
  const make = at(pos)
  const add = make.call('_+_', make.accu(), make.list(args[0]!))
  return collect(pos, target!, names, make.list(), add, args[1])
}

function transformList(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const names = variables(args, true, SIMPLE)
  const make = at(pos)
  const add = make.call('_+_', make.accu(), make.list(args.at(-1)!))
  return collect(pos, target!, names, make.list(), add, args.length === 4 ? args[2] : undefined)
}

function transformMap(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const names = variables(args, true, SIMPLE)
  const make = at(pos)
  const add = make.call('cel.@mapInsert', make.accu(), make.ident(names[0]), args.at(-1)!)
  return collect(pos, target!, names, make.map(), add, args.length === 4 ? args[2] : undefined)
}

function transformMapEntry(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const names = variables(args, true, SIMPLE)
  const make = at(pos)
  const add = make.call('cel.@mapInsert', make.accu(), args.at(-1)!)
  return collect(pos, target!, names, make.map(), add, args.length === 4 ? args[2] : undefined)
}

function has(pos: number, _: Expr | undefined, args: readonly Expr[]): Expr {
  const [arg] = args
  if (arg?.kind !== 'select' || arg.test) throw new MacroError(arg!.pos, 'invalid argument to has() macro')
  return { kind: 'select', pos, operand: arg.operand, field: arg.field, test: true }
}

/** A variable for a value: a loop over nothing. */
function bind(pos: number, name: string, value: Expr, body: Expr): Expr {
  const make = at(pos)
  return {
    kind: 'comprehension',
    pos,
    range: make.list(),
    iter: '#unused',
    iter2: '',
    accu: name,
    init: value,
    condition: make.literal(false),
    step: make.ident(name),
    result: body,
  }
}

function optional(macro: 'optMap' | 'optFlatMap'): Macro {
  return (pos, target, args) => {
    const [name, body] = args as [Expr, Expr]
    if (name.kind !== 'ident') throw new MacroError(name.pos, `${macro}() variable name must be a simple identifier`)
    const make = at(pos)
    if (isLarger(target!, MAX_COPIED)) throw new MacroError(pos, 'expression is too large')
    const bound = bind(pos, name.name, make.member('value', copyExpr(target!)), body)
    return make.call(
      '_?_:_',
      make.member('hasValue', target!),
      macro === 'optMap' ? make.call('optional.of', bound) : bound,
      make.call('optional.none'),
    )
  }
}

function sortBy(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr {
  const name = '@__sortBy_input__'
  if (!['list', 'select', 'ident', 'comprehension', 'call'].includes(target!.kind)) {
    throw new MacroError(
      target!.pos,
      'sortBy can only be applied to a list, identifier, comprehension, call or select expression',
    )
  }
  const make = at(pos)
  const keys = map(pos, make.ident(name), args)
  return bind(pos, name, target!, make.member('@sortByAssociatedKeys', make.ident(name), keys))
}

/** Nodes that are copied at most: chained, the macro doubles its target each time. */
const MAX_COPIED = 20_000

/** Whether an expression has more nodes than that. */
function isLarger(e: Expr, limit: number): boolean {
  let count = 0
  const pending = [e]
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    if (++count > limit) return true
    pending.push(...childrenOf(one))
  }
  return false
}

/** `cel.bind(name, value, result)` */
function celBind(pos: number, target: Expr | undefined, args: readonly Expr[]): Expr | undefined {
  if (target?.kind !== 'ident' || target.name !== 'cel') return undefined
  const [name, init, result] = args as [Expr, Expr, Expr]
  if (name.kind !== 'ident') throw new MacroError(name.pos, 'cel.bind() variable names must be simple identifiers')
  return bind(pos, name.name, init, result)
}

/** A copy with nodes of its own: the checker writes on nodes. */
function copyExpr(e: Expr): Expr {
  switch (e.kind) {
    case 'literal':
    case 'ident':
      return { ...e }
    case 'select':
      return { ...e, operand: copyExpr(e.operand) }
    case 'call':
      return { ...e, target: e.target && copyExpr(e.target), args: e.args.map(copyExpr) }
    case 'list':
      return { ...e, elements: e.elements.map(copyExpr) }
    case 'map':
      return { ...e, entries: e.entries.map((one) => ({ ...one, key: copyExpr(one.key), value: copyExpr(one.value) })) }
    case 'struct':
      return { ...e, fields: e.fields.map((one) => ({ ...one, value: copyExpr(one.value) })) }
    case 'comprehension':
      return {
        ...e,
        range: copyExpr(e.range),
        init: copyExpr(e.init),
        condition: copyExpr(e.condition),
        step: copyExpr(e.step),
        result: copyExpr(e.result),
      }
  }
}

/** By `name:arguments:receiver`. */
export const MACROS: ReadonlyMap<string, Macro> = new Map([
  ['has:1:false', has],
  ['all:2:true', all],
  ['all:3:true', all],
  ['exists:2:true', exists],
  ['exists:3:true', exists],
  ['exists_one:2:true', existsOne],
  ['exists_one:3:true', existsOne],
  ['existsOne:3:true', existsOne],
  ['map:2:true', map],
  ['map:3:true', map],
  ['filter:2:true', filter],
  ['transformList:3:true', transformList],
  ['transformList:4:true', transformList],
  ['transformMap:3:true', transformMap],
  ['transformMap:4:true', transformMap],
  ['transformMapEntry:3:true', transformMapEntry],
  ['transformMapEntry:4:true', transformMapEntry],
  ['optMap:2:true', optional('optMap')],
  ['optFlatMap:2:true', optional('optFlatMap')],
  ['sortBy:2:true', sortBy],
])

/** Also `cel.bind`, which only expressions about devices have. */
export const DEVICE_MACROS: ReadonlyMap<string, Macro> = new Map([...MACROS, ['bind:3:true', celBind]])
