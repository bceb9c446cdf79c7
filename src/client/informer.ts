/** Informers: a cache that a reflector fills. One per resource and selection, shared by all who ask. */
import type { KubeObject } from '../machinery/object.ts'
import { Cache } from './cache.ts'
import type { Client, Informer, InformerEvent, InformerOptions, Resource } from './contract.ts'
import { Reflector, warn } from './reflector.ts'
import type { ReflectorOptions } from './reflector.ts'

export class SharedInformer<T extends KubeObject> implements Informer<T> {
  readonly #cache: Cache<T>
  readonly #ready = Promise.withResolvers<void>()
  #synced = false

  constructor(
    client: Pick<Client, 'list' | 'watch'>,
    resource: Resource,
    selection: InformerOptions,
    options: ReflectorOptions,
    signal: AbortSignal,
  ) {
    this.#cache = new Cache<T>(options.onError ?? warn)
    const cache = this.#cache
    const sink = {
      put: (object: T) => cache.put(object),
      delete: (object: T) => cache.delete(object),
      replace: (objects: readonly T[]) => {
        // Handlers hear of the first state when it is there.
        this.#synced = true
        this.#ready.resolve()
        cache.replace(objects)
      },
    }
    // Nobody may be waiting when the client is closed.
    this.#ready.promise.catch(() => {})
    signal.addEventListener('abort', () => this.#ready.reject(new Error('the client is closed')), { once: true })
    void new Reflector(client, resource, selection, sink, options).run(signal)
  }

  get synced(): boolean {
    return this.#synced
  }

  ready(): Promise<void> {
    return this.#ready.promise
  }

  get(namespace: string, name: string): T | undefined {
    return this.#cache.get(namespace, name)
  }

  list(namespace?: string): T[] {
    return this.#cache.list(namespace)
  }

  byIndex(index: string, value: string): T[] {
    return this.#cache.byIndex(index, value)
  }

  addIndex(index: string, of: (object: T) => readonly string[]): void {
    this.#cache.addIndex(index, of)
  }

  onEvent(handler: (event: InformerEvent<T>) => void): () => void {
    return this.#cache.onEvent(handler)
  }
}

/** The informers of one client. */
export class SharedInformers {
  readonly #client: Pick<Client, 'list' | 'watch'>
  readonly #options: ReflectorOptions
  readonly #informers = new Map<string, unknown>()
  readonly #closed = new AbortController()

  constructor(client: Pick<Client, 'list' | 'watch'>, options: ReflectorOptions = {}) {
    this.#client = client
    this.#options = options
  }

  /** @throws Error after `close` */
  get<T extends KubeObject>(resource: Resource, options: InformerOptions): Informer<T> {
    if (this.#closed.signal.aborted) throw new Error('the client is closed')
    const { group, version, resource: plural } = resource
    const { namespace = '', labelSelector = '', fieldSelector = '' } = options
    const key = JSON.stringify([group, version, plural, namespace, labelSelector, fieldSelector])
    let informer = this.#informers.get(key) as Informer<T> | undefined
    if (informer === undefined) {
      informer = new SharedInformer<T>(this.#client, resource, options, this.#options, this.#closed.signal)
      this.#informers.set(key, informer)
    }
    return informer
  }

  close(): void {
    this.#closed.abort()
  }
}
