/** `'%s is %d'.format([…])`, as version 1 of cel-go's formatter prints in English. */
import type { Context } from '../context.ts'
import type { Implementation } from '../overload.ts'
import { typeName } from '../overload.ts'
import { goQuote } from '../strings.ts'
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
  c.labour(5)
  if (isInt(value)) return String(value)
  if (value instanceof Uint) return String(value.value)
  if (typeof value === 'string') return quoted(c, value)
  if (value instanceof Bytes) return `b${quoted(c, bytesText(value))}`
  if (value instanceof Timestamp) return `timestamp(${goQuote(formatTimestamp(value))})`
  if (value instanceof Duration) return `duration(${goQuote(formatDuration(value))})`
  if (value instanceof Double) {
    return Number.isFinite(value.value) ? value.value.toFixed(DEFAULT_PRECISION) : `"${plainDecimal(value.value)}"`
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
  if (value instanceof Double) return plainDecimal(value.value)
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

/** Exact decimal digits: doubles are fractions of powers of two. */
function fixed(value: number, precision: number): string {
  if (precision <= 20 && Math.abs(value) < 1e21) return value.toFixed(precision)
  const digits = Math.min(precision, 100)
  const text =
    Math.abs(value) < 1e21 ? value.toFixed(digits) : plainDecimal(value) + (digits > 0 ? `.${'0'.repeat(digits)}` : '')
  return text + '0'.repeat(precision - digits)
}

function scientific(value: number, precision: number): string {
  const digits = Math.min(precision, 100)
  const [mantissa = '', exponent = '0'] = value.toExponential(digits).split('e')
  const power = Math.abs(Number(exponent))
  const zeros = '0'.repeat(precision - digits)
  const raised = Array.from(String(power), (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]!).join('')
  return `${mantissa}${zeros}\u202f×\u202f10${Number(exponent) < 0 ? '⁻' : ''}${power < 10 ? '⁰' : ''}${raised}`
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
    try {
      const shown = print(c, clause, args.at(next++))
      c.labour(20 + ((clause.precision ?? 0) + shown.length) / 4)
      out += shown
    } catch (error) {
      if (!(error instanceof ClauseError)) throw error
      return new Failure(`error during formatting: ${error.message}`)
    }
    last = at + 1 + clause.length
  }
  return out + text.slice(last)
}
