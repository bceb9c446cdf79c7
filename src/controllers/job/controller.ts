/** The Job controller: makes pods until enough have succeeded or too many have failed, and counts each exactly once. */
import type { Informer } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { labelSelectorOf, matchesLabels } from '../../machinery/selector/labels.ts'
import { isReason } from '../../machinery/status.ts'
import { forEachLimited } from '../batches.ts'
import { claim } from '../claim.ts'
import { findCondition } from '../conditions.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { Expectations } from '../expectations.ts'
import { controllerOf, controllerReference, keyOf, sameValue, splitKey, timestamp } from '../meta.ts'
import type { Condition, Pod } from '../objects.ts'
import { BY_CONTROLLER, indexPods, isReady, ORPHANS } from '../pods.ts'
import { createPods } from '../pod-batches.ts'
import { messageOf } from '../problems.ts'
import { createRecorder, type EventRecorder } from '../recorder.ts'
import { workloads } from '../resources.ts'
import { NO_FAILURES, type Failures } from './backoff.ts'
import {
  isFinished,
  isManagedElsewhere,
  isSuspended,
  isTracked,
  TRACKING_FINALIZER,
  type Job,
  type JobStatus,
} from './objects.ts'
import { planFor } from './plan.ts'
import { jobPod } from './template.ts'
import { finished, settle, track } from './tracking.ts'
import { jobCondition, viewOf, type View } from './view.ts'

const POD_KEY = 'pod:'
const NONE: ReadonlySet<string> = new Set()

/** Keys: `<namespace>/<job>`, and `pod:<namespace>/<pod>` for pods that may be left with a finalizer. */
export function jobController(context: ControllerContext): Controller {
  return new JobController(context)
}

/** How pods changed in one turn. */
interface Moved {
  readonly active: number
  readonly ready: number
  readonly terminating: number
  readonly error?: unknown
}

class JobController implements Controller {
  readonly name = 'job'
  readonly #context: ControllerContext
  readonly #jobs: Informer<Job>
  readonly #pods: Informer<Pod>
  readonly #expectations: Expectations
  readonly #recorder: EventRecorder
  /** Uids whose finalizer was taken off and that the cache shows with it, by job. */
  readonly #released = new Map<string, Set<string>>()
  readonly #failures = new Map<string, Failures>()

  constructor(context: ControllerContext) {
    this.#context = context
    this.#jobs = context.client.informer<Job>(workloads.jobs)
    this.#pods = context.client.informer<Pod>(resources.pods)
    this.#expectations = new Expectations(() => context.now())
    this.#recorder = createRecorder(context, 'job-controller', { apiVersion: 'batch/v1', kind: 'Job' })
  }

