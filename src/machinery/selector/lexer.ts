/** Tokens of label selectors (`labels.Lexer`). */

export type TokenType = 'end' | 'identifier' | 'in' | 'notin' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<'

export interface Token {
  readonly type: TokenType
  readonly text: string
}

const SYMBOLS = '=!(),><'
const SPACES = ' \t\r\n'
const ENDS = `${SYMBOLS}${SPACES}\0`
const OPERATORS: ReadonlySet<string> = new Set(['(', ')', ',', '!', '=', '==', '!=', '>', '<'])

/** All tokens with `end` as the last. As upstream, a NUL ends a token, and the text where a token could begin. */
export function lex(text: string): Token[] {
  const out: Token[] = []
  let at = 0
  while (at < text.length) {
    const c = text[at]!
    if (c === '\0') break
    if (SPACES.includes(c)) {
      at++
    } else if (SYMBOLS.includes(c)) {
      const two = text.slice(at, at + 2)
      const symbol = OPERATORS.has(two) ? two : c
      out.push({ type: symbol as TokenType, text: symbol })
      at += symbol.length
      if (text[at] === '\0') at++
    } else {
      const from = at
      while (at < text.length && !ENDS.includes(text[at]!)) at++
      const word = text.slice(from, at)
      if (text[at] === '\0') at++
      out.push({ type: word === 'in' || word === 'notin' ? word : 'identifier', text: word })
    }
  }
  out.push({ type: 'end', text: '' })
  return out
}
