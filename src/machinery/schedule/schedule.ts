/**
 * Cron schedules as Kubernetes reads them: minute, hour, day of month, month, day of week; `*`, `?`, lists, ranges,
 * steps and names; `@hourly` and its kin, `@every 1h30m`; before all, for old objects, `TZ=` with a zone.
 */
import { offsetAt } from './zone.ts'

/** What each field allows, by its number. */
interface Fields {
  readonly minute: Allowed
  readonly hour: Allowed
  readonly day: Allowed
  readonly month: Allowed
  readonly weekday: Allowed
  /** The zone that the text names. */
  readonly zone?: string
}

interface Allowed {
  readonly numbers: ReadonlySet<number>
  /** `*`: days of the other field decide alone. */
  readonly any: boolean
}

export type Schedule = { readonly fields: Fields } | { readonly every: number }

/** `problem` is worded as clients know it. */
export type Parsed = { readonly schedule: Schedule } | { readonly problem: string }

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MINUTE: Bounds = { min: 0, max: 59 }
const HOUR: Bounds = { min: 0, max: 23 }
const DAY: Bounds = { min: 1, max: 31 }
const MONTH: Bounds = { min: 1, max: 12, names: MONTHS }
const WEEKDAY: Bounds = { min: 0, max: 6, names: WEEKDAYS }

const MACROS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

class Problem extends Error {}

export function parseSchedule(text: string): Parsed {
  try {
    return { schedule: read(text) }
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message }
    throw error
  }
}

function read(text: string): Schedule {
  if (text === '') throw new Problem('empty spec string')
  const zoned = /^(?:CRON_)?TZ=([^ ]*)(?: +(.*))?$/s.exec(text)
  if (zoned !== null) {
    const [, zone = '', rest] = zoned
    if (rest === undefined) throw new Problem('invalid schedule format: a schedule must follow the time zone')
    const schedule = read(rest)
    return 'fields' in schedule ? { fields: { ...schedule.fields, zone } } : schedule
  }
  if (text.startsWith('@every ')) return { every: every(text) }
  const macro = MACROS.get(text)
  if (macro === undefined && text.startsWith('@')) throw new Problem(`unrecognized descriptor: ${text}`)
  const parts = (macro ?? text).split(/\s+/).filter((part) => part !== '')
  if (parts.length !== 5) {
    throw new Problem(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`)
  }
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts
  return {
    fields: {
      minute: field(minute, MINUTE),
      hour: field(hour, HOUR),
      day: field(day, DAY),
      month: field(month, MONTH),
      weekday: field(weekday, WEEKDAY),
    },
  }
}

function field(text: string, bounds: Bounds): Allowed {
  const numbers = new Set<number>()
  let any = false
  for (const part of text.split(',')) if (part !== '' && range(part, bounds, numbers)) any = true
  return { numbers, any }
}

/** Adds what a range allows; whether it is `*`. */
function range(text: string, bounds: Bounds, numbers: Set<number>): boolean {
  const [span = '', stepText, ...more] = text.split('/')
  const ends = span.split('-')
  const star = ends[0] === '*' || ends[0] === '?'
  if (!star && ends.length > 2) throw new Problem(`too many hyphens: ${text}`)
  const start = star ? bounds.min : numberOrName(ends[0]!, bounds)
  let end = star ? bounds.max : ends[1] === undefined ? start : numberOrName(ends[1], bounds)
  if (more.length > 0) throw new Problem(`too many slashes: ${text}`)
  const step = stepText === undefined ? 1 : number(stepText)
  if (stepText !== undefined && ends.length === 1) end = bounds.max
  if (start < bounds.min) throw new Problem(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`)
  if (end > bounds.max) throw new Problem(`end of range (${end}) above maximum (${bounds.max}): ${text}`)
  if (start > end) throw new Problem(`beginning of range (${start}) beyond end of range (${end}): ${text}`)
  if (step === 0) throw new Problem(`step of range should be a positive number: ${text}`)
  for (let i = start; i <= end; i += step) numbers.add(i)
  return star && step === 1
}

function numberOrName(text: string, { min, names }: Bounds): number {
  const at = names?.indexOf(text.toLowerCase()) ?? -1
  return at >= 0 ? min + at : number(text)
}

function number(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw new Problem(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw new Problem(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`,
    )
  }
  if (value < 0) throw new Problem(`negative number (${value}) not allowed: ${text}`)
  return value
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Milliseconds of `@every <duration>`: whole seconds, at least one. */
function every(text: string): number {
  const duration = text.slice('@every '.length)
  const unsigned = /^[+-]/.test(duration) ? duration.slice(1) : duration
  let total = 0
  let rest = unsigned
  while (rest !== '' && rest !== '0') {
    const match = /^(?=\.?[0-9])([0-9]{0,18}(?:\.[0-9]{0,18})?)(ns|us|µs|μs|ms|s|m|h)/.exec(rest)
    if (match === null) break
    total += Number(match[1]) * UNITS[match[2]!]!
    rest = rest.slice(match[0].length)
  }
  if (unsigned === '' || (rest !== '' && unsigned !== '0')) {
    throw new Problem(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`)
  }
  return duration.startsWith('-') ? 1000 : Math.max(1000, Math.floor(total / 1000) * 1000)
}

const MINUTES = 60_000
const HOURS = 60 * MINUTES
const DAYS = 24 * HOURS
/** What does not come within five years never comes. */
const HORIZON = 5 * 366 * DAYS

/**
 * The first moment after `after` (milliseconds) whose local time the schedule allows; undefined when there is none in
 * five years. A local time that a change of clocks leaves out does not come that day, one that it repeats comes twice.
 *
 * `zone`: an IANA name; one in the schedule itself goes first.
 */
export function nextTime(schedule: Schedule, after: number, zone = 'UTC'): number | undefined {
  if ('every' in schedule) return Math.floor(after / 1000) * 1000 + schedule.every
  const { fields } = schedule
  const where = fields.zone ?? zone
  let time = Math.floor(after / MINUTES) * MINUTES + MINUTES
  const end = time + HORIZON
  while (time < end) {
    const offset = offsetAt(where, time)
    const local = new Date(time + offset)
    const wait = untilAllowed(fields, local)
    if (wait === 0) return time
    // A change of clocks on the way: in smaller steps, so that nothing is jumped over.
    const steps = [wait, untilHour(local), MINUTES]
    time += wait > DAYS ? wait : (steps.find((step) => offsetAt(where, time + step) === offset) ?? MINUTES)
  }
  return undefined
}

/** Milliseconds until the local time may be allowed; 0 when it is. Over a day: a change of clocks does not matter. */
function untilAllowed({ minute, hour, day, month, weekday }: Fields, local: Date): number {
  if (!month.numbers.has(local.getUTCMonth() + 1)) {
    const last = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 0)).getUTCDate()
    const left = last - local.getUTCDate()
    return left > 2 ? (left - 1) * DAYS : untilDay(local)
  }
  const days = day.numbers.has(local.getUTCDate())
  const weekdays = weekday.numbers.has(local.getUTCDay())
  if (!(day.any || weekday.any ? days && weekdays : days || weekdays)) return untilDay(local)
  if (!hour.numbers.has(local.getUTCHours())) return untilHour(local)
  return minute.numbers.has(local.getUTCMinutes()) ? 0 : MINUTES
}

function untilDay(local: Date): number {
  return DAYS - (local.getTime() - Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()))
}

function untilHour(local: Date): number {
  return (60 - local.getUTCMinutes()) * MINUTES
}