  start(): void {
    indexPods(this.#pods)
    this.#jobs.onEvent(({ type, object }) => {
      if (type !== 'delete') this.#context.enqueue(keyOf(object))
      else this.#forget(keyOf(object))
      if (type !== 'delete' && !isFinished(object)) return
      for (const pod of this.#pods.byIndex(BY_CONTROLLER, object.metadata.uid!)) this.#checkFinalizer(pod)
    })
    this.#pods.onEvent((event) => {
      const pod = event.object
      const owner = this.#ownerOf(pod)
      const before = event.type === 'update' ? this.#ownerOf(event.old) : undefined
      if (before !== undefined && before.metadata.uid !== owner?.metadata.uid) this.#context.enqueue(keyOf(before))
      if (owner === undefined) {
        if (controllerOf(pod) === undefined && event.type !== 'delete') this.#enqueueAdopters(pod)
        if (event.type !== 'delete') this.#checkFinalizer(pod)
        return
      }
      const key = keyOf(owner)
      const uid = pod.metadata.uid!
      if (event.type === 'add') this.#expectations.creationObserved(key)
      if (event.type === 'delete' || pod.metadata.deletionTimestamp !== undefined) {
        this.#expectations.deletionObserved(key, uid)
      }
      if (event.type === 'delete' || !isTracked(pod)) this.#releaseSeen(key, uid)
      if (event.type !== 'delete' && isFinished(owner)) this.#checkFinalizer(pod)
      this.#context.enqueue(key)
    })
  }

  #ownerOf(pod: Pod): Job | undefined {
    const reference = controllerOf(pod)
    if (reference?.kind !== 'Job' || !reference.apiVersion.startsWith('batch/')) return undefined
    const job = this.#jobs.get(pod.metadata.namespace!, reference.name)
    return job?.metadata.uid === reference.uid ? job : undefined
  }

  #enqueueAdopters(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined || pod.metadata.labels === undefined) return
    for (const job of this.#jobs.list(pod.metadata.namespace!)) {
      if (matchesLabels(labelSelectorOf(job.spec.selector), pod.metadata.labels)) this.#context.enqueue(keyOf(job))
    }
  }

  #checkFinalizer(pod: Pod): void {
    if (isTracked(pod)) this.#context.enqueue(POD_KEY + keyOf(pod))
  }

  #releaseSeen(key: string, uid: string): void {
    const released = this.#released.get(key)
    if (released?.delete(uid) === true && released.size === 0) this.#released.delete(key)
  }

  #forget(key: string): void {
    this.#expectations.forget(key)
    this.#released.delete(key)
    this.#failures.delete(key)
  }

  async reconcile(key: string): Promise<void> {
    if (!this.#jobs.synced) await this.#jobs.ready()
    if (!this.#pods.synced) await this.#pods.ready()
    if (key.startsWith(POD_KEY)) return this.#freePod(key.slice(POD_KEY.length))
    const { namespace, name } = splitKey(key)
    const job = this.#jobs.get(namespace, name)
    if (job === undefined || isFinished(job)) return this.#forget(key)
    if (isManagedElsewhere(job)) return
    const { completionMode = 'NonIndexed' } = job.spec
    if (completionMode !== 'NonIndexed' && completionMode !== 'Indexed') {
      const text = 'Skipped Job sync because completion mode is unknown'
      this.#recorder.event(job, 'Warning', 'UnknownCompletionMode', text)
      return
    }
    const wait = this.#expectations.waitsFor(key)
    if (wait > 0) this.#context.enqueue(key, wait)
    const pods = await this.#claim(job)
    const now = this.#context.now()
    const released = this.#released.get(key) ?? NONE
    const view = viewOf(job, pods, released, this.#failures.get(key) ?? NO_FAILURES, now)
    if (view.deadlineIn !== undefined) this.#context.enqueue(key, view.deadlineIn)
    await this.#advance(key, view, wait === 0, now)
  }

  /** A pod whose job is gone or has finished must not be held by the finalizer. */
  async #freePod(key: string): Promise<void> {
    const { namespace, name } = splitKey(key)
    const pod = this.#pods.get(namespace, name)
    if (pod === undefined || !isTracked(pod)) return
    const owner = controllerOf(pod)
    if (owner !== undefined) {
      if (owner.kind !== 'Job' || owner.apiVersion !== 'batch/v1') return
      const job = this.#ownerOf(pod)
      if (job !== undefined && (isManagedElsewhere(job) || !isFinished(job))) return
    }
    await this.#removeFinalizer(pod)
  }

  /** The job's pods, whatever their state; adopted ones get the finalizer. */
  async #claim(job: Job): Promise<Pod[]> {
    const candidates = [
      ...this.#pods.byIndex(BY_CONTROLLER, job.metadata.uid!),
      ...this.#pods.byIndex(ORPHANS, job.metadata.namespace!),
    ]
    const claimed = await claim(
      {
        client: this.#context.client,
        owner: job,
        ownerResource: workloads.jobs,
        selector: labelSelectorOf(job.spec.selector),
        reference: controllerReference('batch/v1', 'Job', job),
        resource: resources.pods,
        finalizers: [TRACKING_FINALIZER],
      },
      candidates,
    )
    return claimed.map((pod) => {
      if (controllerOf(pod) !== undefined || isTracked(pod)) return pod
      const finalizers = [...(pod.metadata.finalizers ?? []), TRACKING_FINALIZER]
      return { ...pod, metadata: { ...pod.metadata, finalizers } }
    })
  }

  async #advance(key: string, view: View, cacheIsCurrent: boolean, now: number): Promise<void> {
    const { job } = view
    let { finish } = view
    let status: JobStatus = { ...job.status }
    if (status.startTime === undefined && !isSuspended(job)) status.startTime = timestamp(now)
    let moved: Moved = { active: view.active.length, ready: view.ready, terminating: view.terminating }
    if (finish !== undefined) {
      moved = await this.#endAll(key, view)
      // Pods may be left that the cache does not show, or that could not be deleted.
      if (moved.active > 0 || !cacheIsCurrent) finish = undefined
    } else {
      const managed = cacheIsCurrent && job.metadata.deletionTimestamp === undefined
      if (managed) moved = await this.#manage(key, view, now)
      const { completions } = job.spec
      const enough = completions === undefined ? view.succeeded > 0 : view.succeeded >= completions
      if (enough && moved.active === 0) {
        const text = 'Reached expected number of succeeded pods'
        finish = jobCondition('SuccessCriteriaMet', 'True', 'CompletionsReached', text, now)
      } else if (managed) status = this.#suspension(job, status, now)
    }
    status = { ...status, ready: moved.ready, terminating: moved.terminating }
    delete status.active
    if (moved.active > 0) status.active = moved.active
    await this.#count(key, view, status, finish, moved.terminating, now)
    if (moved.error !== undefined) throw moved.error
  }

  /** Notes, frees and counts the pods that have finished, and ends the job when all are counted. */
  async #count(
    key: string,
    view: View,
    base: JobStatus,
    finish: Condition | undefined,
    terminating: number,
    now: number,
  ): Promise<void> {
    const tracking = track(view, base, finish, now)
    let job = view.job
    let { status } = tracking
    if (!sameValue(status, job.status)) {
      const written = await this.#write(job, status)
      if (written === undefined) return
      job = written
      status = written.status!
      if (view.failures.count > 0) this.#failures.set(key, view.failures)
      else this.#failures.delete(key)
    }
    let failure: unknown
    try {
      await forEachLimited(tracking.release, async (pod) => {
        await this.#release(key, pod)
        tracking.tracked.delete(pod.metadata.uid!)
      })
    } catch (error) {
      failure = error
    }
    let last = settle(status, tracking.tracked)
    const end =
      tracking.finish === undefined || failure !== undefined ? undefined : finished(last, tracking.finish, terminating)
    if (end !== undefined) last = end
    if (!sameValue(last, job.status)) {
      const written = await this.#write(job, last)
      if (written !== undefined && end !== undefined) this.#announce(written, tracking.finish!)
    }
    if (failure !== undefined) throw failure
  }

  /** A conflict is left to the next turn: what the cache showed was old. */
  async #write(job: Job, status: JobStatus): Promise<Job | undefined> {
    try {
      const where = { namespace: job.metadata.namespace!, subresource: 'status' }
      return await this.#context.client.update<Job>(workloads.jobs, { ...job, status }, where)
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  #announce(job: Job, finish: Condition): void {
    if (finish.type === 'Failed') {
      this.#recorder.event(job, 'Warning', finish.reason!, finish.message!)
      return
    }
    const { completions } = job.spec
    if (completions !== undefined && (job.status?.succeeded ?? 0) > completions) {
      const text = 'Too many succeeded pods running after completion count reached'
      this.#recorder.event(job, 'Warning', 'TooManySucceededPods', text)
    }
    this.#recorder.event(job, 'Normal', 'Completed', 'Job completed')
  }

  /** `Suspended` as the spec has it; a job that goes on starts anew for its deadline. */
  #suspension(job: Job, status: JobStatus, now: number): JobStatus {
    const suspended = isSuspended(job)
    const current = findCondition(status.conditions, 'Suspended')
    const wanted = suspended ? 'True' : 'False'
    if (current === undefined ? !suspended : current.status === wanted) return status
    const [reason, message] = suspended ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed']
    this.#recorder.event(job, 'Normal', suspended ? 'Suspended' : 'Resumed', message)
    const condition = jobCondition('Suspended', wanted, reason, message, now)
    const rest = (status.conditions ?? []).filter(({ type }) => type !== 'Suspended')
    const { startTime: _, ...others } = status
    return { ...others, conditions: [...rest, condition], ...(suspended ? {} : { startTime: timestamp(now) }) }
  }

  async #manage(key: string, view: View, now: number): Promise<Moved> {
    const still = { active: view.active.length, ready: view.ready, terminating: view.terminating }
    const plan = planFor(view, now)
    switch (plan.do) {
      case 'nothing':
        return still
      case 'wait':
        this.#context.enqueue(key, plan.milliseconds)
        return still
      case 'delete':
        return this.#deletePods(key, view, plan.pods, true)
      case 'create': {
        const { made, error } = await this.#create(key, view, plan.count, plan.indexes)
        return { ...still, active: still.active + made, ...(error === undefined ? {} : { error }) }
      }
    }
  }

  async #create(
    key: string,
    { job, delayed }: View,
    count: number,
    indexes: readonly number[] | undefined,
  ): Promise<{ made: number; error?: unknown }> {
    const plain = indexes === undefined ? jobPod(job, undefined, undefined) : undefined
    let next = 0
    const by = {
      client: this.#context.client,
      recorder: this.#recorder,
      expectations: this.#expectations,
      owner: job,
      key,
    }
    const { done, error } = await createPods(by, count, () => {
      const index = indexes?.[next++]
      return plain ?? jobPod(job, index, delayed.get(index!))
    })
    return { made: done, ...(error === undefined ? {} : { error }) }
  }

  /** Pods of a job that ends keep their finalizer until they are counted. */
  #endAll(key: string, view: View): Promise<Moved> {
    return this.#deletePods(key, view, view.active, false)
  }

  /** With `release`, the pods count for nothing. */
  async #deletePods(key: string, view: View, pods: readonly Pod[], release: boolean): Promise<Moved> {
    const { namespace } = splitKey(key)
    let [gone, ready] = [0, 0]
    let error: unknown
    this.#expectations.expectDeletions(
      key,
      pods.map((pod) => pod.metadata.uid!),
    )
    try {
      await forEachLimited(pods, async (pod) => {
        const { uid, name } = pod.metadata
        try {
          if (release && isTracked(pod)) await this.#release(key, pod)
          await this.#context.client.delete(resources.pods, name!, { namespace, preconditions: { uid: uid! } })
          this.#recorder.event(view.job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name!}`)
        } catch (problem) {
          this.#expectations.deletionObserved(key, uid!)
          if (!isReason(problem, 'NotFound') && !isReason(problem, 'Conflict')) {
            this.#recorder.event(view.job, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(problem)}`)
            throw problem
          }
        }
        gone++
        if (isReady(pod)) ready++
      })
    } catch (problem) {
      error = problem
    }
    return {
      active: view.active.length - gone,
      ready: view.ready - ready,
      terminating: view.terminating + gone,
      ...(error === undefined ? {} : { error }),
    }
  }

  async #release(key: string, pod: Pod): Promise<void> {
    const uid = pod.metadata.uid!
    let released = this.#released.get(key)
    if (released === undefined) this.#released.set(key, (released = new Set()))
    released.add(uid)
    try {
      await this.#removeFinalizer(pod)
    } catch (error) {
      this.#releaseSeen(key, uid)
      throw error
    }
    const seen = this.#pods.get(pod.metadata.namespace!, pod.metadata.name!)
    if (seen?.metadata.uid !== uid || !isTracked(seen)) this.#releaseSeen(key, uid)
  }

  async #removeFinalizer(pod: Pod): Promise<void> {
    const { uid, name, namespace } = pod.metadata
    const body = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } }
    try {
      await this.#context.client.patch(resources.pods, name!, { type: 'strategic', body }, { namespace: namespace! })
    } catch (error) {
      // Gone, or replaced by another of the same name.
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict') && !isReason(error, 'Invalid')) throw error
    }
  }
}
