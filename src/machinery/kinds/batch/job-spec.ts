/** What a Job's spec may say, also as the template of a CronJob. */
import { child, index, invalid, notSupported, required, tooLong, tooMany } from '../../field.ts'
import { isDns1123Subdomain } from '../../names.ts'
import { each, nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { validateTemplate } from '../pod/validate.ts'
import { failurePolicy } from './failure-policy.ts'
import { readIndexes } from './indexes.ts'

const MOST_INDEXED = 100_000
const MANY_COMPLETIONS = 100_000
const LIMIT_FOR_MANY = 10_000
const LONGEST_INDEX_LIST = 64 * 1024
const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
]

/** Everything but the selector, which only a Job has. */
export function jobSpec(spec: Json, old: Json, path: string, out: Errors): void {
  for (const field of COUNTS) nonNegative(spec[field], child(path, field), out)
  if (isSet(spec.maxFailedIndexes) && !isSet(spec.backoffLimitPerIndex)) {
    out.push(required(child(path, 'backoffLimitPerIndex'), 'when maxFailedIndexes is specified'))
  }
  if (isSet(spec.managedBy)) managedBy(String(spec.managedBy), child(path, 'managedBy'), out)
  completionMode(spec, path, out)
  if (isSet(spec.podFailurePolicy)) failurePolicy(spec, child(path, 'podFailurePolicy'), out)
  if (isSet(spec.successPolicy)) successPolicy(spec, child(path, 'successPolicy'), out)
  if (isSet(spec.podReplacementPolicy)) {
    const allowed = isSet(spec.podFailurePolicy) ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
    if (!allowed.includes(spec.podReplacementPolicy as string)) {
      out.push(notSupported(child(path, 'podReplacementPolicy'), spec.podReplacementPolicy, allowed))
    }
  }
  validateTemplate(spec.template ?? {}, child(path, 'template'), out, old?.template)
  restartPolicy(spec, `${path}.template.spec.restartPolicy`, out)
}

function managedBy(value: string, path: string, out: Errors): void {
  const slash = value.indexOf('/')
  const [host, rest] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)]
  if (value === '') out.push(required(path))
  else if (slash < 1 || rest === '') {
    out.push(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  } else {
    each(isDns1123Subdomain(host), path, host, out)
    if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest)) {
      const pattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
      out.push(invalid(path, rest, `Invalid path (regex used for validation is '${pattern}')`))
    }
  }
  if (Buffer.byteLength(value) > 63) out.push(tooLong(path, 63))
}

function completionMode(spec: Json, path: string, out: Errors): void {
  const { completions, parallelism, maxFailedIndexes, backoffLimitPerIndex } = spec
  const mode: string = spec.completionMode ?? 'NonIndexed'
  if (mode !== 'NonIndexed' && mode !== 'Indexed') {
    out.push(notSupported(child(path, 'completionMode'), mode, ['NonIndexed', 'Indexed']))
  }
  const above = (field: string, limit: number, more: string): void => {
    if (isSet(spec[field]) && spec[field] > limit) {
      out.push(invalid(child(path, field), spec[field], `must be less than or equal to ${limit}${more}`))
    }
  }
  if (mode === 'Indexed') {
    if (!isSet(completions)) out.push(required(child(path, 'completions'), 'when completion mode is Indexed'))
    above('parallelism', MOST_INDEXED, ' when completion mode is Indexed')
    if (isSet(completions) && isSet(maxFailedIndexes) && maxFailedIndexes > completions) {
      const detail = 'must be less than or equal to completions'
      out.push(invalid(child(path, 'maxFailedIndexes'), maxFailedIndexes, detail))
    }
    above('maxFailedIndexes', MOST_INDEXED, '')
    if (isSet(completions) && completions > MANY_COMPLETIONS && isSet(backoffLimitPerIndex)) {
      const more = ` when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`
      if (!isSet(maxFailedIndexes)) {
        const detail = `must be specified when completions is above ${MANY_COMPLETIONS}`
        out.push(required(child(path, 'maxFailedIndexes'), detail))
      }
      if (isSet(parallelism)) above('parallelism', LIMIT_FOR_MANY, more)
      above('maxFailedIndexes', LIMIT_FOR_MANY, more)
    }
  }
  if (mode !== 'NonIndexed') return
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes']) {
    if (isSet(spec[field])) out.push(invalid(child(path, field), spec[field], 'requires indexed completion mode'))
  }
}

function successPolicy(spec: Json, path: string, out: Errors): void {
  const { completions, successPolicy: policy } = spec
  if (spec.completionMode !== 'Indexed') {
    const shown = { Rules: isSet(policy.rules) ? listOf(policy.rules).map(shownRule) : null }
    out.push(invalid(path, shown, 'requires indexed completion mode'))
    return
  }
  const rules = listOf(policy.rules)
  const at = child(path, 'rules')
  if (rules.length === 0) {
    out.push(required(at, 'at least one rules must be specified when the successPolicy is specified'))
  }
  if (rules.length > 20) out.push(tooMany(at, rules.length, 20))
  for (const [i, rule] of rules.entries()) successRule(rule, Number(completions ?? 0), index(at, i), out)
}

const shownRule = (rule: Json): object => ({
  SucceededIndexes: rule.succeededIndexes ?? null,
  SucceededCount: rule.succeededCount ?? null,
})

function successRule(rule: Json, completions: number, path: string, out: Errors): void {
  const { succeededIndexes, succeededCount } = rule
  if (!isSet(succeededIndexes) && !isSet(succeededCount)) {
    out.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'))
  }
  let total = 0
  if (isSet(succeededIndexes)) {
    const at = child(path, 'succeededIndexes')
    if (succeededIndexes.length > LONGEST_INDEX_LIST) out.push(tooLong(at, LONGEST_INDEX_LIST))
    const read = readIndexes(String(succeededIndexes), completions)
    if ('count' in read) total = read.count
    else out.push(invalid(at, succeededIndexes, `error parsing succeededIndexes: ${read.problem}`))
  }
  if (!isSet(succeededCount)) return
  const at = child(path, 'succeededCount')
  nonNegative(succeededCount, at, out)
  const beyond = (limit: number, what: string): void => {
    if (succeededCount > limit)
      out.push(invalid(at, succeededCount, `must be less than or equal to ${limit} (${what})`))
  }
  beyond(completions, 'the number of specified completions')
  if (isSet(succeededIndexes)) beyond(total, 'the number of indexes in the specified succeededIndexes field')
}

function restartPolicy(spec: Json, path: string, out: Errors): void {
  const policy: string = spec.template?.spec?.restartPolicy ?? ''
  if (policy === 'Always' || policy === '') out.push(required(path, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') out.push(notSupported(path, policy, ['OnFailure', 'Never']))
  else if (isSet(spec.podFailurePolicy) && policy !== 'Never') {
    out.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
  }
}
