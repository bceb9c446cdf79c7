/** How long pods bear the `NoExecute` taints of their nodes. Pure. */
import type { Node, Taint, Toleration } from '../objects.ts'
import { tolerates } from '../scheduler/node-affinity.ts'

/** The taints that drive pods away. The same empty list when there are none. */
export function expellingTaints(node: Node | undefined): readonly Taint[] {
  const taints = node?.spec?.taints
  if (taints === undefined) return NONE
  const expelling = taints.filter(({ effect }) => effect === 'NoExecute')
  return expelling.length === 0 ? NONE : expelling
}

const NONE: readonly Taint[] = []

/**
 * Milliseconds that a pod may stay: 0 when it does not tolerate one of the taints, `Infinity` when it tolerates all for
 * ever. For each taint the first toleration that fits counts; of these, the shortest.
 */
export function toleratedFor(tolerations: readonly Toleration[] | undefined, taints: readonly Taint[]): number {
  let least = Infinity
  for (const taint of taints) {
    const used = tolerations?.find((toleration) => tolerates([toleration], taint))
    if (used === undefined) return 0
    if (used.tolerationSeconds !== undefined) least = Math.min(least, Math.max(0, used.tolerationSeconds) * 1000)
  }
  return least
}
