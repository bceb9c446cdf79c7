/** What happens on the host, and which work it makes for whom. */
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import { equalJson } from '../machinery/equality.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Host } from './host.ts'
import { annotations, identityOf } from './identity.ts'
import { nodeDiffers, nodeView } from './kinds/node.ts'
import { descriptors, KINDS, type SyncedKind } from './kinds.ts'
import type { Queues } from './queues.ts'
import type { Session } from './session.ts'
import type { Tokens } from './tokens.ts'
import { lookedAt } from './window.ts'

export interface HostWatchOptions {
  readonly client: Client
  readonly host: Host
  readonly tokens: Tokens
  readonly queues: Queues
  /** By tenant. */
  readonly sessions: ReadonlyMap<string, Session>
  /** Called with an object of ours that has gone. */
  readonly onGone: (object: KubeObject) => void
}

export class HostWatch {
  readonly #options: HostWatchOptions
  readonly #stops: (() => void)[] = []

  constructor(options: HostWatchOptions) {
    this.#options = options
  }

  /** The host's caches must be filled. */
  start(): void {
    for (const kind of KINDS) this.#watch(kind)
    const { host, onGone } = this.#options
    this.#stops.push(host.informers.Namespace.onEvent((event) => event.type === 'delete' && onGone(event.object)))
    this.#watchNodes()
    this.#watchEvents()
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** Looks at everything that the host has of a tenant: it may have changed, or lost its twin, while nobody watched. */
  revisit(session: Session): void {
    const { host } = this.#options
    const { uid, nodeView: nodes } = session.tenant
    for (const kind of KINDS) for (const object of host.ofTenant(kind, uid)) this.changed(kind, object, true)
    this.namespaces(session)
    if (nodes === 'all') for (const node of host.nodes.list()) this.#options.queues.node(session, node.metadata.name!)
  }

  /** Looks whether the host namespaces of a tenant are still needed. */
  namespaces(session: Session): void {
    for (const namespace of this.#options.host.ofTenant('Namespace', session.tenant.uid)) {
      const identity = identityOf(namespace)
      if (identity !== undefined) this.#options.queues.namespace(session, identity.name)
    }
  }

  /** @param lost whether the object, or its twin, is not there any more, or may not be */
  changed(kind: SyncedKind, object: KubeObject, lost: boolean): void {
    const { queues, tokens, sessions } = this.#options
    const identity = identityOf(object)
    const session = identity && sessions.get(identity.tenant)
    if (session === undefined) return
    const { namespace, name } = identity!
    const use = tokens.useOf(object)
    if (use !== undefined) {
      if (!lost) return
      queues.token(session, use)
      queues.namespace(session, namespace)
      return
    }
    if (kind === 'Pod' && (lost || lookedAt(object))) queues.left(session, `${namespace}/${name}`)
    if (descriptors[kind].toTenant !== undefined) queues.object('up', session, kind, namespace, name)
    if (!lost) return
    queues.object('down', session, kind, namespace, name)
    queues.namespace(session, namespace)
  }

  #watch(kind: SyncedKind): void {
    const { host, queues, sessions, onGone } = this.#options
    this.#stops.push(
      host.informers[kind].onEvent((event) => {
        this.changed(kind, event.object, event.type === 'delete')
        if (event.type === 'delete') onGone(event.object)
        if (event.type !== 'update' || !edited(event.old, event.object)) return
        const identity = identityOf(event.object)
        const session = identity && sessions.get(identity.tenant)
        if (session !== undefined) queues.edited(session, kind, identity!.namespace, identity!.name)
      }),
    )
  }

  #watchNodes(): void {
    const { host, queues, sessions } = this.#options
    this.#stops.push(
      host.nodes.onEvent((event) => {
        const name = event.object.metadata.name!
        if (
          event.type === 'update' &&
          !nodeDiffers(nodeView(event.object), nodeView(event.old)) &&
          equalJson(event.old.metadata.labels, event.object.metadata.labels)
        )
          return
        for (const session of sessions.values()) {
          if (session.tenant.nodeView === 'all' || session.nodes.get('', name) !== undefined) queues.node(session, name)
        }
      }),
    )
  }

  #watchEvents(): void {
    const { client, host, queues, sessions } = this.#options
    const informer = client.informer(resources.events)
    // Events that are older than this process were brought before, or are past.
    let fresh = false
    this.#stops.push(
      informer.onEvent((event) => {
        if (!fresh || event.type === 'delete') return
        const involved = event.object['involvedObject']
        const kind = involved?.kind as string
        if (!Object.hasOwn(descriptors, kind)) return
        const about = host.informers[kind as SyncedKind].get(involved.namespace ?? '', involved.name)
        const identity = about && identityOf(about)
        const session = identity && sessions.get(identity.tenant)
        if (session === undefined || about!.metadata.uid !== involved.uid) return
        const { namespace, name } = event.object.metadata
        queues.event(session, kind as SyncedKind, namespace!, name!, about!)
      }),
    )
    informer.ready().then(
      () => (fresh = true),
      () => {},
    )
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
