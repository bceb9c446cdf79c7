/** What the API fills into volumes, claims and storage classes. */
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'

export function defaultClaimSpec(spec: Json): void {
  if (!isSet(spec.volumeMode)) spec.volumeMode = 'Filesystem'
}

export function defaultClaim(claim: Json): void {
  defaultClaimSpec((claim.spec ??= {}))
  claim.status ??= {}
  if (!claim.status.phase) claim.status.phase = 'Pending'
}

export function defaultStorageClass(storageClass: Json): void {
  if (!isSet(storageClass.reclaimPolicy)) storageClass.reclaimPolicy = 'Delete'
  if (!isSet(storageClass.volumeBindingMode)) storageClass.volumeBindingMode = 'Immediate'
}
