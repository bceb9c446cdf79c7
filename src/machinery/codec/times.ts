/** Times as metav1.Time and metav1.MicroTime read and write them. */
import { DecodeError } from './error.ts'

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/
const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const TIME_LAYOUT = '2006-01-02T15:04:05Z07:00'
const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00'

/** Go's zero time, which JSON has as null. */
const ZERO_SECONDS = -62_135_596_800

/** A moment: whole seconds since 1970, and nanoseconds within the second. */
export interface Moment {
  readonly seconds: number
  readonly nanos: number
}

/**
 * Canonical metav1.Time: UTC, whole seconds; `null` for the zero time.
 * @throws DecodeError
 */
export function canonicalTime(text: string): string | null {
  // Nearly all times that clients send are canonical already.
  if (SECONDS.test(text) && inRange(text)) return text.startsWith('0001-01-01T00:00:00') ? null : text
  const moment = parseMoment(text, TIME_LAYOUT)
  return moment.seconds === ZERO_SECONDS && moment.nanos === 0 ? null : formatTime(moment.seconds)
}

/**
 * Canonical metav1.MicroTime: UTC with six digits, which the input must have as well; `null` for the zero time.
 * @throws DecodeError
 */
export function canonicalMicroTime(text: string): string | null {
  const moment = parseMoment(text, MICRO_LAYOUT)
  return moment.seconds === ZERO_SECONDS && moment.nanos === 0 ? null : formatMicroTime(moment)
}

/** `2006-01-02T15:04:05Z` */
export function formatTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}

/** `2006-01-02T15:04:05.000000Z` */
export function formatMicroTime({ seconds, nanos }: Moment): string {
  const micros = String(Math.floor(nanos / 1000)).padStart(6, '0')
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${micros}Z`
}

/** Any RFC 3339 time with Go's layout rules. @throws DecodeError */
export function parseMoment(text: string, layout: string = TIME_LAYOUT): Moment {
  const m = TIME.exec(text)
  if (m === null) throw wrongTime(text, layout, firstMismatch(text))
  const fraction = m[7]
  if (layout === MICRO_LAYOUT && fraction?.length !== 7) {
    throw wrongTime(text, layout, [text.slice(19), '.000000'])
  }
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(m[i])) as Six
  if (month < 1 || month > 12) throw outOfRange(text, 'month')
  if (day < 1 || day > daysIn(year, month)) throw outOfRange(text, 'day')
  if (hour > 23) throw outOfRange(text, 'hour')
  if (minute > 59) throw outOfRange(text, 'minute')
  if (second > 59) throw outOfRange(text, 'second')
  const date = new Date(0)
  // Date.UTC would take years below 100 for years of the twentieth century.
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const nanos = fraction === undefined ? 0 : Number(fraction.slice(1, 10).padEnd(9, '0'))
  return { seconds: date.getTime() / 1000 - offsetSeconds(m[8]!, text), nanos }
}

type Six = [number, number, number, number, number, number]

function inRange(text: string): boolean {
  const part = (at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48
  const month = part(5)
  const day = part(8)
  return month >= 1 && month <= 12 && day >= 1 && day <= 28 && part(11) < 24 && part(14) < 60 && part(17) < 60
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function offsetSeconds(zone: string, text: string): number {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4))
  if (hours > 24) throw outOfRange(text, 'time zone offset hour')
  if (minutes > 60) throw outOfRange(text, 'time zone offset minute')
  return (zone.startsWith('-') ? -60 : 60) * (hours * 60 + minutes)
}

const PARTS: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}/, '2006'],
  [/^-/, '-'],
  [/^\d\d/, '01'],
  [/^-/, '-'],
  [/^\d\d/, '02'],
  [/^T/, 'T'],
  [/^\d\d/, '15'],
  [/^:/, ':'],
  [/^\d\d/, '04'],
  [/^:/, ':'],
  [/^\d\d(?:[.,]\d+)?/, '05'],
  [/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00'],
]

/** What is left of the text where it stops fitting, and the part of the layout it should fit. */
function firstMismatch(text: string): readonly [string, string] {
  let rest = text
  for (const [pattern, part] of PARTS) {
    const m = pattern.exec(rest)
    if (m === null) return [rest, part]
    rest = rest.slice(m[0].length)
  }
  return [rest, '']
}

function wrongTime(text: string, layout: string, [rest, part]: readonly [string, string]): DecodeError {
  const start = `parsing time ${JSON.stringify(text)}`
  if (part === '') return new DecodeError(`${start}: extra text: ${JSON.stringify(rest)}`)
  return new DecodeError(`${start} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${part}"`)
}

function outOfRange(text: string, what: string): DecodeError {
  return new DecodeError(`parsing time ${JSON.stringify(text)}: ${what} out of range`)
}
