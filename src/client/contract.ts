/**
 * How any code talks to a cluster. Two transports stand behind it: HTTPS (this floor)
 * and in-process (apiserver/inprocess). Controllers, syncer and manager know only this.
 *
 * Guarantees:
 *  1. Objects that come out are shared and immutable; objects that go in are not kept.
 *  2. Errors of the API are StatusError with the wire Status.
 *  3. Unknown fields survive in both directions.
 */
import type { GroupVersionResource, KubeList, KubeObject } from '../machinery/object.ts'

/** A resource to talk to. `client/resources.ts` has the ones this project uses. */
export interface Resource extends GroupVersionResource {
  readonly kind: string
  readonly namespaced: boolean
}

export interface Where {
  /** Absent or '': cluster-scoped, or all namespaces for lists and watches. */
  readonly namespace?: string
  /** `status`, `scale`, `binding` … */
  readonly subresource?: string
  readonly signal?: AbortSignal
}

export interface ListQuery extends Where {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface WatchQuery extends Where {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion?: string
  /** Ask for the current state first, then a bookmark, then changes (WatchList). */
  readonly sendInitialEvents?: boolean
  readonly allowWatchBookmarks?: boolean
  /** Seconds. @default the server's choice */
  readonly timeoutSeconds?: number
}

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: import('../machinery/status.ts').Status }

export interface WriteQuery extends Where {
  readonly dryRun?: boolean
  readonly fieldManager?: string
}

export interface DeleteQuery extends Where {
  /** Seconds; 0 deletes at once. */
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: boolean
}

/** A patch body with its media type. */
export type Patch =
  | { readonly type: 'json'; readonly body: readonly { op: string; path: string; from?: string; value?: unknown }[] }
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'strategic'; readonly body: object }
  | { readonly type: 'apply'; readonly body: object; readonly force?: boolean }

export interface Client {
  get<T extends KubeObject = KubeObject>(resource: Resource, name: string, where?: Where): Promise<T>
  list<T extends KubeObject = KubeObject>(resource: Resource, query?: ListQuery): Promise<KubeList<T>>
  /** Ends without an error when the server ends it or `signal` fires. */
  watch<T extends KubeObject = KubeObject>(resource: Resource, query?: WatchQuery): AsyncIterable<WatchEvent<T>>
  /** With a subresource (`binding`, `eviction`, `token`), `name` says whose. */
  create<T extends KubeObject = KubeObject>(
    resource: Resource,
    object: KubeObject,
    query?: WriteQuery & { readonly name?: string },
  ): Promise<T>
  update<T extends KubeObject = KubeObject>(resource: Resource, object: KubeObject, query?: WriteQuery): Promise<T>
  patch<T extends KubeObject = KubeObject>(
    resource: Resource,
    name: string,
    patch: Patch,
    query?: WriteQuery,
  ): Promise<T>
  /** Answers the object if it still exists (finalizers, grace), else nothing. */
  delete(resource: Resource, name: string, query?: DeleteQuery): Promise<KubeObject | undefined>
  deleteCollection(
    resource: Resource,
    query?: DeleteQuery & { readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Promise<void>
  /** Any path: discovery, version, health, logs. The body as text. */
  raw(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: string, signal?: AbortSignal): Promise<string>
  /**
   * The shared informer of this client for a resource, started at the first call. Calls with the same resource and
   * selectors share one cache and one watch.
   */
  informer<T extends KubeObject = KubeObject>(resource: Resource, options?: InformerOptions): Informer<T>
  /** Ends informers, watches and connections. */
  close(): Promise<void>
}

export interface InformerOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** `old` is absent for `add`; for `delete` both are the last known state. */
export type InformerEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'add'; readonly object: T }
  | { readonly type: 'update'; readonly object: T; readonly old: T }
  | { readonly type: 'delete'; readonly object: T }

/**
 * A cache of a resource with its changes.
 *
 * Invariants: handlers are called synchronously, in the order of the changes, after the
 * cache shows them; a handler added late gets an `add` for everything in the cache first;
 * handlers must not throw and must not block.
 */
export interface Informer<T extends KubeObject = KubeObject> {
  /** Resolves once the cache has the state of the server at some moment after the start. */
  ready(): Promise<void>
  readonly synced: boolean
  get(namespace: string, name: string): T | undefined
  /** All objects, or those of one namespace. Fresh array, shared objects. */
  list(namespace?: string): T[]
  /** Objects whose `index` function gave `value`. Cheap: kept up to date with the cache. */
  byIndex(index: string, value: string): T[]
  /** Adds an index; adding the same name again does nothing. */
  addIndex(index: string, of: (object: T) => readonly string[]): void
  /** Returns the way to remove the handler. */
  onEvent(handler: (event: InformerEvent<T>) => void): () => void
}
