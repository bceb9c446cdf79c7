/**
 * The client contract without HTTP and without JSON: the same verbs as over the wire, as one identity. Objects that
 * come out are the stored ones.
 */
import type { Call, Target, UserInfo } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type {
  Client,
  DeleteQuery,
  Informer,
  InformerOptions,
  ListQuery,
  Patch,
  Resource,
  WatchEvent,
  WatchQuery,
  Where,
  WriteQuery,
} from '../../client/contract.ts'
import type { KubeList, KubeObject } from '../../machinery/object.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import { forbidden } from '../authz/forbidden.ts'
import { errors } from '../../machinery/status.ts'
import type { Registry } from '../registry/api.ts'
import { Hub } from './hub.ts'
import { own } from './own.ts'
import { RangeInformer } from './informer.ts'
import { watchIterator } from './watch.ts'

/** Answers a raw request: the HTTP layer's routes without a socket. */
export type RawHandler = (
  user: UserInfo,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<string>

/** Resources that are not in the catalog: other servers have them. */
export interface Remote {
  has(group: string, version: string): boolean
  /** Of the same identity. Whoever gives it closes it. */
  client(): Client
}

export interface InProcessOptions {
  readonly api: Registry
  /** @default `system:tenantry` in `system:masters` */
  readonly user?: UserInfo
  /** Names this client in managedFields. @default after the user; `kube-controller-manager` for this process's own */
  readonly fieldManager?: string
  /** @default raw requests are refused with 404 */
  readonly raw?: RawHandler
  /** For what other servers serve. @default nothing */
  readonly remote?: Remote
}

/** The identity of this process's own parts. */
export const PROCESS_USER: UserInfo = { name: 'system:tenantry', groups: ['system:masters', 'system:authenticated'] }

/** `system:tenantry:syncer` → `tenantry-syncer`. The process's own parts stand in for those that tools know. */
function managerOf(user: UserInfo | undefined): string {
  if (user === undefined) return 'kube-controller-manager'
  return user.name
    .replace(/^system:/, '')
    .replaceAll(':', '-')
    .slice(0, 128)
}

export class InProcessClient implements Client {
  readonly #api: Registry
  readonly #user: UserInfo
  readonly #fieldManager: string
  readonly #raw: RawHandler | undefined
  readonly #remote: Remote | undefined
  readonly #hubs = new Map<string, Hub>()
  readonly #informers = new Map<string, RangeInformer>()
  readonly #watches = new Set<() => void>()
  #closed = false

  constructor(options: InProcessOptions) {
    this.#api = options.api
    this.#user = options.user ?? PROCESS_USER
    this.#fieldManager = options.fieldManager ?? managerOf(options.user)
    this.#raw = options.raw
    this.#remote = options.remote
  }

  async get<T extends KubeObject = KubeObject>(resource: Resource, name: string, where: Where = {}): Promise<T> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.get<T>(resource, name, where)
    const { object } = await this.#api.get(this.#call(where), this.#target(resource, name, where))
    return object as T
  }

  async list<T extends KubeObject = KubeObject>(resource: Resource, query: ListQuery = {}): Promise<KubeList<T>> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.list<T>(resource, query)
    const listed = await this.#api.list(this.#call(query), this.#target(resource, '', query), query)
    return {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: {
        resourceVersion: listed.resourceVersion,
        ...(listed.continue === undefined ? {} : { continue: listed.continue }),
        ...(listed.remainingItemCount === undefined ? {} : { remainingItemCount: listed.remainingItemCount }),
      },
      items: listed.entries.map((entry) => objectOf(entry) as T),
    }
  }

  watch<T extends KubeObject = KubeObject>(resource: Resource, query: WatchQuery = {}): AsyncIterable<WatchEvent<T>> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.watch<T>(resource, query)
    const options: WatchQuery & { resourceVersionMatch?: string } =
      query.sendInitialEvents === undefined ? query : { ...query, resourceVersionMatch: 'NotOlderThan' }
    return watchIterator<T>(
      (listener, onEnd) =>
        this.#api.watch(this.#call(query), this.#target(resource, '', query), options, listener, onEnd),
      resource,
      query,
      this.#watches,
    )
  }

  async create<T extends KubeObject = KubeObject>(
    resource: Resource,
    object: KubeObject,
    query: WriteQuery & { readonly name?: string } = {},
  ): Promise<T> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.create<T>(resource, object, query)
    const namespace = query.namespace ?? object.metadata.namespace ?? ''
    const name = query.name ?? (query.subresource === undefined ? '' : (object.metadata.name ?? ''))
    const target = this.#target(resource, name, { ...query, namespace })
    const created = await this.#api.create(this.#call(query), target, own(object, target))
    return created.object as T
  }

  async update<T extends KubeObject = KubeObject>(
    resource: Resource,
    object: KubeObject,
    query: WriteQuery = {},
  ): Promise<T> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.update<T>(resource, object, query)
    const namespace = query.namespace ?? object.metadata.namespace ?? ''
    const target = this.#target(resource, object.metadata.name ?? '', { ...query, namespace })
    const written = await this.#api.update(this.#call(query), target, own(object, target))
    return written.object as T
  }

  async patch<T extends KubeObject = KubeObject>(
    resource: Resource,
    name: string,
    patch: Patch,
    query: WriteQuery = {},
  ): Promise<T> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.patch<T>(resource, name, patch, query)
    const force = patch.type === 'apply' ? patch.force : undefined
    const target = this.#target(resource, name, query)
    const written = await this.#api.patch(this.#call(query), target, patch.type, patch.body, force)
    return written.object as T
  }

  async delete(resource: Resource, name: string, query: DeleteQuery = {}): Promise<KubeObject | undefined> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.delete(resource, name, query)
    const result = await this.#api.delete(this.#call(query), this.#target(resource, name, query), query)
    return result.pending?.object
  }

  async deleteCollection(
    resource: Resource,
    query: DeleteQuery & { readonly labelSelector?: string; readonly fieldSelector?: string } = {},
  ): Promise<void> {
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.deleteCollection(resource, query)
    await this.#api.deleteCollection(this.#call(query), this.#target(resource, '', query), query, query)
  }

  async raw(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: string,
    signal?: AbortSignal,
  ): Promise<string> {
    if (this.#raw === undefined) throw errors.notFoundPath()
    return this.#raw(this.#user, method, path, body, signal)
  }

  /** @throws StatusError 403 when this identity may not list or watch the resource; 404 when it is not served */
  informer<T extends KubeObject = KubeObject>(resource: Resource, options: InformerOptions = {}): Informer<T> {
    if (this.#closed) throw new Error('the client is closed')
    const other = this.#elsewhere(resource)
    if (other !== undefined) return other.informer<T>(resource, options)
    const { group, version, resource: plural } = resource
    const { namespace = '', labelSelector = '', fieldSelector = '' } = options
    const key = JSON.stringify([group, version, plural, namespace, labelSelector, fieldSelector])
    let informer = this.#informers.get(key)
    if (informer === undefined) {
      const target = this.#target(resource, '', { namespace })
      for (const verb of ['list', 'watch']) this.#authorize(verb, target)
      let hub = this.#hubs.get(target.resource.prefix)
      if (hub === undefined) {
        hub = new Hub(this.#api.range, target.resource.prefix)
        this.#hubs.set(target.resource.prefix, hub)
      }
      informer = new RangeInformer(this.#api.range, hub, target, options)
      this.#informers.set(key, informer)
    }
    return informer as unknown as Informer<T>
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const hub of this.#hubs.values()) hub.close()
    this.#hubs.clear()
    this.#informers.clear()
    for (const end of this.#watches) end()
  }

  /** A client for what this server does not serve itself. */
  #elsewhere({ group, version, resource }: Resource): Client | undefined {
    if (this.#remote === undefined || this.#api.catalog.find(group, version, resource) !== undefined) return undefined
    return this.#remote.has(group, version) ? this.#remote.client() : undefined
  }

  #target(
    resource: Resource,
    name: string,
    where: { readonly namespace?: string; readonly subresource?: string },
  ): Target {
    const { group, version, resource: plural } = resource
    const served = this.#api.catalog.find(group, version, plural)
    if (served === undefined) throw errors.notFoundPath()
    const { namespace = '', subresource } = where
    return {
      resource: served,
      namespace: served.info.namespaced ? namespace : '',
      name,
      ...(subresource === undefined ? {} : { subresource }),
    }
  }

  #call(query: { readonly signal?: AbortSignal; readonly dryRun?: boolean; readonly fieldManager?: string }): Call {
    if (this.#closed) throw new Error('the client is closed')
    const fieldManager = query.fieldManager ?? this.#fieldManager
    return {
      user: this.#user,
      ...(query.signal === undefined ? {} : { signal: query.signal }),
      ...(query.dryRun === undefined ? {} : { dryRun: query.dryRun }),
      fieldManager,
    }
  }

  #authorize(verb: string, { resource, namespace }: Target): void {
    const { group, version, resource: plural } = resource.info
    const attributes = { user: this.#user, verb, group, version, resource: plural, namespace, name: '' }
    const decision = this.#api.authorizer.authorize(attributes)
    if (!decision.allowed) throw forbidden(attributes, decision.reason)
  }
}
