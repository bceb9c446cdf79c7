/** Local time in the zones of the IANA data base. */

const FORMATS = new Map<string, Intl.DateTimeFormat | undefined>()
/** Zones are tenants' text: only so many are remembered. */
const REMEMBERED = 256

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (FORMATS.has(zone)) return FORMATS.get(zone)
  let format: Intl.DateTimeFormat | undefined
  try {
    // Offsets such as `+01` are no names.
    if (/^[A-Za-z]/.test(zone)) format = new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone: zone })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  if (FORMATS.size >= REMEMBERED) FORMATS.clear()
  FORMATS.set(zone, format)
  return format
}

const FIELDS: Intl.DateTimeFormatOptions = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  era: 'short',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
}

/** Whether there is a time zone of this name. */
export function isZone(zone: string): boolean {
  return formatOf(zone) !== undefined
}

/** Milliseconds that local time is ahead of UTC at a moment. An unknown zone counts as UTC. */
export function offsetAt(zone: string, milliseconds: number): number {
  if (zone === 'UTC') return 0
  const format = formatOf(zone)
  if (format === undefined) return 0
  const whole = Math.floor(milliseconds / 1000) * 1000
  const fields = new Map<string, number>()
  for (const { type, value } of format.formatToParts(whole)) fields.set(type, Number(value))
  const get = (type: string): number => fields.get(type) ?? 0
  return Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second')) - whole
}
