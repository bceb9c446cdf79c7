/** The five conditions that tell how far the deletion of a namespace is. Pure. */
import { timestamp } from './meta.ts'
import type { Condition } from './objects.ts'

/** What one pass over the contents found. */
export interface Findings {
  discovery: string | undefined
  /** Messages of failed deletions. */
  readonly failures: string[]
  /** Objects left, by `<resource>.<group>`. */
  readonly remaining: Map<string, number>
  /** Objects left, by finalizer. */
  readonly finalizers: Map<string, number>
}

interface Kind {
  readonly type: string
  readonly reason: string
  readonly message: string
}

const FINE: readonly Kind[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    reason: 'ResourcesDiscovered',
    message: 'All resources successfully discovered',
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    reason: 'ParsedGroupVersions',
    message: 'All legacy kube types successfully parsed',
  },
  {
    type: 'NamespaceDeletionContentFailure',
    reason: 'ContentDeleted',
    message: 'All content successfully deleted, may be waiting on finalization',
  },
  { type: 'NamespaceContentRemaining', reason: 'ContentRemoved', message: 'All content successfully removed' },
  {
    type: 'NamespaceFinalizersRemaining',
    reason: 'ContentHasNoFinalizers',
    message: 'All content-preserving finalizers finished',
  },
]

/** The namespace's conditions after a pass. The same list when nothing changed. */
export function namespaceConditions(current: Condition[], findings: Findings, now: number): Condition[] {
  let out = current
  for (const fine of FINE) {
    const problem = problemOf(fine.type, findings)
    const status = problem === undefined ? 'False' : 'True'
    const { reason, message } = problem ?? fine
    const old = out.find(({ type }) => type === fine.type)
    if (old !== undefined && old.status === status && old.reason === reason && old.message === message) continue
    const same = old !== undefined && old.status === status && old.lastTransitionTime !== undefined
    const lastTransitionTime = same ? old.lastTransitionTime! : timestamp(now)
    const fresh: Condition = { type: fine.type, status, lastTransitionTime, reason, message }
    out = old === undefined ? [...out, fresh] : out.map((one) => (one === old ? fresh : one))
  }
  return out
}

function problemOf(type: string, { discovery, failures, remaining, finalizers }: Findings) {
  switch (type) {
    case 'NamespaceDeletionDiscoveryFailure':
      return discovery === undefined ? undefined : { reason: 'DiscoveryFailed', message: discovery }
    case 'NamespaceDeletionContentFailure': {
      if (failures.length === 0) return undefined
      const what = failures.toSorted().join(', ')
      const message = `Failed to delete all resource types, ${failures.length} remaining: ${what}`
      return { reason: 'ContentDeletionFailed', message }
    }
    case 'NamespaceContentRemaining': {
      if (remaining.size === 0) return undefined
      const parts = [...remaining].map(([name, count]) => `${name} has ${count} resource instances`)
      return { reason: 'SomeResourcesRemain', message: `Some resources are remaining: ${parts.toSorted().join(', ')}` }
    }
    case 'NamespaceFinalizersRemaining': {
      if (finalizers.size === 0) return undefined
      const parts = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`)
      const message = `Some content in the namespace has finalizers remaining: ${parts.toSorted().join(', ')}`
      return { reason: 'SomeFinalizersRemain', message }
    }
    default:
      return undefined
  }
}
