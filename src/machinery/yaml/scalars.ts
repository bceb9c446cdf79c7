/** Scalars: how their lines become one text. Each function begins at the first character. */
import type { Cursor } from './cursor.ts'

/** Blanks and breaks between two pieces of a flow scalar. */
class Gap {
  private blanks = ''
  private first = ''
  private more = ''

  get broken(): boolean {
    return this.first !== ''
  }

  /** Passes blanks and breaks. `indent`: where tabs may stand in lines that follow. */
  read(c: Cursor, indent?: number): void {
    for (;;) {
      if (c.isBlank()) {
        if (this.broken && indent !== undefined && c.column < indent && c.is('\t'))
          throw c.error('found a tab character that violates indentation')
        if (!this.broken) this.blanks += c.text[c.at]!
        c.skip()
      } else if (c.isBreak()) {
        const read = c.readBreak()
        if (this.broken) this.more += read
        else this.first = read
      } else return
    }
  }

  /** What it stands for; then it is empty. */
  take(): string {
    const { blanks, first, more } = this
    this.blanks = this.first = this.more = ''
    if (first === '') return blanks
    if (first !== '\n') return first + more
    return more === '' ? ' ' : more
  }
}

const FLOW_ENDS = /[,?[\]{}]/

/** @param indent the column that continuation lines have at least, outside of flow collections */
export function readPlain(
  c: Cursor,
  indent: number,
  flow: boolean,
): { readonly text: string; readonly broken: boolean } {
  let text = ''
  const gap = new Gap()
  for (;;) {
    if (c.isIndicator('---') || c.isIndicator('...') || c.is('#')) break
    let end = c.at
    while (!gapAt(c.text, end)) {
      if (c.text[end] === ':' && gapAt(c.text, end + 1)) break
      if (flow && FLOW_ENDS.test(c.text[end]!)) break
      end++
    }
    if (end > c.at) {
      text += gap.take() + c.text.slice(c.at, end)
      c.skipTo(end)
    }
    if (!c.isBlank() && !c.isBreak()) break
    gap.read(c, indent)
    if (!flow && c.column < indent) break
  }
  return { text, broken: gap.broken }
}

function gapAt(text: string, at: number): boolean {
  if (at >= text.length) return true
  const c = text.charCodeAt(at)
  return c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d || c === 0x85 || c === 0x2028 || c === 0x2029
}

export function readQuoted(c: Cursor): string {
  const quote = c.text[c.at]!
  c.skip()
  let text = ''
  const gap = new Gap()
  for (;;) {
    if (c.column === 0 && (c.isIndicator('---') || c.isIndicator('...')))
      throw c.error('found unexpected document indicator')
    if (c.isEnd()) throw c.error('found unexpected end of stream')
    let joined = false
    while (!c.isGap()) {
      if (c.is(quote)) {
        if (quote === '"' || !c.is("'", 1)) break
        text += "'"
        c.skip()
        c.skip()
      } else if (quote === '"' && c.is('\\')) {
        if (c.isBreak(1)) {
          c.skip()
          c.readBreak()
          joined = true
          break
        }
        text += readEscape(c)
      } else {
        let end = c.at
        while (!gapAt(c.text, end) && c.text[end] !== quote && c.text[end] !== '\\') end++
        // A backslash means nothing in single quotes.
        end = Math.max(end, c.at + 1)
        text += c.text.slice(c.at, end)
        c.skipTo(end)
      }
    }
    if (c.is(quote)) break
    if (joined) {
      skipJoined(c)
      continue
    }
    gap.read(c)
    text += gap.take()
  }
  c.skip()
  return text

  /** After an escaped break: blanks go, further breaks stay. */
  function skipJoined(at: Cursor): void {
    for (;;) {
      if (at.isBlank()) at.skip()
      else if (at.isBreak()) text += at.readBreak()
      else return
    }
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  [' ', ' '],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
])
const DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

function readEscape(c: Cursor): string {
  const letter = c.text[c.at + 1] ?? ''
  const digits = DIGITS.get(letter)
  const plain = ESCAPES.get(letter)
  if (digits === undefined && plain === undefined) throw c.error('found unknown escape character')
  c.skip()
  c.skip()
  if (digits === undefined) return plain!
  const hex = c.text.slice(c.at, c.at + digits)
  if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) throw c.error('did not find expected hexdecimal number')
  const value = Number.parseInt(hex, 16)
  if (value > 0x10_ffff || (value >= 0xd800 && value <= 0xdfff))
    throw c.error('found invalid Unicode character escape code')
  c.skipTo(c.at + digits)
  return String.fromCodePoint(value)
}
