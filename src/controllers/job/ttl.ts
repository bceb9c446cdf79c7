/** Deletes finished Jobs after their `ttlSecondsAfterFinished`. */
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { keyOf, parseTime, splitKey } from '../meta.ts'
import { workloads } from '../resources.ts'
import { finishedCondition, type Job } from './objects.ts'

/** Milliseconds until the job may go; undefined when it stays. */
export function expiresIn(job: Job, now: number): number | undefined {
  const { ttlSecondsAfterFinished } = job.spec
  if (ttlSecondsAfterFinished === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
  const finish = finishedCondition(job)
  if (finish === undefined) return undefined
  return Math.max(0, parseTime(finish.lastTransitionTime) + ttlSecondsAfterFinished * 1000 - now)
}

/** Nothing waits while there are no such jobs. */
export function ttlAfterFinishedController(context: ControllerContext): Controller {
  const { client } = context
  const jobs = client.informer<Job>(workloads.jobs)
  const schedule = (job: Job): void => {
    const wait = expiresIn(job, context.now())
    if (wait !== undefined) context.enqueue(keyOf(job), wait)
  }
  return {
    name: 'ttl-after-finished',
    start() {
      jobs.onEvent(({ type, object }) => {
        if (type !== 'delete') schedule(object)
      })
    },
    async reconcile(key) {
      const { namespace, name } = splitKey(key)
      try {
        // The cache may lag behind a longer time to live.
        const job = await client.get<Job>(workloads.jobs, name, { namespace })
        const wait = expiresIn(job, context.now())
        if (wait === undefined) return
        if (wait > 0) {
          context.enqueue(key, wait)
          return
        }
        await client.delete(workloads.jobs, name, {
          namespace,
          propagationPolicy: 'Foreground',
          preconditions: { uid: job.metadata.uid!, resourceVersion: job.metadata.resourceVersion! },
        })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    },
  }
}
