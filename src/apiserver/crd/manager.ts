/**
 * Keeps what a cluster serves in step with its CustomResourceDefinitions. It follows the range, writes their status,
 * and empties the ones that are deleted. Work is done when something has changed; there is no timer.
 */
import { equalJson } from '../../machinery/equality.ts'
import type { Entry, Range } from '../../store/contract.ts'
import { RevisionMismatch } from '../../store/contract.ts'
import type { Api, ServedResource, UserInfo } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Dialler } from '../dial/contract.ts'
import type { HttpLog } from '../http/contract.ts'
import type { LiveCatalog } from '../registry/catalog.ts'
import type { ClusterMetrics } from '../metrics/cluster.ts'
import { encoder, orderedMeta, reencoder } from '../registry/stored.ts'
import { webhookConverters } from './conversion.ts'
import type { Definition } from './definition.ts'
import type { Converters, Served } from './definition.ts'
import { FINALIZER, isTrue, prefixOf, servedResources } from './definition.ts'
import { withStatusManager } from './managed.ts'
import { hasFinalizer, judge, withCondition } from './status.ts'

const PREFIX = 'apiextensions.k8s.io/customresourcedefinitions/'
const NONE: readonly ServedResource[] = []
/** The prefix of the instances of a definition: its name is `<plural>.<group>`. */
function instancesOf(key: string): string {
  const name = key.slice(PREFIX.length + 1)
  const dot = name.indexOf('.')
  return `${name.slice(dot + 1)}/${name.slice(0, dot)}/`
}

const USER: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

export interface CustomResourcesOptions {
  readonly range: Range
  readonly catalog: LiveCatalog
  /** Deletes the instances of deleted definitions. */
  readonly api: Pick<Api, 'deleteCollection'>
  readonly log: HttpLog
  /** Calls conversion webhooks. @default none: versions of definitions with a webhook differ in apiVersion only */
  readonly dialler?: Dialler
  /** @default conversions are not counted */
  readonly metrics?: Pick<ClusterMetrics, 'conversions'>
  /** Milliseconds since the epoch. */
  now(): number
}

export interface CustomResources {
  /** Resolves when everything that was known at the call has been worked on. For tests and shutdown. */
  idle(): Promise<void>
  close(): void
}

/** Serves what is established already before it returns, and follows changes until it is closed. */
export function startCustomResources(options: CustomResourcesOptions): CustomResources {
  return new Follower(options)
}

interface Known {
  readonly definition: Definition
  readonly entry: Entry
  /** Made when first served; kept while the entry does not change. */
  served: Served | undefined
}

class Follower implements CustomResources {
  readonly #options: CustomResourcesOptions
  readonly #known = new Map<string, Known>()
  readonly #dirty = new Set<string>()
  /** Watches of the instances of definitions that wait for them to be gone. */
  readonly #waiting = new Map<string, () => void>()
  readonly #converters: Converters
  readonly #stop: () => void
  #working: Promise<void> | undefined
  readonly #published = new Map<string, readonly ServedResource[]>()
  readonly #groups = new Map<string, Set<string>>()
  #closed = false

