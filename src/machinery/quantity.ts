/**
 * Quantities (`500m`, `1Gi`, `12e6`): exact arithmetic and canonical text as `apimachinery/pkg/api/resource` has them.
 *
 * A quantity is an integer number of nanos; what is finer is rounded away from zero when read, as upstream does.
 */

/** How the canonical text writes the number. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

export interface Quantity {
  /** The value times 10^9. */
  readonly nanos: bigint
  readonly format: QuantityFormat
  /** The text that it was read from, where that counts as canonical. */
  readonly text?: string
}

/** Longer texts are refused: no sane quantity is that long, and big numbers cost time. */
const MAX_TEXT = 128
/** Exponents beyond ±this are refused for the same reason. */
const MAX_EXPONENT = 1000
const MAX_BINARY = ((1n << 63n) - 1n) * 1_000_000_000n

const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]))
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/

function suffixOf(text: string): { base: 2 | 10; exponent: number; format: QuantityFormat } | undefined {
  if (Object.hasOwn(DECIMAL, text)) return { base: 10, exponent: DECIMAL[text]!, format: 'DecimalSI' }
  if (Object.hasOwn(BINARY, text)) return { base: 2, exponent: BINARY[text]!, format: 'BinarySI' }
  if (!/^[eE][-+]?[0-9]+$/.test(text)) return undefined
  const exponent = Number(text.slice(1))
  return Math.abs(exponent) <= MAX_EXPONENT ? { base: 10, exponent, format: 'DecimalExponent' } : undefined
}

/** Divides and rounds away from zero. */
function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by
  if (quotient * by === value) return quotient
  return value < 0n ? quotient - 1n : quotient + 1n
}

/** Reads a quantity; `undefined` when the text is none. */
export function parseQuantity(text: string): Quantity | undefined {
  if (text.length === 0 || text.length > MAX_TEXT) return undefined
  const match = SHAPE.exec(text)
  if (match === null) return undefined
  // No digits at all count as zero (`m`, `.`), as upstream reads them.
  const [, sign, whole = '', fraction = '', suffix = ''] = match
  const unit = suffixOf(suffix)
  if (unit === undefined) return undefined
  let digits = BigInt(whole + fraction)
  if (sign === '-') digits = -digits
  const scale = 9 - fraction.length + (unit.base === 10 ? unit.exponent : 0)
  if (unit.base === 2) digits <<= BigInt(unit.exponent)
  let nanos = scale >= 0 ? digits * 10n ** BigInt(scale) : divideUp(digits, 10n ** BigInt(-scale))
  let { format } = unit
  if (format === 'BinarySI') {
    const size = nanos < 0n ? -nanos : nanos
    if (size > MAX_BINARY) nanos = nanos < 0n ? -MAX_BINARY : MAX_BINARY
    if (size < NANO && size > 0n) format = 'DecimalSI'
  }
  return keepsText(whole, fraction, unit) ? { nanos, format, text } : { nanos, format }
}

const NANO = 1_000_000_000n

/** Whether upstream's short path keeps the text as it is (`1.500` and `0500m` stay), which clients then read back. */
function keepsText(whole: string, fraction: string, unit: { exponent: number; format: QuantityFormat }): boolean {
  const digits = whole.replace(/^0+/, '')
  const shifted = (digits === '' ? '0' : digits) + fraction
  if (unit.format === 'BinarySI') {
    const room = 14 - (shifted.length - fraction.length) - Math.floor((unit.exponent * 3) / 10)
    return fraction === '' && room >= 0 && (BigInt(shifted) & 7n) !== 0n
  }
  const scale = unit.exponent - fraction.length
  return shifted.length <= 18 && scale >= -9 && scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0')
}

/** Canonical text: the largest suffix that leaves no fraction. */
export function formatQuantity({ nanos, format, text }: Quantity): string {
  if (text !== undefined) return text
  if (nanos === 0n) return '0'
  const size = nanos < 0n ? -nanos : nanos
  if (format === 'BinarySI' && size >= 1024n * NANO && nanos % NANO === 0n) {
    let value = nanos / NANO
    let step = 0
    while (step < BINARY_SUFFIXES.length - 1 && value % 1024n === 0n) {
      value /= 1024n
      step++
    }
    return `${value}${BINARY_SUFFIXES[step]!}`
  }
  let value = nanos
  let exponent = -9
  while ((exponent < 18 || format === 'DecimalExponent') && value % 1000n === 0n) {
    value /= 1000n
    exponent += 3
  }
  if (format === 'DecimalExponent') return exponent === 0 ? String(value) : `${value}e${exponent}`
  return `${value}${DECIMAL_SUFFIXES.get(exponent)!}`
}

/** The canonical form of a text, or `undefined` when it is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = parseQuantity(text)
  return quantity === undefined ? undefined : formatQuantity(quantity)
}

/** -1, 0 or 1. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
}

/** The sum, in the format of the first unless that is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format }
}

/** The difference, in the format of the first unless that is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format }
}

/** Whole units, rounded away from zero. */
export function quantityValue(q: Quantity): bigint {
  return divideUp(q.nanos, NANO)
}

/** Thousandths, rounded away from zero. */
export function quantityMilli(q: Quantity): bigint {
  return divideUp(q.nanos, 1_000_000n)
}

/** -1, 0 or 1. */
export function signOf(q: Quantity): -1 | 0 | 1 {
  return q.nanos < 0n ? -1 : q.nanos > 0n ? 1 : 0
}

/** A whole number of units. */
export function quantityOf(value: bigint | number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nanos: BigInt(value) * NANO, format }
}
