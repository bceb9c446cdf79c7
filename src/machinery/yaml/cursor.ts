/** A place in a YAML text, and what characters mean there. */
import { YamlError } from './error.ts'

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20

/** A place that was passed; lines and columns begin with 0. */
export interface Mark {
  readonly at: number
  readonly line: number
  readonly column: number
}

/** Reads forward only. Beyond the end every character is NaN. */
export class Cursor {
  readonly text: string
  at = 0
  line = 0
  column = 0

  constructor(text: string) {
    this.text = text
  }

  mark(): Mark {
    return { at: this.at, line: this.line, column: this.column }
  }

  /** The code unit so many places ahead. */
  code(ahead = 0): number {
    return this.text.charCodeAt(this.at + ahead)
  }

  is(character: string, ahead = 0): boolean {
    return this.text[this.at + ahead] === character
  }

  isEnd(ahead = 0): boolean {
    return this.at + ahead >= this.text.length
  }

  isBlank(ahead = 0): boolean {
    const c = this.code(ahead)
    return c === SPACE || c === TAB
  }

  isBreak(ahead = 0): boolean {
    const c = this.code(ahead)
    return c === LF || c === CR || c === 0x85 || c === 0x2028 || c === 0x2029
  }

  isBreakOrEnd(ahead = 0): boolean {
    return this.isEnd(ahead) || this.isBreak(ahead)
  }

  isGap(ahead = 0): boolean {
    return this.isBlank(ahead) || this.isBreakOrEnd(ahead)
  }

  /** `---` or `...` at the start of a line. */
  isIndicator(three: string): boolean {
    return this.column === 0 && this.text.startsWith(three, this.at) && this.isGap(3)
  }

  /** Passes one character. */
  skip(): void {
    const c = this.code()
    this.at += c >= 0xd800 && c <= 0xdbff ? 2 : 1
    this.column++
  }

  /** Passes what stands up to `end` in the same line. */
  skipTo(end: number): void {
    let low = 0
    for (let i = this.at; i < end; i++) if ((this.text.charCodeAt(i) & 0xfc00) === 0xdc00) low++
    this.column += end - this.at - low
    this.at = end
  }

  /** Passes a line break and gives what it means in a scalar. */
  readBreak(): string {
    const c = this.code()
    this.at += c === CR && this.code(1) === LF ? 2 : 1
    this.line++
    this.column = 0
    return c === 0x2028 || c === 0x2029 ? String.fromCharCode(c) : '\n'
  }

  /** Passes spaces and tabs. */
  skipBlanks(): void {
    while (this.isBlank()) this.skip()
  }

  /** Passes a comment up to its end, if there is one. */
  skipComment(): void {
    if (this.is('#')) while (!this.isBreakOrEnd()) this.skip()
  }

  /** Passes the rest of a line that must say nothing more, with its break. @throws YamlError */
  endLine(): void {
    this.skipBlanks()
    this.skipComment()
    if (!this.isBreakOrEnd()) throw this.error('did not find expected comment or line break')
    if (!this.isEnd()) this.readBreak()
  }

  /** What a scanner says of the present place. */
  error(problem: string): YamlError {
    return new YamlError(problem, this.line === 0 ? 0 : this.line + 1)
  }
}

const WORD = /[0-9A-Za-z_-]*/y

/** Passes letters, digits, `_` and `-`. */
export function readWord(c: Cursor): string {
  WORD.lastIndex = c.at
  const [word] = WORD.exec(c.text)!
  c.skipTo(c.at + word.length)
  return word
}
