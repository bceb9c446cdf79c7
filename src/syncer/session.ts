/** One tenant inside the syncer: its caches, what its pods need, and what its changes enqueue. */
import type { Informer } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { equalJson } from '../machinery/equality.ts'
import type { Tenant, TenantView } from './contract.ts'
import type { SyncedKind } from './kinds.ts'
import { refusal } from './kinds/pod.ts'
import { referencesOf } from './references.ts'
import { tokenUses, type TokenUse } from './token-use.ts'
import { Usage } from './usage.ts'
import { Window } from './window.ts'

/** Where a session's changes go. */
export interface SessionEvents {
  down(kind: SyncedKind, namespace: string, name: string): void
  up(kind: SyncedKind, namespace: string, name: string): void
  token(use: TokenUse): void
  node(name: string, delay: number): void
  namespace(name: string): void
}

/** A node view that no pod needs any more is kept for so long (milliseconds). */
export const NODE_LINGER = 30_000

/** New pods of a tenant that may wait for the host's scheduler at once. */
const WINDOW = 64

export class Session implements TenantView {
  readonly tenant: Tenant
  readonly informers: Readonly<Record<SyncedKind, Informer>>
  readonly nodes: Informer
  readonly usage = new Usage()
  /** Pods that the host has not looked at yet. */
  readonly window = new Window(WINDOW)
  readonly #stops: (() => void)[] = []
  readonly #onHost: (node: string) => boolean
  #stopped = false

  /** @param onHost whether the host has a node of this name */
  constructor(tenant: Tenant, onHost: (node: string) => boolean) {
    this.tenant = tenant
    this.#onHost = onHost
    const { client } = tenant
    this.informers = {
      Pod: client.informer(resources.pods),
      Service: client.informer(resources.services),
      ConfigMap: client.informer(resources.configmaps),
      Secret: client.informer(resources.secrets),
    }
    this.nodes = client.informer(resources.nodes)
    this.informers.Pod.addIndex('node', (pod) => (pod['spec'].nodeName === undefined ? [] : [pod['spec'].nodeName]))
    this.nodes.addIndex('tainted', (node) =>
      node['spec']?.unschedulable === true || (node['spec']?.taints ?? []).length > 0 ? ['yes'] : [],
    )
  }

