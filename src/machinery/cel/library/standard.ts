/** Functions of the language: sizes, conversions, texts, times. */
import type { Context } from '../context.ts'
import { doubleToInt, doubleToUint, checkedUint } from '../numbers.ts'
import { goFloat } from '../gotext.ts'
import type { Implementation, Overload } from '../overload.ts'
import { overload, typeName } from '../overload.ts'
import { compileRegex } from '../regex.ts'
import { runes } from '../strings.ts'
import {
  dayOfYear,
  formatDuration,
  formatTimestamp,
  localDate,
  offsetAt,
  inRange,
  parseGoDuration,
  parseTimestamp,
  timestampOfSeconds,
} from '../time.ts'
import {
  Bytes,
  CelMap,
  Double,
  Duration,
  Failure,
  List,
  MAX_INT,
  MAX_UINT,
  MIN_INT,
  Timestamp,
  TypeValue,
  Uint,
  normal,
} from '../values.ts'

const NO_SUCH_OVERLOAD = new Failure('no such overload')
const free = { unguarded: true }

function size(c: Context, value: unknown): unknown {
  if (typeof value === 'string') return runes(c, value)
  if (value instanceof List) return value.length
  if (value instanceof CelMap) {
    const count = value.size
    c.labour(count * 10)
    return count
  }
  if (value instanceof Bytes) return value.value.length
  const receives = value instanceof Timestamp || value instanceof Duration
  return receives ? NO_SUCH_OVERLOAD : new Failure('no such overload: size')
}

function cannot(to: string): Failure {
  return new Failure(`type conversion error from 'string' to '${to}'`)
}

/** `strconv.ParseInt` in base 10. */
function parseInteger(text: string, low: bigint, high: bigint): bigint | undefined {
  if (!/^[+-]?\d{1,40}$/.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= low && value <= high ? value : undefined
}

function stringToInt(_: Context, text: string): unknown {
  if (text.length < 16 && /^-?\d+$/.test(text)) return Number(text) + 0
  const value = parseInteger(text, MIN_INT, MAX_INT)
  return value === undefined ? cannot('int') : normal(value)
}

function stringToUint(_: Context, text: string): unknown {
  const value = /^\d/.test(text) ? parseInteger(text, 0n, MAX_UINT) : undefined
  return value === undefined ? cannot('uint') : new Uint(value)
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d{1,5})$/
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
])

/** `strconv.ParseFloat`. */
function stringToDouble(c: Context, text: string): unknown {
  c.labour(text.length >> 2)
  const special = SPECIAL.get(text.toLowerCase().replace(/^[+-](?!nan)/, ''))
  if (special !== undefined) return new Double(text.startsWith('-') ? -special : special)
  const hex = HEXADECIMAL.exec(text)
  if (hex !== null && hex[2]! + hex[3]! !== '' && text.length < 64) {
    const [, sign, whole = '', fraction = '', power] = hex
    const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(power) - 4 * fraction.length)
    return new Double(sign === '-' ? -value : value)
  }
  if (!DECIMAL.test(text)) return cannot('double')
  const value = Number(text)
  return Number.isFinite(value) ? new Double(value) : cannot('double')
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

function stringToBool(_: Context, text: string): unknown {
  return TRUE.has(text) ? true : FALSE.has(text) ? false : cannot('bool')
}

function stringToDuration(c: Context, text: string): unknown {
  c.labour(60)
  return parseGoDuration(text) ?? cannot('google.protobuf.Duration')
}

function stringToTimestamp(c: Context, text: string): unknown {
  c.labour(60)
  const made = parseTimestamp(text)
  if (made === undefined) return cannot('google.protobuf.Timestamp')
  return inRange(made.seconds) ? made : new Failure('timestamp overflow')
}

function bytesToString(c: Context, bytes: Bytes): unknown {
  c.labour(bytes.value.length >> 4)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.value)
  } catch {
    return new Failure('invalid UTF-8 in bytes, cannot convert to string')
  }
}

const same: Implementation = (_, value) => value

const CONVERSIONS: readonly Overload[] = [
  overload('type', 'type', '(A): type(A)', (_, value) => new TypeValue(typeName(value))),
  overload('bool', 'bool_to_bool', '(bool): bool', same),
  overload('bool', 'string_to_bool', '(string): bool', stringToBool),
  overload('bytes', 'bytes_to_bytes', '(bytes): bytes', same),
  overload('bytes', 'string_to_bytes', '(string): bytes', (c, text: string) => {
    c.labour(text.length >> 4)
    return new Bytes(new TextEncoder().encode(text))
  }),
  overload('double', 'double_to_double', '(double): double', same),
  overload('double', 'int64_to_double', '(int): double', (_, value) => new Double(Number(value))),
  overload('double', 'string_to_double', '(string): double', stringToDouble),
  overload('double', 'uint64_to_double', '(uint): double', (_, value: Uint) => new Double(Number(value.value))),
  overload('duration', 'duration_to_duration', '(duration): duration', same),
  overload('duration', 'string_to_duration', '(string): duration', stringToDuration),
  overload('dyn', 'to_dyn', '(A): dyn', same),
  overload('int', 'int64_to_int64', '(int): int', same),
  overload('int', 'double_to_int64', '(double): int', (_, value: Double) => doubleToInt(value.value)),
  overload('int', 'duration_to_int64', '(duration): int', (_, value: Duration) => normal(value.ns)),
  overload('int', 'string_to_int64', '(string): int', stringToInt),
  overload('int', 'timestamp_to_int64', '(timestamp): int', (_, value: Timestamp) => value.seconds),
  overload('int', 'uint64_to_int64', '(uint): int', (_, { value }: Uint) =>
    value > MAX_INT ? new Failure('integer overflow') : normal(value),
  ),
  overload('string', 'string_to_string', '(string): string', same),
  overload('string', 'bool_to_string', '(bool): string', (_, value) => String(value)),
  overload('string', 'bytes_to_string', '(bytes): string', bytesToString),
  overload('string', 'double_to_string', '(double): string', (_, value: Double) => goFloat(value.value)),
  overload('string', 'duration_to_string', '(duration): string', (_, value: Duration) => formatDuration(value)),
  overload('string', 'int64_to_string', '(int): string', (_, value) => String(value)),
  overload('string', 'timestamp_to_string', '(timestamp): string', (_, value: Timestamp) => formatTimestamp(value)),
  overload('string', 'uint64_to_string', '(uint): string', (_, value: Uint) => String(value.value)),
  overload('timestamp', 'timestamp_to_timestamp', '(timestamp): timestamp', same),
  overload('timestamp', 'int64_to_timestamp', '(int): timestamp', (_, value) => timestampOfSeconds(value)),
  overload('timestamp', 'string_to_timestamp', '(string): timestamp', stringToTimestamp),
  overload('uint', 'uint64_to_uint64', '(uint): uint', same),
  overload('uint', 'double_to_uint64', '(double): uint', (_, value: Double) => doubleToUint(value.value)),
  overload('uint', 'int64_to_uint64', '(int): uint', (_, value) => checkedUint(BigInt(value))),
  overload('uint', 'string_to_uint64', '(string): uint', stringToUint),
]

