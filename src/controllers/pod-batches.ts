/** Makes the pods that an object wants. */
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { BatchResult } from './batches.ts'
import { slowStart } from './batches.ts'
import type { Expectations } from './expectations.ts'
import type { Pod } from './objects.ts'
import { isTerminating, messageOf } from './problems.ts'
import type { EventRecorder } from './recorder.ts'

export interface PodCreation {
  readonly client: Pick<Client, 'create'>
  readonly recorder: EventRecorder
  readonly expectations: Expectations
  /** What wants the pods: events are about it, and they are made in its namespace. */
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
  { client, recorder, expectations, owner, key }: PodCreation,
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
