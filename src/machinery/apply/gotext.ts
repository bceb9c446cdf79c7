/** How Go prints and orders what stands in paths and messages. */
import { goQuote } from '../quote.ts'

/** Bytewise order of the UTF-8 forms of two strings, as Go compares strings. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    // Surrogates stand for code points above all others of 16 bits.
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

const ESCAPED = /[<>&\u2028\u2029]/g
const NEEDS_ESCAPE = /[<>&\u2028\u2029]/

/** JSON text as Go writes it: HTML characters are escaped, members stand in order. */
export function goJson(value: unknown): string {
  const text = stable(value)
  if (!NEEDS_ESCAPE.test(text)) return text
  return text.replace(ESCAPED, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`
  if (isMap(value)) {
    const members = Object.keys(value)
      .sort(compareText)
      .map((key) => `${JSON.stringify(key)}:${stable(value[key])}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/** A JSON object; not a list, not a number that only raw JSON can hold. */
export function isMap(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}

/** A string, number or boolean. */
export function isScalar(value: unknown): boolean {
  return value !== null && value !== undefined && (typeof value !== 'object' || JSON.isRawJSON(value))
}

/** `%v` of decoded JSON. */
export function goPlain(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goPlain).join(' ')}]`
  if (isMap(value)) {
    const members = Object.keys(value)
      .sort(compareText)
      .map((key) => `${key}:${goPlain(value[key])}`)
    return `map[${members.join(' ')}]`
  }
  return typeof value === 'string' ? value : numberOr(value)
}

/** `%#v` of decoded JSON. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[]interface {}{${value.map(goElement).join(', ')}}`
  if (isMap(value)) {
    const members = Object.keys(value)
      .sort(compareText)
      .map((key) => `${goQuote(key)}:${goElement(value[key])}`)
    return `map[string]interface {}{${members.join(', ')}}`
  }
  return typeof value === 'string' ? goQuote(value) : numberOr(value)
}

function goElement(value: unknown): string {
  return value === null ? 'interface {}(nil)' : goSyntax(value)
}

/** `%T` of decoded JSON. */
export function goTypeName(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (isMap(value)) return 'map[string]interface {}'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  return /^-?\d+$/.test(JSON.stringify(value)) ? 'int64' : 'float64'
}

/** A boolean, or a number as `%v` of an int64 or float64 has it. */
function numberOr(value: unknown): string {
  const text = JSON.stringify(value)
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return text
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
  if (exponent >= -5 && exponent < 21) return text
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}
