/** What a Job's status may say, and which changes of it are possible. */
import { child, duplicate, index, invalid, required } from '../../field.ts'
import { nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { overlapOf, readIndexes } from './indexes.ts'

const isTrue = (job: Json, type: string): boolean =>
  listOf(job.status?.conditions).some((condition) => condition.type === type && condition.status === 'True')
const isFinished = (job: Json): boolean => isTrue(job, 'Complete') || isTrue(job, 'Failed')

/** Fields that did not change are let through: a change of the spec may have made them wrong. */
export function jobStatus(job: Json, old: Json): Errors {
  const out: Errors = []
  const status: Json = job.status ?? {}
  const before: Json = old.status ?? {}
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating']) {
    nonNegative(status[field], child('status', field), out)
  }
  uncounted(status.uncountedTerminatedPods, out)
  conditions(job, old, out)
  times(job, old, out)
  const changed = (field: string): boolean => !same(status[field], before[field])
  const ended = isFinished(job)
  const newlyEnded = ended !== isFinished(old)
  if ((newlyEnded || changed('active')) && ended && status.active > 0) {
    out.push(invalid('status.active', status.active, 'active>0 is invalid for finished job'))
  }
  const noted = status.uncountedTerminatedPods
  if ((newlyEnded || changed('uncountedTerminatedPods')) && ended) {
    if (listOf(noted?.succeeded).length + listOf(noted?.failed).length > 0) {
      const shown = { succeeded: listOf(noted.succeeded), failed: listOf(noted.failed) }
      out.push(invalid('status.uncountedTerminatedPods', shown, 'must be empty for finished job'))
    }
  }
  indexes(job, old, out)
  if ((newlyEnded || changed('terminating')) && ended && status.terminating > 0) {
    out.push(invalid('status.terminating', status.terminating, 'terminating>0 is invalid for finished job'))
  }
  if ((changed('ready') || changed('active')) && (status.ready ?? 0) > (status.active ?? 0)) {
    out.push(invalid('status.ready', status.ready, 'cannot set more ready pods than active'))
  }
  contradictions(job, out)
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (isTrue(old, type) && !isTrue(job, type))
      wrongConditions(`cannot disable the terminal ${type}=True condition`, out)
  }
  counters(job, old, out)
  if (isTrue(old, 'SuccessCriteriaMet') && !isTrue(job, 'SuccessCriteriaMet')) {
    wrongConditions('cannot disable the SuccessCriteriaMet=True condition', out)
  }
  if (isTrue(old, 'Complete') && !isTrue(old, 'SuccessCriteriaMet') && isTrue(job, 'SuccessCriteriaMet')) {
    wrongConditions('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions', out)
  }
  return out
}

function wrongConditions(detail: string, out: Errors): void {
  out.push({ type: 'FieldValueInvalid', field: 'status.conditions', message: `Invalid value: ${detail}` })
}

function uncounted(noted: Json, out: Errors): void {
  const seen = new Set<string>()
  for (const field of ['succeeded', 'failed']) {
    for (const [i, uid] of listOf(noted?.[field]).entries()) {
      const path = index(`status.uncountedTerminatedPods.${field}`, i)
      if (uid === '') out.push(invalid(path, uid, 'must not be empty'))
      else if (seen.has(uid as string)) out.push(duplicate(path, uid))
      else seen.add(uid as string)
    }
  }
}

function conditions(job: Json, old: Json, out: Errors): void {
  const changed = (...types: string[]): boolean => types.some((type) => isTrue(job, type) !== isTrue(old, type))
  if (!isTrue(job, 'Complete')) return
  if (changed('Complete', 'Failed') && isTrue(job, 'Failed')) {
    wrongConditions('cannot set Complete=True and Failed=true conditions', out)
  }
  if (changed('Complete', 'FailureTarget') && isTrue(job, 'FailureTarget')) {
    wrongConditions('cannot set Complete=True and FailureTarget=true conditions', out)
  }
}

