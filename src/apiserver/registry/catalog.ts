/** What a cluster serves: the built-in resources of the type table, and custom resources that come and go. */
import type { Catalog, ServedResource } from '../contract.ts'
import type { ResourceInfo } from '../../machinery/types/table.ts'
import { prefixOf } from './key.ts'

/** A catalog whose custom resources can change. */
export interface LiveCatalog extends Catalog {
  /**
   * Replaces the custom resources under a prefix. What is not in the list any more is not served, and its watches end.
   * Costs the same however many others there are.
   */
  replace(prefix: string, custom: readonly ServedResource[]): void
  /** Calls `listener` after each change. Returns the way to stop it. */
  onChange(listener: () => void): () => void
  /** The served resource in whose version objects under this prefix are stored. */
  storage(served: ServedResource): ServedResource
}

const served = new WeakMap<ResourceInfo, ServedResource>()

/** A built-in resource as served; one per resource and process, all clusters share it. */
function builtin(info: ResourceInfo): ServedResource {
  let resource = served.get(info)
  if (resource === undefined) {
    resource = {
      info,
      prefix: prefixOf(info.group, info.resource),
      subresources: new Map(info.subresources.map((s) => [s.name, s])),
    }
    served.set(info, resource)
  }
  return resource
}

interface Tables {
  readonly all: readonly ServedResource[]
  readonly byPath: ReadonlyMap<string, ServedResource>
  readonly groupVersions: ReadonlySet<string>
  readonly storage: ReadonlyMap<string, ServedResource>
}

const pathOf = (group: string, version: string, resource: string): string => `${group}/${version}/${resource}`

function tables(all: readonly ServedResource[]): Tables {
  const byPath = new Map<string, ServedResource>()
  const groupVersions = new Set<string>()
  const storage = new Map<string, ServedResource>()
  for (const resource of all) {
    const { group, version } = resource.info
    byPath.set(pathOf(group, version, resource.info.resource), resource)
    groupVersions.add(`${group}/${version}`)
    const chosen = storage.get(resource.prefix)
    if (chosen === undefined || storesBefore(resource, chosen)) storage.set(resource.prefix, resource)
  }
  return { all, byPath, groupVersions, storage }
}

/** Built-ins are stored in the version of the highest priority (events in core/v1), custom resources in their own. */
function storesBefore(a: ServedResource, b: ServedResource): boolean {
  if (a.custom !== undefined) return a.custom.storageVersion === a.info.version
  if (a.info.group !== b.info.group) return a.info.group === ''
  return a.info.versionPriority > b.info.versionPriority
}

const builtinTables = new WeakMap<readonly ResourceInfo[], Tables>()

/** The catalog of one cluster. The tables of the built-ins are shared by all clusters of the process. */
export function createCatalog(builtins: readonly ResourceInfo[]): LiveCatalog {
  let base = builtinTables.get(builtins)
  if (base === undefined) builtinTables.set(builtins, (base = tables(builtins.map(builtin))))
  const shared = base
  const custom = new Customs()
  let all: readonly ServedResource[] | undefined = shared.all
  let generation = 1
  const listeners = new Set<() => void>()
  return {
    get generation() {
      return generation
    },
    find(group, version, resource) {
      const path = pathOf(group, version, resource)
      return shared.byPath.get(path) ?? custom.byPath.get(path)
    },
    all: () => (all ??= custom.byPath.size === 0 ? shared.all : [...shared.all, ...custom.all()]),
    hasGroupVersion(group, version) {
      const name = `${group}/${version}`
      return shared.groupVersions.has(name) || custom.groupVersions.has(name)
    },
    storage(resource) {
      const storage = resource.custom === undefined ? shared.storage : custom.storage
      return storage.get(resource.prefix) ?? resource
    },
    replace(prefix, resources) {
      custom.replace(prefix, resources)
      all = undefined
      generation++
      for (const listener of Array.from(listeners)) listener()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** The custom resources of one cluster. */
class Customs {
  readonly byPath = new Map<string, ServedResource>()
  /** How many resources a group version has. */
  readonly groupVersions = new Map<string, number>()
  readonly storage = new Map<string, ServedResource>()
  readonly #byPrefix = new Map<string, readonly ServedResource[]>()

  replace(prefix: string, resources: readonly ServedResource[]): void {
    for (const { info } of this.#byPrefix.get(prefix) ?? []) {
      this.byPath.delete(pathOf(info.group, info.version, info.resource))
      this.#count(`${info.group}/${info.version}`, -1)
    }
    this.storage.delete(prefix)
    if (resources.length === 0) this.#byPrefix.delete(prefix)
    else this.#byPrefix.set(prefix, resources)
    for (const resource of resources) {
      const { group, version, resource: plural } = resource.info
      this.byPath.set(pathOf(group, version, plural), resource)
      this.#count(`${group}/${version}`, 1)
      const chosen = this.storage.get(prefix)
      if (chosen === undefined || storesBefore(resource, chosen)) this.storage.set(prefix, resource)
    }
  }

  #count(groupVersion: string, by: number): void {
    const now = (this.groupVersions.get(groupVersion) ?? 0) + by
    if (now === 0) this.groupVersions.delete(groupVersion)
    else this.groupVersions.set(groupVersion, now)
  }

  /** By group and resource; versions of one definition in their order. */
  all(): ServedResource[] {
    return [...this.#byPrefix].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, resources]) => resources)
  }
}
