/** JSON scalars as Go reads and writes them. Each throws DecodeError; where the text needs a path, it returns `undefined`. */
import { canonicalQuantity } from '../quantity.ts'
import { DecodeError } from './error.ts'
import { isRawNumber } from './json.ts'

const MAX_INT32 = 2_147_483_647
const MIN_INT32 = -2_147_483_648

/** Whether a number fits an int32. */
export function isInt32(value: number): boolean {
  return (value | 0) === value && value <= MAX_INT32 && value >= MIN_INT32
}

/** Whether a JSON value is an int64: a safe integer, or raw JSON, which only the range of int64 becomes. */
export function isInt64(value: unknown): boolean {
  return Number.isSafeInteger(value) || isRawNumber(value)
}

/** The lower 32 bits of an int64. */
export function cutToInt32(value: unknown): number {
  return Number(BigInt.asIntN(32, BigInt(isRawNumber(value) ? value.rawJSON : (value as number))))
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Standard base64 with padding, as Go's `[]byte` reads it (line breaks are skipped). @throws DecodeError */
export function canonicalBase64(text: string): string {
  const compact = text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, '') : text
  if (!BASE64.test(compact) || compact.length % 4 !== 0) {
    throw new DecodeError(`illegal base64 data at input byte ${firstIllegal(compact)}`)
  }
  // The last digit before padding may carry bits that no byte has; Go drops them.
  return compact.endsWith('=') ? Buffer.from(compact, 'base64').toString('base64') : compact
}

/** Where Go stops reading: the first character that fits nowhere, else the start of the last, incomplete quantum. */
function firstIllegal(text: string): number {
  const digits = /^[A-Za-z0-9+/]*/.exec(text)![0].length
  const inQuantum = digits % 4
  if (digits === text.length) return digits - inQuantum
  if (text[digits] !== '=' || inQuantum < 2) return digits
  if (inQuantum === 3) return digits + 1
  return text[digits + 1] === '=' ? digits + 2 : digits + 1
}

const NO_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/** Canonical texts of short quantities, which repeat all the time. */
const known = new Map<string, string>()
const MAX_KNOWN = 4096
const MAX_KNOWN_LENGTH = 16

/** @throws DecodeError */
export function normalQuantity(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && !isRawNumber(value)) throw new DecodeError(NO_QUANTITY)
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : value.rawJSON
  const seen = known.get(text)
  if (seen !== undefined) return seen
  const canonical = canonicalQuantity(text.trim())
  if (canonical === undefined) throw new DecodeError(NO_QUANTITY)
  if (text.length <= MAX_KNOWN_LENGTH) {
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(text, canonical)
  }
  return canonical
}
