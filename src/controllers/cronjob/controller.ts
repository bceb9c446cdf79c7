/** The CronJob controller: makes Jobs when they are due, and removes old ones. */
import type { Informer } from '../../client/contract.ts'
import { isReason } from '../../machinery/status.ts'
import { isZone } from '../../machinery/schedule/zone.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { finishedCondition, type Job } from '../job/objects.ts'
import { controllerOf, controllerReference, keyOf, parseTime, sameValue, splitKey, timestamp } from '../meta.ts'
import { createRecorder, type EventRecorder } from '../recorder.ts'
import { workloads } from '../resources.ts'
import {
  isTooLate,
  jobName,
  scheduleOf,
  timingOf,
  zonedTimestamp,
  type CronJob,
  type CronJobStatus,
  type ObjectReference,
} from './timing.ts'

const BY_OWNER = 'controller'
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** Each CronJob has one turn waiting; where there are none, nothing waits. */
export function cronJobController(context: ControllerContext): Controller {
  return new CronJobController(context)
}

class CronJobController implements Controller {
  readonly name = 'cronjob'
  readonly #context: ControllerContext
  readonly #crons: Informer<CronJob>
  readonly #jobs: Informer<Job>
  readonly #recorder: EventRecorder

  constructor(context: ControllerContext) {
    this.#context = context
    this.#crons = context.client.informer<CronJob>(workloads.cronjobs)
    this.#jobs = context.client.informer<Job>(workloads.jobs)
    this.#recorder = createRecorder(context, 'cronjob-controller', { apiVersion: 'batch/v1', kind: 'CronJob' })
  }

