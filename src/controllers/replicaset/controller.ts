/** The loop of ReplicaSets and ReplicationControllers: keeps as many pods of a template as asked for. */
import type { Informer, Resource } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import type { OwnerReference } from '../../machinery/object.ts'
import { isEverything, labelSelectorOf, type LabelSelector, matchesLabels } from '../../machinery/selector/labels.ts'
import { isReason } from '../../machinery/status.ts'
import { claim } from '../claim.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { Expectations } from '../expectations.ts'
import { controllerOf, controllerReference, keyOf, sameValue, splitKey } from '../meta.ts'
import type { Pod, ReplicaSet } from '../objects.ts'
import { availableIn, BY_CONTROLLER, indexPods, isActive, isReady, isTerminal, ORPHANS } from '../pods.ts'
import { type PodOwner, createPods, deletePods } from '../pod-batches.ts'
import { createRecorder, type EventRecorder } from '../recorder.ts'
import { podsToDelete } from './ranking.ts'
import { replicaSetStatus } from './status.ts'

/** Pods created or deleted by one turn at most. */
const BURST = 500
/** ReplicaSets by the uid of their controller. */
export const SETS_BY_CONTROLLER = 'controller'
/** ReplicaSets without a controller, by namespace. */
export const ORPHAN_SETS = 'orphans'

/** Adds the indexes of ReplicaSets that their controller and the Deployment controller share. */
export function indexSets(sets: Informer<ReplicaSet>): void {
  sets.addIndex(SETS_BY_CONTROLLER, (set) => {
    const owner = controllerOf(set)
    return owner === undefined ? [] : [owner.uid]
  })
  sets.addIndex(ORPHAN_SETS, (set) => (controllerOf(set) === undefined ? [set.metadata.namespace!] : []))
}

/** What differs between the kinds that this loop keeps. */
export interface ReplicaKind {
  /** Of the controller, as metrics show it. */
  readonly name: string
  /** As events name their source. */
  readonly component: string
  readonly resource: Resource
  /** As owner references have it. */
  readonly apiVersion: string
  /** What the kind's selector selects. */
  selectorOf(set: ReplicaSet): LabelSelector
  /** Whether the status counts pods that are being deleted. */
  readonly countsTerminating: boolean
}

const REPLICA_SETS: ReplicaKind = {
  name: 'replicaset',
  component: 'replicaset-controller',
  resource: resources.replicasets,
  apiVersion: 'apps/v1',
  selectorOf: (set) => labelSelectorOf(set.spec.selector),
  countsTerminating: true,
}

export function replicaSetController(context: ControllerContext): Controller {
  return new ReplicaController(context, REPLICA_SETS)
}

/** The same loop for another kind with replicas, a selector and a template. */
export function replicaController(context: ControllerContext, kind: ReplicaKind): Controller {
  return new ReplicaController(context, kind)
}

class ReplicaController implements Controller {
  readonly name: string
  readonly #kind: ReplicaKind
  readonly #context: ControllerContext
  readonly #sets: Informer<ReplicaSet>
  readonly #pods: Informer<Pod>
  readonly #expectations: Expectations
  readonly #recorder: EventRecorder

  constructor(context: ControllerContext, kind: ReplicaKind) {
    this.name = kind.name
    this.#kind = kind
    this.#context = context
    this.#sets = context.client.informer<ReplicaSet>(kind.resource)
    this.#pods = context.client.informer<Pod>(resources.pods)
    this.#expectations = new Expectations(() => context.now())
    const { component, apiVersion, resource } = kind
    this.#recorder = createRecorder(context, component, { apiVersion, kind: resource.kind })
  }

