/** What a cluster serves, read from its discovery documents. */
import type { Client, Resource } from '../client/contract.ts'

export interface DiscoveredResource extends Resource {
  readonly verbs: readonly string[]
}

/** What servers behind this one serve; it comes and goes. */
export interface AggregatedResources {
  served(): readonly DiscoveredResource[]
  onChange(listener: () => void): void
}

export interface Discovered {
  /** Each resource once, in its group's preferred version if that has it. Subresources are left out. */
  readonly resources: readonly DiscoveredResource[]
  /** What could not be read, by group version. */
  readonly failures: ReadonlyMap<string, unknown>
}

interface ApiGroupList {
  groups: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[]
}

interface ApiResourceList {
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[]
}

/**
 * Reads `/api`, `/apis` and the resources of every version.
 * @throws StatusError when the lists of groups cannot be read; single versions that cannot are in `failures`
 */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovered> {
  const [core, groups] = await Promise.all([
    read<{ versions: string[] }>(client, '/api', signal),
    read<ApiGroupList>(client, '/apis', signal),
  ])
  const versions = [
    ...core.versions.map((version) => ({ group: '', version })),
    ...groups.groups.flatMap(({ name, versions: served, preferredVersion }) => {
      const names = served.map(({ version }) => version)
      const preferred = preferredVersion?.version
      names.sort((a, b) => Number(b === preferred) - Number(a === preferred))
      return names.map((version) => ({ group: name, version }))
    }),
  ]
  const failures = new Map<string, unknown>()
  const lists = await Promise.all(
    versions.map(async ({ group, version }) => {
      const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
      try {
        return await read<ApiResourceList>(client, path, signal)
      } catch (error) {
        failures.set(group === '' ? version : `${group}/${version}`, error)
        return { resources: [] } satisfies ApiResourceList
      }
    }),
  )
  const found = new Map<string, DiscoveredResource>()
  for (const [i, { group, version }] of versions.entries()) {
    for (const resource of describe(lists[i]!, group, version)) {
      const key = `${group}/${resource.resource}`
      if (!found.has(key)) found.set(key, resource)
    }
  }
  return { resources: [...found.values()], failures }
}

/** Clusters of a process serve the same documents: each is read once, and what comes out of it is shared. */
const parsed = new Map<string, unknown>()
const described = new WeakMap<ApiResourceList, readonly DiscoveredResource[]>()
const REMEMBERED = 256

function describe(list: ApiResourceList, group: string, version: string): readonly DiscoveredResource[] {
  let out = described.get(list)
  if (out === undefined) {
    out = list.resources.flatMap(({ name, kind, namespaced, verbs }) =>
      name.includes('/') ? [] : [{ group, version, resource: name, kind, namespaced, verbs }],
    )
    described.set(list, out)
  }
  return out
}

async function read<T>(client: Client, path: string, signal: AbortSignal | undefined): Promise<T> {
  const text = await client.raw('GET', path, undefined, signal)
  let document = parsed.get(text)
  if (document === undefined) {
    document = JSON.parse(text)
    if (parsed.size >= REMEMBERED) parsed.clear()
    parsed.set(text, document)
  }
  return document as T
}
