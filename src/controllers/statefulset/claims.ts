/** Who owns the claims of a StatefulSet, by its `persistentVolumeClaimRetentionPolicy`. Pure. */
import type { OwnerReference } from '../../machinery/object.ts'
import { controllerReference } from '../meta.ts'
import type { Pod } from '../objects.ts'
import type { Claim, StatefulSet } from './objects.ts'
import { isWanted, ordinalOf } from './pods.ts'

interface Policy {
  readonly whenDeleted: boolean
  readonly whenScaled: boolean
}

function policyOf(set: StatefulSet): Policy {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  return { whenDeleted: whenDeleted === 'Delete', whenScaled: whenScaled === 'Delete' }
}

const names = (reference: OwnerReference, kind: string, apiVersion: string, name: string): boolean =>
  reference.kind === kind && reference.apiVersion === apiVersion && reference.name === name

/** Owned by a pod or set of the same name that is no more: the claim is about to go. */
export function isStale(claim: Claim, set: StatefulSet, pod: Pod): boolean {
  return owners(claim).some(
    (reference) =>
      (ofSet(reference, set) && reference.uid !== set.metadata.uid) ||
      (ofPod(reference, pod) && reference.uid !== pod.metadata.uid),
  )
}

/** Whether a new pod has to wait until the claim of the one before is gone. */
export function mustWaitFor(claim: Claim, set: StatefulSet, pod: Pod): boolean {
  const stale = owners(claim).some((reference) => ofPod(reference, pod) && reference.uid !== pod.metadata.uid)
  return policyOf(set).whenScaled && stale
}

/** The owners that the claim should have; undefined when it has them or they are not to be touched. */
export function claimOwners(claim: Claim, set: StatefulSet, pod: Pod): OwnerReference[] | undefined {
  if (isStale(claim, set, pod)) return undefined
  const policy = policyOf(set)
  const current = owners(claim)
  const foreign = current.filter((reference) => !ofSet(reference, set) && !ofPod(reference, pod))
  const scaledDown = !isWanted(ordinalOf(pod, set) ?? -1, set)
  const next = [...foreign]
  const contested = foreign.some(({ controller }) => controller === true)
  if (!contested || (!policy.whenDeleted && !policy.whenScaled)) {
    const bySet = policy.whenDeleted && !(policy.whenScaled && scaledDown)
    if (bySet) next.push(controllerReference('apps/v1', 'StatefulSet', set))
    if (policy.whenScaled && scaledDown) next.push(controllerReference('v1', 'Pod', pod))
  }
  const same =
    next.length === current.length &&
    next.every((one) => current.some(({ uid, controller }) => uid === one.uid && controller === one.controller))
  return same ? undefined : next
}

function owners(claim: Claim): readonly OwnerReference[] {
  return claim.metadata.ownerReferences ?? []
}

function ofSet(reference: OwnerReference, set: StatefulSet): boolean {
  return names(reference, 'StatefulSet', 'apps/v1', set.metadata.name!)
}

function ofPod(reference: OwnerReference, pod: Pod): boolean {
  return names(reference, 'Pod', 'v1', pod.metadata.name!)
}
