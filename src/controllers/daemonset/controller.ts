/** The DaemonSet controller: one pod on each node that the set is for. */
import type { Informer } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { labelSelectorOf, matchesLabels } from '../../machinery/selector/labels.ts'
import { isReason } from '../../machinery/status.ts'
import { claim } from '../claim.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { Expectations } from '../expectations.ts'
import { expendable, REVISION_HASH, RevisionHistory, type Revision } from '../history.ts'
import { controllerOf, controllerReference, keyOf, label, sameValue, splitKey } from '../meta.ts'
import type { Node, Pod } from '../objects.ts'
import { availableIn, BY_CONTROLLER, indexPods, isActive, isReady, ORPHANS } from '../pods.ts'
import { type PodOwner, createPods, deletePods } from '../pod-batches.ts'
import { createRecorder, type EventRecorder } from '../recorder.ts'
import { workloads } from '../resources.ts'
import { rollingUpdate, statusOf, upkeep, type Step } from './decision.ts'
import type { DaemonSet, DaemonSetStatus } from './objects.ts'
import { byNode, daemonPod, nodeOf, placementOn } from './pods.ts'

/** Pods created or deleted by one turn at most. */
const BURST = 250
/** Milliseconds until the first failed pod of a node is replaced again; doubled each time. */
const FIRST_BACKOFF = 1000
const LONGEST_BACKOFF = 15 * 60_000

interface Backoff {
  wait: number
  since: number
}

export function daemonSetController(context: ControllerContext): Controller {
  return new DaemonSetController(context)
}

class DaemonSetController implements Controller {
  readonly name = 'daemonset'
  readonly #context: ControllerContext
  readonly #sets: Informer<DaemonSet>
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #history: RevisionHistory
  readonly #expectations: Expectations
  readonly #recorder: EventRecorder
  /** By set and node. */
  readonly #backoffs = new Map<string, Map<string, Backoff>>()

  constructor(context: ControllerContext) {
    this.#context = context
    this.#sets = context.client.informer<DaemonSet>(workloads.daemonsets)
    this.#pods = context.client.informer<Pod>(resources.pods)
    this.#nodes = context.client.informer<Node>(resources.nodes)
    this.#history = new RevisionHistory(context.client, workloads.daemonsets)
    this.#expectations = new Expectations(() => context.now())
    this.#recorder = createRecorder(context, 'daemonset-controller', { apiVersion: 'apps/v1', kind: 'DaemonSet' })
  }

