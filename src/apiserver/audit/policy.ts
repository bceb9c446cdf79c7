/** Audit policies, audit.k8s.io/v1: what of which requests is logged. */
import { decodeYaml } from '../../machinery/codec/yaml.ts'
import { DecodeError } from '../../machinery/codec/error.ts'
import { child, index, invalid, notSupported, required, type FieldError } from '../../machinery/field.ts'
import { isDns1123Subdomain } from '../../machinery/names.ts'
import type { Attributes } from '../contract.ts'

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]

export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

interface GroupResources {
  readonly group?: string
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
}

interface PolicyRule {
  readonly level: Level
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly GroupResources[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}

/** audit.k8s.io/v1 Policy */
export interface AuditPolicy {
  readonly apiVersion: 'audit.k8s.io/v1'
  readonly kind: 'Policy'
  readonly rules: readonly PolicyRule[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}

/** What is logged of one request. */
export interface AuditConfig {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

/** What a broken policy is refused with. */
export class AuditPolicyError extends Error {
  override readonly name = 'AuditPolicyError'
}

/** Reads a policy from YAML or JSON text. @throws AuditPolicyError in upstream's words */
export function readAuditPolicy(text: string): AuditPolicy {
  let value: unknown
  try {
    value = decodeYaml(text).value
  } catch (error) {
    if (error instanceof DecodeError) throw new AuditPolicyError(`failed decoding: ${error.message}`)
    throw error
  }
  return checkedAuditPolicy(value)
}

/** @throws AuditPolicyError */
export function checkedAuditPolicy(value: unknown): AuditPolicy {
  if (!isMap(value)) throw new AuditPolicyError('failed decoding: the policy is no object')
  const { apiVersion, kind } = value
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy') {
    const which = `${JSON.stringify(apiVersion ?? '')}, Kind=${JSON.stringify(kind ?? '')}`
    throw new AuditPolicyError(`unknown group version field ${which} in policy`)
  }
  const { rules = [], omitStages = [] } = value
  if (!Array.isArray(rules) || !rules.every(isRuleShape) || !isStrings(omitStages))
    throw new AuditPolicyError('failed decoding: rules and their lists must be lists of strings')
  const problems = [...stageProblems(omitStages, 'omitStages'), ...rules.flatMap(ruleProblems)]
  if (problems.length > 0) {
    const texts = problems.map(({ field, message }) => `${field}: ${message}`)
    throw new AuditPolicyError(texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`)
  }
  if (rules.length === 0) throw new AuditPolicyError('loaded illegal policy with 0 rules')
  return value as unknown as AuditPolicy
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string')

function isRuleShape(rule: unknown): rule is PolicyRule {
  if (!isMap(rule)) return false
  const { resources = [], level } = rule
  const lists = ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs', 'omitStages']
  if (level !== undefined && typeof level !== 'string') return false
  if (!lists.every((name) => isStrings(rule[name] ?? []))) return false
  return (
    Array.isArray(resources) &&
    resources.every(
      (each) =>
        isMap(each) &&
        typeof (each['group'] ?? '') === 'string' &&
        isStrings(each['resources'] ?? []) &&
        isStrings(each['resourceNames'] ?? []),
    )
  )
}

function ruleProblems(rule: PolicyRule, i: number): FieldError[] {
  const at = index('rules', i)
  const { level, nonResourceURLs = [], resources = [], namespaces = [], omitStages = [] } = rule
  const problems: FieldError[] = []
  const levelText = (level ?? '') as string
  if (levelText === '') problems.push(required(child(at, 'level')))
  else if (!(LEVELS as readonly string[]).includes(levelText))
    problems.push(notSupported(child(at, 'level'), levelText, LEVELS))
  for (const [k, url] of nonResourceURLs.entries()) {
    if (url === '*') continue
    const where = index(child(at, 'nonResourceURLs'), k)
    if (!url.startsWith('/'))
      problems.push(invalid(where, url, "non-resource URL rules must begin with a '/' character"))
    if (url.slice(0, -1).includes('*'))
      problems.push(invalid(where, url, "non-resource URL wildcards '*' must be the final character of the rule"))
  }
  for (const { group = '', resources: names = [], resourceNames = [] } of resources) {
    const where = child(at, 'resources')
    const wrong = group === '' || group === '*' ? [] : isDns1123Subdomain(group)
    if (wrong.length > 0) problems.push(invalid(child(where, 'group'), group, wrong.join(',')))
    if (resourceNames.length > 0 && names.length === 0)
      problems.push(
        invalid(child(where, 'resourceNames'), resourceNames, 'using resourceNames requires at least one resource'),
      )
  }
  problems.push(...stageProblems(omitStages, child(at, 'omitStages')))
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    const detail = 'rules cannot apply to both regular resources and non-resource URLs'
    problems.push(invalid(child(at, 'nonResourceURLs'), nonResourceURLs, detail))
  }
  return problems
}

function stageProblems(stages: readonly string[], path: string): FieldError[] {
  return stages.flatMap((stage, i) =>
    (STAGES as readonly string[]).includes(stage)
      ? []
      : [invalid(index(path, i), stage, `allowed stages are ${STAGES.join(',')}`)],
  )
}

/** Makes the question "what of this request?"; the first rule that matches answers. */
export function policyEvaluator(policy: AuditPolicy): (attributes: Attributes) => AuditConfig {
  const omitManagedFields = policy.omitManagedFields ?? false
  const none: AuditConfig = { level: 'None', omitStages: new Set(policy.omitStages), omitManagedFields }
  const rules = policy.rules.map((rule) => ({
    rule,
    config: {
      level: rule.level,
      omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
      omitManagedFields: rule.omitManagedFields ?? omitManagedFields,
    },
  }))
  return (attributes) => rules.find(({ rule }) => ruleMatches(rule, attributes))?.config ?? none
}

function ruleMatches(rule: PolicyRule, attributes: Attributes): boolean {
  const { users = [], userGroups = [], verbs = [], namespaces = [], resources = [], nonResourceURLs = [] } = rule
  const { user, verb, path = '' } = attributes
  if (users.length > 0 && !users.includes(user.name)) return false
  if (userGroups.length > 0 && !user.groups.some((group) => userGroups.includes(group))) return false
  if (verbs.length > 0 && !verbs.includes(verb)) return false
  if (namespaces.length > 0 || resources.length > 0) return resourceMatches(namespaces, resources, attributes)
  if (nonResourceURLs.length === 0) return true
  return attributes.resource === undefined && nonResourceURLs.some((spec) => pathMatches(spec, path))
}

function pathMatches(spec: string, path: string): boolean {
  if (spec === '*' || spec === path) return true
  return spec.endsWith('*') && path.startsWith(spec.slice(0, -1))
}

function resourceMatches(
  namespaces: readonly string[],
  resources: readonly GroupResources[],
  attributes: Attributes,
): boolean {
  const { group = '', resource, subresource = '', namespace = '', name = '' } = attributes
  if (resource === undefined) return false
  if (namespaces.length > 0 && !namespaces.includes(namespace)) return false
  if (resources.length === 0) return true
  const combined = subresource === '' ? resource : `${resource}/${subresource}`
  return resources.some(({ group: wanted = '', resources: names = [], resourceNames = [] }) => {
    if (wanted !== group && wanted !== '*') return false
    if (names.length === 0) return true
    if (resourceNames.length > 0 && !resourceNames.includes(name)) return false
    return names.some(
      (each) =>
        each === combined ||
        each === '*' ||
        (subresource !== '' && each === `*/${subresource}`) ||
        each === `${resource}/*`,
    )
  })
}
