/** Builds everything that `npm run generate` writes, as text. */
import { join } from 'node:path'
import type { ResourceInfo } from '../../src/machinery/types/table.ts'
import { servedResources } from './discovery.ts'
import { type Table, tableSource } from './emit.ts'
import { Universe, groupNameOf } from './facts.ts'
import { internalSource } from './internal.ts'
import { kindsSource } from './kinds.ts'
import type { Modules } from './modules.ts'

const META = 'k8s.io/apimachinery/pkg/apis/meta/v1'

/** Packages that no resource points at, but whose kinds travel all the same. */
const OTHERS = ['admission/v1', 'apidiscovery/v2']

/** File name, relative to src/machinery/types/generated, to its text. */
export function buildAll(modules: Modules): Map<string, string> {
  const table = buildTable(modules)
  return new Map([
    ['table.ts', tableSource(table)],
    ['kinds.ts', kindsSource(table.types)],
    ['internal.ts', internalSource(modules)],
  ])
}

/** Collects types and resources from the modules. */
export function buildTable(modules: Modules): Table {
  const served = servedResources(modules.kubernetes)
  const packages = packagesOf(modules, new Set(served.map((r) => `${r.group}/${r.version}`)))
  const universe = new Universe(modules)
  const kinds = new Set<string>()
  const versions = new Map<string, string>()
  for (const [gv, path] of packages) {
    for (const kind of universe.kinds(path)) {
      const name = universe.add(path, kind)
      kinds.add(name)
      versions.set(gv, name.slice(0, name.lastIndexOf('.')))
    }
  }
  // WatchEvent has no TypeMeta, but it is registered as a kind.
  kinds.add(universe.add(META, 'WatchEvent'))
  const types = universe.types
  const names = new Set(types.map((t) => t.name))
  const resources = served.map((r): ResourceInfo => {
    const type = `${versions.get(`${r.group}/${r.version}`)}.${r.kind}`
    if (!names.has(type)) throw new Error(`no type for ${r.group}/${r.version} ${r.resource}: ${type}`)
    const { groupPriority, versionPriority, subresources, ...rest } = r
    const listKind = r.verbs.includes('list') ? `${r.kind}List` : ''
    return { ...rest, listKind, type, subresources, groupPriority, versionPriority }
  })
  return { types, kinds, versions, resources }
}

function packagesOf(modules: Modules, served: ReadonlySet<string>): Map<string, string> {
  const found = new Map<string, string>([
    ['apiextensions.k8s.io/v1', 'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1'],
    ['apiregistration.k8s.io/v1', 'k8s.io/kube-aggregator/pkg/apis/apiregistration/v1'],
    ['meta.k8s.io/v1', META],
  ])
  for (const gv of served) {
    if (found.has(gv)) continue
    const [group, version] = gv.split('/') as [string, string]
    const folder = `${folderOf(group)}/${version}`
    const actual = groupNameOf(join(modules.api, folder))
    if (actual !== group) throw new Error(`${folder} serves ${actual}, not ${group}`)
    found.set(gv, `k8s.io/api/${folder}`)
  }
  for (const folder of OTHERS) {
    const version = folder.split('/')[1]!
    found.set(`${groupNameOf(join(modules.api, folder))}/${version}`, `k8s.io/api/${folder}`)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** k8s.io/api names its folders after the first part of the group, with three exceptions by history. */
function folderOf(group: string): string {
  if (group === '') return 'core'
  if (group === 'internal.apiserver.k8s.io') return 'apiserverinternal'
  return group.split('.')[0]!
}
