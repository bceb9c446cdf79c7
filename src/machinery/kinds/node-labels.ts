/** Labels of nodes that have better names by now. */
import { child, index } from '../field.ts'
import { entriesOf, listOf, same } from './json.ts'
import type { Json } from './json.ts'

const BETA = 'beta.kubernetes.io/'
interface Old {
  readonly since: string
  /** The label that took its place. */
  readonly stable?: string
  /** What else is used now. */
  readonly instead?: string
}
const OLD_LABELS: ReadonlyMap<string, Old> = new Map<string, Old>([
  [`${BETA}arch`, { since: 'v1.14', stable: 'kubernetes.io/arch' }],
  [`${BETA}os`, { since: 'v1.14', stable: 'kubernetes.io/os' }],
  ['failure-domain.beta.kubernetes.io/region', { since: 'v1.17', stable: 'topology.kubernetes.io/region' }],
  ['failure-domain.beta.kubernetes.io/zone', { since: 'v1.17', stable: 'topology.kubernetes.io/zone' }],
  [`${BETA}instance-type`, { since: 'v1.17', stable: 'node.kubernetes.io/instance-type' }],
  ['app.kubernetes.io/created-by', { since: 'v1.9' }],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', { since: 'v1.22', instead: 'Taints and Tolerations' }],
])

/** What is to be said of a label, if anything. */
export function deprecatedNodeLabel(name: Json): string | undefined {
  const old = OLD_LABELS.get(String(name ?? ''))
  if (old === undefined) return undefined
  const { since, stable, instead = stable === undefined ? undefined : `"${stable}"` } = old
  return `deprecated since ${since}${instead === undefined ? '' : `; use ${instead} instead`}`
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
    return (OLD_LABELS.get(String(one.key ?? ''))?.stable ?? '') === key ? { ...one, key } : one
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
