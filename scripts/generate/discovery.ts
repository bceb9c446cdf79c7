/** The served resources: from the discovery documents and API service priorities in k8s.io/kubernetes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SubresourceInfo } from '../../src/machinery/types/table.ts'

/** A resource without what the type table adds. */
export interface ServedResource {
  group: string
  version: string
  resource: string
  singular: string
  kind: string
  namespaced: boolean
  verbs: string[]
  shortNames: string[]
  categories: string[]
  subresources: SubresourceInfo[]
  groupPriority: number
  versionPriority: number
}

interface ApiResource {
  name: string
  singularName?: string
  namespaced: boolean
  kind: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  group?: string
  version?: string
}

const STABLE = /^v\d+$/

/** Every resource of every stable version, in discovery order. */
export function servedResources(kubernetes: string): ServedResource[] {
  const priorities = readPriorities(kubernetes)
  const folder = join(kubernetes, 'api/discovery')
  const out: ServedResource[] = []
  for (const file of readdirSync(folder).sort()) {
    const m = /^api(?:s__([\w.]+))?__(v\w+)\.json$/.exec(file)
    if (m === null || !STABLE.test(m[2]!)) continue
    const list = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { resources: ApiResource[] }
    out.push(...resourcesOf(m[1] ?? '', m[2]!, list.resources, priorities))
  }
  return out.sort(
    (a, b) =>
      Number(b.group === '') - Number(a.group === '') ||
      b.groupPriority - a.groupPriority ||
      compare(a.group, b.group) ||
      b.versionPriority - a.versionPriority ||
      compare(a.version, b.version) ||
      compare(a.resource, b.resource),
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function resourcesOf(
  group: string,
  version: string,
  list: readonly ApiResource[],
  priorities: ReadonlyMap<string, readonly [number, number]>,
): ServedResource[] {
  const [groupPriority, versionPriority] = priorities.get(`${group}/${version}`) ?? [1000, 15]
  const out = new Map<string, ServedResource>()
  for (const r of list) {
    if (r.name.includes('/')) continue
    out.set(r.name, {
      group,
      version,
      resource: r.name,
      singular: r.singularName ?? '',
      kind: r.kind,
      namespaced: r.namespaced,
      verbs: r.verbs,
      shortNames: r.shortNames ?? [],
      categories: r.categories ?? [],
      subresources: [],
      groupPriority,
      versionPriority,
    })
  }
  for (const r of list) {
    const [parent, name] = r.name.split('/')
    if (name === undefined) continue
    const owner = out.get(parent!)
    if (owner === undefined) throw new Error(`${group}/${version}: ${r.name} has no parent`)
    owner.subresources.push({
      name,
      group: r.version === undefined ? group : (r.group ?? ''),
      version: r.version ?? version,
      kind: r.kind,
      verbs: r.verbs,
    })
  }
  return [...out.values()]
}

/** `group/version` to [group priority, version priority], from the two Go maps that register API services. */
function readPriorities(kubernetes: string): Map<string, readonly [number, number]> {
  // The aggregator's own group is no APIService; its discovery handler puts it before all others.
  const out = new Map<string, readonly [number, number]>([['apiregistration.k8s.io/v1', [20000, 15]]])
  // The second map is merged over the first, as upstream does.
  for (const file of ['pkg/controlplane/apiserver/aggregator.go', 'cmd/kube-apiserver/app/aggregator.go']) {
    const text = readFileSync(join(kubernetes, file), 'utf8')
    const entry = /\{Group: "([^"]*)", Version: "([^"]*)"\}:\s*\{Group: (\d+), Version: (\d+)\}/g
    for (const m of text.matchAll(entry)) out.set(`${m[1]}/${m[2]}`, [Number(m[3]), Number(m[4])])
  }
  if (out.size === 1) throw new Error('no API service priorities found')
  return out
}
