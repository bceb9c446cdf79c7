/** `'%s is %d'.format([…])`, as version 1 of cel-go's formatter prints in English. */
import type { Context } from '../context.ts'
import { goFloat } from '../gotext.ts'
import type { Implementation } from '../overload.ts'
import { typeName } from '../overload.ts'
import { goQuote } from '../../quote.ts'
import { formatDuration, formatTimestamp, plainDecimal } from '../time.ts'
import { Bytes, CelMap, Double, Duration, Failure, List, Timestamp, TypeValue, Uint, isInt } from '../values.ts'

const DEFAULT_PRECISION = 6
/** Digits that are really asked for; upstream has no limit here, and prints zeros. */
const MAX_PRECISION = 1000

/** What a clause cannot print. */
class ClauseError extends Error {}

export const CLAUSE_WORDS = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
} as const
export type ClauseKind = keyof typeof CLAUSE_WORDS

function refuse(kind: ClauseKind, value: unknown): never {
  throw new ClauseError(`${CLAUSE_WORDS[kind]}, was given ${typeName(value)}`)
}

export interface Clause {
  readonly kind: ClauseKind
  readonly upper: boolean
  readonly precision: number | undefined
  readonly length: number
}

/** Reads a clause after its `%`; a text when it is none. */
export function readClause(text: string, at: number): Clause | string {
  let i = at
  let precision: number | undefined
  if (text[i] === '.') {
    const [digits = ''] = /^\d*/.exec(text.slice(i + 1, i + 40)) ?? []
    i += 1 + digits.length
    if (i >= text.length) return 'error while parsing precision: could not find end of precision specifier'
    if (digits === '') {
      return 'error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax'
    }
    precision = Number(digits)
    if (precision > Number.MAX_SAFE_INTEGER) {
      return `error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "${digits}": value out of range`
    }
  }
  const letter = text[i]!
  const kind = letter === 'X' ? 'x' : letter
  if (!Object.hasOwn(CLAUSE_WORDS, kind)) return `unrecognized formatting clause "${letter}"`
  return { kind: kind as ClauseKind, upper: letter === 'X', precision, length: i + 1 - at }
}

/** A value inside a list or a map. */
function nested(c: Context, value: unknown): string {
  c.labour(15)
  if (isInt(value)) return String(value)
  if (value instanceof Uint) return String(value.value)
  if (typeof value === 'string') return quoted(c, value)
  if (value instanceof Bytes) return `b${quoted(c, bytesText(value))}`
  if (value instanceof Timestamp) return `timestamp(${goQuote(formatTimestamp(value))})`
  if (value instanceof Duration) return `duration(${goQuote(formatDuration(value))})`
  if (value instanceof Double) {
    return Number.isFinite(value.value) ? fixed(value.value, DEFAULT_PRECISION) : `"${plainDecimal(value.value)}"`
  }
  if (value instanceof List || value instanceof CelMap) return textOf(c, value)
  if (typeof value === 'boolean' || value === null || value instanceof TypeValue) return textOf(c, value)
  throw new ClauseError(`no formatting function for ${typeName(value)}`)
}

function quoted(c: Context, text: string): string {
  c.labour(text.length)
  return goQuote(text)
}

function bytesText(value: Bytes): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.value)
  } catch {
    throw new ClauseError('could not convert argument "invalid UTF-8 in bytes, cannot convert to string" to string')
  }
}

function listText(c: Context, list: List): string {
  const parts: string[] = []
  for (let i = 0; i < list.length; i++) parts.push(nested(c, list.at(i)))
  return `[${parts.join(', ')}]`
}

