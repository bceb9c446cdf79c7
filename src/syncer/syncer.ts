/** The syncer of a manager: one for all its tenants. Wires caches, fair queues and workers together. */
import type { Client } from '../client/contract.ts'
import type { FairQueue } from '../client/queue.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import { complaint } from './complaint.ts'
import type { Tenant } from './contract.ts'
import { Down } from './down.ts'
import { HostWatch } from './host-watch.ts'
import { Host } from './host.ts'
import { identityOf, labels } from './identity.ts'
import { Limiter } from './limiter.ts'
import { Purges } from './purge.ts'
import { Queues, type Direction, type Work } from './queues.ts'
import { Scan } from './scan.ts'
import { Session } from './session.ts'
import { Tokens } from './tokens.ts'
import { Up } from './up.ts'

export interface SyncerOptions {
  readonly host: Client
  newQueue(): FairQueue<Work>
  /** Milliseconds since the epoch. */
  now(): number
  /** Called for work that failed; the key is tried again. */
  onError?(message: string, fields: Record<string, unknown>): void
  /** Called with the time (milliseconds) that work of a tenant waited in a queue. */
  onWait?(direction: Direction, tenant: Tenant, milliseconds: number): void
  /** Called when a virtual cluster is no longer synced. */
  onRemove?(tenant: Tenant): void
  /** Workers for each direction. The host's answers limit the way down further. @default 256, 256 and 8 */
  readonly workers?: Partial<Record<Direction, number>>
  /** Milliseconds between scans that look for what was missed. 0: none. @default 60000 */
  readonly scanInterval?: number
}

const WORKERS: Record<Direction, number> = { down: 256, up: 256, events: 8 }

export class Syncer {
  readonly #options: SyncerOptions
  readonly #host: Host
  readonly #down: Down
  readonly #up: Up
  readonly #limiter: Limiter
  readonly #tokens: Tokens
  readonly #queues: Queues
  readonly #purges: Purges
  readonly #watch: HostWatch
  readonly #scan: Scan
  readonly #sessions = new Map<string, Session>()
  readonly #workers: Promise<void>[] = []
  #stopped = false

  constructor(options: SyncerOptions) {
    this.#options = options
    this.#limiter = new Limiter({ now: options.now })
    const host = new Host(options.host, this.#limiter, options.now)
    const queues = new Queues(() => options.newQueue())
    const tokens = new Tokens(host, options.now)
    const sessions = this.#sessions
    const purges = new Purges(host)
    const onGone = (object: KubeObject): void => purges.gone(object)
    const watch = new HostWatch({ client: options.host, host, tokens, queues, sessions, onGone })
    const onError = (error: unknown): void => options.onError?.('a scan ended early', { error: String(error) })
    this.#host = host
    this.#queues = queues
    this.#tokens = tokens
    this.#purges = purges
    this.#watch = watch
    this.#scan = new Scan({ host, watch, tokens, queues, sessions, onError })
    this.#down = new Down(
      host,
      (session, object, reason, message) => void this.#complain(session, object, reason, message),
      (session, key) => queues.left(session, key),
    )
    this.#up = new Up(host)
  }

  /** Fills the host caches and starts the workers. */
  async start(): Promise<void> {
    await this.#host.ready()
    this.#watch.start()
    for (const direction of Object.keys(WORKERS) as Direction[]) {
      const width = this.#options.workers?.[direction] ?? WORKERS[direction]
      for (let i = 0; i < width; i++) this.#workers.push(this.#work(direction, i))
    }
    const interval = this.#options.scanInterval ?? 60_000
    if (interval > 0) this.#scan.start(interval)
  }

