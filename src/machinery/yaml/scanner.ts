/**
 * Tokens of a YAML text, found as libyaml finds them: it is what upstream reads with, and takes other documents than the
 * specification says. What may be a key is known only at its `:`; until then what follows it waits in a queue.
 */
import { readBlock } from './block.ts'
import { Cursor, type Mark } from './cursor.ts'
import { readAnchor, readDirective, readTag, type Directive, type Tag } from './properties.ts'
import { readPlain, readQuoted } from './scalars.ts'

export type Token = { readonly start: Mark } & (
  | { readonly type: 'directive'; readonly directive: Directive }
  | { readonly type: 'anchor' | 'alias'; readonly name: string }
  | { readonly type: 'tag'; readonly tag: Tag }
  | { readonly type: 'scalar'; readonly text: string; readonly plain: boolean }
  | { readonly type: Bare }
)

/** Tokens that say nothing but that they are there. */
export type Bare =
  | 'stream end'
  | 'document start'
  | 'document end'
  | 'block sequence'
  | 'block mapping'
  | 'block end'
  | '-'
  | '?'
  | ':'
  | ','
  | '['
  | ']'
  | '{'
  | '}'

/** What may turn out to be a key. */
interface Candidate {
  /** The number of its first token. */
  readonly number: number
  readonly mark: Mark
  /** Nothing else can stand there. */
  readonly required: boolean
}