  start(): void {
    indexPods(this.#pods)
    this.#history.start((key) => this.#context.enqueue(key))
    this.#sets.onEvent(({ type, object }) => {
      if (type === 'delete') this.#forget(keyOf(object))
      else this.#context.enqueue(keyOf(object))
    })
    this.#nodes.onEvent((event) => {
      if (event.type === 'update' && !changesPlacement(event.old, event.object)) return
      for (const set of this.#sets.list()) {
        const before = event.type === 'update' ? placementOn(event.old, set) : undefined
        if (!sameValue(before, placementOn(event.object, set)) || event.type !== 'update') {
          this.#context.enqueue(keyOf(set))
        }
      }
    })
    this.#pods.onEvent((event) => {
      const pod = event.object
      const key = this.#ownerKey(pod)
      const before = event.type === 'update' ? this.#ownerKey(event.old) : undefined
      if (before !== undefined && before !== key) this.#context.enqueue(before)
      if (key === undefined) {
        if (controllerOf(pod) === undefined && event.type !== 'delete') this.#enqueueAdopters(pod)
        return
      }
      if (event.type === 'add') this.#expectations.creationObserved(key)
      if (event.type === 'delete' || pod.metadata.deletionTimestamp !== undefined) {
        this.#expectations.deletionObserved(key, pod.metadata.uid!)
      }
      this.#context.enqueue(key)
    })
  }

  #ownerKey(pod: Pod): string | undefined {
    const owner = controllerOf(pod)
    if (owner?.kind !== 'DaemonSet' || !owner.apiVersion.startsWith('apps/')) return undefined
    const set = this.#sets.get(pod.metadata.namespace!, owner.name)
    return set?.metadata.uid === owner.uid ? keyOf(set) : undefined
  }

  #enqueueAdopters(pod: Pod): void {
    if (pod.metadata.labels === undefined) return
    for (const set of this.#sets.list(pod.metadata.namespace!)) {
      if (matchesLabels(labelSelectorOf(set.spec.selector), pod.metadata.labels)) this.#context.enqueue(keyOf(set))
    }
  }

  #forget(key: string): void {
    this.#expectations.forget(key)
    this.#backoffs.delete(key)
  }

  async reconcile(key: string): Promise<void> {
    const informers = [this.#sets, this.#pods, this.#nodes]
    if (informers.some(({ synced }) => !synced)) await Promise.all(informers.map((one) => one.ready()))
    const { namespace, name } = splitKey(key)
    const set = this.#sets.get(namespace, name)
    if (set === undefined) return this.#forget(key)
    const nodes = this.#nodes.list()
    const revisions = await this.#history.list(set)
    const { revision, collisionCount } = await this.#history.ensure(set, revisions, set.status?.collisionCount ?? 0)
    const hash = label(revision, REVISION_HASH) ?? ''
    const wait = this.#expectations.waitsFor(key)
    if (wait > 0) this.#context.enqueue(key, wait)
    let pods = await this.#claim(set)
    let failure: unknown
    if (set.metadata.deletionTimestamp === undefined && wait === 0) {
      try {
        await this.#advance(key, set, nodes, pods, hash)
      } catch (error) {
        failure = error
      }
      pods = this.#pods.byIndex(BY_CONTROLLER, set.metadata.uid!)
    }
    const now = this.#context.now()
    await this.#write(set, statusOf(set, nodes, byNode(pods), hash, collisionCount, now))
    if (failure !== undefined) throw failure
    await this.#tidy(set, revisions, revision, pods)
    this.#checkAgain(key, set, pods, now)
  }

  /** First every node is put right; only then, old pods are replaced. */
  async #advance(
    key: string,
    set: DaemonSet,
    nodes: readonly Node[],
    pods: readonly Pod[],
    hash: string,
  ): Promise<void> {
    const now = this.#context.now()
    const placed = byNode(pods)
    const { create, remove, ended } = upkeep(set, nodes, placed, hash, now, (node) => this.#mayRetry(key, node, now))
    for (const pod of ended) {
      const [word, verb, type] =
        pod.status?.phase === 'Failed'
          ? (['failed', 'kill', 'Warning'] as const)
          : (['succeeded', 'delete', 'Normal'] as const)
      const text = `Found ${word} daemon pod ${keyOf(pod)} on node ${nodeOf(pod)}, will try to ${verb} it`
      this.#recorder.event(set, type, word === 'failed' ? 'FailedDaemonPod' : 'SucceededDaemonPod', text)
    }
    if (create.length > 0 || remove.length > 0) return this.#apply(key, set, { create, remove }, hash)
    if ((set.spec.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return
    await this.#apply(key, set, rollingUpdate(set, nodes, placed, hash, now), hash)
  }

  /** Whether a node's failed pod may be replaced now; if not, it will be asked again in time. */
  #mayRetry(key: string, node: string, now: number): boolean {
    let nodes = this.#backoffs.get(key)
    if (nodes === undefined) this.#backoffs.set(key, (nodes = new Map()))
    const known = nodes.get(node)
    if (known !== undefined && now < known.since + known.wait) {
      this.#context.enqueue(key, known.since + known.wait - now)
      return false
    }
    // A node that was fine for long begins anew.
    const again = known !== undefined && now - known.since < 2 * LONGEST_BACKOFF
    nodes.set(node, { wait: again ? Math.min(known.wait * 2, LONGEST_BACKOFF) : FIRST_BACKOFF, since: now })
    return true
  }

  async #apply(key: string, set: DaemonSet, { create, remove }: Step, hash: string): Promise<void> {
    const nodes = create.slice(0, BURST)
    const doomed = remove.slice(0, BURST)
    this.#expectations.expectDeletions(
      key,
      doomed.map((pod) => pod.metadata.uid!),
    )
    let next = 0
    const by = this.#owner(key, set)
    const { error } = await createPods(by, nodes.length, () => daemonPod(set, nodes[next++]!, hash))
    await deletePods(by, doomed)
    if (error !== undefined) throw error
    if (create.length > nodes.length || remove.length > doomed.length) this.#context.enqueue(key)
  }

  #owner(key: string, owner: DaemonSet): PodOwner {
    return { client: this.#context.client, recorder: this.#recorder, expectations: this.#expectations, owner, key }
  }

  #claim(set: DaemonSet): Promise<Pod[]> {
    const candidates = [
      ...this.#pods.byIndex(BY_CONTROLLER, set.metadata.uid!),
      ...this.#pods.byIndex(ORPHANS, set.metadata.namespace!).filter(isActive),
    ]
    return claim(
      {
        client: this.#context.client,
        owner: set,
        ownerResource: workloads.daemonsets,
        selector: labelSelectorOf(set.spec.selector),
        reference: controllerReference('apps/v1', 'DaemonSet', set),
        resource: resources.pods,
      },
      candidates,
    )
  }

  async #write(set: DaemonSet, status: DaemonSetStatus): Promise<void> {
    if (sameValue(status, set.status)) return
    try {
      const where = { namespace: set.metadata.namespace!, subresource: 'status' }
      await this.#context.client.update(workloads.daemonsets, { ...set, status }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  async #tidy(set: DaemonSet, revisions: readonly Revision[], current: Revision, pods: readonly Pod[]): Promise<void> {
    const hashes = new Set(pods.map((pod) => label(pod, REVISION_HASH)))
    const inUse = new Set(
      revisions.filter((one) => hashes.has(label(one, REVISION_HASH))).map(({ metadata }) => metadata.name!),
    )
    inUse.add(current.metadata.name!)
    const limit = set.spec.revisionHistoryLimit ?? 10
    for (const old of expendable(revisions, inUse, limit)) await this.#history.remove(old)
  }

  /** With minReadySeconds, a pod becomes available without any event. */
  #checkAgain(key: string, set: DaemonSet, pods: readonly Pod[], now: number): void {
    const minReady = set.spec.minReadySeconds ?? 0
    if (minReady === 0) return
    const waits = pods.filter(isReady).map((pod) => availableIn(pod, minReady, now))
    const next = Math.min(...waits.filter((wait) => wait > 0))
    if (next !== Infinity) this.#context.enqueue(key, next)
  }
}

/** Heartbeats of nodes are none of a daemon's business. */
function changesPlacement(old: Node, node: Node): boolean {
  return (
    !sameValue(old.metadata.labels, node.metadata.labels) ||
    !sameValue(old.spec?.taints, node.spec?.taints) ||
    old.spec?.unschedulable !== node.spec?.unschedulable
  )
}
