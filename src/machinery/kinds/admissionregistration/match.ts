/** What policies are about: match resources and match conditions. */
import { child, duplicate, index, notSupported, required, tooMany } from '../../field.ts'
import type { Steps } from '../../schema/steps.ts'
import { qualifiedName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { validateLabelSelector } from '../labels.ts'
import type { CheckExpression } from './expressions.ts'
import { defaultRules, namedRule } from './rules.ts'

const MATCH_POLICIES = ['Equivalent', 'Exact']
const MOST_CONDITIONS = 64

export function defaultMatchResources(match: Json): void {
  if (!isSet(match)) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}

export function matchResources(match: Json, path: string, out: Errors): void {
  if (!isSet(match)) return
  if (!isSet(match.matchPolicy)) out.push(required(child(path, 'matchPolicy')))
  else if (!MATCH_POLICIES.includes(match.matchPolicy)) {
    out.push(notSupported(child(path, 'matchPolicy'), match.matchPolicy, MATCH_POLICIES))
  }
  for (const selector of ['namespaceSelector', 'objectSelector']) {
    const at = child(path, selector)
    if (!isSet(match[selector])) out.push(required(at))
    else out.push(...validateLabelSelector(match[selector], at))
  }
  for (const list of ['resourceRules', 'excludeResourceRules']) {
    listOf(match[list]).forEach((rule, i) => namedRule(rule, index(child(path, list), i), out))
  }
}

export function* matchConditions(list: Json, path: string, expression: CheckExpression, out: Errors): Steps<void> {
  const conditions = listOf(list)
  if (conditions.length > MOST_CONDITIONS) out.push(tooMany(path, conditions.length, MOST_CONDITIONS))
  const names = new Set<string>()
  for (const [i, condition] of conditions.entries()) {
    const at = index(path, i)
    const text = String(condition.expression ?? '').trim()
    if (text === '') out.push(required(child(at, 'expression')))
    else yield* expression(text, child(at, 'expression'), out)
    const name: string = condition.name ?? ''
    if (name === '') {
      out.push(required(child(at, 'name')))
      continue
    }
    qualifiedName(name, child(at, 'name'), out)
    if (names.has(name)) out.push(duplicate(child(at, 'name'), name))
    names.add(name)
  }
}