  constructor(options: CustomResourcesOptions) {
    this.#options = options
    const { dialler } = options
    this.#converters = dialler === undefined ? () => undefined : webhookConverters(dialler, options.metrics)
    const { entries, revision } = options.range.list(PREFIX)
    for (const entry of entries) this.#learn(entry)
    for (const { key } of entries) this.#publish(key)
    this.#stop = options.range.watch(PREFIX, revision, ({ type, entry }) => {
      if (type === 'put') this.#learn(entry)
      else this.#forget(entry)
      this.#publish(entry.key)
      this.#work()
    })
    this.#work()
  }

  #learn(entry: Entry): void {
    const definition = objectOf(entry) as Definition
    const before = this.#known.get(entry.key)
    const same =
      before !== undefined &&
      before.definition.metadata.uid === definition.metadata.uid &&
      before.definition.metadata.generation === definition.metadata.generation &&
      before.definition.metadata.deletionTimestamp === definition.metadata.deletionTimestamp &&
      equalJson(before.definition.status?.acceptedNames, definition.status?.acceptedNames)
    this.#known.set(entry.key, { definition, entry, served: same ? before.served : undefined })
    const { group } = definition.spec
    const siblings = this.#groups.get(group)
    if (siblings === undefined) this.#groups.set(group, new Set([entry.key]))
    else siblings.add(entry.key)
    this.#dirty.add(entry.key)
  }

  #forget(entry: Entry): void {
    const gone = this.#known.get(entry.key)
    this.#known.delete(entry.key)
    this.#dirty.delete(entry.key)
    this.#endWait(entry.key)
    if (gone === undefined) return
    const { group } = gone.definition.spec
    const siblings = this.#groups.get(group)!
    siblings.delete(entry.key)
    if (siblings.size === 0) this.#groups.delete(group)
    // Names are free again: whoever wanted them is looked at once more.
    for (const key of siblings) this.#dirty.add(key)
  }

  /** Serves what a definition says now, if that has changed. */
  #publish(key: string): void {
    const known = this.#known.get(key)
    const established = known !== undefined && isTrue(known.definition, 'Established')
    const resources = established ? this.#serve(known).resources : NONE
    if (resources === (this.#published.get(key) ?? NONE)) return
    if (resources.length === 0) this.#published.delete(key)
    else this.#published.set(key, resources)
    this.#options.catalog.replace(instancesOf(key), resources)
  }

  #serve(known: Known): Served {
    return (known.served ??= servedResources(known.definition, known.entry.revision, this.#converters))
  }

  #work(): void {
    if (this.#closed || this.#working !== undefined || this.#dirty.size === 0) return
    this.#working = this.#run().finally(() => {
      this.#working = undefined
      this.#work()
    })
  }

  async #run(): Promise<void> {
    const keys = [...this.#dirty]
    this.#dirty.clear()
    for (const key of keys) {
      if (this.#closed) return
      try {
        await this.#reconcile(key)
      } catch (error) {
        // Somebody wrote in between: that write is an event of its own.
        if (error instanceof RevisionMismatch || this.#closed) continue
        this.#options.log.error('custom resource definition', { key, error: String(error) })
      }
    }
  }

  async #reconcile(key: string): Promise<void> {
    const known = this.#known.get(key)
    if (known === undefined) return
    if (known.definition.metadata.deletionTimestamp !== undefined) {
      if (hasFinalizer(known.definition)) await this.#empty(key, known)
      return
    }
    const { definition } = known
    const others: Definition[] = []
    for (const sibling of this.#groups.get(definition.spec.group) ?? [])
      if (sibling !== key) others.push(this.#known.get(sibling)!.definition)
    const verdict = judge(definition, others, this.#time())
    const next: Definition = {
      ...definition,
      status: { ...definition.status, ...verdict } as NonNullable<Definition['status']>,
    }
    // Only a status that changes has a new manager.
    const same = equalJson(next.status, definition.status)
    await this.#write(known.entry, definition, same ? next : withStatusManager(next, this.#time()))
  }

  /** Deletes the instances; with the last one gone the definition goes too. */
  async #empty(key: string, known: Known): Promise<void> {
    const { range, api } = this.#options
    const { definition } = known
    const prefix = prefixOf(definition)
    // As it is stored: nothing needs to be converted.
    const resource = known.served?.storage
    if (range.count(prefix) > 0 && resource !== undefined) {
      if (!this.#waiting.has(key)) {
        const stop = range.watch(prefix, range.revision, ({ type }) => {
          if (type !== 'delete' || range.count(prefix) > 0) return
          this.#dirty.add(key)
          this.#work()
        })
        this.#waiting.set(key, stop)
      }
      const progress = 'CustomResource deletion is in progress'
      const marked = withCondition(
        definition,
        'Terminating',
        'True',
        'InstanceDeletionInProgress',
        progress,
        this.#time(),
      )
      await this.#write(known.entry, definition, marked)
      await api.deleteCollection({ user: USER }, { resource, namespace: '', name: '' }, {}, {})
      // Instances with finalizers keep the definition until they are gone, which the watch tells.
      if (range.count(prefix) > 0) return
    }
    this.#endWait(key)
    await this.#release(key)
  }

  /** Takes the finalizer away, and with the last one the definition. */
  async #release(key: string): Promise<void> {
    const { range } = this.#options
    const entry = range.latest(key)
    if (entry === undefined) return
    const definition = objectOf(entry) as Definition
    const finalizers = (definition.metadata.finalizers ?? []).filter((f) => f !== FINALIZER)
    const done = 'removed all instances'
    const marked = withCondition(definition, 'Terminating', 'False', 'InstanceDeletionCompleted', done, this.#time())
    const next = { ...marked, metadata: orderedMeta({ ...definition.metadata, finalizers }) }
    const type = finalizers.length === 0 ? 'delete' : 'put'
    const encode = type === 'delete' ? reencoder(next) : encoder(next)
    await range.write([{ type, key, expect: entry.revision, encode }])
  }

  async #write(entry: Entry, before: Definition, after: Definition): Promise<void> {
    if (equalJson(before, after)) return
    const own = { ...after, metadata: orderedMeta({ ...after.metadata }) }
    await this.#options.range.write([{ type: 'put', key: entry.key, expect: entry.revision, encode: encoder(own) }])
  }

  #endWait(key: string): void {
    this.#waiting.get(key)?.()
    this.#waiting.delete(key)
  }

  #time(): string {
    return `${new Date(this.#options.now()).toISOString().slice(0, 19)}Z`
  }

  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  close(): void {
    this.#closed = true
    this.#stop()
    for (const stop of this.#waiting.values()) stop()
    this.#waiting.clear()
  }
}
