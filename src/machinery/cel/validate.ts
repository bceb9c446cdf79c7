/** Checks of an expression whose types are right: literals that never work, and lists of many types. */
import type { Call, Expr } from './ast.ts'
import { childrenOf } from './ast.ts'
import type { Issue } from './issues.ts'
import type { ClauseKind } from './library/format-text.ts'
import { CLAUSE_WORDS, readClause } from './library/format-text.ts'
import { compileRegex } from './regex.ts'
import { inRange, parseGoDuration, parseTimestamp, timestampOfSeconds } from './time.ts'
import type { Type } from './types.ts'
import { formatType, sameType } from './types.ts'
import { Failure, isInt } from './values.ts'

export function validate(expr: Expr): readonly Issue[] {
  const issues: Issue[] = []
  walk(expr, false, issues)
  return issues
}

/** @param exempt within a call of `format`, whose lists may mix types */
function walk(e: Expr, exempt: boolean, issues: Issue[]): void {
  let inner = exempt
  if (e.kind === 'call') {
    literalArguments(e, issues)
    if (e.name === 'format') {
      inner = true
      formatCall(e, issues)
    }
  }
  if (!exempt) homogeneous(e, issues)
  for (const child of childrenOf(e)) walk(child, inner, issues)
}

function literalArguments({ name, args }: Call, issues: Issue[]): void {
  const [arg] = args
  if (arg?.kind === 'literal' && isWrong(name, arg.value)) {
    issues.push({ pos: arg.pos, message: `invalid ${name} argument` })
  }
}

function isWrong(name: string, value: unknown): boolean {
  if (name === 'timestamp') {
    if (isInt(value)) return timestampOfSeconds(value) instanceof Failure
    const moment = typeof value === 'string' ? parseTimestamp(value) : undefined
    return moment === undefined || !inRange(moment.seconds)
  }
  if (typeof value !== 'string') return false
  if (name === 'duration') return parseGoDuration(value) === undefined
  return name === 'matches' && compileRegex(value) instanceof Failure
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
