/** Scopes of a ResourceQuota: which objects it is about. Pure. */
import { qosClass } from '../kinds/pod/qos.ts'
import type { KubeObject } from '../object.ts'

export interface Scope {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** Both forms in which a quota has scopes. */
export function scopesOf(quota: KubeObject): Scope[] {
  const { scopes = [], scopeSelector } = quota['spec'] ?? {}
  const plain = (scopes as string[]).map((scopeName): Scope => ({ scopeName, operator: 'Exists' }))
  return [...plain, ...((scopeSelector?.matchExpressions ?? []) as Scope[])]
}

export function podFits(scope: Scope, pod: KubeObject): boolean {
  const spec = pod['spec'] ?? {}
  switch (scope.scopeName) {
    case 'Terminating':
      return (spec.activeDeadlineSeconds ?? -1) >= 0
    case 'NotTerminating':
      return (spec.activeDeadlineSeconds ?? -1) < 0
    case 'BestEffort':
      return qosClass(spec) === 'BestEffort'
    case 'NotBestEffort':
      return qosClass(spec) !== 'BestEffort'
    case 'PriorityClass':
      return named(scope, spec.priorityClassName ? [String(spec.priorityClassName)] : [])
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(spec.affinity)
    default:
      return false
  }
}

export function claimFits(scope: Scope, claim: KubeObject): boolean {
  if (scope.scopeName !== 'VolumeAttributesClass') return false
  const { currentVolumeAttributesClassName, modifyVolumeStatus } = claim['status'] ?? {}
  const names = [
    claim['spec']?.volumeAttributesClassName,
    currentVolumeAttributesClassName,
    modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return named(scope, [...new Set(names.filter(Boolean) as string[])])
}

/** The annotation of old goes before the field. */
export function claimClass(claim: KubeObject): string {
  const annotations = claim.metadata.annotations ?? {}
  const old = 'volume.beta.kubernetes.io/storage-class'
  if (Object.hasOwn(annotations, old)) return annotations[old]!
  return (claim['spec']?.storageClassName as string | undefined) ?? ''
}

function named({ operator, values = [] }: Scope, names: readonly string[]): boolean {
  switch (operator) {
    case 'Exists':
      return names.length > 0
    case 'DoesNotExist':
      return names.length === 0
    case 'In':
      return names.some((name) => values.includes(name))
    case 'NotIn':
      return names.length === 0 || names.some((name) => !values.includes(name))
    default:
      return false
  }
}

interface Term {
  namespaces?: readonly string[]
  namespaceSelector?: object | null
}

function reachesOtherNamespaces(affinity: KubeObject['spec']): boolean {
  const crosses = ({ namespaces = [], namespaceSelector }: Term): boolean =>
    namespaces.length > 0 || (namespaceSelector !== undefined && namespaceSelector !== null)
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((one) => {
    const required = (one?.requiredDuringSchedulingIgnoredDuringExecution ?? []) as Term[]
    const preferred = (one?.preferredDuringSchedulingIgnoredDuringExecution ?? []) as { podAffinityTerm: Term }[]
    return required.some(crosses) || preferred.some(({ podAffinityTerm }) => crosses(podAffinityTerm))
  })
}
