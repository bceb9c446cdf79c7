/** The matchResources of policies and their bindings. */
import type { ServedResource } from '../../contract.ts'
import type { LabelSelectorObject } from '../../../machinery/selector/labels.ts'
import type { Rule } from './rules.ts'
import { matchRules } from './rules.ts'
import { matchesNamespace, matchesObject } from './selectors.ts'
import type { View } from './view.ts'

/** As stored, with defaults. */
export interface MatchResources {
  readonly namespaceSelector: LabelSelectorObject
  readonly objectSelector: LabelSelectorObject
  readonly resourceRules?: readonly Rule[]
  readonly excludeResourceRules?: readonly Rule[]
  readonly matchPolicy: 'Exact' | 'Equivalent'
}

/**
 * The resource in whose version the request matches. Without resource rules everything matches, in the version of
 * the URL. @throws Error when a selector cannot be asked although the rules match
 */
export function matchResources(match: MatchResources, view: View): ServedResource | undefined {
  let failed: unknown
  try {
    if (!matchesNamespace(match.namespaceSelector, view)) return undefined
  } catch (error) {
    failed = error
  }
  if (!matchesObject(match.objectSelector, view)) return undefined
  const exact = match.matchPolicy === 'Exact'
  if (matchRules(match.excludeResourceRules ?? [], exact, view) !== undefined) return undefined
  const rules = match.resourceRules ?? []
  const matched = rules.length === 0 ? view.requested : matchRules(rules, exact, view)
  if (matched !== undefined && failed !== undefined) throw failed
  return matched
}
