/** From text to a syntax tree. Macros are expanded here, as upstream does. */
import type { Steps } from '../schema/steps.ts'
import type { Entry, Expr, FieldInit } from './ast.ts'
import { NONE } from './ast.ts'
import type { Issue } from './issues.ts'
import { Source } from './issues.ts'
import type { Token, TokenType } from './lexer.ts'
import { lexInSteps } from './lexer.ts'
import type { Macro } from './macros.ts'
import { MacroError } from './macros.ts'
import { unescapeBytes, unescapeString } from './unescape.ts'
import { Bytes, Double, MAX_INT, MAX_UINT, MIN_INT, Uint, normal } from './values.ts'

/** Code points of an expression. */
const MAX_LENGTH = 100_000
/** Tokens of which parsing is a step of its own. */
const LONG = 1000
/** How deep a rule of the grammar may be within itself. */
const MAX_DEPTH = 250

const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
)
const RELATIONS: ReadonlyMap<TokenType, string> = new Map([
  ['<', '_<_'],
  ['<=', '_<=_'],
  ['>', '_>_'],
  ['>=', '_>=_'],
  ['==', '_==_'],
  ['!=', '_!=_'],
  ['in', '@in'],
])
const SUMS: ReadonlyMap<TokenType, string> = new Map([
  ['+', '_+_'],
  ['-', '_-_'],
])
const PRODUCTS: ReadonlyMap<TokenType, string> = new Map([
  ['*', '_*_'],
  ['/', '_/_'],
  ['%', '_%_'],
])

/** Signs that may follow a closed bracket wherever it stands. */
const FOLLOWS: ReadonlySet<TokenType> = new Set('== != in < <= >= > && || [ . - ? + * / %'.split(' '))

class SyntaxProblem extends Error {
  readonly pos: number
  constructor(pos: number, message: string) {
    super(message)
    this.pos = pos
  }
}

export type Parsed =
  | { readonly ok: true; readonly expr: Expr; readonly source: Source }
  | { readonly ok: false; readonly issues: readonly Issue[]; readonly source: Source }

