/**
 * Aggregation of one cluster: group versions that other servers serve, behind Services, as part of its API.
 *
 * A cluster without remote APIServices pays for a subscription and a look at an empty map. With them, availability is
 * looked at on changes of APIServices, Services and EndpointSlices, and every half a minute; discovery and OpenAPI of
 * the remote servers every minute.
 */
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import type { Range } from '../../store/contract.ts'
import type { Api, UserInfo } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Dialler } from '../dial/contract.ts'
import type { Documents, HttpLog } from '../http/contract.ts'
import { after } from '../http/timers.ts'
import type { OpenApiDocuments } from '../openapi/documents.ts'
import type { Rendered } from '../openapi/rendered.ts'
import type { LiveCatalog } from '../registry/catalog.ts'
import { PREFIX, conditionsOf, sameBackend, serviceKey, type RemoteService } from './apiservice.ts'
import { judge, type Verdict } from './availability.ts'
import { Backends, type ProxyClient } from './backend.ts'
import type { Aggregation } from './contract.ts'
import { mergedDiscovery, type RemoteGroups } from './discovery.ts'
import { mergedOpenApi, type RemoteSpecs } from './openapi.ts'
import { proxyRequest } from './proxy.ts'
import { RemoteDiscovery, type VersionDiscovery } from './remote-discovery.ts'
import { RemoteOpenApi, type SpecV2 } from './remote-openapi.ts'
import { Services } from './services.ts'

export interface AggregatorOptions {
  readonly range: Range
  readonly catalog: LiveCatalog
  readonly api: Pick<Api, 'update'>
  readonly dialler: Dialler
  /** Shows aggregated servers that requests come from this server. */
  readonly client: ProxyClient
  readonly log: HttpLog
  /** Milliseconds since the epoch. */
  now(): number
  uuid(): string
}

/** A resource that another server serves. */
export interface RemoteResource {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** A resource as aggregated discovery tells it. */
interface Discovered {
  readonly resource?: string
  readonly scope?: string
  readonly verbs?: readonly string[]
  readonly responseKind?: { readonly kind?: string } | null
}

const USER: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** Milliseconds between two looks at availability; discovery and OpenAPI are asked for at every second one. */
const PERIOD = 30_000
/** Milliseconds between the regular looks at two APIServices, at least. */
const EACH = 500
/** APIServices that are looked at at a time. */
const WORKERS = 4
/** Milliseconds until a server that failed is asked again; doubled each time, up to PERIOD. */
const RETRY = 500

export class Aggregator implements Aggregation, RemoteGroups, RemoteSpecs {
  readonly #options: AggregatorOptions
  readonly #services: Services
  readonly #backends: Backends
  readonly #discovery: RemoteDiscovery
  readonly #openapi: RemoteOpenApi
  /** Names of APIServices to look at; `true`: their documents too. */
  readonly #due = new Map<string, boolean>()
  readonly #failures = new Map<string, number>()
  readonly #timers = new Set<() => void>()
  #watches: (() => void)[] = []
  #working = 0
  #idle: (() => void)[] = []
  readonly #listeners = new Set<() => void>()
  #generation = 0
  #beat = 0
  #closed = false

