/** What the servers behind remote APIServices say that they serve. */
import type { RemoteService } from './apiservice.ts'
import { serviceKey } from './apiservice.ts'
import type { Backends } from './backend.ts'

const TIMEOUT = 5000
const MAX_ANSWER = 2 * 1024 * 1024
/** Services whose documents are kept. */
const MAX_SERVICES = 16
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** APIVersionDiscovery, as it stands in an aggregated document. */
export interface VersionDiscovery {
  readonly version: string
  readonly resources?: readonly object[]
  readonly freshness: 'Current' | 'Stale'
}

interface GroupDiscovery {
  readonly metadata?: { readonly name?: string }
  readonly versions?: readonly { readonly version?: string; readonly resources?: readonly ResourceDiscovery[] }[]
}

interface ResourceDiscovery {
  responseKind?: object | null
  subresources?: { responseKind?: object | null }[]
}

interface LegacyResource {
  readonly name: string
  readonly singularName?: string
  readonly namespaced?: boolean
  readonly group?: string
  readonly version?: string
  readonly kind: string
  readonly verbs?: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
}

interface Fetched {
  readonly etag: string | undefined
  /** Resources by `group/version`. */
  readonly versions: ReadonlyMap<string, readonly object[]>
}

/** Keeps the last answer of each service, to be shown as stale while it gives none. */
export class RemoteDiscovery {
  readonly #backends: Backends
  readonly #fetched = new Map<string, Fetched>()
  /** By name of the APIService. */
  readonly #entries = new Map<string, VersionDiscovery>()

  constructor(backends: Backends) {
    this.#backends = backends
  }

  entry(remote: RemoteService): VersionDiscovery {
    return this.#entries.get(remote.name) ?? { version: remote.version, freshness: 'Stale' }
  }

  forget(remote: RemoteService): void {
    this.#entries.delete(remote.name)
  }

  /** Forgets services that none of these use. */
  keep(remotes: Iterable<RemoteService>): void {
    const used = new Set([...remotes].map(serviceKey))
    for (const key of this.#fetched.keys()) if (!used.has(key)) this.#fetched.delete(key)
  }

  /** Asks the service; true when what is shown has changed. */
  async refresh(remote: RemoteService): Promise<boolean> {
    const before = this.#entries.get(remote.name)
    const key = `${remote.group}/${remote.version}`
    let now: VersionDiscovery
    try {
      const resources = remote.available ? await this.#resources(remote) : undefined
      now =
        resources === undefined
          ? {
              version: remote.version,
              ...known(this.#fetched.get(serviceKey(remote))?.versions.get(key)),
              freshness: 'Stale',
            }
          : { version: remote.version, ...known(resources), freshness: 'Current' }
    } catch {
      const last = this.#fetched.get(serviceKey(remote))?.versions.get(key)
      now = { version: remote.version, ...known(last ?? before?.resources), freshness: 'Stale' }
    }
    this.#entries.set(remote.name, now)
    return JSON.stringify(before) !== JSON.stringify(now)
  }

  async #resources(remote: RemoteService): Promise<readonly object[]> {
    const key = serviceKey(remote)
    const before = this.#fetched.get(key)
    const headers: Record<string, string> = { accept: AGGREGATED }
    if (before?.etag !== undefined) headers['if-none-match'] = before.etag
    const answer = await this.#backends.call(remote, '/apis', { headers, timeout: TIMEOUT, maxAnswer: MAX_ANSWER })
    const version = `${remote.group}/${remote.version}`
    if (answer.status === 304 && before !== undefined) return before.versions.get(version) ?? []
    if (answer.status === 503) throw new Error(`service ${key} returned non-success response code: 503`)
    if (answer.status === 200 && /as=APIGroupDiscoveryList/.test(answer.headers['content-type'] ?? '')) {
      const fetched = { etag: answer.headers['etag'], versions: versionsOf(answer.body) }
      if (before !== undefined || this.#fetched.size < MAX_SERVICES) this.#fetched.set(key, fetched)
      return fetched.versions.get(version) ?? []
    }
    return this.#legacy(remote)
  }

  /** Servers from before aggregated discovery say it version by version. */
  async #legacy(remote: RemoteService): Promise<readonly object[]> {
    const path = remote.group === '' ? `/api/${remote.version}` : `/apis/${remote.group}/${remote.version}`
    const headers = { accept: 'application/json' }
    const answer = await this.#backends.call(remote, path, { headers, timeout: TIMEOUT, maxAnswer: MAX_ANSWER })
    if (answer.status !== 200) throw new Error(`failed to download legacy discovery for ${path}: ${answer.status}`)
    const { resources = [] } = JSON.parse(answer.body.toString('utf8')) as { resources?: readonly LegacyResource[] }
    return fromLegacy(resources, remote)
  }
}

const known = (resources: readonly object[] | undefined) =>
  resources === undefined || resources.length === 0 ? {} : { resources }

function versionsOf(body: Buffer): Map<string, readonly object[]> {
  const { items = [] } = JSON.parse(body.toString('utf8')) as { items?: readonly GroupDiscovery[] }
  const versions = new Map<string, readonly object[]>()
  for (const group of items) {
    for (const { version = '', resources = [] } of group.versions ?? []) {
      for (const resource of resources) {
        // Old clients fall over what is absent here.
        resource.responseKind ??= EMPTY
        for (const subresource of resource.subresources ?? []) subresource.responseKind ??= EMPTY
      }
      versions.set(`${group.metadata?.name ?? ''}/${version}`, resources)
    }
  }
  return versions
}

const EMPTY = { group: '', version: '', kind: '' }

/** APIResources in the form of aggregated discovery. */
function fromLegacy(resources: readonly LegacyResource[], { group, version }: RemoteService): object[] {
  const out = new Map<string, Record<string, unknown> & { subresources?: object[] }>()
  const kindOf = (r: LegacyResource) => ({ group: r.group ?? group, version: r.version ?? version, kind: r.kind })
  for (const resource of resources) {
    if (resource.name.includes('/')) continue
    out.set(resource.name, {
      resource: resource.name,
      responseKind: kindOf(resource),
      scope: resource.namespaced === true ? 'Namespaced' : 'Cluster',
      singularResource: resource.singularName ?? '',
      verbs: resource.verbs ?? [],
      ...(resource.shortNames !== undefined && { shortNames: resource.shortNames }),
      ...(resource.categories !== undefined && { categories: resource.categories }),
    })
  }
  for (const resource of resources) {
    const [name = '', ...rest] = resource.name.split('/')
    if (rest.length === 0) continue
    const subresource = { subresource: rest.join('/'), responseKind: kindOf(resource), verbs: resource.verbs ?? [] }
    let parent = out.get(name)
    if (parent === undefined) {
      const scope = resource.namespaced === true ? 'Namespaced' : 'Cluster'
      out.set(name, (parent = { resource: name, scope, singularResource: '', verbs: [], responseKind: EMPTY }))
    }
    ;(parent.subresources ??= []).push(subresource)
  }
  return [...out.values()]
}
