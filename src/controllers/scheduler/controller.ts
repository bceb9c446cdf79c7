/** The scheduler: gives pods their nodes. */
import type { Informer } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { labelSelectorOf } from '../../machinery/selector/labels.ts'
import { isReason } from '../../machinery/status.ts'
import { findCondition, withoutCondition } from '../conditions.ts'
import type { Controller, ControllerContext, ControllerFactory } from '../contract.ts'
import { keyOf, parseTime, sameValue, splitKey, timestamp } from '../meta.ts'
import type { Node, Pod } from '../objects.ts'
import { isTerminal } from '../pods.ts'
import { createRecorder, type EventRecorder } from '../recorder.ts'
import type { Budget } from '../disruption/budget.ts'
import { evict } from '../eviction/evict.ts'
import { chooseNode, type Surroundings } from './decision.ts'
import { NodeState } from './node-state.ts'
import { factsOf, type PodFacts } from './pod-facts.ts'
import { type Guard, makeRoom, mayPreempt, type Nomination, type Preemption } from './preemption.ts'

export interface SchedulerOptions {
  /** Pods that name another scheduler are left to it. @default default-scheduler */
  readonly name?: string
  /** Bindings under way at once. @default 256 */
  readonly bindings?: number
}

const SCHEDULE = 'schedule'
/** Milliseconds of deciding before others get their turn. */
const SLICE = 5
/** Milliseconds before a pod that did not fit is tried again, when something has changed. */
const FIRST_RETRY = 100
const LAST_RETRY = 10_000

interface Waiting {
  readonly pod: Pod
  attempts: number
  /** Not before, in milliseconds since the epoch. */
  notBefore: number
}

export function scheduler(options: SchedulerOptions = {}): ControllerFactory {
  return (context) => new Scheduler(context, options)
}

/**
 * Decisions are made one after another, each against what all earlier ones assume; bindings are written meanwhile.
 * Pods that fit nowhere wait until a node or a pod changes.
 */
class Scheduler implements Controller {
  readonly name = 'scheduler'
  readonly #context: ControllerContext
  readonly #schedulerName: string
  readonly #bindings: number
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #namespaces: Informer
  readonly #budgets: Informer<Budget>
  readonly #recorder: EventRecorder
  readonly #states = new Map<string, NodeState>()
  /** States of nodes that exist. */
  #present: NodeState[] = []
  /** Node by pod, for pods on nodes, decided ones included. */
  readonly #placed = new Map<string, NodeState>()
  readonly #pending = new Map<string, Waiting>()
  readonly #unfit = new Map<string, Waiting>()
  /** Decided, and not yet seen on their nodes. */
  readonly #assumed = new Set<string>()
  /** Where room is being made for pods that wait, by their uid. */
  readonly #nominations = new Map<string, Nomination>()
  readonly #inFlight = new Set<Promise<void>>()
  #changed = false

  constructor(context: ControllerContext, { name = 'default-scheduler', bindings = 256 }: SchedulerOptions) {
    this.#context = context
    this.#schedulerName = name
    this.#bindings = bindings
    this.#pods = context.client.informer<Pod>(resources.pods)
    this.#nodes = context.client.informer<Node>(resources.nodes)
    this.#namespaces = context.client.informer(resources.namespaces)
    this.#budgets = context.client.informer<Budget>(resources.poddisruptionbudgets)
    this.#recorder = createRecorder(context, name, { apiVersion: 'v1', kind: 'Pod' })
  }

