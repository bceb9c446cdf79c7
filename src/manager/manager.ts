/** The manager: VirtualCluster objects of a host become running virtual clusters. */
import type { Client, Informer } from '../client/contract.ts'
import { createEventRecorder } from '../client/events.ts'
import type { FairQueue, Taken } from '../client/queue.ts'
import { resources } from '../client/resources.ts'
import type { Log } from '../controllers/contract.ts'
import { isReason } from '../machinery/status.ts'
import { equalJson } from '../machinery/equality.ts'
import type { SyncerOptions } from '../syncer/syncer.ts'
import { Syncer } from '../syncer/syncer.ts'
import type { ControlPlane, Engine } from './contract.ts'
import { Reconciler } from './reconcile.ts'
import { References } from './references.ts'
import { definition, type VirtualCluster, type VirtualClusterSpec } from './virtual-cluster.ts'

/** Milliseconds before a control plane that ended is started again. */
const RESTART_PAUSE = 1000

export interface ManagerOptions {
  readonly host: Client
  readonly engines: Readonly<Record<VirtualClusterSpec['engine'], Engine>>
  newQueue<T>(): FairQueue<T>
  now(): number
  readonly log: Log
  /** VirtualClusters worked on at once. @default 16 */
  readonly workers?: number
  /** See SyncerOptions. */
  readonly onWait?: SyncerOptions['onWait']
  readonly onRemove?: SyncerOptions['onRemove']
}

interface Item {
  readonly namespace: string
  readonly name: string
}

export class Manager {
  readonly #options: ManagerOptions
  readonly #queue: FairQueue<Item>
  readonly #reconciler: Reconciler
  readonly #references: References
  readonly syncer: Syncer
  #informer: Informer<VirtualCluster> | undefined
  #unsubscribe: (() => void) | undefined
  #workers: Promise<void>[] = []
  /** Deletions under way: they wait for pods to end, and no worker waits with them. */
  readonly #deletions = new Set<Promise<void>>()
  readonly #ending = new AbortController()

  constructor(options: ManagerOptions) {
    this.#options = options
    this.#queue = options.newQueue()
    this.syncer = new Syncer({
      host: options.host,
      newQueue: () => options.newQueue(),
      now: options.now,
      onError: (message, fields) => options.log.warn(message, fields),
      ...(options.onWait !== undefined && { onWait: options.onWait }),
      ...(options.onRemove !== undefined && { onRemove: options.onRemove }),
    })
    const recorder = createEventRecorder(options.host, {
      component: 'tenantry-manager',
      now: options.now,
      onError: (error) => options.log.debug('an event was not written', { error: String(error) }),
    })
    this.#references = new References(options.host, (uid) => this.#again(uid))
    this.#reconciler = new Reconciler({
      references: this.#references,
      host: options.host,
      engines: options.engines,
      syncer: this.syncer,
      now: options.now,
      signal: this.#ending.signal,
      event: (object, type, reason, message) => recorder.record(object, { type, reason, message }),
    })
  }

  /** Installs the VirtualCluster definition, reads what exists and begins to work. */
  async start(): Promise<void> {
    await installDefinition(this.#options.host)
    await this.syncer.start()
    const informer = this.#options.host.informer<VirtualCluster>(resources.virtualclusters)
    this.#informer = informer
    await informer.ready()
    await this.#removeOrphans(informer)
    this.#unsubscribe = informer.onEvent((event) => {
      // Our own status writes come back here; they ask for nothing.
      if (
        event.type === 'update' &&
        equalJson(event.old.spec, event.object.spec) &&
        event.old.metadata.deletionTimestamp === event.object.metadata.deletionTimestamp
      )
        return
      const { namespace, name } = event.object.metadata
      this.#queue.add(`${namespace!}/${name!}`, 'virtualcluster', { namespace: namespace!, name: name! })
    })
    for (let i = 0; i < (this.#options.workers ?? 16); i++) this.#workers.push(this.#work())
  }

  /** Ends the work; control planes stop, their state and everything on the host stays. */
  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#references.close()
    this.#queue.close()
    this.#ending.abort()
    await Promise.all([...this.#workers, ...this.#deletions])
    await this.syncer.stop()
    await Promise.all(Object.values(this.#options.engines).map((engine) => engine.close()))
  }

  /** The running control plane of a virtual cluster. */
  controlPlane(uid: string): ControlPlane | undefined {
    return this.#reconciler.controlPlane(uid)
  }

  /** Looks at a virtual cluster again whose control plane ended by itself. */
  revisit(uid: string): void {
    const object = this.#informer?.list().find((vc) => vc.metadata.uid === uid)
    if (object === undefined) return
    this.#reconciler.lost(uid)
    const { namespace, name } = object.metadata
    this.#queue.addAfter(
      `${namespace!}/${name!}`,
      'virtualcluster',
      { namespace: namespace!, name: name! },
      RESTART_PAUSE,
    )
  }

  /** Looks at a virtual cluster again whose configuration has changed. */
  #again(uid: string): void {
    const object = this.#informer?.list().find((vc) => vc.metadata.uid === uid)
    if (object === undefined) return
    const { namespace, name } = object.metadata
    this.#queue.add(`${namespace!}/${name!}`, 'virtualcluster', { namespace: namespace!, name: name! })
  }

  /** Objects of clusters that no longer exist: their deletion was cut short. */
  async #removeOrphans(informer: Informer<VirtualCluster>): Promise<void> {
    const known = new Set(informer.list().map((vc) => vc.metadata.uid!))
    for (const uid of this.syncer.clustersOnHost()) {
      if (known.has(uid)) continue
      this.#options.log.info('removing objects of a virtual cluster that is gone', { uid })
      void this.syncer
        .purge(uid, this.#ending.signal)
        .catch((error: unknown) => this.#options.log.warn('orphans were not removed', { uid, error: String(error) }))
    }
  }

  async #work(): Promise<void> {
    for (;;) {
      const taken = await this.#queue.take()
      if (taken === undefined) return
      const object = this.#informer!.get(taken.item.namespace, taken.item.name)
      const step = this.#step(taken, object)
      if (object !== undefined && object.metadata.deletionTimestamp === undefined) await step
      else {
        this.#deletions.add(step)
        void step.then(() => this.#deletions.delete(step))
      }
    }
  }

  /** Never rejects. */
  async #step(taken: Taken<Item>, object: VirtualCluster | undefined): Promise<void> {
    const { flow, key, item } = taken
    try {
      if (object === undefined) await this.#reconciler.vanished(item.namespace, item.name)
      else await this.#reconciler.reconcile(object)
      this.#queue.forget(flow, key)
    } catch (error) {
      if (this.#ending.signal.aborted) return
      this.#options.log.warn(`virtual cluster ${item.namespace}/${item.name} is not ready yet`, {
        error: error instanceof Error ? error.message : String(error),
      })
      this.#queue.retry(flow, key, item)
    } finally {
      taken.done()
    }
  }
}

/** Creates or updates the VirtualCluster definition and waits until the host serves it. */
export async function installDefinition(host: Client): Promise<void> {
  const { customresourcedefinitions: crds } = resources
  try {
    await host.create(crds, definition)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
    await host.patch(crds, definition.metadata.name!, { type: 'merge', body: { spec: definition['spec'] } })
  }
  for (let wait = 1; ; wait = Math.min(wait * 2, 200)) {
    const now = await host.get(crds, definition.metadata.name!)
    if (
      now['status']?.conditions?.some(
        (c: { type: string; status: string }) => c.type === 'Established' && c.status === 'True',
      )
    )
      return
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}
