/** What to do with an object whose owners have been looked at. Pure. */
import type { KubeObject, OwnerReference } from '../../machinery/object.ts'
import { FOREGROUND, ORPHAN } from './graph.ts'

export type OwnerState =
  /** It is there, and stays. */
  | 'solid'
  /** There is none with this uid. */
  | 'absent'
  /** It is being deleted and waits for its dependents. */
  | 'waiting'

export type Decision =
  | { readonly type: 'keep' }
  /** Take these owners out. */
  | { readonly type: 'release'; readonly owners: readonly OwnerReference[] }
  /** Delete; with `unblock`, first stop blocking the owners, because a cycle would never end. */
  | {
      readonly type: 'delete'
      readonly policy: 'Orphan' | 'Background' | 'Foreground'
      readonly unblock: boolean
    }

/**
 * An object with a solid owner stays, but lets go of the others. Otherwise it goes: in foreground if an owner waits
 * for it and it has dependents of its own, else as its finalizers ask for.
 */
export function decide(
  object: KubeObject,
  owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[],
  dependents: readonly { readonly foreground: boolean }[],
): Decision {
  if (owners.length === 0) return { type: 'keep' }
  const gone = owners.filter(({ state }) => state !== 'solid').map(({ reference }) => reference)
  if (gone.length < owners.length) return gone.length === 0 ? { type: 'keep' } : { type: 'release', owners: gone }
  if (owners.some(({ state }) => state === 'waiting') && dependents.length > 0) {
    const unblock = dependents.some(({ foreground }) => foreground)
    return { type: 'delete', policy: 'Foreground', unblock }
  }
  const finalizers = object.metadata.finalizers ?? []
  const policy = finalizers.includes(ORPHAN) ? 'Orphan' : finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background'
  return { type: 'delete', policy, unblock: false }
}
