/** The simulated kubelet: what happens to pods on simulated nodes, without any program running. */
import type { Informer } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import { isReason } from '../machinery/status.ts'
import type { Controller, ControllerContext, ControllerFactory } from './contract.ts'
import { annotation, keyOf, parseTime, sameValue, splitKey } from './meta.ts'
import type { Node, Pod, PodStatus } from './objects.ts'
import { isTerminal } from './pods.ts'
import { createRecorder, type EventRecorder } from './recorder.ts'
import { AddressPool, nodeAddress, podCidr } from './simulation/addresses.ts'
import { NODE } from './simulation/annotations.ts'
import { HostPorts } from './simulation/host-ports.ts'
import { type Placement, rejected, statusAt, stopped, terminationTime } from './simulation/status.ts'
import { hostPortsOf } from './scheduler/pod-facts.ts'

/** Milliseconds before a pod is rejected: who makes it again and again does so about once a second. */
const REJECTION = 1000

/** Keys are pods. Runs pods of every node that carries the simulation's annotation. */
export function simulatedKubelet(): ControllerFactory {
  return (context) => new SimulatedKubelet(context)
}

class SimulatedKubelet implements Controller {
  readonly name = 'simulated-kubelet'
  readonly #context: ControllerContext
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #recorder: EventRecorder
  readonly #pools = new Map<string, AddressPool>()
  readonly #ports = new HostPorts()
  /** When pods were begun with, more exactly than their status tells; by uid. */
  readonly #started = new Map<string, number>()

  constructor(context: ControllerContext) {
    this.#context = context
    this.#pods = context.client.informer<Pod>(resources.pods)
    this.#nodes = context.client.informer<Node>(resources.nodes)
    this.#recorder = createRecorder(context, 'kubelet', { apiVersion: 'v1', kind: 'Pod' })
  }

