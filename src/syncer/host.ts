/** The host side of the syncer: caches of what is ours, and writes with preconditions. */
import type { Client, DeleteQuery, Informer, Resource } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason, StatusError } from '../machinery/status.ts'
import { identityKey, identityOf, labels, MANAGED_SELECTOR } from './identity.ts'
import type { Limiter } from './limiter.ts'
import type { SyncedKind } from './session.ts'

const BY_IDENTITY = 'identity'
const BY_CLUSTER = 'cluster'

export class Host {
  readonly client: Client
  readonly informers: Readonly<Record<SyncedKind | 'Namespace', Informer>>
  readonly nodes: Informer
  readonly #limiter: Limiter
  readonly #now: () => number

  constructor(client: Client, limiter: Limiter, now: () => number) {
    this.client = client
    this.#limiter = limiter
    this.#now = now
    const ours = (resource: Resource) => {
      const informer = client.informer(resource, { labelSelector: MANAGED_SELECTOR })
      informer.addIndex(BY_IDENTITY, (object) => {
        const identity = identityOf(object)
        return identity === undefined ? [] : [identityKey(identity.tenant, identity.namespace, identity.name)]
      })
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

  /** The host object of a tenant object. */
  find(kind: SyncedKind | 'Namespace', tenant: string, namespace: string, name: string): KubeObject | undefined {
    return this.informers[kind].byIndex(BY_IDENTITY, identityKey(tenant, namespace, name))[0]
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

  create(resource: Resource, object: KubeObject): Promise<KubeObject> {
    return this.#limited(() => this.client.create(resource, object, where(object)))
  }

  patch(resource: Resource, object: KubeObject, type: 'merge' | 'strategic', body: object): Promise<KubeObject> {
    return this.#limited(() => this.client.patch(resource, object.metadata.name!, { type, body }, where(object)))
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
