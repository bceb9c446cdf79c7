/** Node selectors, node affinity, taints. Pure. */
import type { StringMap } from '../../machinery/object.ts'
import type { Node, NodeRequirement, NodeSelectorTerm, PodSpec, Taint, Toleration } from '../objects.ts'

/** Whether the pod's node selector and required node affinity allow a node. */
export function selectsNode(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    if (!Object.hasOwn(labels, key) || labels[key] !== value) return false
  }
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

/** Sum of the weights of the preferred terms that a node meets. */
export function preference(spec: PodSpec, node: Node): number {
  let sum = 0
  for (const { weight, preference: term } of spec.affinity?.nodeAffinity
    ?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (matchesTerm(term, node)) sum += weight
  }
  return sum
}

/** All requirements of a term; a term without any matches no node. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  const fields: StringMap = { 'metadata.name': node.metadata.name! }
  return (
    matchExpressions.every((requirement) => meets(requirement, labels)) &&
    matchFields.every((requirement) => meets(requirement, fields))
  )
}

function meets({ key, operator, values = [] }: NodeRequirement, labels: StringMap): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key]! : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt': {
      const [limit] = values
      if (value === undefined || limit === undefined || !INTEGER.test(value) || !INTEGER.test(limit)) return false
      return operator === 'Gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit)
    }
    default:
      return false
  }
}

const INTEGER = /^-?[0-9]{1,19}$/

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false
    if (key !== '' && key !== taint.key) return false
    if (operator === 'Exists') return true
    const own = taint.value ?? ''
    if (operator === 'Equal') return key !== '' && value === own
    if ((operator === 'Gt' || operator === 'Lt') && INTEGER.test(value) && INTEGER.test(own)) {
      return operator === 'Gt' ? BigInt(own) > BigInt(value) : BigInt(own) < BigInt(value)
    }
    return false
  })
}

/** A taint that keeps the pod off a node. */
export function repellingTaint(spec: PodSpec, node: Node): Taint | undefined {
  return node.spec?.taints?.find(
    (taint) => (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerates(spec.tolerations, taint),
  )
}

const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Whether a cordon keeps the pod off a node. */
export function isCordoned(spec: PodSpec, node: Node): boolean {
  return node.spec?.unschedulable === true && !tolerates(spec.tolerations, UNSCHEDULABLE)
}
