/** CronJobs. */
import { child, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { parseSchedule } from '../../schedule/schedule.ts'
import { isZone } from '../../schedule/zone.ts'
import { nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { defaultTemplate, fill } from '../pod/defaults.ts'
import { dropDisabled } from '../pod/prepare.ts'
import { shownSelector } from '../pod/shown.ts'
import { nameWarning, templateWarnings } from '../pod/warnings.ts'
import { defaultFailureConditions } from './job.ts'
import { jobSpec } from './job-spec.ts'

const POLICIES = ['Allow', 'Forbid', 'Replace']
/** Jobs get eleven characters more. */
const LONGEST_NAME = 52

function defaults(cron: Json): void {
  const spec: Json = (cron.spec ??= {})
  const template: Json = (spec.jobTemplate ??= {})
  defaultTemplate((template.spec ??= {}))
  defaultFailureConditions(template.spec)
  fill(spec, 'concurrencyPolicy', 'Allow')
  fill(spec, 'suspend', false)
  fill(spec, 'successfulJobsHistoryLimit', 3)
  fill(spec, 'failedJobsHistoryLimit', 1)
}

function validate(cron: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = cron.spec ?? {}
  if (!spec.schedule) out.push(required('spec.schedule'))
  else schedule(spec, old?.spec, out)
  nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds', out)
  if (old === undefined || old.spec?.timeZone !== spec.timeZone) timeZone(spec.timeZone, 'spec.timeZone', out)
  const policy: string = spec.concurrencyPolicy ?? ''
  if (policy === '') out.push(required('spec.concurrencyPolicy'))
  else if (!POLICIES.includes(policy)) out.push(notSupported('spec.concurrencyPolicy', policy, POLICIES))
  const job: Json = spec.jobTemplate?.spec ?? {}
  const path = 'spec.jobTemplate.spec'
  jobSpec(job, old?.spec?.jobTemplate?.spec, path, out)
  if (isSet(job.selector)) {
    out.push(invalid(child(path, 'selector'), shownSelector(job.selector), '`selector` will be auto-generated'))
  }
  if (job.manualSelector === true) out.push(notSupported(child(path, 'manualSelector'), true, ['nil', 'false']))
  nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit', out)
  nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit', out)
  const name = cron.metadata.name ?? ''
  if (old === undefined && name.length > LONGEST_NAME) {
    out.push(invalid('metadata.name', name, `must be no more than ${LONGEST_NAME} characters`))
  }
  return out
}

function schedule(spec: Json, old: Json, out: Errors): void {
  const text = String(spec.schedule)
  const path = 'spec.schedule'
  const parsed = parseSchedule(text)
  if ('problem' in parsed) out.push(invalid(path, text, parsed.problem))
  if (!text.includes('TZ')) return
  if (!String(old?.schedule ?? '').includes('TZ')) {
    out.push(invalid(path, text, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
  } else if (isSet(spec.timeZone)) {
    out.push(invalid(path, text, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
  }
}

function timeZone(value: Json, path: string, out: Errors): void {
  if (!isSet(value)) return
  const zone = String(value)
  if (zone === '') {
    out.push(invalid(path, zone, 'timeZone must be nil or non-empty string'))
    return
  }
  const parts = zone.split('/')
  if (
    parts.some(
      (part) => part === '.' || part === '..' || part.startsWith('-') || !/^[A-Za-z.\-_0-9+]{1,14}$/.test(part),
    )
  ) {
    out.push(invalid(path, zone, `unknown time zone ${zone}`))
    return
  }
  if (zone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
    out.push(invalid(path, zone, detail))
  } else if (!isZone(zone)) out.push(invalid(path, zone, `unknown time zone ${zone}`))
}

/** Drops what features that are off by default stand behind. */
function dropOff(cron: Json, old: Json): void {
  const [spec, before]: Json[] = [cron.spec.jobTemplate.spec, old?.spec?.jobTemplate?.spec]
  if (!isSet(before?.scheduling)) delete spec.scheduling
  dropDisabled(spec.template.spec, before?.template?.spec)
}

export const cronJobRules: KindRules = {
  defaults,
  prepareCreate: (cron) => {
    cron['status'] = {}
    dropOff(cron, undefined)
  },
  prepareUpdate: (cron, old) => {
    cron['status'] = old['status']
    dropOff(cron, old)
  },
  validate,
  generation: (cron) => cron['spec'] as unknown,
  warnings: (cron, old) => {
    const template: Json = (cron['spec'] as Json)?.jobTemplate?.spec?.template
    return [
      ...(old === undefined ? nameWarning(cron.metadata.name ?? '') : []),
      ...templateWarnings(cron, old, template, 'spec.jobTemplate.spec.template'),
    ]
  },
}
