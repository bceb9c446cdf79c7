/**
 * The informer of a client inside the process. Its cache is the range itself: nothing is held twice, and it is ready
 * at once. Reads show what is committed, which may be newer than the event that a handler is looking at.
 */
import type { ServedResource, Target } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Informer, InformerEvent, InformerOptions } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Entry, Range, StoreEvent } from '../../store/contract.ts'
import { entryAtHand } from '../registry/convert.ts'
import { listPrefix } from '../registry/key.ts'
import type { Selection } from '../registry/select.ts'
import { compileSelection } from '../registry/select.ts'

type Handler = (event: InformerEvent) => void

interface Index {
  readonly of: (object: KubeObject) => readonly string[]
  readonly keys: Map<string, Set<string>>
}

export class RangeInformer implements Informer {
  readonly synced = true
  readonly #range: Range
  readonly #hub: { add(listener: (event: StoreEvent) => void): () => void }
  readonly #resource: ServedResource
  readonly #prefix: string
  readonly #selection: Selection
  readonly #handlers = new Set<Handler>()
  readonly #indexes = new Map<string, Index>()
  #stop: (() => void) | undefined

  constructor(
    range: Range,
    hub: { add(listener: (event: StoreEvent) => void): () => void },
    target: Target,
    options: InformerOptions,
  ) {
    this.#range = range
    this.#hub = hub
    this.#resource = target.resource
    this.#prefix = listPrefix(target.resource, target.namespace)
    this.#selection = compileSelection(target.resource, options)
  }

  async ready(): Promise<void> {}

  get(namespace: string, name: string): KubeObject | undefined {
    if (namespace.includes('/') || name.includes('/')) return undefined
    const key = `${this.#resource.prefix}${this.#resource.info.namespaced ? namespace : ''}/${name}`
    return key.startsWith(this.#prefix) ? this.#object(this.#range.get(key)) : undefined
  }

  list(namespace = ''): KubeObject[] {
    const prefix = listPrefix(this.#resource, namespace)
    // The narrower of both; disjoint namespaces have nothing.
    const from = prefix.startsWith(this.#prefix) ? prefix : this.#prefix.startsWith(prefix) ? this.#prefix : undefined
    if (from === undefined) return []
    const out: KubeObject[] = []
    for (const entry of this.#range.list(from).entries) {
      const object = this.#object(entry)
      if (object !== undefined) out.push(object)
    }
    return out
  }

  byIndex(name: string, value: string): KubeObject[] {
    const index = this.#indexes.get(name)
    if (index === undefined) throw new Error(`no index ${JSON.stringify(name)}`)
    const out: KubeObject[] = []
    for (const key of index.keys.get(value) ?? []) {
      const object = this.#object(this.#range.get(key))
      if (object !== undefined) out.push(object)
    }
    return out
  }

  addIndex(name: string, of: (object: KubeObject) => readonly string[]): void {
    if (this.#indexes.has(name)) return
    const index: Index = { of, keys: new Map<string, Set<string>>() }
    for (const entry of this.#range.list(this.#prefix).entries) {
      const object = this.#object(entry)
      if (object !== undefined) insert(index, entry.key, object)
    }
    this.#indexes.set(name, index)
    this.#listen()
  }

  onEvent(handler: Handler): () => void {
    // A function of its own, so that the same handler can be added twice.
    const own: Handler = (event) => handler(event)
    this.#handlers.add(own)
    this.#listen()
    for (const object of this.list()) if (this.#handlers.has(own)) own({ type: 'add', object })
    return () => {
      this.#handlers.delete(own)
      if (this.#handlers.size > 0 || this.#indexes.size > 0) return
      this.#stop?.()
      this.#stop = undefined
    }
  }

  #listen(): void {
    this.#stop ??= this.#hub.add((event) => this.#changed(event))
  }

  #object(entry: Entry | undefined): KubeObject | undefined {
    if (entry === undefined) return undefined
    const view = entryAtHand(entry, this.#resource)
    return this.#selection.empty || this.#selection.matches(view) ? objectOf(view) : undefined
  }

  #changed(event: StoreEvent): void {
    const { key } = event.entry
    if (!key.startsWith(this.#prefix)) return
    const old = this.#object(event.previous)
    const object = event.type === 'put' ? this.#object(event.entry) : undefined
    if (old === undefined && object === undefined) return
    for (const index of this.#indexes.values()) {
      if (old !== undefined) remove(index, key, old)
      if (object !== undefined) insert(index, key, object)
    }
    const last = event.type === 'delete' ? (this.#object(event.entry) ?? old!) : old!
    const change: InformerEvent =
      object === undefined
        ? { type: 'delete', object: last }
        : old === undefined
          ? { type: 'add', object }
          : { type: 'update', object, old }
    for (const handler of Array.from(this.#handlers)) if (this.#handlers.has(handler)) handler(change)
  }
}

function insert({ of, keys }: Index, key: string, object: KubeObject): void {
  for (const value of of(object)) {
    const set = keys.get(value)
    if (set === undefined) keys.set(value, new Set([key]))
    else set.add(key)
  }
}

function remove({ of, keys }: Index, key: string, object: KubeObject): void {
  for (const value of of(object)) {
    const set = keys.get(value)
    set?.delete(key)
    if (set?.size === 0) keys.delete(value)
  }
}
