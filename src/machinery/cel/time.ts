/** Durations and moments: Go's texts and arithmetic. */
import { Duration, Failure, Timestamp } from './values.ts'

const MIN_SECONDS = -62135596800
const MAX_SECONDS = 253402300799
const SECOND = 1_000_000_000n
const LIMIT = 2n ** 63n
/** Longer texts are no duration that anybody means; Go would read them, slowly. */
const MAX_TEXT = 1024

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
}
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y

/** `time.ParseDuration`; undefined for what is none. */
export function parseGoDuration(text: string): Duration | undefined {
  if (text.length === 0 || text.length > MAX_TEXT) return undefined
  const negative = text.startsWith('-')
  let at = negative || text.startsWith('+') ? 1 : 0
  if (text.slice(at) === '0') return new Duration(0n)
  if (at === text.length) return undefined
  let total = 0n
  while (at < text.length) {
    PART.lastIndex = at
    const found = PART.exec(text)
    if (found === null) return undefined
    const [all, whole = '', fraction = '', unit = ''] = found
    if (whole === '' && fraction === '') return undefined
    const scale = UNITS[unit]!
    total += BigInt(whole === '' ? '0' : whole) * scale
    if (fraction !== '') total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
    if (total > LIMIT) return undefined
    at += all.length
  }
  if (negative) return new Duration(-total)
  return total < LIMIT ? new Duration(total) : undefined
}

const WORDS: readonly (readonly [bigint, readonly string[]])[] = [
  [1n, ['ns', 'nano']],
  [1000n, ['us', 'µs', 'micro']],
  [1_000_000n, ['ms', 'milli']],
  [SECOND, ['s', 'sec']],
  [60n * SECOND, ['m', 'min']],
  [3600n * SECOND, ['h', 'hr', 'hour']],
  [86400n * SECOND, ['d', 'day']],
  [604800n * SECOND, ['w', 'wk', 'week']],
]

/** A string of format `duration`: Go's durations, and `3 days`. */
export function parseDuration(text: string): Duration | Failure {
  const plain = parseGoDuration(text)
  if (plain !== undefined) return plain
  let total = 0n
  let found = false
  for (const [, count, word] of text.slice(0, MAX_TEXT).matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const unit = word!.toLowerCase()
    for (const [scale, names] of WORDS) {
      if (!names.some((name, i) => unit === name || (i === names.length - 1 && unit.startsWith(name)))) continue
      found = true
      total += BigInt(count!) * scale
    }
  }
  return found
    ? new Duration(BigInt.asIntN(64, total))
    : new Failure(`Invalid duration ${text}: unable to parse ${text} as duration`)
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:(Z)|([+-])(\d\d):(\d\d))$/
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?$/
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/

function daysIn(year: number, month: number): number {
  return month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : [4, 6, 9, 11].includes(month)
      ? 30
      : 31
}

function timestamp(found: RegExpExecArray, offset: number): Timestamp | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const nanos = Number((found[7] ?? '').slice(0, 9).padEnd(9, '0'))
  return new Timestamp(date.getTime() / 1000 - offset, nanos, offset)
}

/** RFC 3339 as Go reads it. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const found = RFC3339.exec(text)
  if (found === null) return undefined
  const [, , , , , , , , zulu, sign, hours, minutes] = found
  if (zulu !== undefined) return timestamp(found, 0)
  if (Number(hours) > 24 || Number(minutes) > 60) return undefined
  return timestamp(found, (sign === '-' ? -60 : 60) * (Number(hours) * 60 + Number(minutes)))
}

/** A string of format `date-time` or `date`. */
export function fromDateTime(text: string): Timestamp | Failure {
  const moment = parseTimestamp(text)
  if (moment !== undefined) return moment
  const found = LOCAL.exec(text) ?? DATE.exec(text)
  const local = found === null ? undefined : timestamp(found, 0)
  return local ?? new Failure(`Invalid date-time formatted string ${text}`)
}