  start(): void {
    this.#jobs.addIndex(BY_OWNER, (job) => {
      const owner = controllerOf(job)
      return owner === undefined ? [] : [owner.uid]
    })
    this.#crons.onEvent(({ type, object }) => {
      if (type !== 'delete') this.#context.enqueue(keyOf(object))
    })
    this.#jobs.onEvent(({ object }) => {
      const owner = controllerOf(object)
      if (owner?.kind !== 'CronJob' || !owner.apiVersion.startsWith('batch/')) return
      this.#context.enqueue(`${object.metadata.namespace!}/${owner.name}`)
    })
  }

  async reconcile(key: string): Promise<void> {
    if (!this.#crons.synced || !this.#jobs.synced) await Promise.all([this.#crons.ready(), this.#jobs.ready()])
    const { namespace, name } = splitKey(key)
    const cron = this.#crons.get(namespace, name)
    if (cron === undefined) return
    const jobs = this.#jobs.byIndex(BY_OWNER, cron.metadata.uid!)
    let status = await this.#observe(cron, jobs)
    let failure: unknown
    try {
      if (cron.metadata.deletionTimestamp === undefined) {
        const next = await this.#schedule({ ...cron, status })
        status = next.status
        if (next.wait !== undefined) this.#context.enqueue(key, next.wait)
      }
    } catch (error) {
      failure = error
    }
    status = await this.#tidy(cron, jobs, status)
    if (!sameValue(status, cron.status ?? {})) {
      try {
        const where = { namespace, subresource: 'status' }
        await this.#context.client.update(workloads.cronjobs, { ...cron, status }, where)
      } catch (error) {
        if (!isReason(error, 'NotFound')) failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  /** Takes note of jobs that have finished or gone. */
  async #observe(cron: CronJob, jobs: readonly Job[]): Promise<CronJobStatus> {
    const status: CronJobStatus = { ...cron.status }
    let active = status.active ?? []
    for (const job of jobs) {
      const { name, uid } = job.metadata
      const known = active.some((one) => one.uid === uid)
      const finish = finishedCondition(job)
      if (finish === undefined) {
        if (!known) {
          const text = `Saw a job that the controller did not create or forgot: ${name}`
          this.#recorder.event(cron, 'Warning', 'UnexpectedJob', text)
        }
        continue
      }
      if (known) {
        active = active.filter((one) => one.uid !== uid)
        const text = `Saw completed job: ${name}, condition: ${finish.type}`
        this.#recorder.event(cron, 'Normal', 'SawCompletedJob', text)
      }
      const ended = job.status?.completionTime
      if (finish.type === 'Complete' && parseTime(ended) > parseTime(status.lastSuccessfulTime)) {
        status.lastSuccessfulTime = ended!
      }
    }
    for (const one of active) {
      if (jobs.some((job) => job.metadata.uid === one.uid)) continue
      // The cache may lag behind a job that was just made.
      if ((await this.#find(cron, one.name)) !== undefined) continue
      this.#recorder.event(cron, 'Normal', 'MissingJob', `Active job went missing: ${one.name}`)
      active = active.filter((other) => other.uid !== one.uid)
    }
    return withActive(status, active)
  }

  /** Makes the job that is due. `wait`: milliseconds until the next turn. */
  async #schedule(cron: CronJob): Promise<{ status: CronJobStatus; wait?: number }> {
    const status = cron.status ?? {}
    const { spec } = cron
    const warn = (reason: string, text: string): void => this.#recorder.event(cron, 'Warning', reason, text)
    if (spec.timeZone !== undefined && !isZone(spec.timeZone)) {
      const zone = JSON.stringify(spec.timeZone)
      warn('UnknownTimeZone', `invalid timeZone: ${zone}: unknown time zone ${spec.timeZone}`)
      return { status }
    }
    if (spec.suspend === true) return { status }
    const parsed = scheduleOf(cron)
    if ('problem' in parsed) {
      warn('UnparseableSchedule', `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${parsed.problem}`)
      return { status }
    }
    const now = this.#context.now()
    const timing = timingOf(cron, parsed.schedule, now)
    if ('problem' in timing) {
      warn('InvalidSchedule', `invalid schedule: ${spec.schedule} : ${timing.problem}`)
      return { status }
    }
    const { time, many, next: wait } = timing
    if (time === undefined) return { status, wait }
    if (many) {
      const advice = 'Set or decrease .spec.startingDeadlineSeconds or check clock skew'
      warn('TooManyMissedTimes', `too many missed start times. ${advice}`)
    }
    const name = jobName(cron, time)
    const active = status.active ?? []
    if (isTooLate(cron, time, now)) {
      warn(
        'MissSchedule',
        `Missed scheduled time to start a job: ${new Date(time).toUTCString().replace('GMT', '+0000')}`,
      )
      return { status, wait }
    }
    if (active.some((one) => one.name === name) || parseTime(status.lastScheduleTime) === time) return { status, wait }
    if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
      const text = 'Not starting job because prior execution is running and concurrency policy is Forbid'
      this.#recorder.event(cron, 'Normal', 'JobAlreadyActive', text)
      return { status, wait }
    }
    let rest = active
    if (spec.concurrencyPolicy === 'Replace') {
      for (const one of active) await this.#delete(cron, one.name)
      rest = []
    }
    const job = await this.#create(cron, name, time)
    if (job === undefined || rest.some((one) => one.uid === job.metadata.uid)) return { status, wait }
    const lastScheduleTime = timestamp(time)
    const started = withActive({ ...status, lastScheduleTime }, [...rest, referenceTo(job)])
    const later = timingOf({ ...cron, status: started }, parsed.schedule, now)
    return { status: started, wait: 'next' in later ? later.next : wait }
  }

  /** The job, also when it had been made before; undefined when somebody else's has its name. */
  async #create(cron: CronJob, name: string, due: number): Promise<Job | undefined> {
    const { metadata = {}, spec } = cron.spec.jobTemplate
    const annotations = { ...metadata.annotations, [SCHEDULED_AT]: zonedTimestamp(due, cron.spec.timeZone) }
    const namespace = cron.metadata.namespace!
    const job: Job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace,
        annotations,
        ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
        ownerReferences: [controllerReference('batch/v1', 'CronJob', cron)],
      },
      spec,
    }
    try {
      const made = await this.#context.client.create<Job>(workloads.jobs, job, { namespace })
      this.#recorder.event(cron, 'Normal', 'SuccessfulCreate', `Created job ${name}`)
      return made
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) {
        const found = await this.#find(cron, name)
        return found !== undefined && controllerOf(found)?.uid === cron.metadata.uid ? found : undefined
      }
      const text = error instanceof Error ? error.message : String(error)
      this.#recorder.event(cron, 'Warning', 'FailedCreate', `Error creating job: ${text}`)
      throw error
    }
  }

  /** Removes the oldest finished jobs beyond the limits. */
  async #tidy(cron: CronJob, jobs: readonly Job[], status: CronJobStatus): Promise<CronJobStatus> {
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cron.spec
    let active = status.active ?? []
    for (const [type, limit] of [
      ['Complete', successfulJobsHistoryLimit],
      ['Failed', failedJobsHistoryLimit],
    ] as const) {
      if (limit === undefined) continue
      const finished = jobs.filter((job) => finishedCondition(job)?.type === type)
      if (finished.length <= limit) continue
      const age = (job: Job): number => parseTime(job.status?.startTime ?? job.metadata.creationTimestamp)
      const sorted = finished.toSorted((a, b) => age(a) - age(b) || (a.metadata.name! < b.metadata.name! ? -1 : 1))
      for (const job of sorted.slice(0, finished.length - limit)) {
        if (job.metadata.deletionTimestamp !== undefined) continue
        await this.#delete(cron, job.metadata.name!)
        active = active.filter((one) => one.uid !== job.metadata.uid)
      }
    }
    return withActive(status, active)
  }

  async #delete(cron: CronJob, name: string): Promise<void> {
    try {
      const namespace = cron.metadata.namespace!
      await this.#context.client.delete(workloads.jobs, name, { namespace, propagationPolicy: 'Background' })
    } catch (error) {
      if (isReason(error, 'NotFound')) return
      const text = error instanceof Error ? error.message : String(error)
      this.#recorder.event(cron, 'Warning', 'FailedDelete', `Deleted job: ${text}`)
      throw error
    }
    this.#recorder.event(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`)
  }

  async #find(cron: CronJob, name: string): Promise<Job | undefined> {
    try {
      return await this.#context.client.get<Job>(workloads.jobs, name, { namespace: cron.metadata.namespace! })
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }
}

function withActive(status: CronJobStatus, active: ObjectReference[]): CronJobStatus {
  const { active: _, ...rest } = status
  return active.length === 0 ? rest : { ...rest, active }
}

function referenceTo({ metadata }: Job): ObjectReference {
  return {
    kind: 'Job',
    apiVersion: 'batch/v1',
    namespace: metadata.namespace!,
    name: metadata.name!,
    uid: metadata.uid!,
    resourceVersion: metadata.resourceVersion!,
  }
}
