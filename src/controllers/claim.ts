/** Adoption and release: the objects that an owner's selector matches get its owner reference, the others lose it. */
import type { Client, Resource } from '../client/contract.ts'
import type { KubeObject, OwnerReference } from '../machinery/object.ts'
import { type LabelSelector, matchesLabels } from '../machinery/selector/labels.ts'
import { isReason } from '../machinery/status.ts'
import { controllerOf } from './meta.ts'

export interface Claimant {
  readonly client: Client
  /** The owner as the cache has it, and its resource, for the live check before an adoption. */
  readonly owner: KubeObject
  readonly ownerResource: Resource
  readonly selector: LabelSelector
  /** The reference that an adopted object gets. */
  readonly reference: OwnerReference
  /** What is claimed. */
  readonly resource: Resource
  /** What adopted objects get and released ones lose. @default none */
  readonly finalizers?: readonly string[]
}

/**
 * The objects that belong to the owner, of `candidates` (its own and orphans of its namespace).
 * @throws StatusError when an adoption or a release fails for another reason than that the object has gone
 */
export async function claim<T extends KubeObject>(claimant: Claimant, candidates: readonly T[]): Promise<T[]> {
  const { owner, selector } = claimant
  const claimed: T[] = []
  let mayAdopt: Promise<boolean> | undefined
  for (const object of candidates) {
    const controller = controllerOf(object)
    const matches = matchesLabels(selector, object.metadata.labels)
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue
      if (matches) claimed.push(object)
      else if (owner.metadata.deletionTimestamp === undefined) await release(claimant, object)
      continue
    }
    if (!matches || owner.metadata.deletionTimestamp !== undefined) continue
    if (object.metadata.deletionTimestamp !== undefined) continue
    mayAdopt ??= stillThere(claimant)
    if (!(await mayAdopt)) continue
    if (await adopt(claimant, object)) claimed.push(object)
  }
  return claimed
}

/** The cache may lag: an owner that is being deleted, or another one of the same name, adopts nothing. */
async function stillThere({ client, owner, ownerResource }: Claimant): Promise<boolean> {
  const fresh = await client.get(ownerResource, owner.metadata.name!, { namespace: owner.metadata.namespace! })
  return fresh.metadata.uid === owner.metadata.uid && fresh.metadata.deletionTimestamp === undefined
}

async function adopt(claimant: Claimant, object: KubeObject): Promise<boolean> {
  const { client, resource, reference, finalizers } = claimant
  const added = finalizers === undefined ? {} : { finalizers }
  const body = { metadata: { uid: object.metadata.uid, ownerReferences: [reference], ...added } }
  return patched(client, resource, object, body)
}

async function release({ client, resource, owner, finalizers }: Claimant, object: KubeObject): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
  const removed = finalizers === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': finalizers }
  await patched(client, resource, object, { metadata: { uid: object.metadata.uid, ownerReferences, ...removed } })
}

/** Whether it went through; `false` when the object is gone or has been replaced (its uid cannot be patched). */
async function patched(client: Client, resource: Resource, object: KubeObject, body: object): Promise<boolean> {
  try {
    const { name, namespace } = object.metadata
    await client.patch(resource, name!, { type: 'strategic', body }, { namespace: namespace! })
    return true
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Invalid') || isReason(error, 'Conflict')) return false
    throw error
  }
}
