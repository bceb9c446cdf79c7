/** The StatefulSet controller: pods with names, order and storage of their own. */
import type { Informer } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { labelSelectorOf, matchesLabels } from '../../machinery/selector/labels.ts'
import { isReason } from '../../machinery/status.ts'
import { forEachLimited } from '../batches.ts'
import { claim } from '../claim.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { expendable, RevisionHistory, templateOf, type Revision } from '../history.ts'
import { controllerOf, controllerReference, keyOf, label, sameValue, splitKey } from '../meta.ts'
import type { Pod } from '../objects.ts'
import { availableIn, BY_CONTROLLER, indexPods, isReady, isTerminal, ORPHANS } from '../pods.ts'
import { createRecorder, type EventRecorder } from '../recorder.ts'
import { workloads } from '../resources.ts'
import { claimOwners, mustWaitFor } from './claims.ts'
import type { Claim, StatefulSet, StatefulSetStatus } from './objects.ts'
import {
  claimsOf,
  identityLabels,
  isCreated,
  isParallel,
  isTerminating,
  isUnavailable,
  layoutOf,
  ordinalOf,
  POD_NAME,
  revisionOf,
  type Layout,
  type Version,
} from './pods.ts'
import { completed, outdated, statusOf, type Revisions } from './status.ts'

export function statefulSetController(context: ControllerContext): Controller {
  return new StatefulSetController(context)
}

class StatefulSetController implements Controller {
  readonly name = 'statefulset'
  readonly #context: ControllerContext
  readonly #sets: Informer<StatefulSet>
  readonly #pods: Informer<Pod>
  readonly #history: RevisionHistory
  readonly #recorder: EventRecorder

  constructor(context: ControllerContext) {
    this.#context = context
    this.#sets = context.client.informer<StatefulSet>(workloads.statefulsets)
    this.#pods = context.client.informer<Pod>(resources.pods)
    this.#history = new RevisionHistory(context.client, workloads.statefulsets)
    this.#recorder = createRecorder(context, 'statefulset-controller', { apiVersion: 'apps/v1', kind: 'StatefulSet' })
  }

  start(): void {
    indexPods(this.#pods)
    this.#history.start((key) => this.#context.enqueue(key))
    this.#sets.onEvent(({ type, object }) => {
      if (type !== 'delete') this.#context.enqueue(keyOf(object))
    })
    this.#pods.onEvent((event) => {
      if (event.type === 'update') this.#enqueueOwner(event.old)
      this.#enqueueOwner(event.object)
      if (controllerOf(event.object) === undefined && event.type !== 'delete') this.#enqueueAdopters(event.object)
    })
  }

  #enqueueOwner(pod: Pod): void {
    const owner = controllerOf(pod)
    if (owner?.kind !== 'StatefulSet' || !owner.apiVersion.startsWith('apps/')) return
    this.#context.enqueue(`${pod.metadata.namespace!}/${owner.name}`)
  }

  #enqueueAdopters(pod: Pod): void {
    if (pod.metadata.labels === undefined) return
    for (const set of this.#sets.list(pod.metadata.namespace!)) {
      const fits = matchesLabels(labelSelectorOf(set.spec.selector), pod.metadata.labels)
      if (fits && ordinalOf(pod, set) !== undefined) this.#context.enqueue(keyOf(set))
    }
  }

  async reconcile(key: string): Promise<void> {
    if (!this.#sets.synced || !this.#pods.synced) await Promise.all([this.#sets.ready(), this.#pods.ready()])
    const { namespace, name } = splitKey(key)
    const set = this.#sets.get(namespace, name)
    if (set === undefined) return
    const pods = await this.#claim(set)
    const revisions = await this.#history.list(set)
    const { revision, collisionCount } = await this.#history.ensure(set, revisions, set.status?.collisionCount ?? 0)
    const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? revision
    const names: Revisions = { current: current.metadata.name!, update: revision.metadata.name!, collisionCount }
    const turn = new Turn(this.#context, this.#recorder, set, pods, versionOf(current), versionOf(revision))
    let failure: unknown
    try {
      await turn.run()
    } catch (error) {
      failure = error
    }
    const now = this.#context.now()
    // A revision that got another number is the newest now; its place in the list does not matter.
    await this.#write(set, completed(set, statusOf(set, turn.pods(), names, now)))
    if (failure !== undefined) throw failure
    const inUse = new Set([names.current, names.update, ...pods.map(revisionOf)])
    const limit = set.spec.revisionHistoryLimit ?? 10
    for (const old of expendable(revisions, inUse, limit)) await this.#history.remove(old)
    this.#checkAgain(key, set, pods, now)
  }

  #claim(set: StatefulSet): Promise<Pod[]> {
    const candidates = [
      ...this.#pods.byIndex(BY_CONTROLLER, set.metadata.uid!),
      ...this.#pods.byIndex(ORPHANS, set.metadata.namespace!),
    ]
    return claim(
      {
        client: this.#context.client,
        owner: set,
        ownerResource: workloads.statefulsets,
        selector: labelSelectorOf(set.spec.selector),
        reference: controllerReference('apps/v1', 'StatefulSet', set),
        resource: resources.pods,
      },
      candidates.filter((pod) => ordinalOf(pod, set) !== undefined),
    )
  }

  async #write(set: StatefulSet, status: StatefulSetStatus): Promise<void> {
    if (sameValue(status, set.status)) return
    try {
      const where = { namespace: set.metadata.namespace!, subresource: 'status' }
      await this.#context.client.update(workloads.statefulsets, { ...set, status }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  /** With minReadySeconds, a pod becomes available without any event. */
  #checkAgain(key: string, set: StatefulSet, pods: readonly Pod[], now: number): void {
    const minReady = set.spec.minReadySeconds ?? 0
    if (minReady === 0) return
    const waits = pods.filter(isReady).map((pod) => availableIn(pod, minReady, now))
    const next = Math.min(...waits.filter((wait) => wait > 0))
    if (next !== Infinity) this.#context.enqueue(key, next)
  }
}

