/** Discovery of a cluster with remote group versions: its own documents with theirs in their places. */
import { compareVersions } from '../../machinery/schema/versions.ts'
import type { Catalog } from '../contract.ts'
import { inForm } from '../discovery/discovery.ts'
import { tagged, type Tagged } from '../discovery/documents.ts'
import type { Document, Documents } from '../http/contract.ts'
import { accepts, negotiate } from '../http/negotiation.ts'
import { Query } from '../http/query.ts'
import type { RemoteService } from './apiservice.ts'
import type { VersionDiscovery } from './remote-discovery.ts'

/** What is merged: grows in `generation` with each change. */
export interface RemoteGroups {
  readonly empty: boolean
  readonly generation: number
  all(): Iterable<RemoteService>
  entry(remote: RemoteService): VersionDiscovery
}

interface Group {
  readonly metadata: { readonly name?: string }
  readonly versions: readonly { readonly version: string }[]
}

interface LegacyVersion {
  readonly groupVersion: string
  readonly version: string
}

interface LegacyGroup {
  readonly name: string
  readonly versions: readonly LegacyVersion[]
  readonly preferredVersion: LegacyVersion
}

const AGGREGATED = { g: 'apidiscovery.k8s.io', v: 'v2', as: 'APIGroupDiscoveryList' }
const NONE = new Query('')
const JSON_ONLY = { accept: 'application/json' }
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** Documents of `inner`, as they are while there is nothing remote. */
export function mergedDiscovery(inner: Documents, remotes: RemoteGroups, catalog: Catalog): Documents {
  let cached: { generation: number; own: string; document: Tagged } | undefined

  const aggregated = (): Tagged => {
    const own = inner.find('/apis', NONE, { accept: AGGREGATED_TYPE })!
    const etag = own.headers['etag'] ?? ''
    if (cached?.generation !== remotes.generation || cached.own !== etag) {
      const document = JSON.parse((own.body as Buffer).toString()) as { items: Group[] }
      const items = mergeGroups(document.items, (group) => group.metadata.name ?? '', aggregatedGroup)
      cached = { generation: remotes.generation, own: etag, document: tagged({ ...document, items }) }
    }
    return cached.document
  }

  const aggregatedGroup = (name: string, own: Group | undefined, services: readonly RemoteService[]): Group => {
    const theirs = services.map((remote) => ranked(remotes.entry(remote), remote.versionPriority))
    const ours = (own?.versions ?? [])
      .filter((v) => !services.some((remote) => remote.version === v.version))
      .map((v) => ranked(v, priorityOf(name, v.version)))
    return { metadata: { name }, versions: [...ours, ...theirs].toSorted(byPriority).map(({ of }) => of) }
  }

  const legacyGroup = (name: string, own: LegacyGroup | undefined, services: readonly RemoteService[]): LegacyGroup => {
    const theirs = services.map((remote) => ranked(remote, remote.versionPriority))
    const ours = (own?.versions ?? [])
      .filter((v) => !services.some((remote) => remote.version === v.version))
      .map((v) => ranked(v, priorityOf(name, v.version)))
    const versions = [...ours, ...theirs]
      .toSorted(byPriority)
      .map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
    return { ...own, name, versions, preferredVersion: versions[0]! }
  }

  const priorityOf = (group: string, version: string): number =>
    catalog.all().find(({ info }) => info.group === group && info.version === version)?.info.versionPriority ?? 0

  /** Remote groups take the place that their priority gives them; groups of this server keep their order. */
  function mergeGroups<T>(
    own: readonly T[],
    nameOf: (group: T) => string,
    merge: (name: string, own: T | undefined, services: readonly RemoteService[]) => T,
  ): T[] {
    const services = Map.groupBy(remotes.all(), (remote) => remote.group)
    const priorities = new Map(catalog.all().map(({ info }) => [info.group, info.groupPriority]))
    const out = own.map((group) => {
      const name = nameOf(group)
      const theirs = services.get(name)
      services.delete(name)
      const merged = theirs === undefined ? group : merge(name, group, theirs)
      return { name, priority: Math.max(priorities.get(name) ?? 0, highest(theirs ?? [])), group: merged }
    })
    for (const [name, theirs] of services) {
      if (name === '') continue
      const priority = highest(theirs)
      const behind = out.findIndex((g) => g.priority < priority || (g.priority === priority && g.name > name))
      out.splice(behind < 0 ? out.length : behind, 0, { name, priority, group: merge(name, undefined, theirs) })
    }
    return out.map(({ group }) => group)
  }

  return {
    find(path, query, headers): Document | undefined {
      if (remotes.empty) return inner.find(path, query, headers)
      const clean = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
      if (clean === '/apis' && accepts(headers['accept'], 'application/json', AGGREGATED)) {
        const { etag, body } = aggregated()
        const cache = { etag, vary: 'Accept', 'cache-control': 'public' }
        if (headers['if-none-match'] === etag) return { status: 304, headers: cache, body: '' }
        return { status: 200, headers: { ...cache, 'content-type': AGGREGATED_TYPE }, body }
      }
      const group = /^\/apis(?:\/([^/]+))?$/.exec(clean)
      if (group === null) return inner.find(path, query, headers)
      const { encoding } = negotiate(headers['accept'])
      const own = inner.find(path, query, JSON_ONLY)
      const [, name] = group
      if (name === undefined) {
        const document = JSON.parse((own!.body as Buffer).toString()) as { groups: LegacyGroup[] }
        const groups = mergeGroups(document.groups, (g) => g.name, legacyGroup)
        return inForm(`${JSON.stringify({ ...document, groups })}\n`, encoding)
      }
      const theirs = [...remotes.all()].filter((remote) => remote.group === name)
      if (theirs.length === 0) return inner.find(path, query, headers)
      const before = own === undefined ? undefined : (JSON.parse((own.body as Buffer).toString()) as LegacyGroup)
      const merged = { kind: 'APIGroup', apiVersion: 'v1', ...legacyGroup(name, before, theirs) }
      return inForm(`${JSON.stringify(merged)}\n`, encoding)
    },
  }
}

const highest = (services: readonly RemoteService[]): number =>
  services.reduce((most, { groupPriority }) => Math.max(most, groupPriority), 0)

interface Ranked<T> {
  readonly version: string
  readonly priority: number
  readonly of: T
}

function ranked<T extends { readonly version: string }>(of: T, priority: number): Ranked<T> {
  return { version: of.version, priority, of }
}

function byPriority(a: Ranked<unknown>, b: Ranked<unknown>): number {
  return b.priority - a.priority || compareVersions(b.version, a.version)
}
