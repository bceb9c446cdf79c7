/** Whether a FlowSchema is about a request: upstream's matching. */
import type { KubeObject } from '../../machinery/object.ts'
import { accountUsername } from '../authn/username.ts'
import type { Attributes, UserInfo } from '../contract.ts'

interface Subject {
  readonly kind: string
  readonly user?: { readonly name: string }
  readonly group?: { readonly name: string }
  readonly serviceAccount?: { readonly namespace: string; readonly name: string }
}

interface ResourceRule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly clusterScope?: boolean
  readonly namespaces?: readonly string[]
}

interface NonResourceRule {
  readonly verbs: readonly string[]
  readonly nonResourceURLs: readonly string[]
}

interface Rule {
  readonly subjects: readonly Subject[]
  readonly resourceRules?: readonly ResourceRule[]
  readonly nonResourceRules?: readonly NonResourceRule[]
}

/** What classification needs of a FlowSchema. */
export interface FlowSchema {
  readonly name: string
  readonly precedence: number
  /** Its priority level. */
  readonly level: string
  readonly rules: readonly Rule[]
}

export function flowSchemaOf(object: KubeObject): FlowSchema {
  const spec = (object['spec'] ?? {}) as {
    matchingPrecedence?: number
    priorityLevelConfiguration?: { name?: string }
    rules?: readonly Rule[]
  }
  return {
    name: object.metadata.name!,
    precedence: spec.matchingPrecedence ?? 1000,
    level: spec.priorityLevelConfiguration?.name ?? '',
    rules: spec.rules ?? [],
  }
}

/** The order in which they are asked. */
export function compareSchemas(a: FlowSchema, b: FlowSchema): number {
  return a.precedence - b.precedence || (a.name < b.name ? -1 : 1)
}

export function schemaMatches({ rules }: FlowSchema, attributes: Attributes): boolean {
  return rules.some(
    (rule) =>
      (rule.subjects ?? []).some((subject) => subjectMatches(subject, attributes.user)) &&
      (attributes.resource === undefined
        ? (rule.nonResourceRules ?? []).some((each) => pathMatches(each, attributes))
        : (rule.resourceRules ?? []).some((each) => resourceMatches(each, attributes))),
  )
}

function subjectMatches({ kind, user, group, serviceAccount }: Subject, { name, groups }: UserInfo): boolean {
  if (kind === 'User') return user !== undefined && (user.name === '*' || user.name === name)
  if (kind === 'Group') return group !== undefined && (group.name === '*' || groups.includes(group.name))
  if (kind !== 'ServiceAccount' || serviceAccount === undefined) return false
  const full = accountUsername(serviceAccount.namespace, serviceAccount.name)
  return serviceAccount.name === '*' ? name.startsWith(full.slice(0, -1)) : name === full
}

const has = (list: readonly string[] | undefined, wanted: string): boolean =>
  list !== undefined && (list.includes(wanted) || list.includes('*'))

function resourceMatches(rule: ResourceRule, attributes: Attributes): boolean {
  const { verb, group = '', resource = '', subresource = '', namespace = '' } = attributes
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  if (!has(rule.verbs, verb) || !has(rule.resources, full) || !has(rule.apiGroups, group)) return false
  return namespace === '' ? rule.clusterScope === true : has(rule.namespaces, namespace)
}

function pathMatches(rule: NonResourceRule, { verb, path = '' }: Attributes): boolean {
  if (!has(rule.verbs, verb)) return false
  return rule.nonResourceURLs.some(
    (url) => url === '*' || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))),
  )
}
