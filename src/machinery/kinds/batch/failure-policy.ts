/** `podFailurePolicy`. */
import { child, duplicate, index, invalid, notSupported, required, tooMany } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { qualifiedName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const STATUSES = ['False', 'True', 'Unknown']

export function failurePolicy(spec: Json, path: string, out: Errors): void {
  const rules = listOf(spec.podFailurePolicy.rules)
  const at = child(path, 'rules')
  if (rules.length > 20) out.push(tooMany(at, rules.length, 20))
  const { containers, initContainers } = spec.template?.spec ?? {}
  const names = new Set<string>([...listOf(containers), ...listOf(initContainers)].map(({ name }) => String(name)))
  for (const [i, rule] of rules.entries()) failureRule(rule, spec, index(at, i), names, out)
}

function failureRule(rule: Json, spec: Json, path: string, names: ReadonlySet<string>, out: Errors): void {
  const action = child(path, 'action')
  if (!rule.action) out.push(required(action, validValues(ACTIONS)))
  else if (rule.action === 'FailIndex') {
    if (!isSet(spec.backoffLimitPerIndex)) {
      out.push(invalid(action, rule.action, 'requires the backoffLimitPerIndex to be set'))
    }
  } else if (!ACTIONS.includes(rule.action as string)) out.push(notSupported(action, rule.action, ACTIONS))
  const codes: Json = rule.onExitCodes
  const conditions = listOf(rule.onPodConditions)
  if (isSet(codes)) exitCodes(codes, child(path, 'onExitCodes'), names, out)
  if (conditions.length > 0) podConditions(conditions, child(path, 'onPodConditions'), out)
  if (isSet(codes) && conditions.length > 0) {
    out.push(invalidRule(path, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  }
  if (!isSet(codes) && conditions.length === 0) {
    out.push(invalidRule(path, 'specifying one of OnExitCodes and OnPodConditions is required'))
  }
}

/** An invalid value that the message does not show. */
function invalidRule(field: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` }
}

function exitCodes(codes: Json, path: string, names: ReadonlySet<string>, out: Errors): void {
  const operator = child(path, 'operator')
  if (!codes.operator) out.push(required(operator, validValues(OPERATORS)))
  else if (!OPERATORS.includes(codes.operator as string)) out.push(notSupported(operator, codes.operator, OPERATORS))
  if (isSet(codes.containerName) && !names.has(String(codes.containerName))) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    out.push(invalid(child(path, 'containerName'), codes.containerName, detail))
  }
  const values = listOf(codes.values) as readonly number[]
  const at = child(path, 'values')
  if (values.length === 0) out.push(invalid(at, codes.values ?? null, 'at least one value is required'))
  else if (values.length > 255) out.push(tooMany(at, values.length, 255))
  const seen = new Set<number>()
  for (const [i, value] of values.entries()) {
    if (codes.operator === 'In' && value === 0) {
      out.push(invalid(index(at, i), value, 'must not be 0 for the In operator'))
    }
    if (seen.has(value)) out.push(duplicate(index(at, i), value))
    seen.add(value)
  }
  if (values.some((value, i) => i > 0 && values[i - 1]! > value)) out.push(invalid(at, values, 'must be ordered'))
}

function podConditions(patterns: readonly Json[], path: string, out: Errors): void {
  if (patterns.length > 20) out.push(tooMany(path, patterns.length, 20))
  for (const [i, { type, status }] of patterns.entries()) {
    const at = child(index(path, i), 'status')
    qualifiedName(type, child(index(path, i), 'type'), out)
    if (!status) out.push(required(at, validValues(STATUSES)))
    else if (!STATUSES.includes(status as string)) out.push(notSupported(at, status, STATUSES))
  }
}

function validValues(values: readonly string[]): string {
  return `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`
}
