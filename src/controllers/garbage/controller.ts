/** The garbage collector: objects go with their owners, in background, in foreground, or not at all. */
import type { Resource } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject, OwnerReference } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import { forEachLimited } from '../batches.ts'
import type { Controller, ControllerContext, ControllerFactory } from '../contract.ts'
import type { AggregatedResources, DiscoveredResource } from '../discovery.ts'
import { createRecorder } from '../recorder.ts'
import { decide, type OwnerState } from './decision.ts'
import { ObjectFeed, versionOf } from './feed.ts'
import { FOREGROUND, type Item, ORPHAN, OwnerGraph, type Work } from './graph.ts'

/** Owners remembered as absent. */
const REMEMBERED = 1000
const REFRESH = 'refresh'
const COMPLETE = 'complete'

export interface GarbageCollectorOptions {
  /** What the cluster serves beside custom resources. @default asked from its discovery documents */
  readonly builtin?: readonly DiscoveredResource[]
  /** What other servers serve behind the cluster's own. @default nothing */
  readonly aggregated?: AggregatedResources
}

export function garbageCollector(options: GarbageCollectorOptions = {}): ControllerFactory {
  return (context) => new GarbageCollector(context, options)
}

/** Keys: `check/<uid>`, `orphan/<uid>`, `refresh`, and `complete` once the first object has gone. */
class GarbageCollector implements Controller {
  readonly name = 'garbage-collector'
  readonly #context: ControllerContext
  readonly #graph = new OwnerGraph()
  readonly #feed: ObjectFeed
  readonly #absent = new Set<string>()
  /** Items with owners of a kind that is not served: looked at again when more is served. */
  readonly #unknown = new Set<string>()
  #complete = false
  #ready = false
  /** Keys that came before everything was known. */
  readonly #early = new Set<string>()

  constructor(context: ControllerContext, options: GarbageCollectorOptions) {
    this.#context = context
    this.#feed = new ObjectFeed(
      context.client,
      {
        put: (resource, object) => this.#enqueue(this.#graph.put(resource, object)),
        remove: (_, { metadata }) => {
          if (!this.#complete) this.#context.enqueue(COMPLETE)
          this.#gone(metadata.uid!)
        },
        dropped: (resource) => {
          for (const { uid } of this.#graph.of(resource)) this.#gone(uid)
        },
      },
      options,
    )
    options.aggregated?.onChange(() => this.#context.enqueue(REFRESH, 20))
  }

  start(): void {
    this.#context.enqueue(REFRESH)
    this.#context.client.informer(resources.customresourcedefinitions).onEvent(() => {
      this.#context.enqueue(REFRESH, 20)
    })
  }

  async reconcile(key: string): Promise<void> {
    if (key === REFRESH) return this.#refresh()
    // Until all is known, owners may be there that do not show. Nothing waits here: that would keep others from work.
    if (!this.#ready) {
      this.#early.add(key)
      return
    }
    if (!this.#complete) {
      await this.#feed.complete()
      this.#complete = true
    }
    if (key === COMPLETE) return
    const [kind, uid] = key.split('/', 2) as [string, string]
    const item = this.#graph.get(uid)
    if (item === undefined) return
    if (kind === 'orphan') await this.#orphan(item)
    else await this.#check(item)
  }

  async #refresh(): Promise<void> {
    await this.#feed.refresh(this.#context.signal)
    this.#ready = true
    for (const key of this.#early) this.#context.enqueue(key)
    this.#early.clear()
    for (const uid of this.#unknown) this.#context.enqueue(`check/${uid}`)
    this.#unknown.clear()
  }

  #enqueue({ check, orphan }: Work): void {
    for (const uid of check) if (!this.#isFine(uid)) this.#context.enqueue(`check/${uid}`)
    for (const uid of orphan) this.#context.enqueue(`orphan/${uid}`)
  }

  #gone(uid: string): void {
    this.#unknown.delete(uid)
    this.#enqueue(this.#graph.remove(uid))
  }