  start(): void {
    this.#nodes.onEvent((event) => {
      const { name } = event.object.metadata
      const state = this.#state(name!)
      const before = event.type === 'update' ? event.old : undefined
      state.setNode(event.type === 'delete' ? undefined : event.object)
      if (event.type !== 'update') this.#present = [...this.#states.values()].filter(({ node }) => node !== undefined)
      if (event.type === 'delete') {
        for (const uid of state.nominated.keys()) this.#forgetNomination(uid)
        this.#tidy(state)
      } else if (before === undefined || matters(before, event.object)) this.#somethingChanged()
    })
    this.#pods.onEvent((event) => {
      const pod = event.object
      if (event.type === 'delete' || isTerminal(pod)) this.#podGone(pod)
      else if (pod.spec.nodeName !== undefined) this.#podPlaced(pod, pod.spec.nodeName)
      else this.#podPending(pod)
    })
  }

  #state(name: string): NodeState {
    let state = this.#states.get(name)
    if (state === undefined) {
      state = new NodeState(name)
      this.#states.set(name, state)
    }
    return state
  }

  #tidy(state: NodeState): void {
    if (state.node === undefined && state.pods.size === 0 && state.nominated.size === 0) this.#states.delete(state.name)
  }

  #podPlaced(pod: Pod, nodeName: string): void {
    const uid = pod.metadata.uid!
    this.#pending.delete(uid)
    this.#unfit.delete(uid)
    this.#assumed.delete(uid)
    this.#forgetNomination(uid)
    const before = this.#placed.get(uid)
    const state = this.#state(nodeName)
    if (before !== undefined && before !== state) {
      before.remove(uid)
      this.#tidy(before)
    }
    const old = state.pods.get(uid)
    state.add(factsOf(pod))
    this.#placed.set(uid, state)
    // A new pod may be the one that another wants to be near; one that is going may be out of the way.
    if (this.#unfit.size === 0) return
    if (old === undefined || !sameValue(old.labels, pod.metadata.labels)) this.#somethingChanged()
    else if (old.pod.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp) this.#somethingChanged()
  }

  #podGone(pod: Pod): void {
    const uid = pod.metadata.uid!
    this.#pending.delete(uid)
    this.#unfit.delete(uid)
    this.#assumed.delete(uid)
    const waited = this.#forgetNomination(uid)
    const state = this.#placed.get(uid)
    if (state === undefined) {
      if (waited) this.#somethingChanged()
      return
    }
    state.remove(uid)
    this.#placed.delete(uid)
    this.#tidy(state)
    this.#somethingChanged()
  }

  #podPending(pod: Pod): void {
    const uid = pod.metadata.uid!
    if ((pod.spec.schedulerName ?? 'default-scheduler') !== this.#schedulerName || this.#assumed.has(uid)) return
    if (pod.metadata.deletionTimestamp !== undefined || (pod.spec.schedulingGates ?? []).length > 0) {
      this.#pending.delete(uid)
      this.#unfit.delete(uid)
      if (this.#forgetNomination(uid)) this.#somethingChanged()
      return
    }
    const waiting = this.#unfit.get(uid) ?? this.#pending.get(uid)
    if (waiting !== undefined && sameValue(waiting.pod.spec, pod.spec) && sameLabels(waiting.pod, pod)) {
      // Only its status: what the scheduler wrote itself.
      const queue = this.#unfit.has(uid) ? this.#unfit : this.#pending
      queue.set(uid, { ...waiting, pod })
      return
    }
    const told = pod.status?.nominatedNodeName
    if (waiting === undefined && told !== undefined) this.#nominate(factsOf(pod), this.#state(told), new Set())
    else this.#nominations.get(uid)?.node.nominated.set(uid, factsOf(pod))
    this.#unfit.delete(uid)
    this.#pending.set(uid, { pod, attempts: waiting?.attempts ?? 0, notBefore: 0 })
    this.#context.enqueue(SCHEDULE)
  }

  #somethingChanged(): void {
    if (this.#unfit.size === 0) return
    this.#changed = true
    this.#context.enqueue(SCHEDULE, 10)
  }

  async reconcile(key: string): Promise<void> {
    if (!this.#pods.synced) await this.#pods.ready()
    if (!this.#nodes.synced) await this.#nodes.ready()
    if (key !== SCHEDULE) return this.#bindAgain(key)
    this.#bringBack()
    let sliceEnd = performance.now() + SLICE
    for (const { pod } of this.#inOrder()) {
      const uid = pod.metadata.uid!
      if (performance.now() > sliceEnd) {
        await new Promise((resolve) => setImmediate(resolve))
        sliceEnd = performance.now() + SLICE
        if (this.#context.signal.aborted) return
      }
      if (this.#inFlight.size >= this.#bindings) await Promise.race(this.#inFlight)
      // As it is now: it may be gone, or have changed, while this turn was away.
      const waiting = this.#pending.get(uid)
      if (waiting !== undefined) this.#schedule(waiting)
    }
  }

  /** Pods that did not fit, now that something has changed, each not before its time. */
  #bringBack(): void {
    if (!this.#changed) return
    const now = this.#context.now()
    let next = Infinity
    for (const [uid, waiting] of this.#unfit) {
      if (waiting.notBefore > now) {
        next = Math.min(next, waiting.notBefore)
        continue
      }
      this.#unfit.delete(uid)
      this.#pending.set(uid, waiting)
    }
    this.#changed = next !== Infinity
    if (this.#changed) this.#context.enqueue(SCHEDULE, next - now)
  }

  /** Higher priority first, then older. */
  #inOrder(): Waiting[] {
    const all = [...this.#pending.values()]
    const priority = ({ pod }: Waiting): number => pod.spec.priority ?? 0
    if (all.some((one) => priority(one) !== priority(all[0]!))) {
      const age = ({ pod }: Waiting): number => parseTime(pod.metadata.creationTimestamp)
      all.sort((a, b) => priority(b) - priority(a) || age(a) - age(b))
    }
    return all
  }

  #schedule(waiting: Waiting): void {
    const { pod } = waiting
    const uid = pod.metadata.uid!
    const facts = factsOf(pod)
    this.#pending.delete(uid)
    const nomination = this.#nominations.get(uid)
    const around = this.#surroundings()
    const choice = chooseNode(facts, { ...around, nominated: nomination?.node })
    if (!choice.fits) {
      waiting.attempts++
      waiting.notBefore = this.#context.now() + Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (waiting.attempts - 1))
      this.#unfit.set(uid, waiting)
      const room = mayPreempt(facts, nomination) ? makeRoom(facts, around, () => this.#guards()) : undefined
      if (room === undefined) this.#track(this.#tellUnfit(pod, choice.message))
      else this.#preempt(pod, facts, room, choice.message)
      return
    }
    // Room that was made elsewhere is free again.
    if (this.#forgetNomination(uid) && nomination!.node !== choice.node) this.#somethingChanged()
    choice.node.add(facts)
    this.#placed.set(uid, choice.node)
    this.#assumed.add(uid)
    this.#track(this.#bind(waiting, choice.node))
  }

  #nominate(facts: PodFacts, node: NodeState, victims: ReadonlySet<string>): void {
    this.#forgetNomination(facts.uid)
    this.#nominations.set(facts.uid, { node, victims })
    node.nominated.set(facts.uid, facts)
  }

  #forgetNomination(uid: string): boolean {
    const nomination = this.#nominations.get(uid)
    if (nomination === undefined) return false
    this.#nominations.delete(uid)
    nomination.node.nominated.delete(uid)
    this.#tidy(nomination.node)
    return true
  }

  #guards(): Guard[] {
    return this.#budgets.list().flatMap(({ metadata, spec, status }): Guard[] => {
      if (spec?.selector === undefined || spec.selector === null) return []
      const disrupted = status?.disruptedPods ?? {}
      return [
        {
          namespace: metadata.namespace!,
          selector: labelSelectorOf(spec.selector),
          allowed: status?.disruptionsAllowed ?? 0,
          disrupted: (name) => Object.hasOwn(disrupted, name),
        },
      ]
    })
  }

  /** The victims are asked to go; the pod waits for the node, and nobody less important takes its place there. */
  #preempt(pod: Pod, facts: PodFacts, { node, victims }: Preemption, message: string): void {
    const overtaken = [...node.nominated.values()].filter(({ priority }) => priority < facts.priority)
    for (const { uid } of overtaken) this.#forgetNomination(uid)
    const going = new Set(victims.map(({ uid }) => uid))
    this.#nominate(facts, node, going)
    this.#track(this.#tellUnfit(pod, message, node.name))
    for (const other of overtaken) this.#track(this.#takeBackNomination(other.pod))
    for (const victim of victims) {
      const evicted = this.#evict(victim.pod, pod, node.name).catch((error: unknown) => {
        // Let it be tried again.
        going.delete(victim.uid)
        this.#somethingChanged()
        throw error
      })
      this.#track(evicted)
    }
  }

  async #takeBackNomination({ metadata }: Pod): Promise<void> {
    const where = { namespace: metadata.namespace!, subresource: 'status' }
    const body = { metadata: { uid: metadata.uid! }, status: { nominatedNodeName: null } }
    try {
      await this.#context.client.patch(resources.pods, metadata.name!, { type: 'merge', body }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
    }
  }

  async #evict(victim: Pod, preemptor: Pod, node: string): Promise<void> {
    const disruption = {
      reason: 'PreemptionByScheduler',
      message: `${this.#schedulerName}: preempting to accommodate a higher priority pod`,
    }
    if (!(await evict(this.#context.client, victim, disruption, this.#context.now()))) return
    const message = `Preempted by pod ${preemptor.metadata.uid!} on node ${node}`
    this.#recorder.event(victim, 'Normal', 'Preempted', message)
  }

  #surroundings(): Surroundings {
    const states = this.#present
    return {
      states,
      antiAffinity: states.some(({ withAntiAffinity }) => withAntiAffinity.size > 0),
      preferences: states.some(({ withPreferences }) => withPreferences.size > 0),
      namespaceLabels: (namespace) => this.#namespaces.get('', namespace)?.metadata.labels,
      random: () => this.#context.random(),
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => this.#context.log.warn('scheduling failed', { error: String(error) }))
      .finally(() => this.#inFlight.delete(tracked))
    this.#inFlight.add(tracked)
  }

  async #bind(waiting: Waiting, state: NodeState): Promise<void> {
    const { pod } = waiting
    const { name, namespace, uid } = pod.metadata
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: name!, namespace: namespace!, uid: uid! },
      target: { kind: 'Node', name: state.name },
    }
    try {
      const where = { namespace: namespace!, name: name!, subresource: 'binding' }
      await this.#context.client.create(resources.pods, binding, where)
    } catch (error) {
      this.#unassume(uid!, state)
      if (this.#context.signal.aborted || isReason(error, 'NotFound')) return
      // Somebody else has bound it, or the server is in trouble: the cache or a later try will tell.
      const current = this.#pods.get(namespace!, name!)
      if (current?.metadata.uid !== uid || current?.spec.nodeName !== undefined) return
      waiting.attempts++
      this.#context.log.warn('binding failed', { pod: keyOf(pod), node: state.name, error: String(error) })
      const delay = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (waiting.attempts - 1))
      this.#context.enqueue(keyOf(pod), delay)
      return
    }
    const message = `Successfully assigned ${namespace!}/${name!} to ${state.name}`
    this.#recorder.event(pod, 'Normal', 'Scheduled', message)
  }

  /** Unless the cache has shown the pod on a node meanwhile. */
  #unassume(uid: string, state: NodeState): void {
    if (!this.#assumed.delete(uid)) return
    state.remove(uid)
    this.#placed.delete(uid)
    this.#tidy(state)
    this.#somethingChanged()
  }

  #bindAgain(key: string): void {
    const { namespace, name } = splitKey(key)
    const pod = this.#pods.get(namespace, name)
    if (pod !== undefined && pod.spec.nodeName === undefined && !isTerminal(pod)) this.#podPending(pod)
  }

  /** @param nominated the node on which room is being made */
  async #tellUnfit(pod: Pod, message: string, nominated?: string): Promise<void> {
    this.#recorder.event(pod, 'Warning', 'FailedScheduling', message)
    const now = timestamp(this.#context.now())
    const conditions = pod.status?.conditions ?? []
    const old = findCondition(conditions, 'PodScheduled')
    const known = nominated === undefined || pod.status?.nominatedNodeName === nominated
    if (known && old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message) return
    const same = old?.status === 'False' && old.lastTransitionTime !== undefined
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: same ? old.lastTransitionTime! : now,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    }
    const body = {
      metadata: { uid: pod.metadata.uid! },
      status: {
        conditions: [...withoutCondition(conditions, 'PodScheduled'), condition],
        ...(nominated === undefined ? {} : { nominatedNodeName: nominated }),
      },
    }
    try {
      const where = { namespace: pod.metadata.namespace!, subresource: 'status' }
      await this.#context.client.patch(resources.pods, pod.metadata.name!, { type: 'strategic', body }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict') && !isReason(error, 'Invalid')) throw error
    }
  }
}

function sameLabels(a: Pod, b: Pod): boolean {
  return sameValue(a.metadata.labels, b.metadata.labels)
}

/** Whether a change of a node may make room for a pod. Heartbeats do not. */
function matters(old: Node, node: Node): boolean {
  return (
    old.spec?.unschedulable !== node.spec?.unschedulable ||
    !sameValue(old.spec?.taints, node.spec?.taints) ||
    !sameValue(old.metadata.labels, node.metadata.labels) ||
    !sameValue(old.status?.allocatable, node.status?.allocatable)
  )
}
