/** Labels of nodes that have better names by now. */
import { child, index } from '../field.ts'
import { entriesOf, listOf, same } from './json.ts'
import type { Json } from './json.ts'

const BETA = 'beta.kubernetes.io/'
/** The label that took the place of another one. */
const STABLE: ReadonlyMap<string, string> = new Map([
  [`${BETA}arch`, 'kubernetes.io/arch'],
  [`${BETA}os`, 'kubernetes.io/os'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  [`${BETA}instance-type`, 'node.kubernetes.io/instance-type'],
])
const OLD_LABELS: ReadonlyMap<string, string> = new Map([
  [`${BETA}arch`, 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  [`${BETA}os`, 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  [`${BETA}instance-type`, 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', 'deprecated since v1.22; use Taints and Tolerations instead'],
])

/** What is to be said of a label, if anything. */
export function deprecatedNodeLabel(name: Json): string | undefined {
  return OLD_LABELS.get(String(name ?? ''))
}

/**
 * Whether two node selectors are equal, but for labels that gave way to their stable ones. A label that has none may give
 * way to no label: what is wrong with that is told elsewhere.
 */
export function sameButStableLabels(now: Json, old: Json): boolean {
  const terms: readonly Json[] = listOf(now?.nodeSelectorTerms)
  return same(now, {
    ...old,
    nodeSelectorTerms: listOf(old?.nodeSelectorTerms).map((term, i) => ({
      ...term,
      matchExpressions: renamed(term.matchExpressions, terms[i]?.matchExpressions),
      matchFields: renamed(term.matchFields, terms[i]?.matchFields),
    })),
  })
}

function renamed(old: Json, now: Json): Json {
  return listOf(old).map((one, i) => {
    const key: string = listOf(now)[i]?.key ?? ''
    return (STABLE.get(String(one.key ?? '')) ?? '') === key ? { ...one, key } : one
  })
}

/** Warnings for a label selector of nodes. */
export function selectorWarnings(selector: Json, path: string): string[] {
  const out: string[] = []
  listOf(selector?.matchExpressions).forEach(({ key }, i) => {
    const text = deprecatedNodeLabel(key)
    if (text !== undefined) out.push(`${child(index(child(path, 'matchExpressions'), i), 'key')}: ${key} is ${text}`)
  })
  for (const [label] of entriesOf(selector?.matchLabels)) {
    const text = deprecatedNodeLabel(label)
    if (text !== undefined) out.push(`${child(path, `matchLabels.${label}`)}: ${text}`)
  }
  return out
}
