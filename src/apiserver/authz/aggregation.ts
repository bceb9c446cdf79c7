/** Aggregated cluster roles: the rules that the roles selected by an aggregationRule give together. */
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../machinery/object.ts'
import { rulesOf, type PolicyRule } from './rule.ts'

/**
 * Rules of `role`: of each selector in order, the selected roles by name, each rule once. `selected` answers which
 * roles a clusterRoleSelector (a metav1.LabelSelector) chooses.
 */
export function aggregatedRules(
  role: KubeObject,
  selected: (selector: unknown) => Iterable<KubeObject>,
): readonly PolicyRule[] {
  const rules: PolicyRule[] = []
  const rule = role['aggregationRule'] as { clusterRoleSelectors?: unknown[] } | undefined
  for (const selector of rule?.clusterRoleSelectors ?? []) {
    const roles = [...selected(selector)].filter((other) => other.metadata.name !== role.metadata.name)
    for (const other of roles.sort(byName)) {
      for (const candidate of rulesOf(other['rules'])) {
        if (!rules.some((known) => isDeepStrictEqual(known, candidate))) rules.push(candidate)
      }
    }
  }
  return rules
}

function byName(a: KubeObject, b: KubeObject): number {
  const left = a.metadata.name ?? ''
  const right = b.metadata.name ?? ''
  return left < right ? -1 : left > right ? 1 : 0
}
