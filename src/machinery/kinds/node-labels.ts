/** Labels of nodes that have better names by now. */
import { child, index } from '../field.ts'
import { entriesOf, listOf } from './json.ts'
import type { Json } from './json.ts'

const BETA = 'beta.kubernetes.io/'
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
