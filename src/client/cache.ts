/** The cache behind an informer: objects by namespace and name, with indexes, and handlers of its changes. */
import type { KubeObject } from '../machinery/object.ts'
import type { InformerEvent } from './contract.ts'

type Handler<T extends KubeObject> = (event: InformerEvent<T>) => void

/** NUL stands in no name. */
const keyOf = (namespace: string, name: string): string => `${namespace}\0${name}`
const keyOfObject = (object: KubeObject): string => keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '')

/** Objects by what a function says of them. */
class Index<T extends KubeObject> {
  readonly #of: (object: T) => readonly string[]
  readonly #values = new Map<string, Map<string, T>>()

  constructor(of: (object: T) => readonly string[]) {
    this.#of = of
  }

  get(value: string): T[] {
    const found = this.#values.get(value)
    return found === undefined ? [] : [...found.values()]
  }

  replace(key: string, before: T | undefined, after: T | undefined): void {
    const values = after === undefined ? [] : this.#of(after)
    if (before !== undefined) {
      for (const value of this.#of(before)) {
        if (values.includes(value)) continue
        const bucket = this.#values.get(value)
        bucket?.delete(key)
        if (bucket?.size === 0) this.#values.delete(value)
      }
    }
    if (after === undefined) return
    for (const value of values) {
      let bucket = this.#values.get(value)
      if (bucket === undefined) this.#values.set(value, (bucket = new Map()))
      bucket.set(key, after)
    }
  }
}

const NAMESPACE = '\0namespace'

/** Invariant: every change is in the maps and all indexes before the first handler hears of it. */
export class Cache<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #indexes = new Map<string, Index<T>>()
  /** Replaced when it changes, so that an event goes to those who were there when it happened. */
  #handlers: readonly Handler<T>[] = []
  readonly #onError: (error: unknown) => void

  /** @param onError hears of handlers that throw, which they must not */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
    this.#indexes.set(NAMESPACE, new Index((object) => [object.metadata.namespace ?? '']))
  }

  get size(): number {
    return this.#objects.size
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(keyOf(namespace, name))
  }

  list(namespace?: string): T[] {
    if (namespace === undefined || namespace === '') return [...this.#objects.values()]
    return this.#indexes.get(NAMESPACE)!.get(namespace)
  }

  /** @throws Error when there is no such index: a bug of the caller */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name)
    if (index === undefined) throw new Error(`no index ${JSON.stringify(name)}`)
    return index.get(value)
  }

  addIndex(name: string, of: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) return
    const index = new Index(of)
    for (const [key, object] of this.#objects) index.replace(key, undefined, object)
    this.#indexes.set(name, index)
  }

  onEvent(handler: Handler<T>): () => void {
    // A wrapper, so that one function added twice is two handlers.
    const own: Handler<T> = (event) => handler(event)
    this.#handlers = [...this.#handlers, own]
    for (const object of this.list()) this.#call(own, { type: 'add', object })
    return () => {
      this.#handlers = this.#handlers.filter((other) => other !== own)
    }
  }

  /** Stores an object. The same resource version again says nothing new. */
  put(object: T): void {
    const events: InformerEvent<T>[] = []
    this.#store(keyOfObject(object), object, events)
    this.#tell(events)
  }

  /** Forgets an object; `last` is its last state. */
  delete(last: T): void {
    const key = keyOfObject(last)
    const old = this.#objects.get(key)
    if (old === undefined) return
    this.#remove(key, old)
    this.#tell([{ type: 'delete', object: last }])
  }

  /** Makes the cache hold exactly these objects: all at once, before anybody hears of the first difference. */
  replace(objects: readonly T[]): void {
    const events: InformerEvent<T>[] = []
    const keys = new Set(objects.map(keyOfObject))
    for (const [key, object] of this.#objects) {
      if (keys.has(key)) continue
      this.#remove(key, object)
      events.push({ type: 'delete', object })
    }
    for (const object of objects) this.#store(keyOfObject(object), object, events)
    this.#tell(events)
  }

  #store(key: string, object: T, events: InformerEvent<T>[]): void {
    const old = this.#objects.get(key)
    const { resourceVersion, uid } = object.metadata
    const same = old !== undefined && old.metadata.uid === uid
    if (same && resourceVersion !== undefined && old.metadata.resourceVersion === resourceVersion) return
    this.#objects.set(key, object)
    for (const index of this.#indexes.values()) index.replace(key, old, object)
    if (same) {
      events.push({ type: 'update', object, old })
      return
    }
    // Deleted and made again in between: two different objects.
    if (old !== undefined) events.push({ type: 'delete', object: old })
    events.push({ type: 'add', object })
  }

  #remove(key: string, old: T): void {
    this.#objects.delete(key)
    for (const index of this.#indexes.values()) index.replace(key, old, undefined)
  }

  /** Whoever comes while changes are told has seen their outcome, and hears of none of them. */
  #tell(events: readonly InformerEvent<T>[]): void {
    const handlers = this.#handlers
    for (const event of events)
      for (const handler of handlers) if (this.#handlers.includes(handler)) this.#call(handler, event)
  }

  #call(handler: Handler<T>, event: InformerEvent<T>): void {
    try {
      handler(event)
    } catch (error) {
      this.#onError(error)
    }
  }
}
