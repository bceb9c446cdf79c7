/**
 * YAML text of what JSON can hold. All strings are in double quotes, since readers of YAML 1.1 take `y`, `on` and `0777`
 * for something else; keys only where they must be.
 */

const PLAIN_KEY = /^[A-Za-z][\w./-]*$/
/** What YAML 1.1 reads as a boolean or null. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i

/** The text of a value, with a newline at its end. `indent` spaces stand before each line but the first. */
export function writeYaml(value: unknown, indent = 0): string {
  const out: string[] = []
  write(out, value, indent, '')
  return out.join('')
}

/** `lead` is what separates the value from what is before it on its line. */
function write(out: string[], value: unknown, indent: number, lead: string): void {
  if (typeof value !== 'object' || value === null) {
    out.push(lead, scalar(value), '\n')
  } else if (Array.isArray(value)) {
    writeList(out, value, indent, lead)
  } else {
    writeMap(out, value as Record<string, unknown>, indent, lead)
  }
}

function writeList(out: string[], list: readonly unknown[], indent: number, lead: string): void {
  if (list.length === 0) {
    out.push(lead, '[]\n')
    return
  }
  const margin = ' '.repeat(indent)
  if (lead !== '') out.push('\n')
  for (const [i, item] of list.entries()) {
    if (i > 0 || lead !== '') out.push(margin)
    out.push('-')
    writeItem(out, item, indent + 2)
  }
}

/** Behind a dash, a map or list begins on the same line. */
function writeItem(out: string[], item: unknown, indent: number): void {
  if (typeof item !== 'object' || item === null || isEmpty(item)) return write(out, item, indent, ' ')
  out.push(' ')
  write(out, item, indent, '')
}

function writeMap(out: string[], map: Record<string, unknown>, indent: number, lead: string): void {
  const margin = ' '.repeat(indent)
  let first = true
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined) continue
    if (first && lead !== '') out.push('\n')
    if (!first || lead !== '') out.push(margin)
    first = false
    out.push(keyOf(key), ':')
    // Items of a list stand under their key.
    write(out, value, Array.isArray(value) ? indent : indent + 2, ' ')
  }
  if (first) out.push(lead, '{}\n')
}

const isEmpty = (value: object): boolean =>
  Array.isArray(value) ? value.length === 0 : Object.values(value).every((each) => each === undefined)

function keyOf(key: string): string {
  return PLAIN_KEY.test(key) && !WORDS.test(key) ? key : scalar(key)
}

function scalar(value: unknown): string {
  // JSON's strings are YAML's, but for some characters that YAML wants escaped.
  if (typeof value === 'string')
    return JSON.stringify(value).replaceAll(
      /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  return JSON.stringify(value) ?? 'null'
}
