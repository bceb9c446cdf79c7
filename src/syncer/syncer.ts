/** The syncer of a manager: one for all its tenants. Wires caches, fair queues and workers together. */
import { createHash } from 'node:crypto'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Client } from '../client/contract.ts'
import type { FairQueue } from '../client/queue.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import { equalJson } from '../machinery/equality.ts'
import type { Tenant } from './contract.ts'
import { Down } from './down.ts'
import { Host } from './host.ts'
import { annotations, identityOf, labels } from './identity.ts'
import { nodeDiffers, nodeView } from './kinds/node.ts'
import { Limiter } from './limiter.ts'
import { descriptors, type SyncedKind } from './kinds.ts'
import { Session } from './session.ts'
import type { TokenUse } from './token-use.ts'
import { Tokens } from './tokens.ts'
import { Up } from './up.ts'

export type Direction = 'down' | 'up' | 'events'

/** One piece of work. Only names: state is read when the work is done. */
type Work =
  | {
      readonly what: 'object'
      readonly session: Session
      readonly kind: SyncedKind
      readonly namespace: string
      readonly name: string
    }
  | { readonly what: 'node'; readonly session: Session; readonly name: string }
  | { readonly what: 'namespace'; readonly session: Session; readonly name: string }
  | { readonly what: 'token'; readonly session: Session; readonly use: TokenUse }
  | {
      readonly what: 'event'
      readonly session: Session
      readonly kind: SyncedKind
      readonly namespace: string
      readonly name: string
      readonly about: KubeObject
    }

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

const KINDS = Object.keys(descriptors) as SyncedKind[]
/** Milliseconds after which somebody else's change of a host object is looked at. */
const EDIT_PAUSE = 500
/** Milliseconds after which it is looked whether a host namespace is still needed. */
const NAMESPACE_PAUSE = 20
/** Milliseconds between looks at what is left of a cluster that is being purged. */
const PURGE_LOOK = 2000
/** Objects that a scan looks at in one go. */
const SCAN_STRETCH = 200
const WORKERS: Record<Direction, number> = { down: 256, up: 256, events: 8 }

export class Syncer {
  readonly #options: SyncerOptions
  readonly #host: Host
  readonly #down: Down
  readonly #up: Up
  readonly #limiter: Limiter
  readonly #tokens: Tokens
  readonly #queues: Record<Direction, FairQueue<Work>>
  readonly #sessions = new Map<string, Session>()
  readonly #workers: Promise<void>[] = []
  readonly #stops: (() => void)[] = []
  #scan: NodeJS.Timeout | undefined
  /** Called when something of a cluster has gone from the host. */
  readonly #purges = new Map<string, () => void>()
  #scanning = false
  #stopped = false

