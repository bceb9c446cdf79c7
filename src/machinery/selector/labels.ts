/**
 * Label selectors: the text grammar, metav1.LabelSelector objects, and matching
 * (`apimachinery/pkg/labels`, `meta/v1/helpers.go`), with upstream's errors.
 */
import { isLabelValue, isQualifiedName } from '../names.ts'
import type { StringMap } from '../object.ts'
import { lex } from './lexer.ts'
import type { Token } from './lexer.ts'

/** A selector that cannot be read. API servers answer it as 400 BadRequest. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SelectorError'
  }
}

export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt'

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  /** Sorted, without duplicates when read from text. */
  readonly values: readonly string[]
}

/** All requirements must hold; none at all matches everything. `nothing` matches no object (an absent selector). */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[]
  readonly nothing?: true
}

export const everything: LabelSelector = { requirements: [] }
export const nothing: LabelSelector = { requirements: [], nothing: true }

const BINARY = 'in, notin, =, ==, !=, gt, lt'
const INTEGER = /^[+-]?[0-9]+$/

/** A whole number within 64 bits, as Gt and Lt compare. */
function integer(text: string): bigint | undefined {
  if (text.length > 24 || !INTEGER.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const list = (values: readonly string[]): string =>
  values.length === 0 ? 'null' : `[${values.map((v) => JSON.stringify(v)).join(',')}]`

/** Checks what upstream's NewRequirement checks. @throws SelectorError with all problems, as an aggregate prints them. */
function requirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const problems: string[] = []
  const invalid = (path: string, value: string, detail: string): void => {
    problems.push(`${path}: Invalid value: ${value}: ${detail}`)
  }
  const names = isQualifiedName(key)
  if (names.length > 0) invalid('key', JSON.stringify(key), names.join('; '))
  if (operator === 'in' || operator === 'notin') {
    if (values.length === 0) invalid('values', list(values), "for 'in', 'notin' operators, values set can't be empty")
  } else if (operator === 'exists' || operator === '!') {
    if (values.length > 0) invalid('values', list(values), 'values set must be empty for exists and does not exist')
  } else if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1) invalid('values', list(values), "for 'Gt', 'Lt' operators, exactly one value is required")
    for (const [i, value] of values.entries()) {
      if (integer(value) !== undefined) continue
      invalid(`values[${i}]`, JSON.stringify(value), "for 'Gt', 'Lt' operators, the value must be an integer")
    }
  } else if (values.length !== 1) {
    invalid('values', list(values), 'exact-match compatibility requires one single value')
  }
  for (const [i, value] of values.entries()) {
    const texts = isLabelValue(value)
    if (texts.length > 0) invalid(`values[${i}][${key}]`, JSON.stringify(value), texts.join('; '))
  }
  if (problems.length > 0) {
    const distinct = [...new Set(problems)]
    throw new SelectorError(distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`)
  }
  return { key, operator, values }
}

const byKey = (a: LabelRequirement, b: LabelRequirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(text: string) {
    this.#tokens = lex(text)
  }

  /** The token here. As a value, `in` and `notin` are identifiers. */
  #peek(value = true): Token {
    const token = this.#tokens[this.#at] ?? { type: 'end', text: '' }
    return value && (token.type === 'in' || token.type === 'notin') ? { type: 'identifier', text: token.text } : token
  }

  #next(value = true): Token {
    const token = this.#peek(value)
    this.#at++
    return token
  }

  parse(): LabelRequirement[] {
    const out: LabelRequirement[] = []
    for (;;) {
      const first = this.#peek()
      if (first.type === 'end') return out
      if (first.type !== 'identifier' && first.type !== '!') {
        throw new SelectorError(`found '${first.text}', expected: !, identifier, or 'end of string'`)
      }
      try {
        out.push(this.#requirement())
      } catch (error) {
        if (!(error instanceof SelectorError)) throw error
        throw new SelectorError(`unable to parse requirement: ${error.message}`)
      }
      const after = this.#next()
      if (after.type === 'end') return out
      if (after.type !== ',') throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`)
      const following = this.#peek()
      if (following.type !== 'identifier' && following.type !== '!') {
        throw new SelectorError(`found '${following.text}', expected: identifier after ','`)
      }
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#next()
    const absent = token.type === '!'
    if (absent) token = this.#next()
    if (token.type !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
    const key = token.text
    const names = isQualifiedName(key)
    if (names.length > 0) throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${names.join('; ')}`)
    const { type } = this.#peek()
    if (absent) return requirement(key, '!', [])
    if (type === 'end' || type === ',') return requirement(key, 'exists', [])
    const operator = this.#operator()
    return requirement(key, operator, operator === 'in' || operator === 'notin' ? this.#set() : [this.#exact()])
  }

  #operator(): LabelOperator {
    const { type, text } = this.#next(false)
    if (type === '>') return 'gt'
    if (type === '<') return 'lt'
    if (type === 'in' || type === 'notin' || type === '=' || type === '==' || type === '!=') return type
    throw new SelectorError(`found '${text}', expected: ${BINARY}`)
  }

  #exact(): string {
    const { type } = this.#peek()
    if (type === 'end' || type === ',') return ''
    const token = this.#next()
    if (token.type !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
    return token.text
  }

  #set(): string[] {
    const open = this.#next()
    if (open.type !== '(') throw new SelectorError(`found '${open.text}' expected: '('`)
    const first = this.#peek()
    if (first.type === ')') {
      this.#next()
      return ['']
    }
    if (first.type !== 'identifier' && first.type !== ',') {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`)
    }
    const values = new Set<string>()
    for (;;) {
      const token = this.#next()
      const after = this.#peek()
      if (token.type === 'identifier') {
        values.add(token.text)
        if (after.type !== ',' && after.type !== ')') {
          throw new SelectorError(`found '${after.text}', expected: ',' or ')'`)
        }
      } else if (token.type === ',') {
        if (values.size === 0 || after.type === ')' || after.type === ',') values.add('')
      } else {
        throw new SelectorError(`found '${token.text}', expected: ',', or identifier`)
      }
      if (after.type === ')') {
        this.#next()
        return [...values].sort()
      }
    }
  }
}

