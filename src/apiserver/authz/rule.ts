/** RBAC rules and what they match: the meaning of Kubernetes' PolicyRule. */
import type { Attributes } from '../contract.ts'

/** rbac.authorization.k8s.io/v1 PolicyRule */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  /** Empty or absent: every name. */
  readonly resourceNames?: readonly string[]
  /** Exact paths, or prefixes that end with `*`. */
  readonly nonResourceURLs?: readonly string[]
}

const none: readonly string[] = []

/** Rules of a role as stored; what is not a list of strings there counts as empty. */
export function rulesOf(rules: unknown): readonly PolicyRule[] {
  return Array.isArray(rules) ? (rules as PolicyRule[]) : []
}

/** Whether one rule allows a request. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!hasOrStar(rule.verbs ?? none, attributes.verb)) return false
  if (attributes.resource === undefined) return nonResourceMatches(rule, attributes.path ?? '')
  return (
    hasOrStar(rule.apiGroups ?? none, attributes.group ?? '') &&
    resourceMatches(rule.resources ?? none, attributes.resource, attributes.subresource ?? '') &&
    nameMatches(rule.resourceNames ?? none, attributes.name ?? '')
  )
}

function hasOrStar(list: readonly string[], wanted: string): boolean {
  return list.includes(wanted) || list.includes('*')
}

/** `*`, `pods`, `pods/log` and `*` + `/scale`; a plain `pods` does not cover its subresources. */
function resourceMatches(list: readonly string[], resource: string, subresource: string): boolean {
  const combined = subresource === '' ? resource : `${resource}/${subresource}`
  for (const entry of list) {
    if (entry === '*' || entry === combined) return true
    if (subresource !== '' && entry.startsWith('*/') && entry.slice(2) === subresource) return true
  }
  return false
}

function nameMatches(list: readonly string[], name: string): boolean {
  return list.length === 0 || list.includes(name)
}

function nonResourceMatches(rule: PolicyRule, path: string): boolean {
  return (rule.nonResourceURLs ?? none).some((url) => urlCovers(url, path))
}

/** Whether a nonResourceURLs entry covers a path or a narrower entry. */
export function urlCovers(url: string, path: string): boolean {
  if (url === path || url === '*') return true
  return url.endsWith('*') && path.startsWith(withoutStars(url))
}

function withoutStars(url: string): string {
  let end = url.length
  while (end > 0 && url[end - 1] === '*') end--
  return url.slice(0, end)
}
