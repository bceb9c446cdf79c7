/** The host side of the syncer: caches of what is ours, and writes with preconditions. */
import type { Client, DeleteQuery, Informer, Resource } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason, StatusError } from '../machinery/status.ts'
import type { Tenant } from './contract.ts'
import { identityOf, labels, MANAGED_SELECTOR } from './identity.ts'
import type { Limiter } from './limiter.ts'
import type { SyncedKind } from './kinds.ts'

const BY_CLUSTER = 'cluster'

export class Host {
  readonly client: Client
  readonly informers: Readonly<Record<SyncedKind | 'Namespace', Informer>>
  readonly nodes: Informer
  readonly #limiter: Limiter
  /** Clusters for which something was made here, until they are purged. */
  readonly #wrote = new Set<string>()
  /** Creations under way, by cluster. */
  readonly #creating = new Map<string, Set<Promise<unknown>>>()
  readonly #now: () => number

  constructor(client: Client, limiter: Limiter, now: () => number) {
    this.client = client
    this.#limiter = limiter
    this.#now = now
    const ours = (resource: Resource) => {
      const informer = client.informer(resource, { labelSelector: MANAGED_SELECTOR })
      informer.addIndex(BY_CLUSTER, (object) => [object.metadata.labels?.[labels.cluster] ?? ''])
      return informer
    }
    this.informers = {
      Pod: ours(resources.pods),
      Service: ours(resources.services),
      ConfigMap: ours(resources.configmaps),
      Secret: ours(resources.secrets),
      Namespace: ours(resources.namespaces),
    }
    this.nodes = client.informer(resources.nodes)
  }

  async ready(): Promise<void> {
    await Promise.all([...Object.values(this.informers), this.nodes].map((i) => i.ready()))
  }

  /** The host object of a tenant object: in its place, with its identity. A copy elsewhere that claims to be it is not. */
  find(kind: SyncedKind, { uid, placement }: Tenant, namespace: string, name: string): KubeObject | undefined {
    const object = this.informers[kind].get(placement.namespace(namespace), placement.name(namespace, name))
    const identity = object && identityOf(object)
    if (identity?.tenant !== uid || identity.namespace !== namespace || identity.name !== name) return undefined
    return object
  }

  /** Everything of a tenant, of one kind. */
  ofTenant(kind: SyncedKind | 'Namespace', tenant: string): KubeObject[] {
    return this.informers[kind].byIndex(BY_CLUSTER, tenant)
  }

  /** Whether nothing of ours is left in a host namespace. */
  empty(namespace: string): boolean {
    return (['Pod', 'Service', 'ConfigMap', 'Secret'] as const).every(
      (kind) => this.informers[kind].list(namespace).length === 0,
    )
  }

  async create(resource: Resource, object: KubeObject): Promise<KubeObject> {
    const cluster = object.metadata.labels![labels.cluster]!
    this.#wrote.add(cluster)
    const under = this.#limited(() => this.client.create(resource, object, where(object)))
    let all = this.#creating.get(cluster)
    if (all === undefined) this.#creating.set(cluster, (all = new Set()))
    all.add(under)
    try {
      return await under
    } finally {
      all.delete(under)
      if (all.size === 0) this.#creating.delete(cluster)
    }
  }

  /** Whether this process made something for a cluster. */
  wrote(cluster: string): boolean {
    return this.#wrote.has(cluster)
  }

  /** A cluster is gone. */
  forget(cluster: string): void {
    this.#wrote.delete(cluster)
  }

  /** Resolves when no creation for a cluster is under way. */
  async settled(cluster: string): Promise<void> {
    for (let all = this.#creating.get(cluster); all !== undefined; all = this.#creating.get(cluster))
      await Promise.allSettled(all)
  }

  patch(
    resource: Resource,
    object: KubeObject,
    type: 'merge' | 'strategic',
    body: object,
    subresource?: string,
  ): Promise<KubeObject> {
    const query = { ...where(object), ...(subresource !== undefined && { subresource }) }
    return this.#limited(() => this.client.patch(resource, object.metadata.name!, { type, body }, query))
  }

  /** What the host's API itself has of a cluster, of one kind; caches may be behind. */
  async left(resource: Resource, cluster: string): Promise<KubeObject[]> {
    const selector = `${MANAGED_SELECTOR},${labels.cluster}=${cluster}`
    return (await this.client.list(resource, { labelSelector: selector })).items
  }

  /** Deletes exactly this object: another of the same name is left alone. Gone already is fine. */
  async delete(resource: Resource, object: KubeObject, query: DeleteQuery = {}): Promise<void> {
    try {
      await this.#limited(() =>
        this.client.delete(resource, object.metadata.name!, {
          ...where(object),
          ...query,
          preconditions: { uid: object.metadata.uid! },
        }),
      )
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
    }
  }

  async #limited<T>(call: () => Promise<T>): Promise<T> {
    await this.#limiter.acquire()
    const start = this.#now()
    let trouble = false
    try {
      return await call()
    } catch (error) {
      trouble = !(error instanceof StatusError) || error.code === 429 || error.code >= 500
      throw error
    } finally {
      this.#limiter.release(this.#now() - start, trouble)
    }
  }
}

function where(object: KubeObject): { namespace?: string } {
  return object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }
}