/** Reads `a=b,c in (d,e),!f,g>1`. @throws SelectorError */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === '') return everything
  return { requirements: new Parser(text).parse().sort(byKey) }
}

/** The shape of metav1.LabelSelector. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>> | null
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | null }[]
    | null
}

const OBJECT_OPERATORS = new Map<string, LabelOperator>([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
])

/** A metav1.LabelSelector as selector: absent matches nothing, empty everything. @throws SelectorError */
export function labelSelectorOf(object: LabelSelectorObject | null | undefined): LabelSelector {
  if (object === null || object === undefined) return nothing
  const out: LabelRequirement[] = []
  for (const [key, value] of Object.entries(object.matchLabels ?? {})) out.push(requirement(key, '=', [value]))
  for (const expression of object.matchExpressions ?? []) {
    const operator = OBJECT_OPERATORS.get(expression.operator)
    if (operator === undefined) {
      throw new SelectorError(`${JSON.stringify(expression.operator)} is not a valid label selector operator`)
    }
    out.push(requirement(expression.key, operator, expression.values ?? []))
  }
  return out.length === 0 ? everything : { requirements: out.sort(byKey) }
}

/** The selector of a plain label map (`spec.selector` of Services); values are not checked. */
export function labelSelectorFromMap(labels: Readonly<Record<string, string>> | null | undefined): LabelSelector {
  const entries = Object.entries(labels ?? {})
  if (entries.length === 0) return everything
  const out = entries.map(([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] }))
  return { requirements: out.sort(byKey) }
}

function holds({ key, operator, values }: LabelRequirement, labels: StringMap | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value)
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
    case 'lt': {
      const left = value === undefined ? undefined : integer(value)
      const right = integer(values[0] ?? '')
      if (left === undefined || right === undefined) return false
      return operator === 'gt' ? left > right : left < right
    }
  }
}

export function matchesLabels(selector: LabelSelector, labels: StringMap | null | undefined): boolean {
  if (selector.nothing === true) return false
  for (const one of selector.requirements) if (!holds(one, labels ?? undefined)) return false
  return true
}

/** Whether a selector has no requirement at all, and so matches every object. */
export function isEverything(selector: LabelSelector): boolean {
  return selector.nothing !== true && selector.requirements.length === 0
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const text = values.length > 1 ? [...values].sort().join(',') : (values[0] ?? '')
  switch (operator) {
    case '!':
      return `!${key}`
    case 'exists':
      return key
    case 'in':
    case 'notin':
      return `${key} ${operator} (${text})`
    case 'gt':
      return `${key}>${text}`
    case 'lt':
      return `${key}<${text}`
    default:
      return `${key}${operator}${text}`
  }
}

/** The canonical text; `<none>`-like words are the caller's business. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector.requirements.map(formatRequirement).join(',')
}