function times(job: Json, old: Json, out: Errors): void {
  const { startTime, completionTime } = job.status ?? {}
  const before: Json = old.status ?? {}
  const complete = isTrue(job, 'Complete')
  const completionChanged = !same(completionTime, before.completionTime)
  const startChanged = !same(startTime, before.startTime)
  const path = 'status.completionTime'
  if (complete !== isTrue(old, 'Complete') || completionChanged) {
    if (isSet(completionTime) && !complete) {
      const detail = 'cannot set completionTime when there is no Complete=True condition'
      out.push(invalid(path, completionTime, detail))
    }
    if (!isSet(completionTime) && complete) out.push(required(path, 'completionTime is required for Complete jobs'))
  }
  if ((startChanged || completionChanged) && isSet(startTime) && isSet(completionTime)) {
    if (Date.parse(completionTime as string) < Date.parse(startTime as string)) {
      out.push(invalid(path, completionTime, 'must be equal to or after `startTime`'))
    }
  }
  const failed = isTrue(job, 'Failed')
  const failedIndexesChanged = !same(job.status?.failedIndexes, before.failedIndexes)
  if ((failed !== isTrue(old, 'Failed') || failedIndexesChanged) && failed && !isTrue(job, 'FailureTarget')) {
    wrongConditions('cannot set Failed=True condition without the FailureTarget=true condition', out)
  }
  const met = isTrue(job, 'SuccessCriteriaMet')
  if ((complete !== isTrue(old, 'Complete') || met !== isTrue(old, 'SuccessCriteriaMet')) && complete && !met) {
    wrongConditions('cannot set Complete=True condition without the SuccessCriteriaMet=true condition', out)
  }
  const idle = job.spec?.suspend === true && job.spec?.completions === 0
  const newlyEnded = isFinished(job) !== isFinished(old)
  if ((newlyEnded || startChanged) && !idle && !isSet(startTime) && isFinished(job)) {
    out.push(required('status.startTime', 'startTime is required for finished job'))
  }
}

function indexes(job: Json, old: Json, out: Errors): void {
  const { completions, backoffLimitPerIndex, completionMode } = job.spec ?? {}
  const { completedIndexes = '', failedIndexes } = job.status ?? {}
  const completedChanged = completedIndexes !== (old.status?.completedIndexes ?? '')
  const failedChanged = !same(failedIndexes, old.status?.failedIndexes)
  const limit = Number(completions ?? 0)
  const completed = readIndexes(String(completedIndexes), limit)
  const failed = readIndexes(String(failedIndexes ?? ''), limit)
  if (completedChanged && isSet(completions) && 'problem' in completed) {
    const detail = `error parsing completedIndexes: ${completed.problem}`
    out.push(invalid('status.completedIndexes', completedIndexes, detail))
  }
  if (failedChanged && isSet(completions) && isSet(backoffLimitPerIndex) && 'problem' in failed) {
    out.push(invalid('status.failedIndexes', failedIndexes, `error parsing failedIndexes: ${failed.problem}`))
  }
  if (completedChanged && completedIndexes !== '' && completionMode !== 'Indexed') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode'
    out.push(invalid('status.completedIndexes', completedIndexes, detail))
  }
  if (failedChanged && !isSet(backoffLimitPerIndex) && isSet(failedIndexes)) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
    out.push(invalid('status.failedIndexes', failedIndexes, detail))
  }
  if ((!failedChanged && !completedChanged) || 'problem' in completed || 'problem' in failed) return
  const both = overlapOf(completed.intervals, failed.intervals)
  if (both !== undefined) {
    const detail = `failedIndexes and completedIndexes overlap at index: ${both}`
    out.push(invalid('status.failedIndexes', failedIndexes, detail))
  }
}

function contradictions(job: Json, out: Errors): void {
  if (!isTrue(job, 'SuccessCriteriaMet')) {
    if (isSet(job.spec?.successPolicy) && isTrue(job, 'Complete')) {
      wrongConditions('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True', out)
    }
    return
  }
  for (const type of ['Failed', 'FailureTarget']) {
    if (isTrue(job, type)) wrongConditions(`cannot set SuccessCriteriaMet=True and ${type}=true conditions`, out)
  }
}

function counters(job: Json, old: Json, out: Errors): void {
  const [status, before]: [Json, Json] = [job.status ?? {}, old.status ?? {}]
  const spec: Json = job.spec ?? {}
  if ((status.failed ?? 0) < (before.failed ?? 0)) {
    out.push(invalid('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'))
  }
  // An indexed job may be made smaller.
  const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism
  if (!elastic && (status.succeeded ?? 0) < (before.succeeded ?? 0)) {
    out.push(invalid('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter'))
  }
  const [completed, wasCompleted] = [status.completionTime, before.completionTime]
  if (isSet(completed) && isSet(wasCompleted) && completed !== wasCompleted) {
    out.push(invalid('status.completionTime', completed, 'field is immutable'))
  }
  const suspended = (one: Json, value: string): boolean =>
    listOf(one.status?.conditions).some(({ type, status: is }) => type === 'Suspended' && is === value)
  const resuming = suspended(old, 'True') && suspended(job, 'False')
  if (isSet(before.startTime) && before.startTime !== status.startTime && spec.suspend !== true && !resuming) {
    const detail = 'field is immutable for unsuspended job once set'
    out.push(invalid('status.startTime', status.startTime ?? null, detail))
  }
}
