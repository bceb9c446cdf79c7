/**
 * The JSONPath that printer columns, scale paths and selectable fields are written in: `.spec.a`, `['b']`, `[0]`,
 * `[-1]`, `[1:3]`, `[*]`, `..name`, and filters such as `[?(@.type=="Ready")]`.
 */
import { isObject, own } from './props.ts'

/** Yields what a step finds in one value. */
type Step = (value: unknown) => unknown[]

/** A compiled path: everything it finds, in order. */
export type Path = (value: unknown) => unknown[]

/** At most so many results go from one step to the next. */
const MAX_RESULTS = 10_000

/** The text is no path that is understood here. */
export class PathError extends Error {
  constructor(path: string, why: string) {
    super(`invalid path ${JSON.stringify(path)}: ${why}`)
    this.name = 'PathError'
  }
}

/** Compiles a path, with or without braces and the leading `$` or dot. @throws PathError */
export function compilePath(text: string): Path {
  let rest = text.trim()
  if (rest.startsWith('{') && rest.endsWith('}')) rest = rest.slice(1, -1)
  if (rest.startsWith('$') || rest.startsWith('@')) rest = rest.slice(1)
  const steps: Step[] = []
  let at = 0
  const fail = (why: string): never => {
    throw new PathError(text, why)
  }
  const name = (): string => {
    let out = ''
    while (at < rest.length && !'.[]'.includes(rest[at]!)) {
      if (rest[at] === '\\' && at + 1 < rest.length) at++
      out += rest[at++]
    }
    return out
  }
  while (at < rest.length) {
    if (rest.startsWith('..', at)) {
      at += 2
      const field = name()
      steps.push(field === '' || field === '*' ? recurseAll : recurse(field))
    } else if (rest[at] === '[') {
      const end = closing(rest, at)
      if (end === -1) fail('unterminated [')
      steps.push(bracket(rest.slice(at + 1, end).trim(), fail))
      at = end + 1
    } else {
      if (rest[at] === '.') at++
      else if (at > 0) fail(`unexpected character ${JSON.stringify(rest[at])}`)
      const field = name()
      if (field === '' && at < rest.length && rest[at] !== '[') fail('empty field name')
      if (field !== '') steps.push(field === '*' ? wildcard : member(field))
    }
  }
  return (value) => {
    let found = [value]
    for (const step of steps) {
      found = found.flatMap(step)
      if (found.length > MAX_RESULTS) found.length = MAX_RESULTS
      if (found.length === 0) return found
    }
    return found
  }
}

/** The place of the bracket that closes the one at `at`; quotes hide brackets. */
function closing(text: string, at: number): number {
  let depth = 0
  let quote = ''
  for (let i = at; i < text.length; i++) {
    const c = text[i]!
    if (quote !== '') {
      if (c === '\\') i++
      else if (c === quote) quote = ''
    } else if (c === '"' || c === "'") quote = c
    else if (c === '[') depth++
    else if (c === ']' && --depth === 0) return i
  }
  return -1
}

function bracket(inner: string, fail: (why: string) => never): Step {
  const filter = /^\?\((.*)\)$/s.exec(inner)
  if (filter !== null) return filtered(filter[1]!, fail)
  const quoted = unquote(inner)
  if (quoted !== undefined) return member(quoted)
  if (inner === '*') return wildcard
  if (/^-?\d+$/.test(inner)) {
    const index = Number(inner)
    return (value) => {
      if (!Array.isArray(value)) return []
      const item: unknown = value.at(index)
      return item === undefined ? [] : [item]
    }
  }
  const slice = /^(-?\d*):(-?\d*)$/.exec(inner)
  if (slice === null) return fail(`unrecognized [${inner}]`)
  const [, from = '', to = ''] = slice
  return (value) =>
    Array.isArray(value) ? value.slice(from === '' ? 0 : Number(from), to === '' ? undefined : Number(to)) : []
}

function unquote(text: string): string | undefined {
  const found = /^'((?:[^'\\]|\\.)*)'$|^"((?:[^"\\]|\\.)*)"$/s.exec(text)
  if (found === null) return undefined
  return (found[1] ?? found[2] ?? '').replace(/\\(.)/gs, '$1')
}

const member =
  (name: string): Step =>
  (value) => {
    if (!isObject(value)) return []
    const found = own(value, name)
    return found === undefined ? [] : [found]
  }

const wildcard: Step = (value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [])

function* below(value: unknown): Generator {
  yield value
  for (const inner of wildcard(value)) yield* below(inner)
}

const recurseAll: Step = (value) => [...below(value)].slice(1, MAX_RESULTS)
const recurse =
  (name: string): Step =>
  (value) =>
    [...below(value)].flatMap(member(name)).slice(0, MAX_RESULTS)

type Scalar = string | number

/** Comparisons of order, between two numbers or two strings. */
const ordered =
  (holds: (a: Scalar, b: Scalar) => boolean) =>
  (a: unknown, b: unknown): boolean => {
    if (typeof a === 'number' && typeof b === 'number') return holds(a, b)
    return typeof a === 'string' && typeof b === 'string' && holds(a, b)
  }

const COMPARISONS: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': ordered((a, b) => a < b),
  '<=': ordered((a, b) => a <= b),
  '>': ordered((a, b) => a > b),
  '>=': ordered((a, b) => a >= b),
}

function filtered(expression: string, fail: (why: string) => never): Step {
  const found = /^\s*(@[^=!<>]*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?)\s*)?$/s.exec(expression)
  if (found === null) return fail(`unrecognized filter ${expression}`)
  const left = compilePath(found[1]!)
  const compare = found[2] === undefined ? undefined : COMPARISONS[found[2]]!
  if (compare === undefined) {
    return (value) => (Array.isArray(value) ? value.filter((item) => left(item).length > 0) : [])
  }
  const right = operand(found[3]!)
  return (value) => {
    if (!Array.isArray(value)) return []
    return value.filter((item) => {
      const a = left(item)
      const b = right(item)
      return a.length > 0 && b.length > 0 && compare(a[0], b[0])
    })
  }
}

function operand(text: string): Path {
  if (text.startsWith('@')) return compilePath(text)
  const quoted = unquote(text)
  if (quoted !== undefined) return () => [quoted]
  if (text === 'true' || text === 'false') return () => [text === 'true']
  const number = Number(text)
  return () => [Number.isNaN(number) ? text : number]
}