function versionOf(revision: Revision): Version {
  return { name: revision.metadata.name!, template: templateOf(revision) }
}

/** One step of a set towards what it should be. */
class Turn {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  readonly #set: StatefulSet
  readonly #layout: Layout
  readonly #update: Version

  constructor(
    context: ControllerContext,
    recorder: EventRecorder,
    set: StatefulSet,
    pods: readonly Pod[],
    current: Version,
    update: Version,
  ) {
    this.#context = context
    this.#recorder = recorder
    this.#set = set
    this.#update = update
    this.#layout = layoutOf(set, pods, current, update)
  }

  /** All pods that there are now. */
  pods(): Pod[] {
    return [...this.#layout.replicas, ...this.#layout.condemned]
  }

  async run(): Promise<void> {
    if (this.#set.metadata.deletionTimestamp !== undefined) return
    const { replicas, condemned } = this.#layout
    const now = this.#context.now()
    const firstUnhealthy = [...replicas, ...condemned.toReversed()].find((pod) => isUnavailable(pod, this.#set, now))
    const ordered = !isParallel(this.#set)
    if (await this.#each(replicas, (pod, i) => this.#replica(pod, i, ordered, now))) return
    for (const pod of condemned) await this.#keepClaims(pod)
    if (await this.#each(condemned, (pod) => this.#condemned(pod, ordered, firstUnhealthy, now))) return
    for (const pod of outdated(this.#set, replicas, this.#update.name, now)) await this.#delete(pod)
  }

  /** In order until a step says to stop, or all at once; whether the turn is over. */
  async #each(pods: readonly Pod[], step: (pod: Pod, index: number) => Promise<boolean>): Promise<boolean> {
    if (!isParallel(this.#set)) {
      for (const [i, pod] of pods.entries()) if (await step(pod, i)) return true
      return false
    }
    await forEachLimited([...pods.entries()], async ([i, pod]) => void (await step(pod, i)))
    return false
  }

  /** Brings one replica a step on; whether the ones after it have to wait. */
  async #replica(pod: Pod, index: number, ordered: boolean, now: number): Promise<boolean> {
    if (isTerminal(pod)) {
      if (!isTerminating(pod)) await this.#delete(pod)
      return true
    }
    if (!isCreated(pod)) {
      if (await this.#claimsAreStale(pod)) return true
      this.#layout.replicas[index] = await this.#create(pod)
      if (ordered) return true
    } else if (pod.status?.phase === 'Pending') await this.#makeClaims(pod)
    const own = this.#layout.replicas[index]!
    if (ordered && (own.status?.phase !== 'Running' || isUnavailable(own, this.#set, now))) return true
    await this.#identify(own)
    await this.#keepClaims(own)
    return false
  }

  /** Deletes the highest one first, each after the one before is gone; whether the turn is over. */
  async #condemned(pod: Pod, ordered: boolean, firstUnhealthy: Pod | undefined, now: number): Promise<boolean> {
    if (isTerminating(pod)) return ordered
    if (ordered && pod !== firstUnhealthy && isUnavailable(pod, this.#set, now)) return true
    await this.#delete(pod)
    return true
  }

  async #create(pod: Pod): Promise<Pod> {
    const name = pod.metadata.name!
    let made: Pod
    try {
      await this.#makeClaims(pod)
      const where = { namespace: pod.metadata.namespace! }
      made = await this.#context.client.create<Pod>(resources.pods, pod, where)
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) this.#tell('Create', name, error)
      throw error
    }
    this.#tell('Create', name)
    await this.#keepClaims(made)
    return made
  }

  async #delete(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata
    try {
      const where = { namespace: namespace!, preconditions: { uid: uid! } }
      await this.#context.client.delete(resources.pods, name!, where)
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return
      this.#tell('Delete', name!, error)
      throw error
    }
    this.#tell('Delete', name!)
  }

  /** An adopted pod may lack the labels of its place. */
  async #identify(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata
    if (label(pod, POD_NAME) === name) return
    const labels = identityLabels(name!, ordinalOf(pod, this.#set)!)
    const body = { metadata: { uid, labels } }
    await this.#context.client.patch(resources.pods, name!, { type: 'merge', body }, { namespace: namespace! })
    this.#tell('Update', name!)
  }

  #claims(pod: Pod): Claim[] {
    return claimsOf(this.#set, ordinalOf(pod, this.#set)!)
  }

  async #makeClaims(pod: Pod): Promise<void> {
    for (const wanted of this.#claims(pod)) {
      const found = await this.#findClaim(wanted)
      const name = wanted.metadata.name!
      if (found !== undefined) {
        if (found.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`)
        continue
      }
      const text = `Create Claim ${name} Pod ${pod.metadata.name!} in StatefulSet ${this.#set.metadata.name!}`
      try {
        const where = { namespace: wanted.metadata.namespace! }
        await this.#context.client.create(workloads.persistentvolumeclaims, wanted, where)
      } catch (error) {
        if (isReason(error, 'AlreadyExists')) continue
        const why = error instanceof Error ? error.message : String(error)
        this.#recorder.event(this.#set, 'Warning', 'FailedCreate', `${text} failed error: ${why}`)
        throw error
      }
      this.#recorder.event(this.#set, 'Normal', 'SuccessfulCreate', `${text} success`)
    }
  }

  async #claimsAreStale(pod: Pod): Promise<boolean> {
    for (const wanted of this.#claims(pod)) {
      const found = await this.#findClaim(wanted)
      if (found !== undefined && mustWaitFor(found, this.#set, pod)) return true
    }
    return false
  }

  /** Sees to it that claims go when the set says so. */
  async #keepClaims(pod: Pod): Promise<void> {
    for (const wanted of this.#claims(pod)) {
      const found = await this.#findClaim(wanted)
      if (found === undefined) continue
      const ownerReferences = claimOwners(found, this.#set, pod)
      if (ownerReferences === undefined) continue
      const next = { ...found, metadata: { ...found.metadata, ownerReferences } }
      await this.#context.client.update(workloads.persistentvolumeclaims, next)
    }
  }

  async #findClaim({ metadata }: Claim): Promise<Claim | undefined> {
    try {
      const where = { namespace: metadata.namespace! }
      return await this.#context.client.get<Claim>(workloads.persistentvolumeclaims, metadata.name!, where)
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  #tell(verb: 'Create' | 'Update' | 'Delete', pod: string, error?: unknown): void {
    const text = `${verb} Pod ${pod} in StatefulSet ${this.#set.metadata.name!}`
    if (error === undefined) {
      this.#recorder.event(this.#set, 'Normal', `Successful${verb}`, `${text} successful`)
      return
    }
    const why = error instanceof Error ? error.message : 'unknown'
    this.#recorder.event(this.#set, 'Warning', `Failed${verb}`, `${text} failed error: ${why}`)
  }
}