  /** Whether all owners are in the cache and stay: the usual case, decided without asking the server. */
  #isFine(uid: string): boolean {
    const item = this.#graph.get(uid)
    if (item === undefined) return true
    if (item.foreground || item.owners.length === 0) return false
    return item.owners.every((reference) => {
      const resource = this.#feed.resourceOf(reference.apiVersion, reference.kind)
      if (resource === undefined) return false
      const owner = this.#feed.cached(resource, resource.namespaced ? item.namespace : '', reference.name)
      return owner?.metadata.uid === reference.uid && owner.metadata.deletionTimestamp === undefined
    })
  }

  async #check(item: Item): Promise<void> {
    if ((item.deleting && !item.foreground) || this.#isFine(item.uid)) return
    const latest = await this.#read(item.resource, item.namespace, item.name)
    if (latest?.metadata.uid !== item.uid) return this.#gone(item.uid)
    if (item.foreground) return this.#finishForeground(item, latest)
    const owners: { reference: OwnerReference; state: OwnerState }[] = []
    for (const reference of latest.metadata.ownerReferences ?? []) {
      const state = await this.#stateOf(item, reference)
      if (state === undefined) return
      owners.push({ reference, state })
    }
    const decision = decide(latest, owners, this.#graph.dependents(item.uid))
    if (decision.type === 'release') await this.#release(item, latest, decision.owners)
    else if (decision.type === 'delete') await this.#delete(item, latest, decision.policy, decision.unblock)
  }

  /** `undefined`: this cannot be decided, and the item stays. */
  async #stateOf(item: Item, reference: OwnerReference): Promise<OwnerState | undefined> {
    const resource = this.#feed.resourceOf(reference.apiVersion, reference.kind)
    if (resource === undefined) {
      this.#unknown.add(item.uid)
      return undefined
    }
    if (item.namespace === '' && resource.namespaced) {
      this.#tellInvalid(item, reference)
      return undefined
    }
    const namespace = resource.namespaced ? item.namespace : ''
    const key = `${resource.group}/${resource.resource}/${namespace}/${reference.name}/${reference.uid}`
    if (this.#absent.has(key)) return 'absent'
    const owner = await this.#read(resource, namespace, reference.name)
    if (owner?.metadata.uid !== reference.uid) {
      this.#absent.add(key)
      if (this.#absent.size > REMEMBERED) this.#absent.delete(this.#absent.values().next().value!)
      return 'absent'
    }
    const { deletionTimestamp, finalizers } = owner.metadata
    return deletionTimestamp !== undefined && finalizers?.includes(FOREGROUND) === true ? 'waiting' : 'solid'
  }

  #tellInvalid(item: Item, reference: OwnerReference): void {
    const regarding = { apiVersion: versionOf(item.resource), kind: item.resource.kind }
    const object = { metadata: { name: item.name, uid: item.uid } }
    const message = `ownerRef [${reference.apiVersion}/${reference.kind}, namespace: ${item.namespace}, name: ${reference.name}, uid: ${reference.uid}] does not exist in namespace ${JSON.stringify(item.namespace)}`
    createRecorder(this.#context, 'garbage-collector-controller', regarding).event(
      object,
      'Warning',
      'OwnerRefInvalidNamespace',
      message,
    )
  }

  /** An owner that waits for its dependents: without blocking ones it is let go. */
  async #finishForeground(item: Item, latest: KubeObject): Promise<void> {
    const blocking = this.#graph.blocking(item.uid)
    if (blocking.length === 0) return this.#removeFinalizer(item, latest, FOREGROUND)
    for (const { uid, foreground } of blocking) if (!foreground) this.#context.enqueue(`check/${uid}`)
  }

  async #orphan(item: Item): Promise<void> {
    const latest = await this.#read(item.resource, item.namespace, item.name)
    if (latest?.metadata.uid !== item.uid) return this.#gone(item.uid)
    await forEachLimited(this.#graph.dependents(item.uid), async (dependent) => {
      const object = await this.#read(dependent.resource, dependent.namespace, dependent.name)
      if (object?.metadata.uid !== dependent.uid) return
      const owners = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid === item.uid)
      if (owners.length > 0) await this.#release(dependent, object, owners)
    })
    await this.#removeFinalizer(item, latest, ORPHAN)
  }

  async #removeFinalizer(item: Item, latest: KubeObject, finalizer: string): Promise<void> {
    const before = latest.metadata.finalizers ?? []
    if (!before.includes(finalizer)) return
    await this.#patch(item, latest, { finalizers: before.filter((one) => one !== finalizer) })
  }

  async #release(item: Item, latest: KubeObject, owners: readonly OwnerReference[]): Promise<void> {
    const gone = new Set(owners.map(({ uid }) => uid))
    const ownerReferences = (latest.metadata.ownerReferences ?? []).filter(({ uid }) => !gone.has(uid))
    await this.#patch(item, latest, { ownerReferences })
  }

  /** A merge patch works for every resource; the version that was read guards the lists that it replaces. */
  async #patch(item: Item, latest: KubeObject, metadata: object): Promise<KubeObject | undefined> {
    const { uid, resourceVersion } = latest.metadata
    const body = { metadata: { uid, resourceVersion, ...metadata } }
    try {
      const where = { namespace: item.namespace }
      return await this.#context.client.patch(item.resource, item.name, { type: 'merge', body }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
      return undefined
    }
  }

  async #delete(
    item: Item,
    latest: KubeObject,
    propagationPolicy: 'Orphan' | 'Background' | 'Foreground',
    unblock: boolean,
  ): Promise<void> {
    let { resourceVersion } = latest.metadata
    if (unblock) {
      const references = latest.metadata.ownerReferences ?? []
      const ownerReferences = references.map((one) => ({ ...one, blockOwnerDeletion: false }))
      const patched = await this.#patch(item, latest, { ownerReferences })
      resourceVersion = patched?.metadata.resourceVersion
    }
    // The version only where owners matter to the decision: somebody may have adopted the object meanwhile.
    const preconditions = { uid: item.uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
    try {
      const query = { namespace: item.namespace, propagationPolicy, preconditions }
      await this.#context.client.delete(item.resource, item.name, query)
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
      this.#gone(item.uid)
    }
  }

  async #read(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined> {
    try {
      return await this.#context.client.get(resource, name, { namespace })
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }
}
