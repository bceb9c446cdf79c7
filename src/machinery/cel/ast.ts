/** The syntax tree of an expression, as the parser makes it and the checker annotates it. */
import type { Type } from './types.ts'
import type { Overload } from './overload.ts'

interface Base {
  /** Code points from the start of the text; what problems point at. */
  readonly pos: number
  /** Set by the checker. */
  type?: Type
  /** Set by the parser: levels of the grammar below it that count for its limit. Absent: none. */
  depth?: number
}

export interface Literal extends Base {
  readonly kind: 'literal'
  /** A value as values.ts has them. */
  readonly value: unknown
}
export interface Ident extends Base {
  readonly kind: 'ident'
  name: string
  /** What a name that is no variable stands for: a type. */
  constant?: unknown
}
export interface Select extends Base {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  /** Of `has()`. */
  readonly test: boolean
  /** The whole select is the name of a variable or a type. */
  resolved?: Ident
}
export interface Call extends Base {
  readonly kind: 'call'
  name: string
  /** Undefined once the checker has found the name to be a qualified function's. */
  target: Expr | undefined
  readonly args: readonly Expr[]
  /** Those that the types of the arguments allow. */
  overloads?: readonly Overload[]
}
export interface ListExpr extends Base {
  readonly kind: 'list'
  readonly elements: readonly Expr[]
  /** Indexes of the elements with `?`. */
  readonly optionals: ReadonlySet<number>
}
/** No element has a `?`. */
export const NONE: ReadonlySet<number> = new Set()

export interface Entry {
  readonly pos: number
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}
export interface MapExpr extends Base {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
}
export interface FieldInit {
  readonly pos: number
  readonly name: string
  readonly value: Expr
  readonly optional: boolean
}
export interface Struct extends Base {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly FieldInit[]
}
/** A loop, as macros expand to. `iter2` is empty in loops of one variable. */
export interface Comprehension extends Base {
  readonly kind: 'comprehension'
  readonly range: Expr
  readonly iter: string
  readonly iter2: string
  readonly accu: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}
export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | Struct | Comprehension

/** The accumulator of macros; no text can name it. */
export const ACCU = '@result'

/** All direct parts of an expression. */
export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'literal':
    case 'ident':
      return []
    case 'select':
      return e.resolved === undefined ? [e.operand] : []
    case 'call':
      return e.target === undefined ? e.args : [e.target, ...e.args]
    case 'list':
      return e.elements
    case 'map':
      return e.entries.flatMap((one) => [one.key, one.value])
    case 'struct':
      return e.fields.map((one) => one.value)
    case 'comprehension':
      return [e.range, e.init, e.condition, e.step, e.result]
  }
}
