/** MutatingWebhookConfiguration and ValidatingWebhookConfiguration. */
import { child, duplicate, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../names.ts'
import type { KubeObject } from '../../object.ts'
import { each, oneOf } from '../checks.ts'
import type { Steps } from '../../schema/steps.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { validateLabelSelector } from '../labels.ts'
import { clientConfig, defaultClient } from './client.ts'
import { conditionExpression } from './expressions.ts'
import { matchConditions } from './match.ts'
import { staticName, staticNameWarnings } from './policy.ts'
import { defaultRules, ruleWithOperations } from './rules.ts'

const REVIEW_VERSIONS = ['v1', 'v1beta1']
const SIDE_EFFECTS = ['None', 'NoneOnDryRun']
const ALL_SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown']

/** What is asked more strictly of new configurations than of those that were stored otherwise once. */
interface Strictness {
  readonly conditions: boolean
  readonly noSideEffects: boolean
  readonly knownReviews: boolean
  readonly uniqueNames: boolean
}

const STRICT: Strictness = { conditions: true, noSideEffects: true, knownReviews: true, uniqueNames: true }

function strictness(object: Json, old: Json): Strictness {
  if (old === undefined) return STRICT
  const before = listOf(old.webhooks)
  const after = listOf(object.webhooks)
  const sameConditions =
    before.length === after.length && before.every((hook, i) => same(hook.matchConditions, after[i].matchConditions))
  const names = before.map(({ name }) => String(name))
  return {
    conditions: !sameConditions,
    noSideEffects: before.every((hook) => SIDE_EFFECTS.includes(hook.sideEffects)),
    knownReviews: before.every((hook) => {
      const versions = listOf(hook.admissionReviewVersions)
      return versions.length === 0 || versions.some((version) => REVIEW_VERSIONS.includes(version))
    }),
    uniqueNames: new Set(names).size === names.length,
  }
}

const expression = conditionExpression(false)

function* webhook(hook: Json, path: string, strict: Strictness, mutating: boolean, out: Errors): Steps<void> {
  fullName(hook.name ?? '', child(path, 'name'), out)
  listOf(hook.rules).forEach((rule, i) => ruleWithOperations(rule, index(child(path, 'rules'), i), out))
  if (isSet(hook.failurePolicy)) oneOf(hook.failurePolicy, ['Fail', 'Ignore'], child(path, 'failurePolicy'), out)
  if (isSet(hook.matchPolicy)) oneOf(hook.matchPolicy, ['Equivalent', 'Exact'], child(path, 'matchPolicy'), out)
  const effects = strict.noSideEffects ? SIDE_EFFECTS : ALL_SIDE_EFFECTS
  const at = child(path, 'sideEffects')
  if (!isSet(hook.sideEffects)) out.push(required(at, `must specify one of ${effects.join(', ')}`))
  else if (!effects.includes(hook.sideEffects)) out.push(notSupported(at, hook.sideEffects, effects))
  const seconds: Json = hook.timeoutSeconds
  if (isSet(seconds) && (seconds > 30 || seconds < 1)) {
    const detail = 'the timeout value must be between 1 and 30 seconds'
    out.push(invalid(child(path, 'timeoutSeconds'), seconds, detail))
  }
  for (const selector of ['namespaceSelector', 'objectSelector']) {
    if (isSet(hook[selector])) out.push(...validateLabelSelector(hook[selector], child(path, selector)))
  }
  if (mutating && isSet(hook.reinvocationPolicy)) {
    oneOf(hook.reinvocationPolicy, ['IfNeeded', 'Never'], child(path, 'reinvocationPolicy'), out)
  }
  clientConfig(hook.clientConfig, child(path, 'clientConfig'), out)
  if (strict.conditions) yield* matchConditions(hook.matchConditions, child(path, 'matchConditions'), expression, out)
}

function fullName(name: string, path: string, out: Errors): void {
  if (name === '') {
    out.push(required(path))
    return
  }
  const problems = isDns1123Subdomain(name)
  if (problems.length > 0) out.push(invalid(path, name, problems.join(',')))
  else if (name.split('.').length < 3) {
    out.push(invalid(path, name, 'should be a domain with at least three segments separated by dots'))
  }
}

function reviewVersions(versions: readonly string[], path: string, strict: Strictness, out: Errors): void {
  if (versions.length === 0) {
    out.push(required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`))
    return
  }
  const seen = new Set<string>()
  versions.forEach((version, i) => {
    if (seen.has(version)) out.push(invalid(index(path, i), version, 'duplicate version'))
    else each(isDns1035Label(version), index(path, i), version, out)
    seen.add(version)
  })
  if (strict.knownReviews && !versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    out.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  }
}

function* validate(object: KubeObject, old: KubeObject | undefined, mutating: boolean): Steps<FieldError[]> {
  const out: Errors = []
  const strict = strictness(object, old)
  const names = new Set<string>()
  for (const [i, hook] of listOf(object['webhooks']).entries()) {
    yield undefined
    const path = index('webhooks', i)
    yield* webhook(hook, path, strict, mutating, out)
    reviewVersions(listOf(hook.admissionReviewVersions), child(path, 'admissionReviewVersions'), strict, out)
    const name: string = hook.name ?? ''
    if (!strict.uniqueNames || name === '') continue
    if (names.has(name)) out.push(duplicate(child(path, 'name'), name))
    names.add(name)
  }
  if (old === undefined) staticName(object, out)
  return out
}

/** Reviews, which webhooks never see: a mistake would lock everybody out. */
const EXCLUDED: ReadonlySet<string> = new Set([
  'selfsubjectreviews.authentication.k8s.io',
  'tokenreviews.authentication.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectrulesreviews.authorization.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
])

function ruleWarnings(object: Json): string[] {
  const out: string[] = []
  listOf(object.webhooks).forEach((hook, i) => {
    listOf(hook.rules).forEach((rule, j) => {
      const groups = listOf(rule.apiGroups)
      const resources = listOf(rule.resources)
      if (groups.includes('*') || resources.includes('*')) return
      const named = groups.flatMap((group) => resources.map((resource) => `${resource}.${group}`))
      for (const name of new Set(named)) {
        const why = 'is excluded from admission webhooks; this rule will have no effect'
        if (EXCLUDED.has(name)) out.push(`webhooks[${i}].rules[${j}]: ${name} ${why}`)
      }
    })
  })
  return out
}

function rules(mutating: boolean): KindRules {
  return {
    unconditionalUpdate: false,
    defaults(object) {
      for (const hook of listOf(object['webhooks'])) {
        hook.failurePolicy ??= 'Fail'
        hook.matchPolicy ??= 'Equivalent'
        hook.namespaceSelector ??= {}
        hook.objectSelector ??= {}
        hook.timeoutSeconds ??= 10
        if (mutating) hook.reinvocationPolicy ??= 'Never'
        defaultRules(hook.rules)
        defaultClient(hook.clientConfig)
      }
    },
    generation: (object) => object['webhooks'] as unknown,
    validateInSteps: (object, old) => validate(object, old, mutating),
    warnings: (object, old) => [...staticNameWarnings(object, old), ...ruleWarnings(object)],
  }
}

export const mutatingWebhookRules: KindRules = rules(true)
export const validatingWebhookRules: KindRules = rules(false)
