/** What string and bytes literals stand for. */

/** Control characters, by the letter that stands for them after a backslash. */
export const CONTROLS: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** The text between the quotes of a literal, without its `b`, and whether it is raw. */
function inner(literal: string): { text: string; raw: boolean } {
  const raw = /^[rR]/.test(literal)
  const quoted = (raw ? literal.slice(1) : literal).replaceAll(/\r\n?/g, '\n')
  const long = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''"))
  return { text: long ? quoted.slice(3, -3) : quoted.slice(1, -1), raw }
}

const ESCAPE = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7][0-7])|([^]))/g

/** @returns the text, or an error of upstream */
export function unescapeString(literal: string): { value: string } | { error: string } {
  const { text, raw } = inner(literal)
  if (raw || !text.includes('\\')) return { value: text }
  let error: string | undefined
  const value = text.replaceAll(ESCAPE, (_, x?: string, u?: string, long?: string, octal?: string, plain?: string) => {
    if (plain !== undefined) return CONTROLS[plain] ?? plain
    const point = octal === undefined ? Number.parseInt((x ?? u ?? long)!, 16) : Number.parseInt(octal, 8)
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      error = 'invalid unicode code point'
      return ''
    }
    return String.fromCodePoint(point)
  })
  return error === undefined ? { value } : { error }
}

export function unescapeBytes(literal: string): { value: Uint8Array } | { error: string } {
  const { text, raw } = inner(literal)
  const encoder = new TextEncoder()
  if (raw || !text.includes('\\')) return { value: encoder.encode(text) }
  const parts: Uint8Array[] = []
  let last = 0
  for (const found of text.matchAll(ESCAPE)) {
    const [all, x, u, long, octal, plain] = found
    if (u !== undefined || long !== undefined) return { error: 'unable to unescape string' }
    parts.push(encoder.encode(text.slice(last, found.index)))
    if (plain === undefined)
      parts.push(Uint8Array.of((x === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(x, 16)) & 255))
    else parts.push(encoder.encode(CONTROLS[plain] ?? plain))
    last = found.index + all.length
  }
  parts.push(encoder.encode(text.slice(last)))
  return { value: Buffer.concat(parts) }
}