  constructor(options: SyncerOptions) {
    this.#options = options
    this.#limiter = new Limiter({ now: options.now })
    this.#host = new Host(options.host, this.#limiter, options.now)
    this.#down = new Down(
      this.#host,
      (session, object, reason, message) => void this.#complain(session, object, reason, message),
      (session, key) => this.#left(session, key),
    )
    this.#up = new Up(this.#host)
    this.#tokens = new Tokens(this.#host, options.now)
    this.#queues = { down: options.newQueue(), up: options.newQueue(), events: options.newQueue() }
  }

  /** Fills the host caches and starts the workers. */
  async start(): Promise<void> {
    await this.#host.ready()
    for (const kind of KINDS) this.#watchHost(kind)
    this.#stops.push(
      this.#host.informers.Namespace.onEvent((event) => event.type === 'delete' && this.#goneFrom(event.object)),
    )
    this.#watchNodes()
    this.#watchEvents()
    for (const direction of Object.keys(WORKERS) as Direction[]) {
      const width = this.#options.workers?.[direction] ?? WORKERS[direction]
      for (let i = 0; i < width; i++) this.#workers.push(this.#work(direction, i))
    }
    const interval = this.#options.scanInterval ?? 60_000
    if (interval > 0) this.#scan = setInterval(() => void this.#scanOnce(), interval).unref()
  }

  /** Begins to sync a virtual cluster. Resolves when its state has been read and everything in it is enqueued. */
  async add(tenant: Tenant): Promise<void> {
    this.remove(tenant.uid)
    const session = new Session(tenant, (node) => this.#host.nodes.get('', node) !== undefined)
    this.#sessions.set(tenant.uid, session)
    for (const queue of Object.values(this.#queues)) queue.setWeight(tenant.uid, tenant.weight)
    await session.start({
      down: (kind, namespace, name) => this.#object('down', session, kind, namespace, name),
      up: (kind, namespace, name) => this.#object('up', session, kind, namespace, name),
      token: (use) =>
        this.#queues.down.add(tenant.uid, `Token/${JSON.stringify(use)}`, { what: 'token', session, use }),
      node: (name, delay) =>
        this.#queues.up.addAfter(tenant.uid, `Node/${name}`, { what: 'node', session, name }, delay),
      namespace: (name) => this.#namespace(session, name),
    })
    if (session.stopped) return
    // What the host has of this tenant is looked at too: it may have changed, or lost its twin, while nobody watched.
    for (const kind of KINDS) {
      for (const object of this.#host.ofTenant(kind, tenant.uid)) this.#fromHost(kind, object, true)
    }
    for (const host of this.#host.ofTenant('Namespace', tenant.uid)) this.#hostNamespace(session, host)
    if (tenant.nodeView === 'all') for (const node of this.#host.nodes.list()) this.#node(session, node.metadata.name!)
  }

  /** Stops syncing a virtual cluster; what is on the host stays. */
  remove(uid: string): void {
    const session = this.#sessions.get(uid)
    session?.stop()
    this.#sessions.delete(uid)
    if (session !== undefined) this.#options.onRemove?.(session.tenant)
    for (const queue of Object.values(this.#queues)) queue.removeFlow(uid)
  }

  setWeight(uid: string, weight: number): void {
    for (const queue of Object.values(this.#queues)) queue.setWeight(uid, weight)
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
  async purge(uid: string, signal?: AbortSignal): Promise<void> {
    const all = ['Namespace', ...KINDS] as const
    for (;;) {
      signal?.throwIfAborted()
      // What was being made when the cluster was removed comes into being yet.
      await this.#host.settled(uid)
      // Most virtual clusters never had a pod here.
      if (!this.#host.wrote(uid) && all.every((kind) => this.#host.ofTenant(kind, uid).length === 0)) return
      // The host itself is asked, because caches may be behind what this process wrote.
      let left = 0
      const inOwnNamespace = new Set<string>()
      for (const kind of all) {
        const resource = kind === 'Namespace' ? resources.namespaces : descriptors[kind].resource
        const objects = await this.#host.left(resource, uid)
        left += objects.length
        if (kind === 'Namespace') for (const { metadata } of objects) inOwnNamespace.add(metadata.name!)
        const doomed = objects.filter(
          (o) => !inOwnNamespace.has(o.metadata.namespace ?? '') && o.metadata.deletionTimestamp === undefined,
        )
        await Promise.all(doomed.map((object) => this.#host.delete(resource, object)))
      }
      if (left === 0) return this.#host.forget(uid)
      await this.#gone(all, uid, signal)
    }
  }

  /** Resolves when the caches show nothing of a cluster, or after a while in which they may have missed something. */
  async #gone(kinds: readonly (SyncedKind | 'Namespace')[], uid: string, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = (): void => {
      if (kinds.every((kind) => this.#host.ofTenant(kind, uid).length === 0)) resolve()
    }
    const timer = setTimeout(resolve, PURGE_LOOK)
    const aborted = (): void => resolve()
    signal?.addEventListener('abort', aborted)
    this.#purges.set(uid, check)
    try {
      check()
      await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      this.#purges.delete(uid)
    }
  }

  #goneFrom(host: KubeObject): void {
    this.#purges.get(host.metadata.labels?.[labels.cluster] ?? '')?.()
  }

  async #scanOnce(): Promise<void> {
    if (this.#scanning) return
    this.#scanning = true
    try {
      await this.scan()
    } catch (error) {
      this.#options.onError?.('a scan ended early', { error: String(error) })
    } finally {
      this.#scanning = false
    }
  }

  /** Looks at everything once more: what an event should have told and did not. */
  async scan(): Promise<void> {
    let looked = 0
    for (const session of this.#sessions.values()) {
      if (this.#stopped) return
      for (const kind of KINDS) {
        for (const object of session.informers[kind].list()) {
          const { namespace, name, uid } = object.metadata
          if (++looked % SCAN_STRETCH === 0) {
            await yieldToOthers()
            if (session.stopped) break
          }
          const host = this.#host.find(kind, session.tenant, namespace!, name!)
          if (!session.wanted(kind, object)) {
            if (host !== undefined) this.#object('down', session, kind, namespace!, name!)
          } else if (host === undefined || identityOf(host)!.uid !== uid)
            this.#object('down', session, kind, namespace!, name!)
          else if (hasWork(descriptors[kind].toTenant?.(object, host, session)))
            this.#object('up', session, kind, namespace!, name!)
        }
        for (const host of this.#host.ofTenant(kind, session.tenant.uid)) {
          const identity = identityOf(host)
          if (identity !== undefined && session.get(kind, identity.namespace, identity.name) === undefined)
            this.#fromHost(kind, host, true)
        }
      }
      for (const host of this.#host.ofTenant('Namespace', session.tenant.uid)) this.#hostNamespace(session, host)
      for (const key of session.window.open) {
        const slash = key.indexOf('/')
        const host = this.#host.find('Pod', session.tenant, key.slice(0, slash), key.slice(slash + 1))
        if (host === undefined || lookedAt(host)) this.#left(session, key)
      }
      for (const use of this.#tokens.due(session)) {
        this.#queues.down.add(session.tenant.uid, `Token/${JSON.stringify(use)}`, { what: 'token', session, use })
      }
      await yieldToOthers()
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#scan)
    for (const stop of this.#stops.splice(0)) stop()
    for (const session of this.#sessions.values()) session.stop()
    for (const queue of Object.values(this.#queues)) queue.close()
    this.#limiter.close()
    await Promise.all(this.#workers)
  }

  /** The host pod of a tenant pod, and its node: by look-up, never by name. */
  hostPod(
    uid: string,
    namespace: string,
    name: string,
  ): { readonly pod: KubeObject; readonly node: KubeObject | undefined } | undefined {
    const session = this.#sessions.get(uid)
    const pod = session && this.#host.find('Pod', session.tenant, namespace, name)
    const twin = session?.get('Pod', namespace, name)
    if (pod === undefined || identityOf(pod)!.uid !== twin?.metadata.uid) return undefined
    return { pod, node: this.#host.nodes.get('', pod['spec'].nodeName ?? '') }
  }

  /** The host Service of a tenant Service: by look-up, never by name. */
  hostService(uid: string, namespace: string, name: string): KubeObject | undefined {
    const session = this.#sessions.get(uid)
    const service = session && this.#host.find('Service', session.tenant, namespace, name)
    const twin = session?.get('Service', namespace, name)
    return service !== undefined && identityOf(service)!.uid === twin?.metadata.uid ? service : undefined
  }

  /** Pieces of work that wait, by direction. */
  waiting(direction: Direction, uid?: string): number {
    return this.#queues[direction].length(uid)
  }

  #object(direction: 'down' | 'up', session: Session, kind: SyncedKind, namespace: string, name: string): void {
    this.#queues[direction].add(session.tenant.uid, `${kind}/${namespace}/${name}`, {
      what: 'object',
      session,
      kind,
      namespace,
      name,
    })
  }

  #node(session: Session, name: string): void {
    this.#queues.up.add(session.tenant.uid, `Node/${name}`, { what: 'node', session, name })
  }

  #watchHost(kind: SyncedKind): void {
    this.#stops.push(
      this.#host.informers[kind].onEvent((event) => {
        this.#fromHost(kind, event.object, event.type === 'delete')
        if (event.type === 'delete') this.#goneFrom(event.object)
        if (event.type === 'update' && edited(event.old, event.object)) this.#lookAgain(kind, event.object)
      }),
    )
  }

  /** Somebody else changed a host object: what is the tenant's is put right, though not in a fight without end. */
  #lookAgain(kind: SyncedKind, host: KubeObject): void {
    const identity = identityOf(host)
    const session = identity && this.#sessions.get(identity.tenant)
    if (session === undefined) return
    const { namespace, name } = identity!
    const work = { what: 'object', session, kind, namespace, name } as const
    this.#queues.down.addAfter(identity!.tenant, `${kind}/${namespace}/${name}`, work, EDIT_PAUSE)
  }

  /** Looks whether a host namespace is still needed, once for much that goes in one moment. */
  #namespace(session: Session, name: string): void {
    const work = { what: 'namespace', session, name } as const
    this.#queues.down.addAfter(session.tenant.uid, `Namespace/${name}`, work, NAMESPACE_PAUSE)
  }

  #hostNamespace(session: Session, host: KubeObject): void {
    const identity = identityOf(host)
    if (identity !== undefined) this.#namespace(session, identity.name)
  }

  #fromHost(kind: SyncedKind, host: KubeObject, lost: boolean): void {
    const identity = identityOf(host)
    const session = identity && this.#sessions.get(identity.tenant)
    if (session === undefined) return
    const use = this.#tokens.useOf(host)
    if (use !== undefined) {
      if (!lost) return
      this.#queues.down.add(identity!.tenant, `Token/${JSON.stringify(use)}`, { what: 'token', session, use })
      this.#namespace(session, identity!.namespace)
      return
    }
    if (kind === 'Pod' && (lost || lookedAt(host))) this.#left(session, `${identity!.namespace}/${identity!.name}`)
    if (descriptors[kind].toTenant !== undefined) this.#object('up', session, kind, identity!.namespace, identity!.name)
    if (!lost) return
    this.#object('down', session, kind, identity!.namespace, identity!.name)
    this.#namespace(session, identity!.namespace)
  }

  /** A pod no longer waits for the host's scheduler: another one of its tenant may. */
  #left(session: Session, key: string): void {
    const next = session.window.leave(key)
    if (next === undefined) return
    const slash = next.indexOf('/')
    this.#object('down', session, 'Pod', next.slice(0, slash), next.slice(slash + 1))
  }

  #watchNodes(): void {
    this.#stops.push(
      this.#host.nodes.onEvent((event) => {
        const name = event.object.metadata.name!
        if (
          event.type === 'update' &&
          !nodeDiffers(nodeView(event.object), nodeView(event.old)) &&
          equalJson(event.old.metadata.labels, event.object.metadata.labels)
        )
          return
        for (const session of this.#sessions.values()) {
          if (session.tenant.nodeView === 'all' || session.nodes.get('', name) !== undefined) this.#node(session, name)
        }
      }),
    )
  }

  #watchEvents(): void {
    const informer = this.#options.host.informer(resources.events)
    // Events that are older than this process were brought before, or are past.
    let fresh = false
    this.#stops.push(
      informer.onEvent((event) => {
        if (!fresh || event.type === 'delete') return
        const involved = event.object['involvedObject']
        const kind = involved?.kind as string
        if (!Object.hasOwn(descriptors, kind)) return
        const host = this.#host.informers[kind as SyncedKind].get(involved.namespace ?? '', involved.name)
        const identity = host && identityOf(host)
        const session = identity && this.#sessions.get(identity.tenant)
        if (session === undefined || host!.metadata.uid !== involved.uid) return
        const { namespace, name } = event.object.metadata
        this.#queues.events.add(identity!.tenant, `${namespace!}/${name!}`, {
          what: 'event', session, kind: kind as SyncedKind, namespace: namespace!, name: name!, about: host!,
        }) // prettier-ignore
      }),
    )
    informer.ready().then(
      () => (fresh = true),
      () => {},
    )
  }

  async #work(direction: Direction, worker: number): Promise<void> {
    const queue = this.#queues[direction]
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
          this.#object('down', session, work.kind, work.namespace, work.name)
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

  /** An event on the tenant's own object. Its name is a hash of what it says: saying it twice makes one event. */
  async #complain(session: Session, object: KubeObject, reason: string, message: string): Promise<void> {
    const { name, namespace, uid } = object.metadata
    const hash = createHash('sha256').update(`${uid!}/${reason}/${message}`).digest('hex').slice(0, 16)
    const now = new Date(this.#options.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const event: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name!.slice(0, 200)}.${hash}`, namespace: namespace! },
      involvedObject: {
        apiVersion: object.apiVersion ?? 'v1',
        kind: object.kind!,
        name: name!,
        namespace: namespace!,
        uid: uid!,
      },
      type: 'Warning',
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: 'tenantry-syncer' },
      reportingComponent: 'tenantry-syncer',
    }
    try {
      await session.tenant.client.create(resources.events, event, { namespace: namespace! })
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) this.#options.onError?.('event was not written', { error: String(error) })
    }
  }
}