/** A key is in one line and not longer than this. */
const MAX_KEY = 1024
const NOT_PLAIN = /[-?:,[\]{}#&*!|>'"%@`]/

export class Scanner {
  private readonly c: Cursor
  private readonly queue: Token[] = []
  /** How many tokens were taken. */
  private taken = 0
  /** One a flow level, and one outside. */
  private readonly keys: (Candidate | undefined)[] = [undefined]
  /** Where in `keys` a candidate stands, by the number of its first token; those that were taken are forgotten. */
  private readonly levels = new Map<number, number>()
  private keyAllowed = true
  private indent = -1
  private readonly indents: number[] = []

  constructor(text: string) {
    this.c = new Cursor(text)
  }

  /** The next token, which stays. */
  peek(): Token {
    while (this.queue.length === 0 || this.waits()) this.fetch()
    return this.queue[0]!
  }

  take(): Token {
    const token = this.peek()
    this.queue.shift()
    this.levels.delete(this.taken++)
    return token
  }

  private get flow(): boolean {
    return this.keys.length > 1
  }

  /** Whether the first token of the queue may still turn out to be a key. */
  private waits(): boolean {
    this.candidate(0)
    const level = this.levels.get(this.taken)
    return level !== undefined && this.candidate(level)?.number === this.taken
  }

  /** A candidate that is still one. */
  private candidate(level: number): Candidate | undefined {
    const key = this.keys[level]
    if (key === undefined) return undefined
    if (key.mark.line === this.c.line && key.mark.at + MAX_KEY >= this.c.at) return key
    this.forget(level)
    return undefined
  }

  private forget(level = this.keys.length - 1): void {
    if (this.keys[level]?.required === true) throw this.c.error("could not find expected ':'")
    this.keys[level] = undefined
  }

  /** What begins here may be a key. */
  private remember(): void {
    if (!this.keyAllowed) return
    const required = !this.flow && this.indent === this.c.column
    this.forget()
    const number = this.taken + this.queue.length
    this.keys[this.keys.length - 1] = { number, mark: this.c.mark(), required }
    this.levels.set(number, this.keys.length - 1)
  }

  private roll(mark: Mark, type: 'block sequence' | 'block mapping', number?: number): void {
    if (this.flow || this.indent >= mark.column) return
    this.indents.push(this.indent)
    this.indent = mark.column
    this.insert({ type, start: mark }, number)
  }

  private unroll(column: number): void {
    if (this.flow) return
    while (this.indent > column) {
      this.insert({ type: 'block end', start: this.c.mark() })
      this.indent = this.indents.pop()!
    }
  }

  private insert(token: Token, number?: number): void {
    if (number === undefined) this.queue.push(token)
    else this.queue.splice(number - this.taken, 0, token)
  }

  private fetch(): void {
    const { c } = this
    this.skipToToken()
    this.unroll(c.column)
    if (c.isEnd()) return this.end()
    if (c.column === 0 && c.is('%')) return this.directive()
    if (c.isIndicator('---')) return this.document('document start')
    if (c.isIndicator('...')) return this.document('document end')
    const first = c.text[c.at]!
    switch (first) {
      case '[':
      case '{':
        return this.open(first)
      case ']':
      case '}':
        return this.close(first)
      case ',':
        this.forget()
        this.keyAllowed = true
        return this.bare(',')
      case '*':
      case '&':
        return this.anchor(first === '*' ? 'alias' : 'anchor')
      case '!':
        return this.tag()
      case "'":
      case '"':
        return this.quoted()
      default:
    }
    if (first === '-' && c.isGap(1)) return this.entry()
    if (first === '?' && (this.flow || c.isGap(1))) return this.key()
    if (first === ':' && (this.flow || c.isGap(1))) return this.value()
    if ((first === '|' || first === '>') && !this.flow) return this.block()
    const starts =
      (!c.isGap() && !NOT_PLAIN.test(first)) ||
      (first === '-' && !c.isBlank(1)) ||
      (!this.flow && (first === '?' || first === ':'))
    if (!starts) throw c.error('found character that cannot start any token')
    this.plain()
  }

  private skipToToken(): void {
    const { c } = this
    for (;;) {
      if (c.column === 0 && c.code() === 0xfeff) c.skip()
      // A tab may not stand where a key may.
      while (c.is(' ') || (c.is('\t') && (this.flow || !this.keyAllowed))) c.skip()
      c.skipComment()
      if (!c.isBreak()) return
      c.readBreak()
      if (!this.flow) this.keyAllowed = true
    }
  }

  private bare(type: Bare): void {
    this.insert({ type, start: this.c.mark() })
    this.c.skip()
  }

  private end(): void {
    const { c } = this
    if (c.column !== 0) {
      c.column = 0
      c.line++
    }
    this.unroll(-1)
    this.forget()
    this.keyAllowed = false
    this.insert({ type: 'stream end', start: c.mark() })
  }

  private directive(): void {
    this.unroll(-1)
    this.forget()
    this.keyAllowed = false
    const start = this.c.mark()
    this.insert({ type: 'directive', directive: readDirective(this.c), start })
  }

  private document(type: 'document start' | 'document end'): void {
    this.unroll(-1)
    this.forget()
    this.keyAllowed = false
    this.insert({ type, start: this.c.mark() })
    this.c.skipTo(this.c.at + 3)
  }

  private open(type: '[' | '{'): void {
    this.remember()
    this.keys.push(undefined)
    this.keyAllowed = true
    this.bare(type)
  }

  private close(type: ']' | '}'): void {
    this.forget()
    if (this.flow) this.keys.pop()
    this.keyAllowed = false
    this.bare(type)
  }

  private entry(): void {
    if (!this.flow) {
      if (!this.keyAllowed) throw this.c.error('block sequence entries are not allowed in this context')
      this.roll(this.c.mark(), 'block sequence')
    }
    this.forget()
    this.keyAllowed = true
    this.bare('-')
  }

  private key(): void {
    if (!this.flow) {
      if (!this.keyAllowed) throw this.c.error('mapping keys are not allowed in this context')
      this.roll(this.c.mark(), 'block mapping')
    }
    this.forget()
    this.keyAllowed = !this.flow
    this.bare('?')
  }

  private value(): void {
    const level = this.keys.length - 1
    const key = this.candidate(level)
    if (key === undefined) {
      if (!this.flow) {
        if (!this.keyAllowed) throw this.c.error('mapping values are not allowed in this context')
        this.roll(this.c.mark(), 'block mapping')
      }
      this.keyAllowed = !this.flow
    } else {
      this.insert({ type: '?', start: key.mark }, key.number)
      this.roll(key.mark, 'block mapping', key.number)
      this.keys[level] = undefined
      this.keyAllowed = false
    }
    this.bare(':')
  }

  private anchor(type: 'anchor' | 'alias'): void {
    this.remember()
    this.keyAllowed = false
    const start = this.c.mark()
    this.insert({ type, name: readAnchor(this.c), start })
  }

  private tag(): void {
    this.remember()
    this.keyAllowed = false
    const start = this.c.mark()
    this.insert({ type: 'tag', tag: readTag(this.c), start })
  }

  private quoted(): void {
    this.remember()
    this.keyAllowed = false
    const start = this.c.mark()
    this.insert({ type: 'scalar', text: readQuoted(this.c), plain: false, start })
  }

  private block(): void {
    this.forget()
    this.keyAllowed = true
    const start = this.c.mark()
    this.insert({ type: 'scalar', text: readBlock(this.c, this.indent), plain: false, start })
  }

  private plain(): void {
    this.remember()
    this.keyAllowed = false
    const start = this.c.mark()
    const { text, broken } = readPlain(this.c, this.indent + 1, this.flow)
    if (broken) this.keyAllowed = true
    this.insert({ type: 'scalar', text, plain: true, start })
  }
}
