import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextTime, parseSchedule, type Schedule } from './schedule.ts'
import { isZone, offsetAt } from './zone.ts'

function schedule(text: string): Schedule {
  const parsed = parseSchedule(text)
  if ('problem' in parsed) throw new Error(parsed.problem)
  return parsed.schedule
}

const next = (text: string, after: string, zone?: string): string | undefined => {
  const time = nextTime(schedule(text), Date.parse(after), zone)
  return time === undefined ? undefined : new Date(time).toISOString().replace(':00.000Z', 'Z')
}

const times: readonly [text: string, after: string, expected: string | undefined, zone?: string][] = [
  ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01Z'],
  ['*/15 * * * *', '2026-01-01T00:45:00Z', '2026-01-01T01:00Z'],
  ['5/20 * * * *', '2026-01-01T00:06:00Z', '2026-01-01T00:25Z'],
  ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00Z'],
  ['0 0 30 2 *', '2026-01-01T00:00:00Z', undefined],
  ['0 12 1 * mon', '2026-01-02T00:00:00Z', '2026-01-05T12:00Z'],
  ['0 12 ? * Fri', '2026-01-02T13:00:00Z', '2026-01-09T12:00Z'],
  ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00Z'],
  ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00Z'],
  ['@every 90s', '2026-01-01T00:00:30Z', '2026-01-01T00:02Z'],
  ['30 2 * * *', '2026-03-29T00:00:00Z', '2026-03-30T00:30Z', 'Europe/Berlin'],
  ['30 2 * * *', '2026-10-25T00:00:00Z', '2026-10-25T00:30Z', 'Europe/Berlin'],
  ['30 2 * * *', '2026-10-25T00:31:00Z', '2026-10-25T01:30Z', 'Europe/Berlin'],
  ['0 0 * * *', '2026-01-01T12:00:00Z', '2026-01-01T18:30Z', 'Asia/Kolkata'],
  ['TZ=Asia/Tokyo 0 9 * * *', '2026-01-01T00:00:30Z', '2026-01-02T00:00Z', 'Europe/Berlin'],
]
for (const [text, after, expected, zone] of times) {
  test(`after ${after} in ${zone ?? 'UTC'}: ${text}`, () => assert.equal(next(text, after, zone), expected))
}

const problems: readonly [text: string, problem: string][] = [
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['5-2 * * * *', 'beginning of range (5) beyond end of range (2): 5-2'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ['@never', 'unrecognized descriptor: @never'],
  ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
  ['', 'empty spec string'],
]
for (const [text, problem] of problems) {
  test(`refused: ${text}`, () => assert.deepEqual(parseSchedule(text), { problem }))
}

test('zones', () => {
  assert.equal(isZone('Europe/Berlin'), true)
  for (const none of ['Mars/Base', '', '+01:00', '+01']) assert.equal(isZone(none), false)
  assert.equal(offsetAt('America/New_York', Date.parse('2026-07-01T00:00:00Z')), -4 * 3_600_000)
})

/** Texts of a field whose numbers are the set given, so that the twin needs no parser. */
function fieldOf(min: number, max: number): fc.Arbitrary<{ text: string; has: (n: number) => boolean; any: boolean }> {
  return fc.oneof(
    fc.constant({ text: '*', has: () => true, any: true }),
    fc.integer({ min: 1, max: max - min }).map((step) => ({
      text: `*/${step}`,
      has: (n: number) => (n - min) % step === 0,
      any: step === 1,
    })),
    fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map((list) => ({
      text: list.join(','),
      has: (n: number) => list.includes(n),
      any: false,
    })),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => ({
      text: `${Math.min(a, b)}-${Math.max(a, b)}`,
      has: (n: number) => n >= Math.min(a, b) && n <= Math.max(a, b),
      any: false,
    })),
  )
}

/** Moments shortly before clocks change, and any others. */
const moments = fc
  .oneof(
    fc.constantFrom('2026-03-29T00:10:00Z', '2026-10-24T23:30:00Z', '2026-03-08T06:00:00Z', '2026-11-01T04:59:00Z'),
    fc.constantFrom('2026-04-04T14:00:00Z', '2026-10-03T15:00:00Z', '2026-02-28T22:22:22Z'),
  )
  .map((text) => Date.parse(text))

test('is what a search minute by minute finds', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu')
  const days = fc.oneof(fieldOf(1, 31), fc.constant({ text: '*', has: () => true, any: true }))
  const weekdays = fc.oneof(fieldOf(0, 6), fc.constant({ text: '*', has: () => true, any: true }))
  const property = fc.property(
    fieldOf(0, 59),
    fieldOf(0, 23),
    days,
    weekdays,
    zones,
    moments,
    fc.integer({ min: 0, max: 7200 }),
    (minute, hour, day, weekday, zone, moment, seconds) => {
      const after = moment + seconds * 1000
      const text = `${minute.text} ${hour.text} ${day.text} * ${weekday.text}`
      const found = nextTime(schedule(text), after, zone)
      const horizon = after + 36 * 3_600_000
      let twin: number | undefined
      for (let time = Math.floor(after / 60_000) * 60_000 + 60_000; time <= horizon; time += 60_000) {
        const local = new Date(time + offsetAt(zone, time))
        const onDay = day.has(local.getUTCDate())
        const onWeekday = weekday.has(local.getUTCDay())
        const dayFits = day.any || weekday.any ? onDay && onWeekday : onDay || onWeekday
        if (dayFits && hour.has(local.getUTCHours()) && minute.has(local.getUTCMinutes())) {
          twin = time
          break
        }
      }
      if (twin === undefined) assert.ok(found === undefined || found > horizon, text)
      else assert.equal(found, twin, `${text} in ${zone} after ${new Date(after).toISOString()}`)
    },
  )
  fc.assert(property, { numRuns: 150 })
})