/** @param macros by `name:arguments:receiver` */
export function* parseInSteps(text: string, macros: ReadonlyMap<string, Macro>): Steps<Parsed> {
  const source = new Source(text)
  const issues: Issue[] = []
  if (source.length > MAX_LENGTH) {
    const message = `expression code point size exceeds limit: size: ${source.length}, limit ${MAX_LENGTH}`
    return { ok: false, issues: [{ pos: -1, message }], source }
  }
  const tokens = yield* lexInSteps(source, issues)
  if (tokens.length > LONG) yield undefined
  const parser = new Parser(tokens, macros, issues)
  try {
    const expr = parser.start()
    if (tokens.length > LONG) yield undefined
    return issues.length === 0 ? { ok: true, expr, source } : { ok: false, issues, source }
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    return { ok: false, issues: [...issues, { pos: error.pos, message: error.message }], source }
  }
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #macros: ReadonlyMap<string, Macro>
  readonly #issues: Issue[]
  #at = 0
  #exprs = 0
  #relations = 0
  #calcs = 0
  #members = 0
  #deepest = 0
  /** What else may stand where an operand is expected next. */
  #also = ''

  constructor(tokens: readonly Token[], macros: ReadonlyMap<string, Macro>, issues: Issue[]) {
    this.#tokens = tokens
    this.#macros = macros
    this.#issues = issues
  }

  get #token(): Token {
    return this.#tokens[this.#at]!
  }

  #take(): Token {
    const token = this.#token
    if (token.type !== 'end') this.#at++
    return token
  }

  #accept(type: TokenType): Token | undefined {
    return this.#token.type === type ? this.#take() : undefined
  }

  #fail(message: string): never {
    throw new SyntaxProblem(this.#token.pos, `Syntax error: ${message}`)
  }

  #deep(depth: number): void {
    if (depth > MAX_DEPTH) throw new SyntaxProblem(-1, `expression recursion limit exceeded: ${MAX_DEPTH}`)
  }

  /**
   * @param expected the signs that may stand here, as problems name them
   * @param closes nothing but the end may follow, so that the sign is told as missing there
   */
  #expect(type: TokenType, expected = `'${type}'`, closes = false): Token {
    const token = this.#accept(type)
    if (token !== undefined) return token
    const found = quote(this.#token)
    // One token too much, or one missing, is told as such.
    if (this.#tokens[this.#at + 1]?.type === type && this.#token.type !== 'end') {
      this.#fail(`extraneous input '${found}' expecting ${expected}`)
    }
    if (expected === `'${type}'`) {
      const missing = closes
        ? this.#token.type === 'end' || FOLLOWS.has(this.#token.type)
        : startsOperand(this.#token.type)
      if (missing) this.#fail(`missing ${expected} at '${found}'`)
    }
    this.#fail(`mismatched input '${found}' expecting ${expected}`)
  }

  start(): Expr {
    const expr = this.#expr()
    if (this.#token.type !== 'end') {
      const next = this.#tokens[this.#at + 1]
      this.#fail(
        next?.type === 'end'
          ? `extraneous input '${quote(this.#token)}' expecting <EOF>`
          : `mismatched input '${quote(this.#token)}' expecting <EOF>`,
      )
    }
    if (this.#deepest > MAX_DEPTH) throw new SyntaxProblem(-1, 'max recursion depth exceeded')
    return expr
  }

  /** @param also signs that could stand in place of the expression */
  #expr(also = ''): Expr {
    this.#also = also
    this.#deep(++this.#exprs)
    const condition = this.#logic('||')
    const op = this.#accept('?')
    let result = condition
    if (op !== undefined) {
      const yes = this.#logic('||')
      this.#expect(':')
      const no = this.#expr()
      result = this.#call(op.pos, '_?_:_', undefined, [condition, yes, no], 1)
    }
    this.#exprs--
    return result
  }

  #logic(sign: '||' | '&&'): Expr {
    const first = sign === '||' ? this.#logic('&&') : this.#relation()
    let op = this.#accept(sign)
    if (op === undefined) return first
    const terms = [first]
    const ops: Token[] = []
    for (; op !== undefined; op = this.#accept(sign)) {
      ops.push(op)
      terms.push(sign === '||' ? this.#logic('&&') : this.#relation())
    }
    return this.#balance(`_${sign}_`, terms, ops, 0, ops.length - 1)
  }

  /** Long chains become a balanced tree, so that nothing is deep. */
  #balance(name: string, terms: readonly Expr[], ops: readonly Token[], low: number, high: number): Expr {
    const middle = (low + high + 1) >> 1
    const left = middle === low ? terms[middle]! : this.#balance(name, terms, ops, low, middle - 1)
    const right = middle === high ? terms[middle + 1]! : this.#balance(name, terms, ops, middle + 1, high)
    const pos = ops[middle]!.pos
    return this.#nested({ kind: 'call', pos, name, target: undefined, args: [left, right] }, [left, right], 0)
  }

  #relation(): Expr {
    this.#deep(++this.#relations)
    let left = this.#sum()
    for (;;) {
      const name = RELATIONS.get(this.#token.type)
      if (name === undefined) break
      const op = this.#take()
      this.#deep(++this.#relations)
      const right = this.#sum()
      this.#relations--
      left = this.#call(op.pos, name, undefined, [left, right], 1)
    }
    this.#relations--
    return left
  }

  #sum(): Expr {
    this.#deep(++this.#calcs)
    let left = this.#product()
    for (;;) {
      const name = SUMS.get(this.#token.type)
      if (name === undefined) break
      const op = this.#take()
      this.#deep(++this.#calcs)
      const right = this.#product()
      this.#calcs--
      left = this.#call(op.pos, name, undefined, [left, right], 1)
    }
    this.#calcs--
    return left
  }

  #product(): Expr {
    let left = this.#unary()
    for (;;) {
      const name = PRODUCTS.get(this.#token.type)
      if (name === undefined) break
      const op = this.#take()
      this.#deep(++this.#calcs)
      const right = this.#unary()
      this.#calcs--
      left = this.#call(op.pos, name, undefined, [left, right], 1)
    }
    return left
  }

  #unary(): Expr {
    const { type, pos } = this.#token
    if (type === '!' || type === '-') this.#also = ''
    if (type === '!') {
      let count = 0
      while (this.#accept('!') !== undefined) count++
      const operand = this.#member()
      return count % 2 === 0 ? operand : this.#call(pos, '!_', undefined, [operand])
    }
    if (type === '-') {
      const next = this.#tokens[this.#at + 1]?.type
      // The sign of a number belongs to it.
      if (next === 'int' || next === 'float') return this.#member()
      let count = 0
      while (this.#accept('-') !== undefined) count++
      const operand = this.#member()
      return count % 2 === 0 ? operand : this.#call(pos, '-_', undefined, [operand])
    }
    return this.#member()
  }

  #member(): Expr {
    this.#deep(++this.#members)
    let operand = this.#primary()
    for (;;) {
      const { type } = this.#token
      if (type === '.') operand = this.#select(operand)
      else if (type === '[') operand = this.#index(operand)
      else break
    }
    this.#members--
    return operand
  }

  #select(operand: Expr): Expr {
    const dot = this.#take()
    if (this.#accept('?') !== undefined) {
      const field = this.#field()
      const name: Expr = { kind: 'literal', pos: field.pos, value: field.name }
      const selected: Expr = { kind: 'call', pos: dot.pos, name: '_?._', target: undefined, args: [operand, name] }
      return this.#nested(selected, [operand], 1)
    }
    const open = this.#tokens[this.#at + 1]
    if (this.#token.type === 'identifier' && open?.type === '(') {
      const name = this.#take().text
      this.#take()
      const args = this.#args()
      return this.#call(open.pos, name, operand, args, 1)
    }
    const field = this.#field()
    return this.#nested({ kind: 'select', pos: dot.pos, operand, field: field.name, test: false }, [operand], 1)
  }

  /** The name of a field; reserved words may be one. */
  #field(): { name: string; pos: number } {
    const token = this.#token
    if (token.type === 'escaped') {
      return { name: this.#take().text.slice(1, -1), pos: token.pos }
    }
    if (token.type === 'identifier') return { name: this.#take().text, pos: token.pos }
    if (RESERVED.has(token.type)) this.#fail(`mismatched input '${token.text}' expecting IDENTIFIER`)
    this.#fail(`no viable alternative at input '.${token.type === 'end' ? '' : quote(token)}'`)
  }

  #index(operand: Expr): Expr {
    const op = this.#take()
    const optional = this.#accept('?') !== undefined
    const key = this.#expr(optional ? '' : "'?'")
    this.#expect(']', "']'", true)
    return this.#call(op.pos, optional ? '_[?_]' : '_[_]', undefined, [operand, key], 1)
  }

  #args(): Expr[] {
    const args: Expr[] = []
    if (this.#accept(')') !== undefined) return args
    do args.push(this.#expr(args.length === 0 ? "')'" : ''))
    while (this.#accept(',') !== undefined)
    this.#expect(')', "')'", true)
    return args
  }

  #primary(): Expr {
    const token = this.#token
    if (startsOperand(token.type)) this.#also = ''
    switch (token.type) {
      case '(': {
        this.#take()
        const inner = this.#expr()
        this.#expect(')', "')'", true)
        return inner
      }
      case '[':
        return this.#list()
      case '{':
        return this.#map()
      case '.':
      case 'identifier':
        return this.#named()
      default:
        return this.#literal()
    }
  }

  #list(): Expr {
    const { pos } = this.#take()
    const elements: Expr[] = []
    let optionals: Set<number> | undefined
    let comma = false
    if (this.#token.type === ',') comma = this.#accept(',') !== undefined
    else if (this.#token.type !== ']') {
      do {
        if (this.#ends(']', comma)) break
        const optional = this.#accept('?') !== undefined
        if (optional) (optionals ??= new Set()).add(elements.length)
        elements.push(this.#expr(optional ? '' : "'?' ']' ','"))
        comma = this.#accept(',') !== undefined
      } while (comma)
    }
    this.#expect(']', comma ? "']'" : "{']', ','}", comma)
    return this.#nested({ kind: 'list', pos, elements, optionals: optionals ?? NONE }, elements, 0)
  }

  /** Whether nothing more stands in brackets. */
  #ends(bracket: TokenType, comma: boolean): boolean {
    const { type } = this.#token
    return type === bracket || (comma && (type === ',' || type === 'end'))
  }

  #map(): Expr {
    const { pos } = this.#take()
    const entries: Entry[] = []
    let comma = false
    if (this.#token.type === ',') comma = this.#accept(',') !== undefined
    else if (this.#token.type !== '}') {
      do {
        if (this.#ends('}', comma)) break
        const optional = this.#accept('?') !== undefined
        const key = this.#expr(optional ? '' : "'?' '}' ','")
        const colon = this.#expect(':')
        const value = this.#expr()
        entries.push({ pos: colon.pos, key, value, optional })
        comma = this.#accept(',') !== undefined
      } while (comma)
    }
    this.#expect('}', comma ? "'}'" : "{'}', ','}", comma)
    const parts = entries.flatMap((one) => [one.key, one.value])
    return this.#nested({ kind: 'map', pos, entries }, parts, 0)
  }

  #named(): Expr {
    const start = this.#token
    const dot = this.#accept('.')
    const end = this.#structEnd()
    if (end !== undefined) return this.#struct(dot === undefined ? '' : '.', end)
    const name = this.#token
    if (name.type !== 'identifier')
      this.#fail(`no viable alternative at input '.${name.type === 'end' ? '' : quote(name)}'`)
    this.#take()
    const open = this.#accept('(')
    if (RESERVED.has(name.text)) this.#issues.push({ pos: start.pos, message: `reserved identifier: ${name.text}` })
    const full = dot === undefined ? name.text : `.${name.text}`
    if (open === undefined) return { kind: 'ident', pos: name.pos, name: full }
    return this.#call(open.pos, full, undefined, this.#args())
  }

  /** Where the brace of `a.b.C{` is; undefined when the names here are no such thing. */
  #structEnd(): number | undefined {
    for (let i = this.#at; this.#tokens[i]?.type === 'identifier'; i += 2) {
      const next = this.#tokens[i + 1]?.type
      if (next === '{') return i + 1
      if (next !== '.') return undefined
    }
    return undefined
  }

  #struct(lead: string, brace: number): Expr {
    const names = this.#tokens.slice(this.#at, brace).map((token) => token.text)
    this.#at = brace
    const { pos } = this.#take()
    const fields: FieldInit[] = []
    let comma = false
    if (this.#token.type === ',') comma = this.#accept(',') !== undefined
    else if (this.#token.type !== '}') {
      do {
        if (this.#ends('}', comma)) break
        const optional = this.#accept('?') !== undefined
        const { name } = this.#field()
        const colon = this.#expect(':')
        const value = this.#expr()
        fields.push({ pos: colon.pos, name, value, optional })
        comma = this.#accept(',') !== undefined
      } while (comma)
    }
    this.#expect('}', comma ? "'}'" : "{'}', ','}", comma)
    const values = fields.map((one) => one.value)
    return this.#nested({ kind: 'struct', pos, name: lead + names.join(''), fields }, values, 0)
  }

  #literal(): Expr {
    const { pos } = this.#token
    const negative = this.#token.type === '-' && this.#accept('-') !== undefined
    const token = this.#token
    const literal = (value: unknown): Expr => {
      this.#take()
      return { kind: 'literal', pos, value }
    }
    const wrong = (message: string): Expr => {
      this.#issues.push({ pos, message })
      return literal(null)
    }
    switch (token.type) {
      case 'int': {
        const value = negative ? -BigInt(token.text) : BigInt(token.text)
        return value < MIN_INT || value > MAX_INT ? wrong('invalid int literal') : literal(normal(value))
      }
      case 'float': {
        const value = Number(token.text)
        if (!Number.isFinite(value)) return wrong('invalid double literal')
        return literal(new Double(negative ? -value : value))
      }
      case 'uint': {
        const value = BigInt(token.text.slice(0, -1))
        return value > MAX_UINT ? wrong('invalid uint literal') : literal(new Uint(value))
      }
      case 'string': {
        const text = unescapeString(token.text)
        return 'error' in text ? wrong(text.error) : literal(text.value)
      }
      case 'bytes': {
        const bytes = unescapeBytes(token.text.slice(1))
        return 'error' in bytes ? wrong(bytes.error) : literal(new Bytes(bytes.value))
      }
      case 'true':
        return literal(true)
      case 'false':
        return literal(false)
      case 'null':
        return literal(null)
      default: {
        const next = this.#tokens[this.#at + 1]
        const negated = this.#tokens[this.#at - 1]?.type === '!'
        const single = token.type === 'end' ? negated : next !== undefined && this.#mayStart(next.type)
        const expected = operands(this.#also)
        this.#fail(`${single ? 'extraneous' : 'mismatched'} input '${quote(token)}' expecting ${expected}`)
      }
    }
  }

  #mayStart(type: TokenType): boolean {
    return startsOperand(type) || this.#also.split(' ').includes(`'${type}'`)
  }

  /** A call, or what a macro of that name makes of it. `depth`: how much deeper than its parts it counts. */
  #call(pos: number, name: string, target: Expr | undefined, args: readonly Expr[], depth = 0): Expr {
    const parts = target === undefined ? args : [target, ...args]
    // No macro is an operator.
    const macro = name.startsWith('_') ? undefined : this.#macros.get(`${name}:${args.length}:${target !== undefined}`)
    if (macro === undefined) return this.#nested({ kind: 'call', pos, name, target, args }, parts, depth)
    try {
      const made = macro(pos, target, args) ?? { kind: 'call', pos, name, target, args }
      return this.#nested(made, parts, depth)
    } catch (error) {
      if (!(error instanceof MacroError)) throw error
      this.#issues.push({ pos: error.pos, message: error.message })
      return { kind: 'literal', pos, value: null }
    }
  }

  /** Remembers how deep an expression is. */
  #nested(e: Expr, parts: readonly Expr[], own: number): Expr {
    let depth = 0
    for (const part of parts) depth = Math.max(depth, part.depth ?? 0)
    if (depth + own > 0) e.depth = depth + own
    this.#deepest = Math.max(this.#deepest, depth + own)
    return e
  }
}

function quote(token: Token): string {
  return token.text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
}

/** Signs in the order of upstream's grammar. */
const SIGNS = ["'['", "']'", "'{'", "'}'", "'('", "')'", "'.'", "','", "'-'", "'!'", "'?'"]
const OPERAND_SIGNS: ReadonlySet<string> = new Set(["'['", "'{'", "'('", "'.'", "'-'", "'!'"])
const WORDS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER"

/** What an operand may start with, and what else may stand there. */
function operands(also: string): string {
  const more = new Set(also.split(' '))
  return `{${SIGNS.filter((sign) => OPERAND_SIGNS.has(sign) || more.has(sign)).join(', ')}, ${WORDS}}`
}

const STARTS: ReadonlySet<TokenType> = new Set(
  '[ { ( . - ! true false null float int uint string bytes identifier'.split(' '),
)

function startsOperand(type: TokenType): boolean {
  return STARTS.has(type)
}
