/**
 * The short notation of bootstrap roles:
 * `get list | core apps | pods deployments | name1` (verbs, groups, resources, names) or `get @ /healthz` (verbs, URLs).
 */
import type { PolicyRule } from '../authz/rule.ts'

export interface RoleFacts {
  readonly name: string
  /** '' or absent: a ClusterRole. */
  readonly namespace?: string
  /** The label that gives this role's rules to `admin`, `edit` or `view`. */
  readonly aggregateTo?: 'admin' | 'edit' | 'view'
  /** The role collects the rules of the roles with that label. */
  readonly aggregates?: 'admin' | 'edit' | 'view'
  readonly rules: readonly string[]
}

export function parseRule(text: string): PolicyRule {
  const at = text.indexOf(' @ ')
  if (at >= 0) return { verbs: words(text.slice(0, at)), nonResourceURLs: words(text.slice(at + 3)) }
  const [verbs = '', groups = '', resources = '', names] = text.split(' | ')
  const rule = {
    verbs: words(verbs),
    apiGroups: words(groups).map((group) => (group === 'core' ? '' : group)),
    resources: words(resources),
  }
  return names === undefined ? rule : { ...rule, resourceNames: words(names) }
}

function words(text: string): string[] {
  return text.split(' ')
}