  start(): void {
    indexPods(this.#pods)
    indexSets(this.#sets)
    this.#sets.onEvent(({ type, object }) => {
      if (type === 'delete') this.#expectations.forget(keyOf(object))
      else this.#context.enqueue(keyOf(object))
    })
    this.#pods.onEvent((event) => {
      if (event.type === 'add') this.#podAdded(event.object)
      else if (event.type === 'update') this.#podUpdated(event.old, event.object)
      else this.#podDeleted(event.object)
    })
  }

  #podAdded(pod: Pod): void {
    const owner = this.#ownerOf(pod)
    if (owner === undefined) {
      if (controllerOf(pod) === undefined) this.#enqueueAdopters(pod)
      return
    }
    this.#expectations.creationObserved(keyOf(owner))
    if (pod.metadata.deletionTimestamp !== undefined) this.#expectations.deletionObserved(keyOf(owner), uidOf(pod))
    this.#context.enqueue(keyOf(owner))
  }

  #podUpdated(old: Pod, pod: Pod): void {
    const [before, owner] = [this.#ownerOf(old), this.#ownerOf(pod)]
    if (before !== undefined && before.metadata.uid !== owner?.metadata.uid) this.#context.enqueue(keyOf(before))
    if (owner === undefined) {
      const changed = controllerOf(old) !== undefined || !sameValue(old.metadata.labels, pod.metadata.labels)
      if (controllerOf(pod) === undefined && changed) this.#enqueueAdopters(pod)
      return
    }
    if (pod.metadata.deletionTimestamp !== undefined) this.#expectations.deletionObserved(keyOf(owner), uidOf(pod))
    this.#context.enqueue(keyOf(owner))
  }

  #podDeleted(pod: Pod): void {
    const owner = this.#ownerOf(pod)
    if (owner === undefined) return
    this.#expectations.deletionObserved(keyOf(owner), uidOf(pod))
    this.#context.enqueue(keyOf(owner))
  }

  #ownerOf(pod: Pod): ReplicaSet | undefined {
    const reference = controllerOf(pod)
    const { resource, apiVersion } = this.#kind
    if (reference?.kind !== resource.kind || !sameGroup(reference.apiVersion, apiVersion)) return undefined
    const set = this.#sets.get(pod.metadata.namespace!, reference.name)
    return set?.metadata.uid === reference.uid ? set : undefined
  }

  #enqueueAdopters(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined || pod.metadata.labels === undefined) return
    for (const set of this.#sets.list(pod.metadata.namespace!)) {
      const selector = this.#kind.selectorOf(set)
      if (!isEverything(selector) && matchesLabels(selector, pod.metadata.labels)) this.#context.enqueue(keyOf(set))
    }
  }

  async reconcile(key: string): Promise<void> {
    // Pods that the cache does not show yet would be created a second time.
    if (!this.#sets.synced) await this.#sets.ready()
    if (!this.#pods.synced) await this.#pods.ready()
    const { namespace, name } = splitKey(key)
    const set = this.#sets.get(namespace, name)
    if (set === undefined) {
      this.#expectations.forget(key)
      return
    }
    const wait = this.#expectations.waitsFor(key)
    const selector = this.#kind.selectorOf(set)
    const owned = this.#pods.byIndex(BY_CONTROLLER, set.metadata.uid!)
    const orphans = this.#pods.byIndex(ORPHANS, namespace).filter((pod) => isActive(pod))
    const active = await this.#claim(set, selector, [...owned.filter((pod) => isActive(pod)), ...orphans])
    const ending = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod)
    const terminating = this.#kind.countsTerminating ? { terminating: owned.filter(ending) } : {}
    let failure: Error | undefined
    if (wait === 0 && set.metadata.deletionTimestamp === undefined) {
      failure = await this.#manage(key, set, active)
    } else if (wait > 0) {
      this.#context.enqueue(key, wait)
    }
    const now = this.#context.now()
    const status = replicaSetStatus(set, { active, ...terminating, ...(failure === undefined ? {} : { failure }) }, now)
    if (!sameValue(status, set.status)) {
      try {
        const where = { namespace, subresource: 'status' }
        await this.#context.client.update(this.#kind.resource, { ...set, status }, where)
      } catch (error) {
        if (isReason(error, 'NotFound')) return
        throw error
      }
    }
    if (failure !== undefined) throw failure
    this.#checkAgain(key, set, active, now)
  }

  #claim(set: ReplicaSet, selector: LabelSelector, candidates: Pod[]): Promise<Pod[]> {
    return claim(
      {
        client: this.#context.client,
        owner: set,
        ownerResource: this.#kind.resource,
        selector,
        reference: this.#reference(set),
        resource: resources.pods,
      },
      candidates,
    )
  }

  #reference(set: ReplicaSet): OwnerReference {
    return controllerReference(this.#kind.apiVersion, this.#kind.resource.kind, set)
  }

  /** Creates or deletes pods; what went wrong comes back. */
  async #manage(key: string, set: ReplicaSet, active: Pod[]): Promise<Error | undefined> {
    const diff = active.length - (set.spec.replicas ?? 1)
    if (diff < 0) return this.#create(key, set, Math.min(-diff, BURST))
    if (diff > 0) return this.#delete(key, set, active, Math.min(diff, BURST))
    return undefined
  }

  async #create(key: string, set: ReplicaSet, count: number): Promise<Error | undefined> {
    const pod = podFromTemplate(set, this.#reference(set))
    const { error } = await createPods(this.#owner(key, set), count, () => pod)
    return error === undefined ? undefined : asError(error)
  }

  async #delete(key: string, set: ReplicaSet, active: Pod[], count: number): Promise<Error | undefined> {
    const doomed = podsToDelete(active, this.#relatedPods(set), count, this.#context.now())
    this.#expectations.expectDeletions(key, doomed.map(uidOf))
    try {
      await deletePods(this.#owner(key, set), doomed)
      return undefined
    } catch (error) {
      return asError(error)
    }
  }

  #owner(key: string, owner: ReplicaSet): PodOwner {
    return { client: this.#context.client, recorder: this.#recorder, expectations: this.#expectations, owner, key }
  }

  /** Pods of all sets with the same controller: a rollout's old and new ones share nodes. */
  #relatedPods(set: ReplicaSet): Pod[] {
    const owner = controllerOf(set)
    const sets = owner === undefined ? [set] : this.#sets.byIndex(SETS_BY_CONTROLLER, owner.uid)
    return sets.flatMap((related) => this.#pods.byIndex(BY_CONTROLLER, related.metadata.uid!))
  }

  /** With minReadySeconds, a pod becomes available without any event. */
  #checkAgain(key: string, set: ReplicaSet, active: readonly Pod[], now: number): void {
    const minReady = set.spec.minReadySeconds ?? 0
    if (minReady === 0) return
    const waits = active.filter((pod) => isReady(pod)).map((pod) => availableIn(pod, minReady, now))
    const next = Math.min(...waits.filter((wait) => wait > 0))
    if (next !== Infinity) this.#context.enqueue(key, next)
  }
}

function sameGroup(a: string, b: string): boolean {
  const [one = '', other = ''] = [a, b].map((version) => (version.includes('/') ? version.split('/')[0] : ''))
  return one === other
}

function uidOf(pod: Pod): string {
  return pod.metadata.uid!
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** The pod that a set makes; the server gives it its name. Long names of sets are cut, so that there is room. */
function podFromTemplate(set: ReplicaSet, reference: OwnerReference): Pod {
  const { template } = set.spec
  const prefix = `${set.metadata.name!}-`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: prefix.length > 248 ? prefix.slice(0, 248) : prefix,
      namespace: set.metadata.namespace!,
      ...(template.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ...(template.metadata?.finalizers === undefined ? {} : { finalizers: template.metadata.finalizers }),
      ownerReferences: [reference],
    },
    spec: template.spec,
  }
}
