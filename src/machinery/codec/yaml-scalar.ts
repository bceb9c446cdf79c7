/** What an untagged plain YAML scalar means to go-yaml v2. */
import { DecodeError } from './error.ts'

const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...cases(['y', 'yes', 'true', 'on'], true),
  ...cases(['n', 'no', 'false', 'off'], false),
  ...cases(['', '~', 'null'], null),
])
const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
/** As Go's strconv.ParseInt with base 0 has it, once underscores are gone. */
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/

/** `true`, `True` and `TRUE`, and so on. */
function cases(words: readonly string[], value: boolean | null): [string, boolean | null][] {
  return words.flatMap((word) => [
    [word, value] as [string, boolean | null],
    [word.charAt(0).toUpperCase() + word.slice(1), value] as [string, boolean | null],
    [word.toUpperCase(), value] as [string, boolean | null],
  ])
}

/**
 * The JSON value of a plain scalar: null, boolean, number (raw JSON where a double would not do) or string.
 * @throws DecodeError for infinities, which JSON does not have.
 */
export function resolvePlain(text: string): unknown {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  const first = text.charCodeAt(0)
  const digit = first >= 0x30 && first <= 0x39
  if (!digit && first !== 0x2e && first !== 0x2b && first !== 0x2d) return text
  if (NOT_FINITE.test(text)) throw new DecodeError(`json: unsupported value: ${goInfinity(text)}`)
  const plain = first === 0x2e ? text : text.replaceAll('_', '')
  const integer = INTEGER.exec(plain)
  if (integer !== null) return integerValue(integer)
  if (!FLOAT.test(plain)) return text
  const value = Number(plain)
  if (Number.isFinite(value)) return value
  return text
}

/** Digits, with their prefix, of any number that has 64 bits: more of them are zeros in front or a number that has more. */
const MAX_EXACT = 1000

function integerValue([, sign, hex, binary, octal, decimal]: RegExpExecArray): unknown {
  let text = decimal!
  if (hex !== undefined) text = `0x${hex}`
  else if (binary !== undefined) text = `0b${binary}`
  else if (octal !== undefined) text = `0o${octal}`
  // Reading them exactly takes the square of their number.
  if (text.length > MAX_EXACT) return sign === '-' ? -Number(text) : Number(text)
  const size = BigInt(text)
  const exact = sign === '-' ? -size : size
  const value = Number(exact)
  if (Number.isSafeInteger(value)) return value
  return BigInt.asIntN(64, exact) === exact ? JSON.rawJSON(String(exact)) : value
}

function goInfinity(text: string): string {
  if (/nan$/i.test(text)) return 'NaN'
  return text.startsWith('-') ? '-Inf' : '+Inf'
}
