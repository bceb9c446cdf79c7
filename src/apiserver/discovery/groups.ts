/** Groups and their versions in the order that discovery has them, which clients resolve bare names by. */
import { compareVersions } from '../../machinery/schema/versions.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import type { ServedResource } from '../contract.ts'

export interface ServedVersion {
  readonly version: string
  /** `v1`, `apps/v1` */
  readonly groupVersion: string
  readonly resources: readonly ServedResource[]
}

export interface ServedGroup {
  readonly group: string
  readonly versions: readonly ServedVersion[]
}

/** Groups by priority, versions by priority, resources by name. */
export function groupsOf(all: readonly ServedResource[]): ServedGroup[] {
  const groups = new Map<string, Map<string, ServedResource[]>>()
  for (const resource of all) {
    const { group, version } = resource.info
    let versions = groups.get(group)
    if (versions === undefined) groups.set(group, (versions = new Map<string, ServedResource[]>()))
    const resources = versions.get(version)
    if (resources === undefined) versions.set(version, [resource])
    else resources.push(resource)
  }
  const out = [...groups].map(([group, versions]) => ({ group, versions: [...versions].map(servedVersion(group)) }))
  for (const { versions } of out) versions.sort(byVersionPriority)
  const priority = (g: ServedGroup) => g.versions[0]!.resources[0]!.info.groupPriority
  // Equal priorities keep the table's order for built-in groups; custom groups stand behind them, by name.
  return out.toSorted(
    (a, b) => priority(b) - priority(a) || (isCustom(a) && isCustom(b) ? compare(a.group, b.group) : 0),
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const isCustom = (group: ServedGroup): boolean => group.versions[0]!.resources[0]!.custom !== undefined

function servedVersion(group: string) {
  return ([version, resources]: [string, ServedResource[]]): ServedVersion => ({
    version,
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.toSorted((a, b) => compare(a.info.resource, b.info.resource)),
  })
}

function byVersionPriority(a: ServedVersion, b: ServedVersion): number {
  const difference = b.resources[0]!.info.versionPriority - a.resources[0]!.info.versionPriority
  return difference === 0 ? compareVersions(b.version, a.version) : difference
}
