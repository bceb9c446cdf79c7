/** Where the garbage collector learns of objects: one shared informer per resource. */
import type { Client, Informer, Resource } from '../../client/contract.ts'
import { resources as known } from '../../client/resources.ts'
import { apiVersionOf, type KubeObject, parseApiVersion } from '../../machinery/object.ts'
import { discover, type AggregatedResources, type DiscoveredResource } from '../discovery.ts'

export interface FeedHandler {
  put(resource: Resource, object: KubeObject): void
  remove(resource: Resource, object: KubeObject): void
  /** The resource is no longer served. */
  dropped(resource: Resource): void
}

interface Source {
  readonly resource: Resource
  readonly from: 'builtin' | 'custom' | 'remote'
  readonly informer: Informer
  readonly stop: () => void
}

/** Objects that never own anything nor are owned, and are many. */
const IGNORED: ReadonlySet<string> = new Set(['/events', 'events.k8s.io/events'])

/**
 * Resources of which every cluster has objects from its birth, none with owners. Reading them all costs more than
 * everything else in an idle cluster, so it waits until an owner goes: nothing can be collected before that.
 */
const LATE: ReadonlySet<string> = new Set([
  'rbac.authorization.k8s.io/clusterroles',
  'rbac.authorization.k8s.io/clusterrolebindings',
  'rbac.authorization.k8s.io/roles',
  'rbac.authorization.k8s.io/rolebindings',
  'scheduling.k8s.io/priorityclasses',
  'apiregistration.k8s.io/apiservices',
  'flowcontrol.apiserver.k8s.io/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations',
])

/** Resources of other servers that are followed: what they hold here is theirs to say. */
const MOST_REMOTE = 8

export class ObjectFeed {
  readonly #client: Client
  readonly #handler: FeedHandler
  readonly #sources = new Map<string, Source>()
  readonly #kinds = new Map<string, Resource>()
  /** Served, and not read yet. */
  readonly #late = new Map<string, Resource>()
  #complete = false
  readonly #builtin: readonly DiscoveredResource[] | undefined
  readonly #aggregated: AggregatedResources | undefined

  /** `builtin`: what the cluster serves without custom resources; absent: discovery is asked. */
  constructor(
    client: Client,
    handler: FeedHandler,
    { builtin, aggregated }: { builtin?: readonly DiscoveredResource[]; aggregated?: AggregatedResources } = {},
  ) {
    this.#client = client
    this.#handler = handler
    this.#builtin = builtin
    this.#aggregated = aggregated
  }

  /** Subscribes to all that is served now, and leaves what no longer is. */
  async refresh(signal: AbortSignal): Promise<void> {
    const builtin = this.#builtin ?? (await discover(this.#client, signal)).resources
    const crds = this.#client.informer(known.customresourcedefinitions)
    await crds.ready()
    const custom = crds.list().flatMap((crd) => customResource(crd))
    const wanted = new Map<string, Resource>()
    const remote = (this.#aggregated?.served() ?? []).filter((one) => isCollectable(one)).slice(0, MOST_REMOTE)
    for (const resource of [...builtin.filter((one) => isCollectable(one)), ...custom, ...remote]) {
      const key = `${resource.group}/${resource.resource}`
      if (!IGNORED.has(key) && !wanted.has(key)) wanted.set(key, resource)
    }
    for (const [key, source] of this.#sources) {
      const now = wanted.get(key)
      if (now?.version === source.resource.version && now.kind === source.resource.kind) continue
      // What is built in does not go: a version that could not be read today is read tomorrow.
      if (now === undefined && source.from === 'builtin') continue
      source.stop()
      this.#sources.delete(key)
      this.#kinds.delete(kindKey(source.resource))
      this.#handler.dropped(source.resource)
    }
    for (const [key, resource] of wanted) {
      this.#kinds.set(kindKey(resource), resource)
      if (this.#sources.has(key)) continue
      if (LATE.has(key) && !this.#complete) this.#late.set(key, resource)
      else {
        const from = custom.includes(resource) ? 'custom' : remote.includes(resource as never) ? 'remote' : 'builtin'
        this.#subscribe(key, resource, from)
      }
    }
    // A server behind this one that does not answer keeps nobody from work.
    const own = [...this.#sources.values()].filter(({ from }) => from !== 'remote')
    await Promise.all(own.map(({ informer }) => informer.ready()))
  }

  /** Reads what has not been read yet, before anything is decided. */
  async complete(): Promise<void> {
    if (this.#complete) return
    this.#complete = true
    for (const [key, resource] of this.#late) this.#subscribe(key, resource, 'builtin')
    await Promise.all([...this.#late.keys()].map((key) => this.#sources.get(key)!.informer.ready()))
    this.#late.clear()
  }

  /** The resource of a kind that an owner reference names; `undefined`: none is served. */
  resourceOf(apiVersion: string, kind: string): Resource | undefined {
    const gv = parseApiVersion(apiVersion)
    return gv === undefined ? undefined : this.#kinds.get(`${gv.group}/${kind}`)
  }

  /** An object as the cache has it. */
  cached(resource: Resource, namespace: string, name: string): KubeObject | undefined {
    return this.#sources.get(`${resource.group}/${resource.resource}`)?.informer.get(namespace, name)
  }

  #subscribe(key: string, resource: Resource, from: Source['from']): void {
    const informer = this.#client.informer(resource)
    const source: Source = {
      resource,
      from,
      informer,
      stop: informer.onEvent(({ type, object }) => {
        if (type === 'delete') this.#handler.remove(resource, object)
        else this.#handler.put(resource, object)
      }),
    }
    this.#sources.set(key, source)
  }
}

function kindKey(resource: Resource): string {
  return `${resource.group}/${resource.kind}`
}

function isCollectable({ verbs }: DiscoveredResource): boolean {
  return ['delete', 'list', 'watch', 'get'].every((verb) => verbs.includes(verb))
}

/** The resource of an established definition, in its storage version if that is served. */
function customResource(crd: KubeObject): Resource[] {
  const { spec, status } = crd
  const conditions: { type: string; status: string }[] = status?.conditions ?? []
  if (!conditions.some((one) => one.type === 'Established' && one.status === 'True')) return []
  if (crd.metadata.deletionTimestamp !== undefined) return []
  const versions: { name: string; served: boolean; storage: boolean }[] = spec.versions
  const served = versions.filter((version) => version.served)
  const version = served.find(({ storage }) => storage) ?? served[0]
  if (version === undefined) return []
  return [
    {
      group: spec.group,
      version: version.name,
      resource: spec.names.plural,
      kind: spec.names.kind,
      namespaced: spec.scope === 'Namespaced',
    },
  ]
}

/** `apps/v1` of a resource. */
export function versionOf(resource: Resource): string {
  return apiVersionOf(resource)
}
