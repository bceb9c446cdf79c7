/** Makes the pods that an object wants, and deletes those that it does not. */
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import type { BatchResult } from './batches.ts'
import { forEachLimited, slowStart } from './batches.ts'
import type { Expectations } from './expectations.ts'
import type { Pod } from './objects.ts'
import { isTerminating, messageOf } from './problems.ts'
import type { EventRecorder } from './recorder.ts'

export interface PodOwner {
  readonly client: Pick<Client, 'create' | 'delete'>
  readonly recorder: EventRecorder
  readonly expectations: Expectations
  /** What wants the pods: events are about it, and they are in its namespace. */
  readonly owner: KubeObject
  /** Of the owner, for the expectations. */
  readonly key: string
}

/**
 * Makes `count` pods, few at first (see `slowStart`). All are expected before the first is asked for; those that do not
 * come, or were not tried, are expected no more at the end. Never throws: the first failure is in what it resolves to.
 *
 * @param next the next pod to make
 */
export async function createPods(
  { client, recorder, expectations, owner, key }: PodOwner,
  count: number,
  next: () => Pod,
): Promise<BatchResult> {
  const namespace = owner.metadata.namespace!
  expectations.expectCreations(key, count)
  const result = await slowStart(count, async () => {
    const pod = next()
    let made: Pod
    try {
      made = await client.create<Pod>(resources.pods, pod, { namespace })
    } catch (problem) {
      expectations.creationObserved(key)
      if (isTerminating(problem)) return
      recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(problem)}`)
      throw problem
    }
    recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name!}`)
  })
  for (let i = result.done + result.failed; i < count; i++) expectations.creationObserved(key)
  return result
}

/** Deletes pods whose deletion is expected already; those that fail are expected no more. @throws the first failure */
export async function deletePods(
  { client, recorder, expectations, owner, key }: PodOwner,
  pods: readonly Pod[],
): Promise<void> {
  const namespace = owner.metadata.namespace!
  await forEachLimited(pods, async (pod) => {
    const { name = '', uid = '' } = pod.metadata
    try {
      await client.delete(resources.pods, name, { namespace, preconditions: { uid } })
    } catch (problem) {
      expectations.deletionObserved(key, uid)
      if (isReason(problem, 'NotFound') || isReason(problem, 'Conflict')) return
      recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(problem)}`)
      throw problem
    }
    recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
  })
}
