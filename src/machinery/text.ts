/**
 * The JSON text of a value that two steps of one write need. Only the last one is kept: nothing is held for longer than
 * until the next.
 */
let value: object | undefined
let text = ''

/** `JSON.stringify` of a value that nobody changes before it is encoded. */
export function jsonText(of: object): string {
  if (of !== value) {
    text = JSON.stringify(of)
    value = of
  }
  return text
}

/** The text, if it was made last; it is forgotten then. */
export function takeText(of: unknown): string | undefined {
  if (of !== value || value === undefined) return undefined
  value = undefined
  return text
}
