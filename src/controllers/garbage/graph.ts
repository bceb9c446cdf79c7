/** Who owns whom, by uid. Pure. Only objects that have owners, or whose deletion concerns others, are in it. */
import type { Resource } from '../../client/contract.ts'
import type { KubeObject, OwnerReference } from '../../machinery/object.ts'

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

export interface Item {
  readonly uid: string
  readonly resource: Resource
  readonly namespace: string
  readonly name: string
  readonly owners: readonly OwnerReference[]
  readonly deleting: boolean
  /** Being deleted, after its blocking dependents. */
  readonly foreground: boolean
  /** Being deleted, its dependents to be kept. */
  readonly orphaning: boolean
}

/** What a change calls for. */
export interface Work {
  /** Items to look at: perhaps their owners are gone, or their dependents are. */
  readonly check: ReadonlySet<string>
  /** Owners whose dependents must be released. */
  readonly orphan: ReadonlySet<string>
}

export class OwnerGraph {
  readonly #items = new Map<string, Item>()
  readonly #dependents = new Map<string, Set<string>>()

  get(uid: string): Item | undefined {
    return this.#items.get(uid)
  }

  get size(): number {
    return this.#items.size
  }

  /** Items that name this uid as an owner. */
  dependents(uid: string): Item[] {
    return [...(this.#dependents.get(uid) ?? [])].map((one) => this.#items.get(one)!)
  }

  /** Dependents that the foreground deletion of their owner waits for. */
  blocking(uid: string): Item[] {
    return this.dependents(uid).filter(({ owners }) =>
      owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    )
  }

  /** All items of a resource. */
  of(resource: Resource): Item[] {
    return [...this.#items.values()].filter((item) => sameResource(item.resource, resource))
  }

  /** An object was seen. */
  put(resource: Resource, object: KubeObject): Work {
    const item = itemOf(resource, object)
    const old = this.#items.get(item.uid)
    const check = new Set<string>()
    const orphan = new Set<string>()
    if (old === undefined && item.owners.length === 0 && !item.foreground && !item.orphaning) return { check, orphan }
    const changed = old === undefined || !sameOwners(old.owners, item.owners)
    if (changed) {
      for (const owner of old?.owners ?? []) this.#unlink(owner.uid, item.uid)
      for (const owner of item.owners) this.#link(owner.uid, item.uid)
      if (item.owners.length > 0) check.add(item.uid)
      // A foreground deletion may have waited for what this item no longer is.
      for (const { uid } of [...(old?.owners ?? []), ...item.owners]) {
        if (this.#items.get(uid)?.foreground === true) check.add(uid)
      }
    }
    const plain = item.owners.length === 0 && !item.foreground && !item.orphaning
    if (plain) this.#items.delete(item.uid)
    else this.#items.set(item.uid, item)
    if (item.foreground && old?.foreground !== true) {
      check.add(item.uid)
      for (const { uid } of this.dependents(item.uid)) check.add(uid)
      for (const { uid } of item.owners) if (this.#items.get(uid)?.foreground === true) check.add(uid)
    }
    if (item.orphaning && old?.orphaning !== true) orphan.add(item.uid)
    return { check, orphan }
  }

  /** An object is gone. */
  remove(uid: string): Work {
    const check = new Set<string>()
    for (const dependent of this.#dependents.get(uid) ?? []) check.add(dependent)
    const item = this.#items.get(uid)
    if (item !== undefined) {
      this.#items.delete(uid)
      for (const owner of item.owners) {
        this.#unlink(owner.uid, uid)
        if (this.#items.get(owner.uid)?.foreground === true) check.add(owner.uid)
      }
    }
    return { check, orphan: new Set() }
  }

  #link(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner)
    if (dependents === undefined) this.#dependents.set(owner, new Set([dependent]))
    else dependents.add(dependent)
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner)
    if (dependents?.delete(dependent) === true && dependents.size === 0) this.#dependents.delete(owner)
  }
}

export function sameResource(a: Resource, b: Resource): boolean {
  return a.group === b.group && a.resource === b.resource
}

export function itemOf(resource: Resource, { metadata }: KubeObject): Item {
  const deleting = metadata.deletionTimestamp !== undefined
  return {
    uid: metadata.uid!,
    resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name!,
    owners: metadata.ownerReferences ?? [],
    deleting,
    foreground: deleting && metadata.finalizers?.includes(FOREGROUND) === true,
    orphaning: deleting && metadata.finalizers?.includes(ORPHAN) === true,
  }
}

function sameOwners(a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      (one, i) => one.uid === b[i]!.uid && (one.blockOwnerDeletion === true) === (b[i]!.blockOwnerDeletion === true),
    )
  )
}