export function inRange(seconds: number): boolean {
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** `2006-01-02T15:04:05.999999999Z07:00`. */
export function formatTimestamp(t: Timestamp): string {
  const d = new Date((t.seconds + t.offset) * 1000)
  const fraction = t.nanos === 0 ? '' : `.${pad(t.nanos, 9).replace(/0+$/, '')}`
  const minutes = Math.trunc(Math.abs(t.offset) / 60)
  const zone =
    t.offset === 0 ? 'Z' : `${t.offset < 0 ? '-' : '+'}${pad(Math.trunc(minutes / 60), 2)}:${pad(minutes % 60, 2)}`
  return (
    `${pad(d.getUTCFullYear(), 4)}-${pad(d.getUTCMonth() + 1, 2)}-${pad(d.getUTCDate(), 2)}` +
    `T${pad(d.getUTCHours(), 2)}:${pad(d.getUTCMinutes(), 2)}:${pad(d.getUTCSeconds(), 2)}${fraction}${zone}`
  )
}

/** Seconds as a decimal without an exponent, with an `s`. */
export function formatDuration(d: Duration): string {
  // Go goes through a float64, which rounds long durations.
  const whole = Number(d.ns / SECOND)
  const seconds = whole + Number(d.ns % SECOND) / 1e9
  return `${plainDecimal(seconds)}s`
}

/** `strconv.FormatFloat(x, 'f', -1, 64)`. */
export function plainDecimal(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value < 0 ? '-Inf' : '+Inf'
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const found = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (found === null) return text
  const [, sign, whole = '', fraction = '', exponent] = found
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

const TIMESTAMP_OVERFLOW = 'timestamp overflow'

export function addDuration(t: Timestamp, ns: bigint): Timestamp | Failure {
  let seconds = t.seconds + Number(ns / SECOND)
  let nanos = t.nanos + Number(ns % SECOND)
  if (nanos < 0) {
    nanos += 1e9
    seconds -= 1
  } else if (nanos >= 1e9) {
    nanos -= 1e9
    seconds += 1
  }
  return inRange(seconds) ? new Timestamp(seconds, nanos, t.offset) : new Failure(TIMESTAMP_OVERFLOW)
}

export function timestampOfSeconds(seconds: number | bigint): Timestamp | Failure {
  const value = Number(seconds)
  return inRange(value) ? new Timestamp(value, 0) : new Failure(TIMESTAMP_OVERFLOW)
}

export function between(a: Timestamp, b: Timestamp): Duration | Failure {
  const ns = (BigInt(a.seconds) - BigInt(b.seconds)) * SECOND + BigInt(a.nanos - b.nanos)
  return checkedDuration(ns)
}

export function checkedDuration(ns: bigint): Duration | Failure {
  return ns >= -LIMIT && ns < LIMIT ? new Duration(ns) : new Failure('integer overflow')
}

/** Seconds east of UTC at a moment. */
export function offsetAt(t: Timestamp, zone: string): number | Failure {
  const colon = zone.indexOf(':')
  if (colon === -1) return namedOffset(t, zone)
  const hours = goInt(zone.slice(0, colon))
  if (hours instanceof Failure) return hours
  const minutes = goInt(zone.slice(colon + 1))
  if (minutes instanceof Failure) return minutes
  return (zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes) * 60
}

function goInt(text: string): number | Failure {
  if (!/^[+-]?\d+$/.test(text)) return new Failure(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = Number(text)
  return Number.isSafeInteger(value)
    ? value
    : new Failure(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`)
}

/** Formatters by zone: making one takes 0.1 ms. */
const zones = new Map<string, Intl.DateTimeFormat | null>()
const MAX_ZONES = 600
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/

function zoneFormat(zone: string): Intl.DateTimeFormat | null {
  const known = zones.get(zone)
  if (known !== undefined) return known
  let made: Intl.DateTimeFormat | null = null
  if (zone.length <= 64 && ZONE_NAME.test(zone)) {
    try {
      made = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset', era: 'short' })
    } catch {
      // Not a zone.
    }
  }
  if (zones.size >= MAX_ZONES) zones.clear()
  if (made !== null) zones.set(zone, made)
  return made
}

function namedOffset(t: Timestamp, zone: string): number | Failure {
  if (zone === '' || zone === 'UTC') return 0
  const format = zoneFormat(zone)
  if (format === null) return new Failure(`unknown time zone ${zone}`)
  const name = format.formatToParts(t.seconds * 1000).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT'
  const found = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name)
  if (found === null || found[1] === undefined) return 0
  const seconds = Number(found[2]) * 3600 + Number(found[3]) * 60 + Number(found[4] ?? 0)
  return found[1] === '-' ? -seconds : seconds
}

/** A timestamp's date and time in a zone, as a date whose UTC fields they are. */
export function localDate(t: Timestamp, offset: number): Date {
  return new Date((t.seconds + offset) * 1000)
}

export function dayOfYear(d: Date): number {
  const start = new Date(0)
  start.setUTCFullYear(d.getUTCFullYear(), 0, 1)
  return Math.floor((d.getTime() - start.getTime()) / 86_400_000)
}
