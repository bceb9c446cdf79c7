/** Tokens of CEL. */
import type { Steps } from '../schema/steps.ts'
import type { Issue, Source } from './issues.ts'

export type TokenType =
  | 'identifier'
  | 'escaped'
  | 'int'
  | 'uint'
  | 'float'
  | 'string'
  | 'bytes'
  | 'end'
  // Words and signs are their own type.
  | (string & {})

export interface Token {
  readonly type: TokenType
  readonly text: string
  /** Code points from the start. */
  readonly pos: number
}

const SPACE = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y
const NUMBER = /0x[0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const ESCAPED = /`[A-Za-z0-9_.\-/ ]+`/y
const SIGN = /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y
const PREFIX = /(?:[bB][rR]?|[rR])?(?=["'])/y
const ESCAPE = /\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y
const WORDS: ReadonlySet<string> = new Set(['in', 'true', 'false', 'null'])

const [SLASH, QUOTE, QUOTES, DOT, BACKTICK] = [0x2f, 0x27, 0x22, 0x2e, 0x60]

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** The end of the string that starts at `at` (prefix included); negative: where it stops to be one. */
function stringEnd(text: string, at: number, prefix: string): number {
  const raw = /[rR]/.test(prefix)
  let i = at + prefix.length
  const quote = text[i]!
  if (text.startsWith(quote.repeat(3), i)) {
    const end = longEnd(text, i + 3, quote.repeat(3), raw)
    if (end !== undefined) return end
    // Two quotes are an empty string then.
    return i + 2
  }
  for (i++; i < text.length;) {
    const c = text[i]!
    if (c === quote) return i + 1
    if (c === '\n' || c === '\r') return -i
    if (c === '\\' && !raw) {
      const escape = match(ESCAPE, text, i)
      if (escape === undefined) return -Math.min(i + 1, text.length)
      i += escape.length
    } else i++
  }
  return -i
}

function longEnd(text: string, from: number, quotes: string, raw: boolean): number | undefined {
  for (let i = from; i < text.length;) {
    if (text.startsWith(quotes, i)) return i + 3
    if (text[i] === '\\' && !raw) {
      const escape = match(ESCAPE, text, i)
      if (escape === undefined) return undefined
      i += escape.length
    } else i++
  }
  return undefined
}

/** Tokens of one step. */
const STEP = 4096

/** All tokens, the last is `end`. What is no token is told and left out. */
export function* lexInSteps(source: Source, issues: Issue[]): Steps<Token[]> {
  const { text } = source
  const tokens: Token[] = []
  // Code points so far, and the index that they are counted to.
  let points = 0
  let counted = 0
  const position = (index: number): number => {
    if (source.points === undefined) return index
    for (; counted < index; points++) counted += text.codePointAt(counted)! > 0xffff ? 2 : 1
    return points
  }
  let at = 0
  const push = (type: TokenType, length: number) => {
    tokens.push({ type, text: text.slice(at, at + length), pos: position(at) })
    at += length
  }
  for (let count = 1; at < text.length; count++) {
    if (count % STEP === 0) yield undefined
    const code = text.charCodeAt(at)
    const space = code <= 0x20 || code === SLASH ? match(SPACE, text, at) : undefined
    if (space !== undefined) {
      at += space.length
      continue
    }
    const letter = isLetter(code)
    const prefix = letter || code === QUOTE || code === QUOTES ? match(PREFIX, text, at) : undefined
    if (prefix !== undefined) {
      const end = stringEnd(text, at, prefix)
      if (end > 0) {
        push(/[bB]/.test(prefix) ? 'bytes' : 'string', end - at)
        continue
      }
      const seen = text.slice(at, -end + (-end < text.length ? 1 : 0))
      issues.push({ pos: position(at), message: `Syntax error: token recognition error at: '${shown(seen)}'` })
      at += seen.length
      continue
    }
    const number = isDigit(code) || code === DOT ? match(NUMBER, text, at) : undefined
    if (number !== undefined) {
      const type = /[uU]$/.test(number) ? 'uint' : /^(?:0x[0-9a-fA-F]+|\d+)$/.test(number) ? 'int' : 'float'
      push(type, number.length)
      continue
    }
    const word = letter ? match(WORD, text, at) : undefined
    if (word !== undefined) {
      push(WORDS.has(word) ? word : 'identifier', word.length)
      continue
    }
    const escaped = code === BACKTICK ? match(ESCAPED, text, at) : undefined
    if (escaped !== undefined) {
      push('escaped', escaped.length)
      continue
    }
    const sign = match(SIGN, text, at)
    if (sign !== undefined) {
      push(sign, sign.length)
      continue
    }
    const c = String.fromCodePoint(text.codePointAt(at)!)
    const two = (c === '=' || c === '&' || c === '|') && at + 1 < text.length ? text.slice(at, at + 2) : c
    issues.push({ pos: position(at), message: `Syntax error: token recognition error at: '${shown(two)}'` })
    at += two.length
  }
  tokens.push({ type: 'end', text: '<EOF>', pos: position(text.length) })
  return tokens
}

function shown(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
}
