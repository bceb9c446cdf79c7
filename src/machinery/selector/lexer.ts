/** Tokens of label selectors (`labels.Lexer`). */

export type TokenType = 'end' | 'identifier' | 'in' | 'notin' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<'

export interface Token {
  readonly type: TokenType
  readonly text: string
}

const SYMBOLS = '=!(),><'
const SPACES = ' \t\r\n'
const OPERATORS: ReadonlySet<string> = new Set(['(', ')', ',', '!', '=', '==', '!=', '>', '<'])

/** All tokens with `end` as the last. A NUL ends the text, as it does upstream. */
export function lex(source: string): Token[] {
  const nul = source.indexOf('\0')
  const text = nul < 0 ? source : source.slice(0, nul)
  const out: Token[] = []
  let at = 0
  while (at < text.length) {
    const c = text[at]!
    if (SPACES.includes(c)) {
      at++
    } else if (SYMBOLS.includes(c)) {
      const two = text.slice(at, at + 2)
      const symbol = OPERATORS.has(two) ? two : c
      out.push({ type: symbol as TokenType, text: symbol })
      at += symbol.length
    } else {
      const from = at
      while (at < text.length && !SYMBOLS.includes(text[at]!) && !SPACES.includes(text[at]!)) at++
      const word = text.slice(from, at)
      out.push({ type: word === 'in' || word === 'notin' ? word : 'identifier', text: word })
    }
  }
  out.push({ type: 'end', text: '' })
  return out
}