function textual(test: (text: string, part: string) => boolean): Implementation {
  return (c, text: unknown, part: unknown) => {
    if (typeof text !== 'string' || typeof part !== 'string') return NO_SUCH_OVERLOAD
    c.labour((text.length + part.length) >> 4)
    return test(text, part)
  }
}

function matches(c: Context, text: unknown, pattern: unknown): unknown {
  if (typeof text !== 'string') {
    const receives = text instanceof Timestamp || text instanceof Duration
    return receives ? NO_SUCH_OVERLOAD : new Failure('no such overload: matches')
  }
  if (typeof pattern !== 'string') return NO_SUCH_OVERLOAD
  const regex = compileRegex(pattern, c)
  return regex instanceof Failure ? regex : regex.test(c, text)
}

const TEXTS: readonly Overload[] = [
  ...(
    [
      ['bytes', 'bytes'],
      ['list', 'list(A)'],
      ['map', 'map(A, B)'],
      ['string', 'string'],
    ] as const
  ).flatMap(([id, type]) => [
    overload('size', `size_${id}`, `(${type}): int`, size, free),
    overload('size', `${id}_size`, `${type}.(): int`, size, free),
  ]),
  overload(
    'contains',
    'contains_string',
    'string.(string): bool',
    textual((a, b) => a.includes(b)),
    free,
  ),
  overload(
    'endsWith',
    'ends_with_string',
    'string.(string): bool',
    textual((a, b) => a.endsWith(b)),
    free,
  ),
  overload(
    'startsWith',
    'starts_with_string',
    'string.(string): bool',
    textual((a, b) => a.startsWith(b)),
    free,
  ),
  overload('matches', 'matches', '(string, string): bool', matches, free),
  overload('matches', 'matches_string', 'string.(string): bool', matches, free),
]

/** A field of a date in a time zone, UTC unless one is named. */
function field(read: (date: Date, nanos: number) => number): Implementation {
  return (c, t: Timestamp, zone?: string) => {
    let offset: number | Failure = 0
    if (zone !== undefined) {
      c.labour(2000)
      offset = offsetAt(t, zone)
      if (offset instanceof Failure) return offset
    }
    return read(localDate(t, offset), t.nanos)
  }
}

const FIELDS: readonly (readonly [string, string, Implementation])[] = [
  ['getFullYear', 'year', field((d) => d.getUTCFullYear())],
  ['getMonth', 'month', field((d) => d.getUTCMonth())],
  ['getDayOfYear', 'day_of_year', field(dayOfYear)],
  ['getDayOfMonth', 'day_of_month', field((d) => d.getUTCDate() - 1)],
  ['getDate', 'day_of_month_1_based', field((d) => d.getUTCDate())],
  ['getDayOfWeek', 'day_of_week', field((d) => d.getUTCDay())],
  ['getHours', 'hours', field((d) => d.getUTCHours())],
  ['getMinutes', 'minutes', field((d) => d.getUTCMinutes())],
  ['getSeconds', 'seconds', field((d) => d.getUTCSeconds())],
  ['getMilliseconds', 'milliseconds', field((_, nanos) => Math.trunc(nanos / 1e6))],
]
const SPANS: readonly (readonly [string, string, bigint])[] = [
  ['getHours', 'hours', 3_600_000_000_000n],
  ['getMinutes', 'minutes', 60_000_000_000n],
  ['getSeconds', 'seconds', 1_000_000_000n],
  ['getMilliseconds', 'milliseconds', 1_000_000n],
]

const TIMES: readonly Overload[] = [
  ...FIELDS.flatMap(([name, id, run]) => [
    overload(name, `timestamp_to_${id}`, 'timestamp.(): int', run),
    overload(name, `timestamp_to_${id}_with_tz`, 'timestamp.(string): int', run),
  ]),
  ...SPANS.map(([name, id, unit]) =>
    overload(name, `duration_to_${id}`, 'duration.(): int', (_, value: Duration) => normal(value.ns / unit)),
  ),
]

export const STANDARD: readonly Overload[] = [...CONVERSIONS, ...TEXTS, ...TIMES]
