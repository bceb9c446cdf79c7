/** What every embedded cluster serves beside custom resources, for controllers that would else ask discovery. */
import type { DiscoveredResource } from '../controllers/discovery.ts'
import { typeTable } from '../machinery/types/index.ts'

let made: readonly DiscoveredResource[] | undefined

/** Each resource once, in the version that comes first in discovery. One array for the process. */
export function builtinResources(): readonly DiscoveredResource[] {
  if (made !== undefined) return made
  const found = new Map<string, DiscoveredResource>()
  for (const { group, version, resource, kind, namespaced, verbs } of typeTable.resources) {
    const key = `${group}/${resource}`
    if (!found.has(key)) found.set(key, { group, version, resource, kind, namespaced, verbs })
  }
  return (made = [...found.values()])
}
