/** The two faces of an event: core/v1 Event and events.k8s.io/v1 Event hold the same facts under different names. */
import type { KubeObject } from '../../machinery/object.ts'

const renamed: readonly (readonly [core: string, event: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
]
const toNew: ReadonlyMap<string, string> = new Map(renamed)
const toCore: ReadonlyMap<string, string> = new Map(renamed.map(([core, event]) => [event, core]))

/** core/v1 → events.k8s.io/v1 */
export function newEventOf(object: KubeObject): KubeObject {
  return rename(object, toNew)
}

/** events.k8s.io/v1 → core/v1 */
export function coreEventOf(object: KubeObject): KubeObject {
  return rename(object, toCore)
}

function rename(object: KubeObject, names: ReadonlyMap<string, string>): KubeObject {
  const members = Object.entries(object).map(([name, value]): [string, unknown] => [names.get(name) ?? name, value])
  return Object.fromEntries(members) as KubeObject
}
