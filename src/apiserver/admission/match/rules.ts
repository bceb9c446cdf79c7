/** Whether rules of webhooks and policies are about a request. */
import type { ServedResource } from '../../contract.ts'
import type { View } from './view.ts'
import { equivalents, isNamespaces } from './view.ts'

/** A RuleWithOperations, or a NamedRuleWithOperations, as it is stored. */
export interface Rule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  /** `pods`, `pods/log`, `*`, `pods/*` … */
  readonly resources?: readonly string[]
  /** @default '*' */
  readonly scope?: string
  /** Names of objects; none: any. */
  readonly resourceNames?: readonly string[]
}

/**
 * The resource in whose version the first matching rule wants the request: the one of the URL if any rule is about
 * it; with policy Equivalent also another version of the same objects.
 */
export function matchRules(rules: readonly Rule[], exact: boolean, view: View): ServedResource | undefined {
  const { requested } = view
  for (const rule of rules) if (isAbout(rule, requested, view)) return requested
  if (exact || rules.length === 0) return undefined
  const others = equivalents(view.request.state.catalog, requested, view.subresource)
  if (others.length < 2) return undefined
  for (const rule of rules) {
    for (const other of others) if (other !== requested && isAbout(rule, other, view)) return other
  }
  return undefined
}

function isAbout(rule: Rule, served: ServedResource, view: View): boolean {
  const { group, version, resource } = served.info
  return (
    inScope(rule.scope ?? '*', served, view.namespace) &&
    has(rule.operations, view.operation) &&
    has(rule.apiGroups, group) &&
    has(rule.apiVersions, version) &&
    hasResource(rule.resources, resource, view.subresource) &&
    (rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(view.name))
  )
}

const has = (list: readonly string[] | undefined, text: string): boolean =>
  list !== undefined && list.some((one) => one === '*' || one === text)

/** Namespaces are cluster-wide objects whose requests have a namespace. */
function inScope(scope: string, served: ServedResource, namespace: string): boolean {
  if (scope === 'Namespaced') return namespace !== '' && !isNamespaces(served)
  if (scope === 'Cluster') return namespace === '' || isNamespaces(served)
  return true
}

function hasResource(list: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (list === undefined) return false
  for (const text of list) {
    const slash = text.indexOf('/')
    const first = slash < 0 ? text : text.slice(0, slash)
    const second = slash < 0 ? '' : text.slice(slash + 1)
    if ((first === '*' || first === resource) && (second === '*' || second === subresource)) return true
  }
  return false
}