  start(): void {
    this.#nodes.onEvent(({ type, object }) => {
      const { name } = object.metadata
      if (type === 'delete') this.#pools.delete(name!)
      else if (annotation(object, NODE) === 'true' && !this.#pools.has(name!)) this.#begin(object)
    })
    this.#pods.onEvent(({ type, object }) => {
      const { nodeName } = object.spec
      if (nodeName === undefined) return
      const pool = this.#pools.get(nodeName)
      if (pool === undefined) return
      const uid = object.metadata.uid!
      if (type === 'delete') {
        this.#release(nodeName, pool, uid)
        return
      }
      if (isTerminal(object)) {
        this.#release(nodeName, pool, uid)
      } else if (object.status?.podIP !== undefined) {
        this.#resume(object, pool)
      }
      this.#context.enqueue(keyOf(object))
    })
  }

  #begin(node: Node): void {
    const { name } = node.metadata
    const pool = new AddressPool(node.spec?.podCIDR ?? podCidr(0))
    this.#pools.set(name!, pool)
    for (const pod of this.#pods.list()) {
      if (pod.spec.nodeName !== name) continue
      if (!isTerminal(pod) && pod.status?.podIP !== undefined) this.#resume(pod, pool)
      this.#context.enqueue(keyOf(pod))
    }
  }

  #release(node: string, pool: AddressPool, uid: string): void {
    pool.release(uid)
    this.#ports.release(node, uid)
    this.#started.delete(uid)
  }

  /** What runs already keeps what it has. */
  #resume(pod: Pod, pool: AddressPool): void {
    const uid = pod.metadata.uid!
    pool.reserve(uid, pod.status!.podIP!)
    if (!this.#started.has(uid)) this.#ports.take(pod.spec.nodeName!, uid, hostPortsOf(pod))
  }

  async reconcile(key: string): Promise<void> {
    // Addresses of pods that do not show yet would be given a second time.
    if (!this.#pods.synced) await this.#pods.ready()
    if (!this.#nodes.synced) await this.#nodes.ready()
    const { namespace, name } = splitKey(key)
    const pod = this.#pods.get(namespace, name)
    if (pod?.spec.nodeName === undefined) return
    const pool = this.#pools.get(pod.spec.nodeName)
    if (pool === undefined) return
    if (pod.metadata.deletionTimestamp !== undefined) return this.#stop(key, pod)
    if (isTerminal(pod)) return
    if (!(await this.#admit(key, pod))) return
    const place = this.#placementOf(pod, pool)
    if (place === undefined) throw new Error(`no address is left on node ${pod.spec.nodeName}`)
    const now = this.#context.now()
    const { status, next } = statusAt(pod, place, now)
    if (!sameValue(status, pod.status)) {
      await this.#write(pod, status)
      this.#tell(pod, status)
    }
    if (next !== Infinity) this.#context.enqueue(key, Math.max(1, next - this.#context.now()))
  }

  /** Whether the node takes the pod. */
  async #admit(key: string, pod: Pod): Promise<boolean> {
    const { uid, creationTimestamp } = pod.metadata
    if (this.#started.has(uid!) || pod.status?.podIP !== undefined) return true
    if (this.#ports.take(pod.spec.nodeName!, uid!, hostPortsOf(pod))) return true
    const now = this.#context.now()
    const wait = parseTime(creationTimestamp) + REJECTION - now
    if (wait > 0) {
      this.#context.enqueue(key, wait)
      return false
    }
    const status = rejected(pod, now)
    await this.#write(pod, status)
    this.#recorder.event(pod, 'Warning', status.reason!, status.message!.replace('Pod was rejected: ', ''))
    return false
  }

  #placementOf(pod: Pod, pool: AddressPool): Placement | undefined {
    const uid = pod.metadata.uid!
    let started = this.#started.get(uid)
    if (started === undefined) {
      const told = parseTime(pod.status?.startTime)
      started = told === 0 ? this.#context.now() : told
      this.#started.set(uid, started)
    }
    const hostIP = this.#hostAddress(pod.spec.nodeName!)
    // A pod on the node's network takes no address.
    const podIP = pod.spec.hostNetwork === true ? hostIP : (pod.status?.podIP ?? pool.take(uid))
    return podIP === undefined ? undefined : { podIP, hostIP, started }
  }

  #hostAddress(nodeName: string): string {
    const addresses = this.#nodes.get('', nodeName)?.status?.addresses ?? []
    return addresses.find(({ type }) => type === 'InternalIP')?.address ?? nodeAddress(0)
  }

  /** Graceful termination: containers stop, then the pod is deleted for good. */
  async #stop(key: string, pod: Pod): Promise<void> {
    const now = this.#context.now()
    const grace = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000
    const takes = terminationTime(pod, grace)
    const asked = parseTime(pod.metadata.deletionTimestamp) - grace
    if (!isTerminal(pod) && now < asked + takes) {
      this.#context.enqueue(key, asked + takes - now)
      return
    }
    const { name, namespace, uid } = pod.metadata
    // Whoever holds it with a finalizer sees how it ended.
    if (!isTerminal(pod) && (pod.metadata.finalizers ?? []).length > 0) {
      const pool = this.#pools.get(pod.spec.nodeName!)!
      const place = this.#placementOf(pod, pool)
      if (place !== undefined) await this.#write(pod, stopped(pod, place, now))
    }
    // Already as good as deleted: only its finalizers keep it.
    if (pod.metadata.deletionGracePeriodSeconds === 0 && (pod.metadata.finalizers ?? []).length > 0) return
    try {
      const preconditions = { uid: uid! }
      await this.#context.client.delete(resources.pods, name!, {
        namespace: namespace!,
        gracePeriodSeconds: 0,
        preconditions,
      })
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
    }
  }

  async #write(pod: Pod, status: PodStatus): Promise<void> {
    try {
      const where = { namespace: pod.metadata.namespace!, subresource: 'status' }
      await this.#context.client.update(resources.pods, { ...pod, status }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  #tell(pod: Pod, status: PodStatus): void {
    for (const { name, image, state, restartCount } of status.containerStatuses ?? []) {
      const before = pod.status?.containerStatuses?.find((one) => one.name === name)
      if (state?.running !== undefined) {
        const again = before?.state?.running !== undefined && before.restartCount === restartCount
        if (!again) this.#recorder.event(pod, 'Normal', 'Started', `Started container ${name} (simulated)`)
      } else if (state?.waiting?.reason !== before?.state?.waiting?.reason) {
        if (state?.waiting?.reason === 'ErrImagePull') {
          this.#recorder.event(pod, 'Warning', 'Failed', `Failed to pull image "${image}" (simulated)`)
        } else if (state?.waiting?.reason === 'ImagePullBackOff') {
          this.#recorder.event(pod, 'Normal', 'BackOff', `Back-off pulling image "${image}"`)
        } else if (state?.waiting?.reason === 'CrashLoopBackOff') {
          const where = `${pod.metadata.name!}_${pod.metadata.namespace!}(${pod.metadata.uid!})`
          const text = `Back-off restarting failed container ${name} in pod ${where}`
          this.#recorder.event(pod, 'Warning', 'BackOff', text)
        }
      }
    }
  }
}
