/** A JSON parser for what JSON.parse cannot say: duplicate keys, exact integers, and errors in Go's words. */
import { goEscape } from '../quote.ts'
import { DecodeError, childPath, duplicateField, unknownField } from './error.ts'

/** More problems than this are not listed, as upstream does. */
const MAX_PROBLEMS = 100

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const HEX = /^[0-9a-fA-F]$/
/** Sticky: matches a number at the current place. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** Parses one document; an instance is used once. */
export class ExactParser {
  private readonly text: string
  private readonly maxDepth: number
  private readonly bytes: boolean
  private readonly unknown: ReadonlySet<string>
  private readonly problems = new Set<string>()
  /** Within the value of an unknown field. */
  private skipping = 0
  private at = 0
  private depth = 0

  /**
   * @param unknown paths of fields to tell as unknown
   * @param bytes each character of the text stands for a byte
   */
  constructor(text: string, maxDepth: number, unknown: ReadonlySet<string> = new Set(), bytes = false) {
    this.bytes = bytes
    this.text = text
    this.maxDepth = maxDepth
    this.unknown = unknown
  }

  /** @throws DecodeError */
  parse(): { value: unknown; problems: readonly string[] } {
    const value = this.value('')
    this.space()
    if (this.at < this.text.length) throw this.unexpected('after top-level value')
    return { value, problems: [...this.problems] }
  }

  private value(path: string): unknown {
    this.space()
    switch (this.text[this.at]) {
      case '{':
        return this.object(path)
      case '[':
        return this.list(path)
      case '"':
        return this.string()
      case 't':
        return this.literal('true', true)
      case 'f':
        return this.literal('false', false)
      case 'n':
        return this.literal('null', null)
      default:
        return this.number()
    }
  }

  private object(path: string): unknown {
    this.enter()
    const out: Record<string, unknown> = {}
    this.space()
    if (this.text[this.at] === '}') return this.leave(out)
    for (;;) {
      this.space()
      if (this.text[this.at] !== '"') throw this.unexpected('looking for beginning of object key string')
      const key = this.string()
      this.space()
      if (this.text[this.at] !== ':') throw this.unexpected('after object key')
      this.at++
      const where = childPath(path, key)
      const skip = this.unknown.has(where)
      if (skip) this.tell(unknownField(where))
      else if (Object.hasOwn(out, key)) this.tell(duplicateField(where))
      if (skip) this.skipping++
      setOwn(out, key, this.value(where))
      if (skip) this.skipping--
      this.space()
      const next = this.text[this.at]
      if (next === '}') return this.leave(out)
      if (next !== ',') throw this.unexpected('after object key:value pair')
      this.at++
    }
  }

  private tell(problem: string): void {
    if (this.skipping === 0 && this.problems.size < MAX_PROBLEMS) this.problems.add(problem)
  }

  private list(path: string): unknown {
    this.enter()
    const out: unknown[] = []
    this.space()
    if (this.text[this.at] === ']') return this.leave(out)
    for (;;) {
      out.push(this.value(`${path}[${out.length}]`))
      this.space()
      const next = this.text[this.at]
      if (next === ']') return this.leave(out)
      if (next !== ',') throw this.unexpected('after array element')
      this.at++
    }
  }

  private enter(): void {
    if (++this.depth > this.maxDepth) throw new DecodeError('exceeded max depth')
    this.at++
  }

  private leave<T>(value: T): T {
    this.depth--
    this.at++
    return value
  }

  private string(): string {
    let out = ''
    let start = ++this.at
    for (;;) {
      const c = this.text[this.at]
      if (c === undefined) throw this.unexpected('')
      if (c === '"') {
        out += this.text.slice(start, this.at++)
        return out.toWellFormed()
      }
      if (c < ' ') throw this.unexpected('in string literal')
      if (c !== '\\') {
        this.at++
        continue
      }
      out += this.text.slice(start, this.at++) + this.escape()
      start = this.at
    }
  }

  private escape(): string {
    const c = this.text[this.at]
    if (c !== 'u') {
      const plain = c === undefined ? undefined : Object.hasOwn(ESCAPES, c) ? ESCAPES[c] : undefined
      if (plain === undefined) throw this.broken('in string escape code')
      this.at++
      return plain
    }
    this.at++
    const start = this.at
    for (let i = 0; i < 4; i++, this.at++) {
      if (!HEX.test(this.text[this.at] ?? '')) throw this.broken('in \\u hexadecimal character escape')
    }
    return String.fromCharCode(Number.parseInt(this.text.slice(start, this.at), 16))
  }

  private literal<T>(word: string, value: T): T {
    for (let i = 1; i < word.length; i++) {
      this.at++
      if (this.text[this.at] !== word[i]) {
        throw this.broken(`in literal ${word} (expecting ${quoteCharacter(word[i]!)})`)
      }
    }
    this.at++
    return value
  }

  private number(): unknown {
    NUMBER.lastIndex = this.at
    const match = NUMBER.exec(this.text)
    if (match === null) {
      if (this.text[this.at] !== '-') throw this.unexpected('looking for beginning of value')
      this.at++
      throw this.broken('in numeric literal')
    }
    const source = match[0]
    this.at += source.length
    this.checkTail(source)
    const value = Number(source)
    if (!Number.isFinite(value)) {
      throw new DecodeError(`json: cannot unmarshal number ${source} into Go value of type float64`)
    }
    // JSON.rawJSON keeps an int64 that a double cannot; fractions and greater numbers are doubles in Go as well.
    if (Number.isSafeInteger(value) || !/^-?\d{16,19}$/.test(source)) return value
    const exact = BigInt(source)
    return BigInt.asIntN(64, exact) === exact ? JSON.rawJSON(source) : value
  }

  /** A number that goes on wrongly: `1.x`, `1e`. A leading zero ends the number, as in Go. */
  private checkTail(source: string): void {
    const next = this.text[this.at]
    if (next === '.' && !/[.eE]/.test(source)) {
      this.at++
      throw this.broken('after decimal point in numeric literal')
    }
    if ((next === 'e' || next === 'E') && !/[eE]/.test(source)) {
      this.at++
      if (this.text[this.at] === '+' || this.text[this.at] === '-') this.at++
      throw this.broken('in exponent of numeric literal')
    }
  }

  private space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at)
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return
      this.at++
    }
  }

  /** Within a literal, a number or an escape. Go reads a blank behind the end, which ends none of them well. */
  private broken(where: string): DecodeError {
    if (this.at < this.text.length) return this.unexpected(where)
    return new DecodeError(`invalid character ' ' ${where}`)
  }

  private unexpected(where: string): DecodeError {
    const c = this.text.codePointAt(this.at)
    if (c === undefined) return new DecodeError('unexpected end of JSON input')
    // Go reads bytes.
    const byte = c < 0x80 || this.bytes ? c : Buffer.from(String.fromCodePoint(c))[0]!
    return new DecodeError(`invalid character ${quoteCharacter(String.fromCharCode(byte))} ${where}`)
  }
}

/** Assigns also `__proto__` as an own property. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

function quoteCharacter(c: string): string {
  if (c === "'") return `'\\''`
  return `'${goEscape(c)}'`
}
