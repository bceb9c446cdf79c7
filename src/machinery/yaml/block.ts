/** Literal and folded scalars. */
import type { Cursor } from './cursor.ts'

/** @param parent the indentation of what the scalar stands in; -1 outside of everything */
export function readBlock(c: Cursor, parent: number): string {
  const folded = c.is('>')
  c.skip()
  const { chomping, increment } = readHeader(c)
  const known = increment === 0 ? 0 : Math.max(parent, 0) + increment
  let { breaks, indent } = readBreaks(c, known, parent)
  let text = ''
  let leading = ''
  let wasBlank = false
  while (c.column === indent && !c.isEnd()) {
    const isBlank = c.isBlank()
    const joins = folded && leading.startsWith('\n') && !wasBlank && !isBlank
    if (!joins) text += leading
    else if (breaks === '') text += ' '
    text += breaks
    wasBlank = isBlank
    const start = c.at
    let end = start
    while (!c.isBreakOrEnd(end - start)) end++
    c.skipTo(end)
    text += c.text.slice(start, end)
    leading = c.isEnd() ? '' : c.readBreak()
    ;({ breaks } = readBreaks(c, indent, parent))
  }
  if (chomping !== '-') text += leading
  return chomping === '+' ? text + breaks : text
}

/** Chomping and indentation, in either order, and what may stand behind them. */
function readHeader(c: Cursor): { readonly chomping: string; readonly increment: number } {
  let chomping = ''
  let increment = 0
  const sign = (): void => {
    if (!c.is('+') && !c.is('-')) return
    chomping = c.text[c.at]!
    c.skip()
  }
  sign()
  const digit = c.code() - 0x30
  if (digit >= 0 && digit <= 9) {
    if (digit === 0) throw c.error('found an indentation indicator equal to 0')
    increment = digit
    c.skip()
    if (chomping === '') sign()
  }
  c.endLine()
  return { chomping, increment }
}

/** Passes indentation and empty lines; an indentation of 0 is found out from them. */
function readBreaks(c: Cursor, indent: number, parent: number): { readonly breaks: string; readonly indent: number } {
  let breaks = ''
  let deepest = 0
  for (;;) {
    while ((indent === 0 || c.column < indent) && c.is(' ')) c.skip()
    deepest = Math.max(deepest, c.column)
    if ((indent === 0 || c.column < indent) && c.is('\t'))
      throw c.error('found a tab character where an indentation space is expected')
    if (!c.isBreak()) break
    breaks += c.readBreak()
  }
  return { breaks, indent: indent === 0 ? Math.max(deepest, parent + 1, 1) : indent }
}
