/** Arithmetic of ints and unsigned ints, with Go's overflows. */
import type { Int } from './values.ts'
import { Double, Failure, MAX_INT, MAX_UINT, MIN_INT, Uint, normal } from './values.ts'

const OVERFLOW = 'integer overflow'
const UINT_OVERFLOW = 'unsigned integer overflow'

export function checkedInt(value: bigint): Int | Failure {
  return value >= MIN_INT && value <= MAX_INT ? normal(value) : new Failure(OVERFLOW)
}

export function checkedUint(value: bigint): Uint | Failure {
  return value >= 0n && value <= MAX_UINT ? new Uint(value) : new Failure(UINT_OVERFLOW)
}

export function addInts(a: Int, b: Int): Int | Failure {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return checkedInt(BigInt(a) + BigInt(b))
}

export function subtractInts(a: Int, b: Int): Int | Failure {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return checkedInt(BigInt(a) - BigInt(b))
}

export function multiplyInts(a: Int, b: Int): Int | Failure {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b
    // No negative zero: it would not be the int 0.
    if (Number.isSafeInteger(product)) return product === 0 ? 0 : product
  }
  return checkedInt(BigInt(a) * BigInt(b))
}

export function divideInts(a: Int, b: Int): Int | Failure {
  if (b === 0) return new Failure('division by zero')
  if (typeof a === 'number' && typeof b === 'number') {
    const quotient = Math.trunc(a / b)
    // The rounding of the division may step over an integer beyond 2^53 only.
    if (Math.abs(a) < 2 ** 51) return quotient === 0 ? 0 : quotient
  }
  return checkedInt(BigInt(a) / BigInt(b))
}

export function moduloInts(a: Int, b: Int): Int | Failure {
  if (b === 0) return new Failure('modulus by zero')
  if (typeof a === 'number' && typeof b === 'number') {
    const rest = a % b
    return rest === 0 ? 0 : rest
  }
  if (BigInt(a) === MIN_INT && BigInt(b) === -1n) return new Failure(OVERFLOW)
  return normal(BigInt(a) % BigInt(b))
}

export function negateInt(a: Int): Int | Failure {
  if (typeof a === 'number') return a === 0 ? 0 : -a
  return checkedInt(-a)
}

export function doubleToInt(value: number): Int | Failure {
  if (!Number.isFinite(value) || value <= -(2 ** 63) || value >= 2 ** 63) return new Failure(OVERFLOW)
  const whole = Math.trunc(value)
  return Number.isSafeInteger(whole) ? (whole === 0 ? 0 : whole) : BigInt(whole)
}

export function doubleToUint(value: number): Uint | Failure {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) return new Failure(UINT_OVERFLOW)
  return new Uint(BigInt(Math.trunc(value)))
}

/** An integer beside a double is compared as a double, unless the double is beyond all integers of that kind. */
function beside(value: Int | Uint | Double, other: Int | Uint | Double): Int {
  const plain = value instanceof Uint || value instanceof Double ? value.value : value
  return typeof plain === 'bigint' && other instanceof Double && Math.abs(other.value) < 2 ** 64 ? Number(plain) : plain
}

/** Compares numbers of any kind; undefined when one is not a number at all (NaN). */
export function compareNumbers(a: Int | Uint | Double, b: Int | Uint | Double): number | undefined {
  const x = beside(a, b)
  const y = beside(b, a)
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : undefined // oxlint-disable-line eqeqeq -- bigint and number
}

export function isNumber(value: unknown): value is Int | Uint | Double {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Double || value instanceof Uint
}
