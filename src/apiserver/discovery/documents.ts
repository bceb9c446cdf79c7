/** The discovery documents of one state of a catalog, rendered on first use. */
import { createHash } from 'node:crypto'
import { typeTable } from '../../machinery/types/index.ts'
import type { SubresourceInfo } from '../../machinery/types/table.ts'
import type { ServedResource } from '../contract.ts'
import { groupsOf } from './groups.ts'
import type { ServedGroup, ServedVersion } from './groups.ts'

/** A body with its hash in quotes. */
export interface Tagged {
  readonly body: Buffer
  readonly etag: string
}

export function tagged(document: object | string): Tagged {
  const body = Buffer.from(`${typeof document === 'string' ? document : JSON.stringify(document)}\n`)
  return { body, etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"` }
}

const subresourcesOf = (resource: ServedResource): SubresourceInfo[] =>
  [...resource.subresources.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))

/** By which clients see that stored objects have another form than before: of the group, version and kind of storage. */
function storageHash({ info, custom }: ServedResource): { readonly storageVersionHash?: string } {
  if (!info.verbs.includes('watch')) return {}
  const { group, version } = storageOf(info, custom)
  const hash = createHash('sha256').update(`${group}/${version}/${info.kind}`).digest()
  return { storageVersionHash: hash.subarray(0, 8).toString('base64') }
}

function storageOf({ group, version, resource }: ServedResource['info'], custom: ServedResource['custom']) {
  if (custom !== undefined) return { group, version: custom.storageVersion }
  // Events are stored in the core group, whatever they are asked in.
  if (resource === 'events') return { group: '', version: 'v1' }
  // Upstream stores definitions in the version that is not served any more.
  if (resource === 'customresourcedefinitions') return { group, version: 'v1beta1' }
  let best = { group, version, priority: -1 }
  for (const other of typeTable.resources) {
    if (other.group !== group || other.resource !== resource || other.versionPriority <= best.priority) continue
    best = { group, version: other.version, priority: other.versionPriority }
  }
  return best
}

/** A kind beside its own group version; empty group and version mean the enclosing one. */
function responseKind(own: { group: string; version: string }, of: { group: string; version: string; kind: string }) {
  const same = of.group === own.group && of.version === own.version
  return same ? { group: '', version: '', kind: of.kind } : { group: of.group, version: of.version, kind: of.kind }
}

/** In upstream's order. While a definition is deleted, its objects only go. */
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
const WRITES: ReadonlySet<string> = new Set(['create', 'patch', 'update'])

function verbsOf({ info, custom }: ServedResource): readonly string[] {
  if (custom === undefined) return info.verbs
  return info.verbs.includes('create') ? CUSTOM_VERBS : CUSTOM_VERBS.filter((verb) => !WRITES.has(verb))
}

function aggregatedResource(resource: ServedResource): object {
  const { info } = resource
  const subresources = subresourcesOf(resource).map((s) => ({
    subresource: s.name,
    responseKind: responseKind(info, s),
    verbs: s.verbs,
  }))
  return {
    resource: info.resource,
    responseKind: responseKind(info, info),
    scope: info.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: info.singular,
    verbs: verbsOf(resource),
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  }
}

/** Texts of resources, which stay while others come and go. */
const texts = new WeakMap<ServedResource, string>()

function resourceText(resource: ServedResource): string {
  let text = texts.get(resource)
  if (text === undefined) texts.set(resource, (text = JSON.stringify(aggregatedResource(resource))))
  return text
}

function aggregated(groups: readonly ServedGroup[]): string {
  const items = groups.map(({ group, versions }) => {
    const listed = versions.map(
      ({ version, resources }) =>
        `{"version":${JSON.stringify(version)},"resources":[${resources.map(resourceText).join(',')}],"freshness":"Current"}`,
    )
    const metadata = JSON.stringify(group === '' ? {} : { name: group })
    return `{"metadata":${metadata},"versions":[${listed.join(',')}]}`
  })
  const head = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {} }
  return `${JSON.stringify(head).slice(0, -1)},"items":[${items.join(',')}]}`
}

function apiGroup({ group, versions }: ServedGroup): object {
  const listed = versions.map(({ version, groupVersion }) => ({ groupVersion, version }))
  return { name: group, versions: listed, preferredVersion: listed[0] }
}

function* legacyResources(resource: ServedResource): Generator<object> {
  const { info } = resource
  yield {
    name: info.resource,
    singularName: info.singular,
    namespaced: info.namespaced,
    kind: info.kind,
    verbs: verbsOf(resource),
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
    ...storageHash(resource),
  }
  for (const s of subresourcesOf(resource)) {
    const elsewhere = s.group !== info.group || s.version !== info.version
    yield {
      name: `${info.resource}/${s.name}`,
      singularName: '',
      namespaced: info.namespaced,
      ...(elsewhere ? { ...(s.group === '' ? {} : { group: s.group }), version: s.version } : {}),
      kind: s.kind,
      verbs: s.verbs,
    }
  }
}

function resourceList({ groupVersion, resources }: ServedVersion): object {
  const listed = resources.flatMap((resource) => [...legacyResources(resource)])
  // The core group's list is older than the field.
  const own = groupVersion.includes('/') ? { apiVersion: 'v1' } : {}
  return { kind: 'APIResourceList', ...own, groupVersion, resources: listed }
}

/** All documents of one state. */
export class DiscoveryDocuments {
  readonly #core: readonly ServedGroup[]
  readonly #named: readonly ServedGroup[]
  readonly #rendered = new Map<string, Tagged>()

  constructor(all: readonly ServedResource[]) {
    const groups = groupsOf(all)
    this.#core = groups.filter((g) => g.group === '')
    this.#named = groups.filter((g) => g.group !== '')
  }

  #once(key: string, render: () => object | string): Tagged {
    let document = this.#rendered.get(key)
    if (document === undefined) this.#rendered.set(key, (document = tagged(render())))
    return document
  }

  /** APIGroupDiscoveryList of `/api` or `/apis`. */
  aggregated(root: 'api' | 'apis'): Tagged {
    return this.#once(root, () => aggregated(root === 'api' ? this.#core : this.#named))
  }

  /** Versions of the core group. */
  coreVersions(): string[] {
    return this.#core.flatMap((g) => g.versions.map((v) => v.version))
  }

  /** APIGroupList, APIGroup or APIResourceList at `path`. */
  legacy(path: string): Tagged | undefined {
    const [root, group, version, ...rest] = path.slice(1).split('/')
    if (rest.length > 0) return undefined
    if (root === 'api') return version === undefined && group !== undefined ? this.#version('', group) : undefined
    if (root !== 'apis') return undefined
    if (group === undefined) {
      const groups = () => this.#named.map(apiGroup)
      return this.#once('groups', () => ({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups() }))
    }
    if (version !== undefined) return group === '' ? undefined : this.#version(group, version)
    const found = this.#named.find((g) => g.group === group)
    if (found === undefined) return undefined
    return this.#once(`group ${group}`, () => ({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(found) }))
  }

  #version(group: string, version: string): Tagged | undefined {
    const groups = group === '' ? this.#core : this.#named
    const found = groups.find((g) => g.group === group)?.versions.find((v) => v.version === version)
    if (found === undefined) return undefined
    return this.#once(`version ${found.groupVersion}`, () => resourceList(found))
  }
}