  constructor(options: AggregatorOptions) {
    this.#options = options
    this.#backends = new Backends(options.dialler, options.client)
    this.#discovery = new RemoteDiscovery(this.#backends)
    this.#openapi = new RemoteOpenApi(this.#backends)
    this.#services = new Services(options)
    this.#services.onChange((before, now) => this.#changed(before, now))
    for (const remote of this.#services.all()) this.#changed(undefined, remote)
  }

  get empty(): boolean {
    return this.#services.empty
  }

  get generation(): number {
    return this.#generation
  }

  all(): Iterable<RemoteService> {
    return this.#services.all()
  }

  /** Whether a remote APIService has this group version. */
  has(group: string, version: string): boolean {
    return this.#services.find(group, version) !== undefined
  }

  /** Resources of the servers that answer, each in the version that comes first. */
  served(): RemoteResource[] {
    const found = new Map<string, RemoteResource>()
    const remotes = [...this.#services.all()].toSorted((a, b) => b.versionPriority - a.versionPriority)
    for (const remote of remotes) {
      const { freshness, resources = [] } = this.#discovery.entry(remote)
      if (freshness === 'Stale') continue
      for (const resource of resources) {
        const { group, version } = remote
        const { resource: plural = '', scope, verbs = [], responseKind } = resource as Discovered
        const key = `${group}/${plural}`
        if (found.has(key)) continue
        const kind = responseKind?.kind ?? ''
        found.set(key, { group, version, resource: plural, kind, namespaced: scope === 'Namespaced', verbs })
      }
    }
    return [...found.values()]
  }

  /** Calls `listener` when what is served elsewhere may have changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  entry(remote: RemoteService): VersionDiscovery {
    return this.#discovery.entry(remote)
  }

  url(remote: RemoteService): string | undefined {
    return this.#openapi.url(remote)
  }

  converted(path: string): Rendered | undefined {
    const [, group = '', version = '', ...rest] = path.split('/', 4)
    const remote = rest.length === 0 ? this.#services.find(group, version) : undefined
    return remote === undefined ? undefined : this.#openapi.converted(remote)
  }

  specs(): SpecV2[] {
    return this.#openapi.specs()
  }

  find(path: string): RemoteService | undefined {
    if (this.#services.empty) return undefined
    const [, root, ...rest] = path.split('/', 7)
    if (root === 'apis') return this.#services.find(rest[0] ?? '', rest[1] ?? '')
    if (root === 'api') return this.#services.find('', rest[0] ?? '')
    // The document of a remote group version is its server's, if it has one.
    if (root !== 'openapi' || rest[0] !== 'v3' || rest[1] !== 'apis' || rest.length !== 4) return undefined
    const remote = this.#services.find(rest[2]!, rest[3]!)
    if (remote === undefined || this.#openapi.converted(remote) !== undefined) return undefined
    return this.#openapi.url(remote) === undefined ? undefined : remote
  }

  proxy(remote: RemoteService, user: UserInfo, reply: Parameters<Aggregation['proxy']>[2]): Promise<void> {
    return proxyRequest(this.#backends, remote, user, reply, () => this.#look(remote.name, false))
  }

  /** A cluster's discovery with what is remote. */
  discovery(inner: Documents): Documents {
    return mergedDiscovery(inner, this, this.#options.catalog)
  }

  /** A cluster's OpenAPI with what is remote. */
  openapi(inner: OpenApiDocuments): Documents {
    return mergedOpenApi(inner, this)
  }

  /** Resolves when what was known at the call has been worked on. */
  async idle(): Promise<void> {
    await this.#services.idle()
    if (this.#working > 0 || this.#due.size > 0) await new Promise<void>((resolve) => void this.#idle.push(resolve))
  }

  close(): void {
    this.#closed = true
    this.#services.close()
    this.#rest()
    this.#backends.close()
  }

  #changed(before: RemoteService | undefined, now: RemoteService | undefined): void {
    this.#grow()
    if (before !== undefined && (now === undefined || !sameBackend(before, now))) {
      this.#backends.forget(before.name)
      this.#discovery.forget(before)
    }
    if (now === undefined) {
      this.#due.delete(before!.name)
      this.#failures.delete(before!.name)
      this.#discovery.keep(this.#services.all())
      this.#openapi.keep(this.#services.all())
      if (this.#services.empty) this.#rest()
      return
    }
    if (this.#watches.length === 0) this.#rouse()
    this.#look(now.name, before?.available !== now.available || !sameBackend(before, now))
  }

  #grow(): void {
    this.#generation++
    for (const listener of this.#listeners) listener()
  }

  /** From the first remote APIService on. */
  #rouse(): void {
    const { range } = this.#options
    const follow = (prefix: string, nameOf: (object: KubeObject) => string | undefined): void => {
      this.#watches.push(
        range.watch(prefix, range.revision, ({ entry }) => {
          const object = objectOf(entry)
          const { namespace } = object.metadata
          const name = nameOf(object)
          for (const { service, name: own } of this.#services.all()) {
            if (service.namespace === namespace && service.name === name) this.#look(own, false)
          }
        }),
      )
    }
    follow('core/services/', (service) => service.metadata.name)
    follow('discovery.k8s.io/endpointslices/', (slice) => slice.metadata.labels?.['kubernetes.io/service-name'])
    this.#next()
  }

  #rest(): void {
    for (const stop of this.#watches.splice(0)) stop()
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    this.#failures.clear()
  }

  #later(milliseconds: number, task: () => void): void {
    const cancel = after(milliseconds, () => {
      this.#timers.delete(cancel)
      task()
    })
    this.#timers.add(cancel)
  }

  #next(): void {
    // Many are looked at less often.
    this.#later(Math.max(PERIOD, this.#services.size * EACH), () => {
      this.#beat++
      for (const { name } of this.#services.all()) this.#look(name, this.#beat % 2 === 0)
      this.#next()
    })
  }

