/** Which claims a pod uses, and for how long. */
import type { KubeObject } from '../../machinery/object.ts'

export interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string
    readonly volumes?: readonly {
      readonly name?: string
      readonly persistentVolumeClaim?: { readonly claimName?: string }
      readonly ephemeral?: object
    }[]
  }
  readonly status?: { readonly phase?: string }
}

export type Claim = KubeObject

/** Names of the claims of a pod, those of its ephemeral volumes among them. */
export function claimsOf({ metadata, spec }: Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ name = '', persistentVolumeClaim, ephemeral }) => {
    if (ephemeral !== undefined) return [`${metadata.name}-${name}`]
    return persistentVolumeClaim?.claimName === undefined ? [] : [persistentVolumeClaim.claimName]
  })
}

/**
 * Whether a pod holds a claim: as long as the pod is there for a claim that it names, until it has run to its end for
 * one that was made for it. A pod that is not placed yet holds nothing: its kubelet will find the claim ending.
 */
export function holds({ metadata, spec, status }: Pod, claim: Claim): boolean {
  if ((spec?.nodeName ?? '') === '') return false
  const { name, ownerReferences = [] } = claim.metadata
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
  const isOwn = (ownerReferences as readonly { readonly uid?: string }[]).some(({ uid }) => uid === metadata.uid)
  return (spec?.volumes ?? []).some(({ name: volume, persistentVolumeClaim, ephemeral }) =>
    ephemeral === undefined
      ? persistentVolumeClaim?.claimName === name
      : !isOver && isOwn && `${metadata.name}-${volume}` === name,
  )
}