function mapText(c: Context, map: CelMap): string {
  const pairs = map.keys().map((key): [string, string] => {
    if (typeof key !== 'string' && typeof key !== 'boolean' && !isInt(key) && !(key instanceof Uint)) {
      throw new ClauseError(`no formatting function for map key of type ${typeName(key)}`)
    }
    return [nested(c, key), nested(c, map.get(key))]
  })
  pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${pairs.map(([key, value]) => `${key}:${value}`).join(', ')}}`
}

/** `%s`. */
function textOf(c: Context, value: unknown): string {
  if (typeof value === 'string') return value
  if (isInt(value) || typeof value === 'boolean') return String(value)
  if (value === null) return 'null'
  if (value instanceof List) return listText(c, value)
  if (value instanceof CelMap) return mapText(c, value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Double) return goFloat(value.value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Bytes) return bytesText(value)
  if (value instanceof TypeValue) return value.name
  return refuse('s', value)
}

function numberOf(kind: 'f' | 'e', value: unknown): number {
  if (value instanceof Double) return value.value
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  return refuse(kind, value)
}

/** Thousands are parted by commas, as English has it. */
function english(text: string): string {
  const [whole = '', fraction] = text.split('.')
  const parted = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? parted : `${parted}.${fraction}`
}

function special(value: number): string | undefined {
  return Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? undefined : value < 0 ? '-∞' : '∞'
}

/** A double is a whole number times a power of two. */
function parts(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const power = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  return power === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: power - 1075 }
}

/** Exact decimal digits, halves to even. */
function fixed(value: number, precision: number): string {
  const { mantissa, exponent } = parts(value)
  let scaled = mantissa * 10n ** BigInt(precision)
  if (exponent >= 0) scaled <<= BigInt(exponent)
  else {
    const half = 1n << BigInt(-exponent - 1)
    const rest = scaled & (2n * half - 1n)
    scaled >>= BigInt(-exponent)
    if (rest > half || (rest === half && (scaled & 1n) === 1n)) scaled += 1n
  }
  const digits = String(scaled).padStart(precision + 1, '0')
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const whole = digits.slice(0, digits.length - precision)
  return precision === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-precision)}`
}

/** Six digits always: upstream takes the precision for the width. */
function scientific(value: number, width: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential(6).split('e')
  const power = String(Math.abs(Number(exponent))).padStart(2, '0')
  const raised = Array.from(power, (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]!).join('')
  return `${mantissa}×10${Number(exponent) < 0 ? '⁻' : ''}${raised}`.padStart(width)
}

function integerOf(kind: ClauseKind, value: unknown): bigint {
  if (isInt(value)) return BigInt(value)
  return value instanceof Uint ? value.value : refuse(kind, value)
}

function hex(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Bytes) return Buffer.from(value.value).toString('hex')
  return integerOf('x', value).toString(16)
}

function print(c: Context, { kind, upper, precision = DEFAULT_PRECISION }: Clause, value: unknown): string {
  switch (kind) {
    case 's':
      return textOf(c, value)
    case 'd':
      return String(integerOf(kind, value))
    case 'f': {
      const number = numberOf(kind, value)
      // Hundreds of digits before the point are as dear as behind it.
      if (Math.abs(number) > 1e21) c.labour(10_000)
      return special(number) ?? english(fixed(number, precision))
    }
    case 'e': {
      const number = numberOf(kind, value)
      return special(number) ?? scientific(number, precision)
    }
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : integerOf(kind, value).toString(2)
    case 'o':
      return integerOf(kind, value).toString(8)
    case 'x':
      return upper ? hex(value).toUpperCase() : hex(value)
  }
}

export const format: Implementation = (c, text: string, args: List) => {
  c.labour(text.length >> 3)
  let out = ''
  let next = 0
  let last = 0
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', last)) {
    out += text.slice(last, at)
    if (text[at + 1] === '%') {
      out += '%'
      last = at + 2
      continue
    }
    if (next >= args.length) return new Failure(`index ${next} out of range`)
    if (at + 1 >= text.length) return new Failure('unexpected end of string')
    const clause = readClause(text, at + 1)
    if (typeof clause === 'string') return new Failure(`could not parse formatting clause: ${clause}`)
    if ((clause.precision ?? 0) > MAX_PRECISION) return new Failure('precision too large')
    const digits = clause.kind === 'f' || clause.kind === 'e' ? 100 + (clause.precision ?? 0) * 20 : 0
    c.labour(digits)
    try {
      const shown = print(c, clause, args.at(next++))
      c.labour(20 + shown.length / 8)
      out += shown
    } catch (error) {
      if (!(error instanceof ClauseError)) throw error
      return new Failure(`error during formatting: ${error.message}`)
    }
    last = at + 1 + clause.length
  }
  return out + text.slice(last)
}
