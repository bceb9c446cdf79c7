/** Checks of an expression whose types are right: literals that never work, and lists of many types. */
import type { Steps } from '../schema/steps.ts'
import type { Call, Expr } from './ast.ts'
import { childrenOf } from './ast.ts'
import type { Issue } from './issues.ts'
import type { ClauseKind } from './library/format-text.ts'
import { CLAUSE_WORDS, readClause } from './library/format-text.ts'
import { compileRegex, type Regex } from './regex.ts'
import { inRange, parseGoDuration, parseTimestamp, timestampOfSeconds } from './time.ts'
import type { Type } from './types.ts'
import { formatType, sameType } from './types.ts'
import { Failure, isInt } from './values.ts'

export interface Validated {
  readonly issues: readonly Issue[]
  /** Patterns that the expression writes out, compiled. */
  readonly patterns: ReadonlyMap<string, Regex | Failure>
}

export function* validateInSteps(expr: Expr): Steps<Validated> {
  const issues: Issue[] = []
  const patterns = new Map<string, Regex | Failure>()
  yield* walk(expr, issues, patterns)
  return { issues, patterns }
}

/** Work of one step: a node is one; a pattern at least so much, and more for its length. */
const STEP = 4000
const PATTERN = 50

/** Each node before its parts, in the order of the text. */
function* walk(expr: Expr, issues: Issue[], patterns: Map<string, Regex | Failure>): Steps<void> {
  const pending: Expr[] = [expr]
  // Within a call of `format`, whose lists may mix types.
  const exempt = new Set<Expr>()
  let work = 0
  for (let e = pending.pop(); e !== undefined; e = pending.pop()) {
    if (++work >= STEP) {
      work = 0
      yield undefined
    }
    let inner = exempt.has(e)
    if (!inner) homogeneous(e, issues)
    if (e.kind === 'call') {
      const pattern = patternOf(e)
      if (pattern !== undefined) {
        work += PATTERN + pattern.length
        if (!patterns.has(pattern)) patterns.set(pattern, compileRegex(pattern))
      }
      literalArguments(e, patterns, issues)
      if (e.name === 'format') {
        inner = true
        formatCall(e, issues)
      }
    }
    const children = childrenOf(e)
    for (let i = children.length - 1; i >= 0; i--) {
      pending.push(children[i]!)
      if (inner) exempt.add(children[i]!)
    }
  }
}

const SEARCHES: ReadonlySet<string> = new Set(['matches', 'find', 'findAll'])

/** The pattern that is written out in a call. */
function patternOf({ name, target, args }: Call): string | undefined {
  if (!SEARCHES.has(name)) return undefined
  const arg = args[target === undefined ? 1 : 0]
  return arg?.kind === 'literal' && typeof arg.value === 'string' ? arg.value : undefined
}

function literalArguments({ name, args }: Call, patterns: ReadonlyMap<string, Regex | Failure>, issues: Issue[]): void {
  const [arg] = args
  if (arg?.kind === 'literal' && isWrong(name, arg.value, patterns)) {
    issues.push({ pos: arg.pos, message: `invalid ${name} argument` })
  }
}

function isWrong(name: string, value: unknown, patterns: ReadonlyMap<string, Regex | Failure>): boolean {
  if (name === 'timestamp') {
    if (isInt(value)) return timestampOfSeconds(value) instanceof Failure
    const moment = typeof value === 'string' ? parseTimestamp(value) : undefined
    return moment === undefined || !inRange(moment.seconds)
  }
  if (typeof value !== 'string') return false
  if (name === 'duration') return parseGoDuration(value) === undefined
  return name === 'matches' && (patterns.get(value) ?? compileRegex(value)) instanceof Failure
}

function mismatch(pos: number, expected: Type, found: Type): Issue {
  return { pos, message: `expected type '${formatType(expected)}' but found '${formatType(found)}'` }
}

function element(e: Expr, optional: boolean): Type {
  return optional ? (e.type!.params[0] ?? e.type!) : e.type!
}

function homogeneous(e: Expr, issues: Issue[]): void {
  if (e.kind === 'list') {
    let first: Type | undefined
    for (const [i, one] of e.elements.entries()) {
      const type = element(one, e.optionals.has(i))
      first ??= type
      if (sameType(first, type)) continue
      issues.push(mismatch(one.pos, first, type))
      break
    }
  } else if (e.kind === 'map') {
    const [first] = e.entries
    if (first === undefined) return
    const keys = first.key.type!
    const values = element(first.value, first.optional)
    for (const { key, value, optional } of e.entries) {
      if (!sameType(keys, key.type!)) issues.push(mismatch(key.pos, keys, key.type!))
      const type = element(value, optional)
      if (!sameType(values, type)) issues.push(mismatch(value.pos, values, type))
    }
  }
}

const CLAUSE_TYPES: Readonly<Record<ClauseKind, readonly string[]>> = {
  s: ['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null'],
  d: ['int', 'uint'],
  f: ['double', 'string'],
  e: ['double', 'string'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  o: ['int', 'uint'],
}

/** The part of an argument that a clause cannot print. */
function unprintable(kind: ClauseKind, arg: Expr): Expr | undefined {
  const type = arg.type!
  if (type.kind !== 'dyn' && !CLAUSE_TYPES[kind].includes(type.kind)) return arg
  if (kind !== 's' || (arg.kind !== 'list' && arg.kind !== 'map')) return undefined
  for (const child of childrenOf(arg)) {
    const found = unprintable(kind, child)
    if (found !== undefined) return found
  }
  return undefined
}

/** A literal format string with a literal list is checked clause by clause. */
function formatCall(e: Call, issues: Issue[]): void {
  const { target, pos } = e
  const [list] = e.args
  if (target?.kind !== 'literal' || typeof target.value !== 'string' || list?.kind !== 'list') return
  const text = target.value
  const args = list.elements
  let used = 0
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', at)) {
    if (text[at + 1] === '%') {
      at += 2
      continue
    }
    if (at + 1 >= text.length) {
      issues.push({ pos, message: 'unexpected end of string' })
      return
    }
    const arg = args[used]
    if (arg === undefined) {
      issues.push({ pos, message: `index ${used} out of range` })
      return
    }
    const clause = readClause(text, at + 1)
    if (typeof clause === 'string') {
      issues.push({ pos, message: `could not parse formatting clause: ${clause}` })
      return
    }
    const bad = unprintable(clause.kind, arg)
    if (bad !== undefined) {
      const words = `${CLAUSE_WORDS[clause.kind]}, was given ${bad.type!.name}`
      issues.push({ pos: bad.pos, message: `error during formatting: ${words}` })
      return
    }
    used++
    at += 1 + clause.length
  }
  if (args.length > used) {
    issues.push({
      pos,
      message: `too many arguments supplied to string.format (expected ${used}, got ${args.length})`,
    })
  }
}
