/** What tenants configure for admission: straight from what is stored, so that a change counts at once. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { ClusterState } from '../contract.ts'

/** The API group of webhooks and policies. */
export const GROUP = 'admissionregistration.k8s.io'

type Lists = readonly (readonly KubeObject[])[]

interface Known<T> {
  readonly lists: Lists
  readonly made: readonly T[]
}

const NONE: readonly never[] = []

/**
 * What is made of the objects of some resources in {@link GROUP}, kept while the same objects are stored. A cluster that
 * has none costs a look-up; one that has some, a comparison of what is stored with what was stored before.
 */
export class Configured<T> {
  readonly #resources: readonly string[]
  readonly #make: (...lists: Lists) => readonly T[]
  readonly #known = new WeakMap<ClusterState, Known<T>>()

  /**
   * `resources`: their names (`validatingadmissionpolicies`), the one first that is missing most often; `make` gets a list
   * of each, by name, and only when none is empty.
   */
  constructor(resources: readonly string[], make: (...lists: Lists) => readonly T[]) {
    this.#resources = resources
    this.#make = make
  }

  read(state: ClusterState): readonly T[] {
    if (!state.any(GROUP)) return NONE
    const lists: (readonly KubeObject[])[] = []
    for (const resource of this.#resources) {
      const list = state.list(GROUP, resource, '')
      if (list.length === 0) return NONE
      lists.push(list)
    }
    const known = this.#known.get(state)
    if (known !== undefined && lists.every((list, i) => sameObjects(list, known.lists[i]!))) return known.made
    const made = this.#make(...lists)
    this.#known.set(state, { lists, made })
    return made
  }
}

/** Stored objects are shared and never change: the same state is the same objects. */
function sameObjects(a: readonly KubeObject[], b: readonly KubeObject[]): boolean {
  return a.length === b.length && a.every((object, i) => object === b[i])
}
