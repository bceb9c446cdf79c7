/** What admission plug-ins see of a cluster: straight from its range. */
import type { KubeObject } from '../../machinery/object.ts'
import { objectOf } from '../contract.ts'
import type { ClusterState } from '../admission/contract.ts'
import type { Core } from './core.ts'
import { newest, timestamp } from './core.ts'
import { prefixOf } from './key.ts'

const states = new WeakMap<Core, ClusterState>()
const NOTHING: readonly KubeObject[] = []
const SOME: readonly KubeObject[] = [{ metadata: {} }]

/** Lists of a cluster that are remembered, and how long they may be. */
const MAX_LISTS = 128
const MAX_LENGTH = 32

/** Every write asks for the same few short lists, mostly empty ones: they are made again when their kind has changed. */
class Lists {
  readonly #range: Core['range']
  readonly #known = new Map<string, { readonly changed: number; readonly objects: readonly KubeObject[] }>()

  constructor(range: Core['range']) {
    this.#range = range
  }

  get(kind: string, prefix: string, make: () => readonly KubeObject[]): readonly KubeObject[] {
    const changed = this.#range.changed(kind)
    const known = this.#known.get(prefix)
    if (known?.changed === changed) return known.objects
    const objects = make()
    if (objects.length > MAX_LENGTH) return objects
    if (this.#known.size >= MAX_LISTS) this.#known.clear()
    this.#known.set(prefix, { changed, objects })
    return objects
  }
}

export function stateOf(core: Core): ClusterState {
  let state = states.get(core)
  if (state === undefined) {
    const lists = new Lists(core.range)
    state = {
      authorizer: core.authorizer,
      catalog: core.catalog,
      random: core.random,
      metrics: core.metrics,
      now: () => timestamp(core.now()),
      any: (group) => {
        const prefix = `${group === '' ? 'core' : group}/`
        return lists.get(prefix, prefix, () => (core.range.count(prefix) > 0 ? SOME : NOTHING)).length > 0
      },
      find(group, resource, namespace, name) {
        if (namespace.includes('/') || name.includes('/')) return undefined
        const entry = newest(core.range, group, resource, namespace, name)
        return entry === undefined ? undefined : objectOf(entry)
      },
      list(group, resource, namespace) {
        if (namespace.includes('/')) return NOTHING
        const kind = prefixOf(group, resource)
        const prefix = namespace === '' ? kind : `${kind}${namespace}/`
        return lists.get(kind, prefix, () => {
          const { entries } = core.range.list(prefix)
          return entries.length === 0 ? NOTHING : entries.map(objectOf)
        })
      },
    }
    states.set(core, state)
  }
  return state
}
