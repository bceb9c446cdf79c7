/** When a CronJob's next job is due. Pure. */
import { nextTime, parseSchedule, type Schedule } from '../../machinery/schedule/schedule.ts'
import { offsetAt } from '../../machinery/schedule/zone.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { parseTime, timestamp } from '../meta.ts'
import type { JobSpec } from '../job/objects.ts'
import type { ObjectMeta } from '../../machinery/object.ts'

export interface ObjectReference {
  kind: string
  apiVersion: string
  namespace: string
  name: string
  uid: string
  resourceVersion: string
}

export interface CronJob extends KubeObject {
  spec: {
    schedule: string
    timeZone?: string
    startingDeadlineSeconds?: number
    concurrencyPolicy?: string
    suspend?: boolean
    jobTemplate: { metadata?: ObjectMeta; spec: JobSpec }
    successfulJobsHistoryLimit?: number
    failedJobsHistoryLimit?: number
  }
  status?: CronJobStatus
}

export interface CronJobStatus {
  active?: ObjectReference[]
  lastScheduleTime?: string
  lastSuccessfulTime?: string
}

/** Milliseconds after the due time at which a turn comes, so that it does not come before it. */
const AFTER_DUE = 100
/** Missed times beyond which somebody should look. */
const MANY = 100

export interface Due {
  /** The last due time that has no job yet, in milliseconds. */
  readonly time?: number
  /** More were missed than are worth making up. */
  readonly many: boolean
  /** Milliseconds until the next turn. */
  readonly next: number
}

/** `problem`: a schedule that can be read and never comes. */
export type Timing = Due | { readonly problem: string }

/** The schedule of a CronJob. */
export function scheduleOf(cron: CronJob): ReturnType<typeof parseSchedule> {
  return parseSchedule(cron.spec.schedule)
}

export function timingOf(cron: CronJob, schedule: Schedule, now: number): Timing {
  const recent = mostRecent(cron, schedule, now, true)
  if ('problem' in recent) return recent
  const { time, missed } = recent
  const next = untilNext(cron, schedule, now)
  return { ...(time === undefined ? {} : { time }), many: missed > MANY, next }
}

interface Recent {
  readonly earliest: number
  readonly time?: number
  /** About how many times have passed. */
  readonly missed: number
}

function mostRecent(
  cron: CronJob,
  schedule: Schedule,
  now: number,
  withDeadline: boolean,
): Recent | { readonly problem: string } {
  const { startingDeadlineSeconds, timeZone } = cron.spec
  let earliest = parseTime(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp)
  if (withDeadline && startingDeadlineSeconds !== undefined) {
    earliest = Math.max(earliest, now - startingDeadlineSeconds * 1000)
  }
  const after = (time: number): number | undefined => nextTime(schedule, time, timeZone)
  const first = after(earliest)
  const second = first === undefined ? undefined : after(first)
  if (first === undefined || second === undefined) {
    return { problem: 'time difference between two schedules is less than 1 second' }
  }
  if (now < first) return { earliest, missed: 0 }
  if (now < second) return { earliest, time: first, missed: 0 }
  const interval = second - first
  const missed = Math.floor((now - first) / interval) + 1
  // Most schedules are regular: near the end of what was missed, only a few steps are left.
  let time: number | undefined
  let step = after(first + (missed - 2) * interval)
  while (step !== undefined && step <= now) {
    time = step
    step = after(step)
  }
  return { earliest, missed, ...(time === undefined ? {} : { time }) }
}

function untilNext(cron: CronJob, schedule: Schedule, now: number): number {
  const recent = mostRecent(cron, schedule, now, false)
  let from = now
  if (!('problem' in recent)) from = recent.time ?? (recent.missed === 0 ? recent.earliest : now)
  return Math.max(0, (nextTime(schedule, from, cron.spec.timeZone) ?? now) - now) + AFTER_DUE
}

/** Whether it is too late for a time that is due. */
export function isTooLate({ spec }: CronJob, due: number, now: number): boolean {
  return spec.startingDeadlineSeconds !== undefined && due + spec.startingDeadlineSeconds * 1000 < now
}

/** The same due time always gives the same name, so that no job is made twice. */
export function jobName(cron: CronJob, due: number): string {
  return `${cron.metadata.name!}-${Math.floor(due / 60_000)}`
}

/** RFC 3339 in the zone of the CronJob. */
export function zonedTimestamp(due: number, zone: string | undefined): string {
  const offset = offsetAt(zone ?? 'UTC', due)
  if (offset === 0) return timestamp(due)
  const minutes = Math.abs(Math.trunc(offset / 60_000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const text = timestamp(due + offset).slice(0, -1)
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