/**
 * Whether an update of a host object is neither the syncer's own nor the usual course of things (status, scheduling,
 * token renewal).
 */
function edited(old: KubeObject, now: KubeObject): boolean {
  if (now.metadata.deletionTimestamp !== undefined) return false
  const applied = now.metadata.annotations?.[annotations.applied]
  if (applied !== old.metadata.annotations?.[annotations.applied]) return applied === undefined
  const scheduled = old['spec']?.nodeName === undefined && now['spec']?.nodeName !== undefined
  return (
    !equalJson(old.metadata.labels, now.metadata.labels) ||
    !equalJson(old.metadata.annotations, now.metadata.annotations) ||
    !equalJson(old['spec'], scheduled ? { ...now['spec'], nodeName: undefined } : now['spec']) ||
    !equalJson(old['data'], now['data']) ||
    !equalJson(old['binaryData'], now['binaryData'])
  )
}

function hasWork(upward: object | undefined): boolean {
  return upward !== undefined && Object.keys(upward).length > 0
}

/** Whether the host's scheduler has had its turn with a pod, or will not before its gates are open. */
function lookedAt(pod: KubeObject): boolean {
  const scheduled = (pod['status']?.conditions ?? []).some((c: { type: string }) => c.type === 'PodScheduled')
  return scheduled || pod['spec'].nodeName !== undefined || (pod['spec'].schedulingGates ?? []).length > 0
}
