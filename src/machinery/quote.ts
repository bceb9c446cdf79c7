/** Texts as Go prints them in messages that clients show and match. */

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u

/** Go's `%q`: what cannot be printed is escaped as in a Go literal, `\x01`, `\u00a0`. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  let out = '"'
  for (const c of text) out += c === '"' ? '\\"' : goEscape(c)
  return `${out}"`
}

/** What stands between the quotes for one code point; a quote itself is left as it is. */
export function goEscape(c: string): string {
  const code = c.codePointAt(0)!
  if (c === '\\') return '\\\\'
  if (code >= 0x20 && code < 0x7f) return c
  const short = ESCAPES.get(code)
  if (short !== undefined) return short
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
  if (PRINTABLE.test(c)) return c
  return code < 0x1_0000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

/** JSON as Go's encoder writes it. */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [7, '\\a'],
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
])