  /** Begins to sync a virtual cluster. Resolves when its state has been read and everything in it is enqueued. */
  async add(tenant: Tenant): Promise<void> {
    this.remove(tenant.uid)
    const queues = this.#queues
    const session = new Session(tenant, (node) => this.#host.nodes.get('', node) !== undefined)
    this.#sessions.set(tenant.uid, session)
    queues.setWeight(tenant.uid, tenant.weight)
    await session.start({
      down: (kind, namespace, name) => queues.object('down', session, kind, namespace, name),
      up: (kind, namespace, name) => queues.object('up', session, kind, namespace, name),
      token: (use) => queues.token(session, use),
      node: (name, delay) => queues.nodeLater(session, name, delay),
      namespace: (name) => queues.namespace(session, name),
    })
    if (!session.stopped) this.#watch.revisit(session)
  }

  /** Stops syncing a virtual cluster; what is on the host stays. */
  remove(uid: string): void {
    const session = this.#sessions.get(uid)
    session?.stop()
    this.#sessions.delete(uid)
    if (session !== undefined) this.#options.onRemove?.(session.tenant)
    this.#queues.remove(uid)
  }

  setWeight(uid: string, weight: number): void {
    this.#queues.setWeight(uid, weight)
  }

  /** Uids of clusters that have objects on the host. */
  clustersOnHost(): Set<string> {
    const out = new Set<string>()
    for (const informer of Object.values(this.#host.informers)) {
      for (const object of informer.list()) out.add(object.metadata.labels![labels.cluster] ?? '')
    }
    out.delete('')
    return out
  }

  /** Deletes everything of a cluster from the host and waits until it is gone. The cluster must have been removed. */
  purge(uid: string, signal?: AbortSignal): Promise<void> {
    return this.#purges.purge(uid, signal)
  }

  /** Looks at everything once more: what an event should have told and did not. */
  scan(): Promise<void> {
    return this.#scan.run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#scan.stop()
    this.#watch.stop()
    for (const session of this.#sessions.values()) session.stop()
    this.#queues.close()
    this.#limiter.close()
    await Promise.all(this.#workers)
  }

  /** The host pod of a tenant pod, and its node: by look-up, never by name. */
  hostPod(
    uid: string,
    namespace: string,
    name: string,
  ): { readonly pod: KubeObject; readonly node: KubeObject | undefined } | undefined {
    const pod = this.#twin('Pod', uid, namespace, name)
    return pod && { pod, node: this.#host.nodes.get('', pod['spec'].nodeName ?? '') }
  }

  /** The host Service of a tenant Service: by look-up, never by name. */
  hostService(uid: string, namespace: string, name: string): KubeObject | undefined {
    return this.#twin('Service', uid, namespace, name)
  }

  #twin(kind: 'Pod' | 'Service', uid: string, namespace: string, name: string): KubeObject | undefined {
    const session = this.#sessions.get(uid)
    const object = session && this.#host.find(kind, session.tenant, namespace, name)
    const own = session?.get(kind, namespace, name)
    return object !== undefined && identityOf(object)!.uid === own?.metadata.uid ? object : undefined
  }

  /** Pieces of work that wait, by direction. */
  waiting(direction: Direction, uid?: string): number {
    return this.#queues.of(direction).length(uid)
  }

  async #work(direction: Direction, worker: number): Promise<void> {
    const queue = this.#queues.of(direction)
    for (;;) {
      if (direction === 'down') await this.#limiter.seat(worker)
      const taken = await queue.take()
      if (taken === undefined) return
      const { flow, key, item, waited } = taken
      this.#options.onWait?.(direction, item.session.tenant, waited)
      try {
        if (this.#sessions.get(flow) === item.session) await this.#do(direction, item)
        queue.forget(flow, key)
      } catch (error) {
        if (this.#sessions.get(flow) === item.session && !this.#stopped) {
          this.#options.onError?.(`sync ${direction} of ${key} failed`, {
            tenant: flow,
            error: error instanceof Error ? error.message : String(error),
          })
          queue.retry(flow, key, item)
        }
      } finally {
        taken.done()
      }
    }
  }

  async #do(direction: Direction, work: Work): Promise<void> {
    const { session } = work
    switch (work.what) {
      case 'object':
        if (direction === 'down') await this.#down.sync(session, work.kind, work.namespace, work.name)
        else if ((await this.#up.sync(session, work.kind, work.namespace, work.name)) === 'down') {
          this.#queues.object('down', session, work.kind, work.namespace, work.name)
        }
        return
      case 'node':
        return this.#up.syncNode(session, work.name)
      case 'namespace':
        return this.#down.syncNamespace(session, work.name)
      case 'token':
        return this.#tokens.sync(session, work.use, (namespace) => this.#down.ensureNamespace(session, namespace))
      case 'event': {
        const event = this.#options.host.informer(resources.events).get(work.namespace, work.name)
        if (event !== undefined) await this.#up.syncEvent(session, event, work.about, work.kind)
        return
      }
    }
  }

  /** Writes an event on the tenant's own object. */
  async #complain(session: Session, object: KubeObject, reason: string, message: string): Promise<void> {
    try {
      const event = complaint(object, reason, message, this.#options.now())
      await session.tenant.client.create(resources.events, event, { namespace: event.metadata.namespace! })
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) this.#options.onError?.('event was not written', { error: String(error) })
    }
  }
}
