/**
 * The APIServices of one cluster: which group versions other servers serve, and that those of custom resources are
 * registered. It follows the range; a cluster without remote services owns no timer and keeps no object.
 */
import { localCondition } from '../../machinery/kinds/index.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Entry, Range } from '../../store/contract.ts'
import { RevisionMismatch } from '../../store/contract.ts'
import { objectOf } from '../contract.ts'
import type { HttpLog } from '../http/contract.ts'
import type { LiveCatalog } from '../registry/catalog.ts'
import { encoder, orderedMeta, reencoder } from '../registry/stored.ts'
import {
  AUTOMANAGED,
  PREFIX,
  conditionsOf,
  localApiService,
  remoteServiceOf,
  type LocalGroupVersion,
  type RemoteService,
} from './apiservice.ts'

export interface ServicesOptions {
  readonly range: Range
  readonly catalog: LiveCatalog
  readonly log: HttpLog
  /** Milliseconds since the epoch. */
  now(): number
  uuid(): string
}

/** `before` or `now` is absent for what has come or gone. */
export type ServiceListener = (before: RemoteService | undefined, now: RemoteService | undefined) => void

export class Services {
  readonly #options: ServicesOptions
  /** By `group/version`. */
  readonly #remote = new Map<string, RemoteService>()
  /** Keys of what was written beside the bootstrap objects. */
  readonly #written = new Set<string>()
  readonly #listeners = new Set<ServiceListener>()
  readonly #stops: (() => void)[]
  #pending = false
  #working: Promise<void> | undefined
  #closed = false

  constructor(options: ServicesOptions) {
    this.#options = options
    const { range, catalog } = options
    const { revision } = range
    // Those of built-in groups are the same in every cluster; only what was written says more.
    if (revision > 1) for (const entry of range.list(PREFIX).entries) if (entry.revision > 1) this.#learn(entry)
    this.#stops = [
      range.watch(PREFIX, revision, ({ type, entry, previous }) => {
        if (type === 'put') this.#learn(entry)
        else this.#forget(previous ?? entry)
        this.#schedule()
      }),
      catalog.onChange(() => this.#schedule()),
    ]
    this.#schedule()
  }

  get empty(): boolean {
    return this.#remote.size === 0
  }

  get size(): number {
    return this.#remote.size
  }

  all(): Iterable<RemoteService> {
    return this.#remote.values()
  }

  find(group: string, version: string): RemoteService | undefined {
    return this.#remote.get(`${group}/${version}`)
  }

  onChange(listener: ServiceListener): void {
    this.#listeners.add(listener)
  }

  /** Resolves when what was known at the call has been worked on. */
  async idle(): Promise<void> {
    for (;;) {
      await new Promise(setImmediate)
      if (this.#working === undefined && !this.#pending) return
      await this.#working
    }
  }

  close(): void {
    this.#closed = true
    for (const stop of this.#stops) stop()
  }

  #learn(entry: Entry): void {
    const object = objectOf(entry)
    this.#written.add(entry.key)
    this.#put(keyOf(object), remoteServiceOf(object))
  }

  #forget(entry: Entry): void {
    this.#written.delete(entry.key)
    this.#put(keyOf(objectOf(entry)), undefined)
  }

  #put(key: string, now: RemoteService | undefined): void {
    const before = this.#remote.get(key)
    if (before === undefined && now === undefined) return
    if (now === undefined) this.#remote.delete(key)
    else this.#remote.set(key, now)
    for (const listener of this.#listeners) listener(before, now)
  }

  /** Custom resources come in bursts: they are looked at together, once the burst is over. */
  #schedule(): void {
    if (this.#pending || this.#closed) return
    this.#pending = true
    setImmediate(() => {
      this.#pending = false
      if (this.#closed || this.#working !== undefined) return
      this.#working = this.#register()
        .catch((error: unknown) => {
          if (!this.#closed) this.#options.log.error('registration of APIServices', { error: String(error) })
        })
        .finally(() => (this.#working = undefined))
    })
  }

  /** Makes APIServices of what is served for custom resources, and takes those away of what is not served any more. */
  async #register(): Promise<void> {
    const { range, catalog } = this.#options
    const wanted = new Map<string, LocalGroupVersion>()
    for (const { info, custom } of catalog.all()) {
      if (custom !== undefined) wanted.set(`${PREFIX}/${info.version}.${info.group}`, info)
    }
    for (const key of this.#written) {
      // The newest: it may have been written meanwhile.
      const entry = range.latest(key)
      if (entry === undefined) continue
      const object = objectOf(entry)
      if (!wanted.delete(key) && object.metadata.labels?.[AUTOMANAGED] === 'true') await this.#remove(entry)
      else if (remoteServiceOf(object) === undefined && conditionsOf(object).length === 0) await this.#tell(entry)
    }
    for (const [key, info] of wanted) {
      // A group version may be custom and built in: it is registered already.
      if (range.latest(key) === undefined) await this.#create(key, info)
    }
  }

  async #create(key: string, info: LocalGroupVersion): Promise<void> {
    const time = this.#time()
    const object = localApiService(info, 'true', time)
    const { name = '', labels = {} } = object.metadata
    const metadata = orderedMeta({ name, uid: this.#options.uuid(), creationTimestamp: time, labels })
    await this.#write(key, 0, { ...object, metadata })
  }

  async #tell(entry: Entry): Promise<void> {
    const object = objectOf(entry)
    const conditions = [localCondition(this.#time())]
    await this.#write(entry.key, entry.revision, {
      ...object,
      metadata: orderedMeta({ ...object.metadata }),
      status: { conditions },
    })
  }

  async #write(key: string, expect: number, object: KubeObject): Promise<void> {
    await settled(this.#options.range.write([{ type: 'put', key, expect, encode: encoder(object) }]))
  }

  async #remove(entry: Entry): Promise<void> {
    const encode = reencoder(objectOf(entry))
    await settled(this.#options.range.write([{ type: 'delete', key: entry.key, expect: entry.revision, encode }]))
  }

  #time(): string {
    return `${new Date(this.#options.now()).toISOString().slice(0, 19)}Z`
  }
}

/** Somebody who wrote in between made an event of their own. */
async function settled(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof RevisionMismatch)) throw error
  }
}

function keyOf(object: KubeObject): string {
  const { group = '', version = '' } = (object['spec'] ?? {}) as { group?: string; version?: string }
  return `${group}/${version}`
}
