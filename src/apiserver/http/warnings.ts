/** Warning headers: `299 - "text"`, escaped, without repeats, bounded. */

const TOTAL = 4096
const SHORT = 256
/** Characters of a text of a Warning header, with what stands around it. */
const SHORTEST = 9

/** Control characters and what cannot stand in a header become spaces; quotes and backslashes are escaped. */
function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  const clean = text.replace(/[\u0000-\u001f\u007f]+/g, ' ')
  return `"${clean.replace(/[\\"]/g, (c) => `\\${c}`)}"`
}

/** Header values are latin-1 bytes to Node: UTF-8 goes out as its bytes. */
const asHeader = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** The value of the Warning header, undefined for none. Beyond 4 KiB in all, texts are cut to 256 characters, then dropped. */
export function warningHeader(texts: readonly string[]): string | undefined {
  if (texts.length === 0) return undefined
  const unique = new Set<string>()
  let total = 0
  for (const text of texts) {
    if (unique.has(text)) continue
    unique.add(text)
    total += text.length
    // What follows has no room.
    if (total > TOTAL && unique.size > TOTAL / SHORTEST) break
  }
  const parts: string[] = []
  let size = 0
  for (const text of unique) {
    const part = `299 - ${quoted(total > TOTAL ? Array.from(text).slice(0, SHORT).join('') : text)}`
    size += part.length
    if (size > TOTAL && parts.length > 0) break
    parts.push(part)
  }
  return asHeader(parts.join(', '))
}
