/** Quantities: `quantity('1.5Gi')`. */
import type { Quantity } from '../../quantity.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityOf,
  signOf,
  subtractQuantities,
} from '../../quantity.ts'
import type { Context } from '../context.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import type { Int } from '../values.ts'
import { Double, Failure, MAX_INT, MIN_INT, Opaque, normal } from '../values.ts'

/** Go's small representation: an int64 times a power of ten. Integers are told from it alone. */
interface Amount {
  readonly value: bigint
  readonly scale: number
}

export class QuantityValue extends Opaque {
  readonly type = 'kubernetes.Quantity'
  readonly quantity: Quantity
  readonly amount: Amount | undefined
  constructor(quantity: Quantity, amount: Amount | undefined) {
    super()
    this.quantity = quantity
    this.amount = amount
  }
  override equals(other: QuantityValue): boolean {
    return this.quantity.nanos === other.quantity.nanos
  }
  override toString(): string {
    return formatQuantity(this.quantity)
  }
}

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

function isInt64(value: bigint): boolean {
  return value >= MIN_INT && value <= MAX_INT
}

/** The small representation of a text; undefined when Go takes the large one. */
function amountOf(text: string): Amount | undefined {
  const [, sign, whole = '', fraction = '', suffix = ''] = SHAPE.exec(text) ?? []
  const digits = whole.replace(/^0+/, '')
  const number = digits === '' ? '0' : digits
  let mantissa = 1n
  let precision: number
  let scale = 0
  if (Object.hasOwn(BINARY, suffix)) {
    const exponent = BINARY[suffix]!
    if (fraction !== '') return undefined
    mantissa = 1n << BigInt(exponent)
    precision = 15 - number.length - Math.trunc((exponent * 3) / 10) - 1
  } else {
    scale = Object.hasOwn(DECIMAL, suffix) ? DECIMAL[suffix]! : Number(suffix.slice(1))
    precision = 18 - (number.length + fraction.length)
  }
  scale -= fraction.length
  if (precision < 0 || scale < -9) return undefined
  const value = BigInt(number + fraction) * mantissa
  if (!isInt64(value)) return undefined
  return { value: sign === '-' ? -value : value, scale }
}

const NOT_SHAPED = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

function read(c: Context, text: string): unknown {
  c.labour(150)
  const quantity = parseQuantity(text)
  if (quantity !== undefined) return new QuantityValue(quantity, amountOf(text))
  return new Failure(text !== '' && SHAPE.test(text) ? "unable to parse quantity's suffix" : NOT_SHAPED)
}

function sumOf(a: Amount | undefined, b: Amount | undefined): Amount | undefined {
  if (a === undefined || b === undefined) return undefined
  if (a.value === 0n) return b
  const scale = Math.min(a.scale, b.scale)
  if (a.value === 0n || b.value === 0n) return b.value === 0n ? a : b
  if (Math.max(a.scale, b.scale) - scale > 40) return undefined
  const value = a.value * 10n ** BigInt(a.scale - scale) + b.value * 10n ** BigInt(b.scale - scale)
  return isInt64(value) ? { value, scale } : undefined
}

function sum(c: Context, a: QuantityValue, b: QuantityValue): QuantityValue {
  c.labour(100)
  return new QuantityValue(addQuantities(a.quantity, b.quantity), sumOf(a.amount, b.amount))
}

function difference(c: Context, a: QuantityValue, b: QuantityValue): QuantityValue {
  c.labour(100)
  const negated = b.amount === undefined ? undefined : { value: -b.amount.value, scale: b.amount.scale }
  return new QuantityValue(subtractQuantities(a.quantity, b.quantity), sumOf(a.amount, negated))
}

function ofInt(value: Int): QuantityValue {
  return new QuantityValue(quantityOf(value, 'DecimalExponent'), { value: BigInt(value), scale: 0 })
}

/** The whole number, when the small representation is one. */
function integerOf({ amount }: QuantityValue): bigint | undefined {
  if (amount === undefined || amount.scale < 0 || amount.scale > 19) return undefined
  const value = amount.value * 10n ** BigInt(amount.scale)
  return isInt64(value) ? value : undefined
}

function approximate({ quantity, amount }: QuantityValue): Double {
  const { value, scale } = amount ?? { value: quantity.nanos, scale: -9 }
  return new Double(scale === 0 ? Number(value) : Number(value) * Number(`1e${scale}`))
}

const QUANTITY = 'kubernetes.Quantity'

export const QUANTITIES: readonly Overload[] = [
  overload('quantity', 'string_to_quantity', `(string): ${QUANTITY}`, read),
  overload('isQuantity', 'is_quantity_string', '(string): bool', (c, text: string) => {
    c.labour(150)
    return parseQuantity(text) !== undefined
  }),
  overload('sign', 'quantity_sign', `(${QUANTITY}): int`, (_, q: QuantityValue) => signOf(q.quantity)),
  overload(
    'isGreaterThan',
    'quantity_is_greater_than',
    `${QUANTITY}.(${QUANTITY}): bool`,
    (_, a: QuantityValue, b: QuantityValue) => compareQuantities(a.quantity, b.quantity) === 1,
  ),
  overload(
    'isLessThan',
    'quantity_is_less_than',
    `${QUANTITY}.(${QUANTITY}): bool`,
    (_, a: QuantityValue, b: QuantityValue) => compareQuantities(a.quantity, b.quantity) === -1,
  ),
  overload(
    'compareTo',
    'quantity_compare_to',
    `${QUANTITY}.(${QUANTITY}): int`,
    (_, a: QuantityValue, b: QuantityValue) => compareQuantities(a.quantity, b.quantity),
  ),
  overload('asApproximateFloat', 'quantity_get_float', `${QUANTITY}.(): double`, (_, q: QuantityValue) =>
    approximate(q),
  ),
  overload('asInteger', 'quantity_get_int', `${QUANTITY}.(): int`, (_, q: QuantityValue) => {
    const value = integerOf(q)
    return value === undefined ? new Failure('cannot convert value to integer') : normal(value)
  }),
  overload(
    'isInteger',
    'quantity_is_integer',
    `${QUANTITY}.(): bool`,
    (_, q: QuantityValue) => integerOf(q) !== undefined,
  ),
  overload('add', 'quantity_add', `${QUANTITY}.(${QUANTITY}): ${QUANTITY}`, (c, a: QuantityValue, b: QuantityValue) =>
    sum(c, a, b),
  ),
  overload('add', 'quantity_add_int', `${QUANTITY}.(int): ${QUANTITY}`, (c, a: QuantityValue, b: Int) =>
    sum(c, a, ofInt(b)),
  ),
  overload('sub', 'quantity_sub', `${QUANTITY}.(${QUANTITY}): ${QUANTITY}`, (c, a: QuantityValue, b: QuantityValue) =>
    difference(c, a, b),
  ),
  overload('sub', 'quantity_sub_int', `${QUANTITY}.(int): ${QUANTITY}`, (c, a: QuantityValue, b: Int) =>
    difference(c, a, ofInt(b)),
  ),
]