  /** After `stop`: what is still under way must write nothing more. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Waits for the caches, then reports everything there is and every change. */
  async start(events: SessionEvents): Promise<void> {
    await Promise.all([...Object.values(this.informers), this.nodes].map((i) => i.ready()))
    if (this.#stopped) return
    this.#watchPods(events)
    for (const kind of ['Service', 'ConfigMap', 'Secret'] as const) {
      this.#on(this.informers[kind], (object, old) => {
        if (old !== undefined && old !== object && !specChanged(kind, old, object)) return
        if (kind !== 'Service' && !this.wanted(kind, object)) return
        events.down(kind, object.metadata.namespace!, object.metadata.name!)
      })
    }
    this.#stops.push(
      this.nodes.onEvent((event) => {
        if (event.type === 'delete') events.node(event.object.metadata.name!, 0)
        // Nobody may need it: its pods went while nobody watched, or the binding that it was made for failed.
        else if (event.type === 'add') events.node(event.object.metadata.name!, NODE_LINGER)
      }),
    )
  }

  #watchPods(events: SessionEvents): void {
    this.#stops.push(
      this.informers.Pod.onEvent((event) => {
        const pod = event.object
        const namespace = pod.metadata.namespace!
        const name = pod.metadata.name!
        const gone = event.type === 'delete'
        if (event.type !== 'update' || event.old['spec'] !== pod['spec']) this.#count(namespace, pod, gone, events)
        if (event.type !== 'update' || specChanged('Pod', event.old, pod)) events.down('Pod', namespace, name)
        const node = pod['spec'].nodeName as string | undefined
        if (node !== undefined && gone) events.node(node, NODE_LINGER)
        else if (node !== undefined && this.nodes.get('', node) === undefined) events.node(node, 0)
        if (gone) events.namespace(namespace)
      }),
    )
  }

  /** Keeps the reference graph; what became needed or unneeded is looked at again. */
  #count(namespace: string, pod: KubeObject, gone: boolean, events: SessionEvents): void {
    const things = new Set<string>()
    if (!gone && refusal(pod) === undefined) {
      const references = referencesOf(pod)
      for (const name of references.configMaps) things.add(`ConfigMap/${namespace}/${name}`)
      for (const name of references.secrets) things.add(`Secret/${namespace}/${name}`)
      for (const use of tokenUses(pod)) things.add(`Token/${namespace}/${JSON.stringify([use.account, use.audience])}`)
    }
    for (const thing of this.usage.set(`${namespace}/${pod.metadata.name!}`, things)) {
      const slash = thing.indexOf('/', thing.indexOf('/') + 1)
      const rest = thing.slice(slash + 1)
      if (thing.startsWith('Token/')) {
        const [account, audience] = JSON.parse(rest) as [string, string | null]
        events.token({ namespace, account, audience: audience ?? undefined })
      } else events.down(thing.startsWith('ConfigMap/') ? 'ConfigMap' : 'Secret', namespace, rest)
    }
  }

  #on(informer: Informer, handler: (object: KubeObject, old: KubeObject | undefined) => void): void {
    this.#stops.push(
      informer.onEvent((event) =>
        handler(event.object, event.type === 'add' ? undefined : event.type === 'update' ? event.old : event.object),
      ),
    )
  }

  get(kind: SyncedKind, namespace: string, name: string): KubeObject | undefined {
    return this.informers[kind].get(namespace, name)
  }

  /** Whether this object has a place on the host at all. */
  wanted(kind: SyncedKind, object: KubeObject): boolean {
    const { namespace, name } = object.metadata
    if (kind === 'Pod') return true
    if (kind === 'Service') return !(namespace === 'default' && name === 'kubernetes')
    return this.usage.has(`${kind}/${namespace!}/${name!}`)
  }

  tokenWanted(use: TokenUse): boolean {
    return this.usage.has(`Token/${use.namespace}/${JSON.stringify([use.account, use.audience])}`)
  }

  /** Whether anything of this tenant namespace belongs on the host. */
  occupies(namespace: string): boolean {
    return (
      this.informers.Pod.list(namespace).length > 0 ||
      this.informers.Service.list(namespace).some((s) => this.wanted('Service', s))
    )
  }

  closedNodes(tolerations: readonly KubeObject[]): readonly string[] {
    const out: string[] = []
    for (const node of this.nodes.byIndex('tainted', 'yes')) {
      // Nodes that only the tenant has are no choice of the host's scheduler.
      if (!this.#onHost(node.metadata.name!)) continue
      const taints: KubeObject[] = [...(node['spec']?.taints ?? [])]
      if (node['spec']?.unschedulable === true)
        taints.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as never)
      if (
        taints.some(
          (t) =>
            !LIFECYCLE.has(t['key']) && t['effect'] !== 'PreferNoSchedule' && !tolerations.some((x) => tolerates(x, t)),
        )
      )
        out.push(node.metadata.name!)
    }
    return out
  }

  stop(): void {
    this.#stopped = true
    for (const stop of this.#stops.splice(0)) stop()
  }
}

/** Taints by which admission and controllers speak about a node's health: the host knows better. */
const LIFECYCLE = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])

function tolerates(toleration: KubeObject, taint: KubeObject): boolean {
  if (toleration['effect'] !== undefined && toleration['effect'] !== '' && toleration['effect'] !== taint['effect'])
    return false
  if ((toleration['key'] ?? '') === '') return toleration['operator'] === 'Exists'
  if (toleration['key'] !== taint['key']) return false
  return toleration['operator'] === 'Exists' || (toleration['value'] ?? '') === (taint['value'] ?? '')
}

/** Whether a change concerns the host: status, managed fields and revisions alone do not. */
function specChanged(kind: SyncedKind, old: KubeObject, now: KubeObject): boolean {
  if (old.metadata.uid !== now.metadata.uid || old.metadata.deletionTimestamp !== now.metadata.deletionTimestamp)
    return true
  if (old.metadata.deletionGracePeriodSeconds !== now.metadata.deletionGracePeriodSeconds) return true
  if (
    !equalJson(old.metadata.labels, now.metadata.labels) ||
    !equalJson(old.metadata.annotations, now.metadata.annotations)
  )
    return true
  if (kind === 'Pod' && decidesStatus(old, now)) return true
  if (kind === 'Pod' || kind === 'Service')
    return old['spec'] !== now['spec'] && !equalJson(old['spec'], bound(old, now))
  return (
    old['immutable'] !== now['immutable'] ||
    !equalJson(old['data'], now['data']) ||
    !equalJson(old['binaryData'], now['binaryData'])
  )
}

/** The new spec without the node that the way up has just written. */
function bound(old: KubeObject, now: KubeObject): unknown {
  if (old['spec'].nodeName !== undefined || now['spec'].nodeName === undefined) return now['spec']
  return { ...now['spec'], nodeName: undefined }
}

/** Whether conditions changed of which readiness gates make the tenant the owner. */
function decidesStatus(old: KubeObject, now: KubeObject): boolean {
  return now['spec'].readinessGates !== undefined && !equalJson(old['status']?.conditions, now['status']?.conditions)
}
