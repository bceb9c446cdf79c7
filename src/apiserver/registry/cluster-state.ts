/** What admission plug-ins see of a cluster: straight from its range. */
import type { KubeObject } from '../../machinery/object.ts'
import { objectOf } from '../contract.ts'
import type { ClusterState } from '../admission/contract.ts'
import type { Core } from './core.ts'
import { newest } from './core.ts'
import { prefixOf } from './key.ts'

const states = new WeakMap<Core, ClusterState>()
const NOTHING: readonly KubeObject[] = []

export function stateOf(core: Core): ClusterState {
  let state = states.get(core)
  if (state === undefined) {
    state = {
      authorizer: core.authorizer,
      catalog: core.catalog,
      random: core.random,
      any: (group) => core.range.count(`${group === '' ? 'core' : group}/`) > 0,
      find(group, resource, namespace, name) {
        if (namespace.includes('/') || name.includes('/')) return undefined
        const entry = newest(core.range, group, resource, namespace, name)
        return entry === undefined ? undefined : objectOf(entry)
      },
      list(group, resource, namespace) {
        if (namespace.includes('/')) return NOTHING
        const prefix = prefixOf(group, resource)
        const { entries } = core.range.list(namespace === '' ? prefix : `${prefix}${namespace}/`)
        return entries.length === 0 ? NOTHING : entries.map(objectOf)
      },
    }
    states.set(core, state)
  }
  return state
}
