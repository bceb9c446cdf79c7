import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooLate, jobName, scheduleOf, timingOf, zonedTimestamp, type CronJob } from './timing.ts'

function cron(schedule: string, created: string, more: Partial<CronJob['spec']> = {}, last?: string): CronJob {
  return {
    metadata: { name: 'c', namespace: 'n', creationTimestamp: created },
    spec: { schedule, jobTemplate: { spec: { template: { spec: { containers: [] } } } }, ...more },
    ...(last === undefined ? {} : { status: { lastScheduleTime: last } }),
  }
}

function timing(of: CronJob, now: string): string {
  const parsed = scheduleOf(of)
  if ('problem' in parsed) return parsed.problem
  const found = timingOf(of, parsed.schedule, Date.parse(now))
  if ('problem' in found) return found.problem
  const due = found.time === undefined ? 'none' : new Date(found.time).toISOString().slice(11, 16)
  return `${due}${found.many ? ' many' : ''}, next in ${Math.floor(found.next / 1000)} s`
}

const cases: readonly [why: string, of: CronJob, now: string, expected: string][] = [
  ['nothing yet', cron('*/5 * * * *', '2026-01-01T10:01:00Z'), '2026-01-01T10:04:00Z', 'none, next in 60 s'],
  ['just due', cron('*/5 * * * *', '2026-01-01T10:01:00Z'), '2026-01-01T10:05:00Z', '10:05, next in 300 s'],
  [
    'done',
    cron('*/5 * * * *', '2026-01-01T10:01:00Z', {}, '2026-01-01T10:05:00Z'),
    '2026-01-01T10:06:00Z',
    'none, next in 240 s',
  ],
  ['a few missed', cron('*/5 * * * *', '2026-01-01T10:01:00Z'), '2026-01-01T10:31:00Z', '10:30, next in 240 s'],
  ['many missed', cron('* * * * *', '2026-01-01T10:01:00Z'), '2026-01-01T20:00:30Z', '20:00 many, next in 30 s'],
  [
    'beyond the deadline',
    cron('0 * * * *', '2026-01-01T10:01:00Z', { startingDeadlineSeconds: 60 }),
    '2026-01-01T11:30:00Z',
    'none, next in 1800 s',
  ],
  ['not regular', cron('30 6-16/4 * * 1-5', '2026-01-02T12:00:00Z'), '2026-01-06T15:00:00Z', '14:30, next in 55800 s'],
  [
    'never',
    cron('0 0 31 2 *', '2026-01-02T12:00:00Z'),
    '2026-01-06T15:00:00Z',
    'time difference between two schedules is less than 1 second',
  ],
]
for (const [why, of, now, expected] of cases) test(`due: ${why}`, () => assert.equal(timing(of, now), expected))

test('names, deadlines and times with zones', () => {
  const due = Date.parse('2026-01-01T10:05:00Z')
  assert.equal(jobName(cron('* * * * *', '2026-01-01T10:01:00Z'), due), `c-${due / 60_000}`)
  assert.equal(zonedTimestamp(due, undefined), '2026-01-01T10:05:00Z')
  assert.equal(zonedTimestamp(due, 'Asia/Kolkata'), '2026-01-01T15:35:00+05:30')
  assert.equal(zonedTimestamp(due, 'America/New_York'), '2026-01-01T05:05:00-05:00')
  const late = cron('* * * * *', '2026-01-01T10:01:00Z', { startingDeadlineSeconds: 10 })
  assert.equal(isTooLate(late, due, due + 10_001), true)
  assert.equal(isTooLate(late, due, due + 9999), false)
})