  #look(name: string, documents: boolean): void {
    if (this.#closed) return
    this.#due.set(name, documents || this.#due.get(name) === true)
    if (this.#working < WORKERS) void this.#work()
  }

  async #work(): Promise<void> {
    this.#working++
    // A burst of events is one look.
    await new Promise(setImmediate)
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      try {
        await this.#reconcile(next.remote, next.documents)
      } catch (error) {
        if (!this.#closed) {
          this.#options.log.error('an APIService', { name: next.remote.name, error: String(error) })
          this.#again(next.remote.name, next.documents)
        }
      }
    }
    if (--this.#working === 0) for (const done of this.#idle.splice(0)) done()
  }

  #take(): { remote: RemoteService; documents: boolean } | undefined {
    for (const [name, documents] of this.#due) {
      this.#due.delete(name)
      const remote = this.#byName(name)
      if (remote !== undefined && !this.#closed) return { remote, documents }
    }
    return undefined
  }

  #byName(name: string): RemoteService | undefined {
    const dot = name.indexOf('.')
    return this.#services.find(name.slice(dot + 1), name.slice(0, dot))
  }

  #again(name: string, documents: boolean): void {
    const failures = (this.#failures.get(name) ?? 0) + 1
    this.#failures.set(name, failures)
    const pause = RETRY * 2 ** Math.min(failures - 1, 16)
    // The regular look comes soon enough.
    if (pause < PERIOD) this.#later(pause, () => this.#look(name, documents))
  }

  async #reconcile(remote: RemoteService, documents: boolean): Promise<void> {
    const verdict = await judge(this.#options.range, this.#backends, remote)
    if (this.#byName(remote.name) === undefined) return
    await this.#tell(remote.name, verdict)
    const now = this.#byName(remote.name)
    if (now === undefined) return
    if (documents) await this.#refresh(now)
    if (verdict.status === 'True') this.#failures.delete(remote.name)
    else if (verdict.reason === 'FailedDiscoveryCheck') this.#again(remote.name, documents)
  }

  async #refresh(remote: RemoteService): Promise<void> {
    const together = [...this.#services.all()].filter((one) => serviceKey(one) === serviceKey(remote))
    const changed = await Promise.all([this.#discovery.refresh(remote), this.#openapi.refresh(together)])
    if (changed.includes(true)) this.#grow()
  }

  async #tell(name: string, verdict: Verdict): Promise<void> {
    const { range, api, catalog, now } = this.#options
    const entry = range.get(`${PREFIX}/${name}`)
    const resource = catalog.find('apiregistration.k8s.io', 'v1', 'apiservices')
    if (entry === undefined || resource === undefined) return
    const object = objectOf(entry)
    const conditions = conditionsOf(object)
    const before = conditions.find((condition) => condition.type === 'Available')
    if (before?.status === verdict.status && before.reason === verdict.reason && before.message === verdict.message) {
      return
    }
    const time = `${new Date(now()).toISOString().slice(0, 19)}Z`
    const lastTransitionTime = before?.status === verdict.status ? (before?.lastTransitionTime ?? time) : time
    const { status: state, reason, message } = verdict
    const fresh = { type: 'Available', status: state, lastTransitionTime, reason, message }
    const rest = conditions.filter((condition) => condition !== before)
    const status = { ...(object['status'] as object | undefined), conditions: [...rest, fresh] }
    const target = { resource, namespace: '', name, subresource: 'status' }
    try {
      const call = { user: USER, fieldManager: 'kube-apiserver' }
      await api.update(call, target, { ...object, metadata: { ...object.metadata }, status })
    } catch (error) {
      // Whoever wrote in between made an event of their own, which is looked at.
      if (!(error instanceof StatusError) || (error.code !== 409 && error.code !== 404)) throw error
    }
  }
}
