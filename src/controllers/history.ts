/** ControllerRevisions: the templates that a set has had, for roll-outs and roll-backs. */
import type { Client, Informer, Resource } from '../client/contract.ts'
import type { KubeObject } from '../machinery/object.ts'
import { labelSelectorOf } from '../machinery/selector/labels.ts'
import { isReason } from '../machinery/status.ts'
import { claim } from './claim.ts'
import { podTemplateHash } from './deployment/hash.ts'
import { controllerOf, controllerReference, keyOf, sameValue } from './meta.ts'
import type { LabelSelectorObject, PodTemplate } from './objects.ts'
import { workloads } from './resources.ts'

/** The label of revisions, and of pods made from one. */
export const REVISION_HASH = 'controller-revision-hash'
const BY_OWNER = 'controller'
const ORPHANS = 'orphans'

export interface Revision extends KubeObject {
  /** A strategic merge patch: the template is to be replaced as a whole. */
  data: { spec: { template: PodTemplate & { $patch?: string } } }
  revision: number
}

/** A set that keeps revisions of its template. */
export interface Revisioned extends KubeObject {
  spec: { selector: LabelSelectorObject; template: PodTemplate }
}

export interface Ensured {
  readonly revision: Revision
  readonly collisionCount: number
}

export class RevisionHistory {
  readonly #client: Client
  readonly #owners: Resource
  readonly #apiVersion: string
  readonly #revisions: Informer<Revision>

  constructor(client: Client, owners: Resource) {
    this.#client = client
    this.#owners = owners
    this.#apiVersion = `${owners.group}/${owners.version}`
    this.#revisions = client.informer<Revision>(workloads.controllerrevisions)
  }

  /** To be called once. `changed` hears the keys of owners whose revisions change. */
  start(changed: (key: string) => void): void {
    this.#revisions.addIndex(BY_OWNER, (revision) => {
      const owner = controllerOf(revision)
      return owner === undefined ? [] : [owner.uid]
    })
    this.#revisions.addIndex(ORPHANS, (revision) =>
      controllerOf(revision) === undefined ? [revision.metadata.namespace!] : [],
    )
    this.#revisions.onEvent(({ object }) => {
      const owner = controllerOf(object)
      if (owner?.kind === this.#owners.kind) changed(`${object.metadata.namespace!}/${owner.name}`)
    })
  }

  /** The set's revisions, oldest first; orphans that fit are adopted. */
  async list(owner: Revisioned): Promise<Revision[]> {
    if (!this.#revisions.synced) await this.#revisions.ready()
    const claimed = await claim(
      {
        client: this.#client,
        owner,
        ownerResource: this.#owners,
        selector: labelSelectorOf(owner.spec.selector),
        reference: controllerReference(this.#apiVersion, this.#owners.kind, owner),
        resource: workloads.controllerrevisions,
      },
      [
        ...this.#revisions.byIndex(BY_OWNER, owner.metadata.uid!),
        ...this.#revisions.byIndex(ORPHANS, owner.metadata.namespace!),
      ],
    )
    return claimed.toSorted(byRevision)
  }

  /**
   * The revision of the set's template: the one that there is, with the highest number, or a new one. A template that
   * the set has had before gets its old revision back, which is how a roll-back is known.
   */
  async ensure(owner: Revisioned, revisions: readonly Revision[], collisionCount: number): Promise<Ensured> {
    const last = revisions.at(-1)
    const same = revisions.findLast((revision) => sameValue(templateOf(revision), owner.spec.template))
    if (same !== undefined) {
      if (same === last) return { revision: same, collisionCount }
      const again = { ...same, revision: last!.revision + 1 }
      const namespace = owner.metadata.namespace!
      const revision = await this.#client.update<Revision>(workloads.controllerrevisions, again, { namespace })
      return { revision, collisionCount }
    }
    return this.#create(owner, (last?.revision ?? 0) + 1, collisionCount)
  }

  async remove(revision: Revision): Promise<void> {
    const { name, namespace } = revision.metadata
    try {
      await this.#client.delete(workloads.controllerrevisions, name!, { namespace: namespace! })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  async #create(owner: Revisioned, number: number, collisions: number): Promise<Ensured> {
    const { namespace, name, annotations } = owner.metadata
    for (let count = collisions; ; count++) {
      const hash = podTemplateHash(owner.spec.template, count)
      const revision: Revision = {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name: `${name!.slice(0, 223)}-${hash}`,
          namespace: namespace!,
          labels: { ...owner.spec.template.metadata?.labels, [REVISION_HASH]: hash },
          ...(annotations === undefined ? {} : { annotations }),
          ownerReferences: [controllerReference(this.#apiVersion, this.#owners.kind, owner)],
        },
        data: { spec: { template: sorted({ ...owner.spec.template, $patch: 'replace' as const }) } },
        revision: number,
      }
      try {
        const where = { namespace: namespace! }
        const made = await this.#client.create<Revision>(workloads.controllerrevisions, revision, where)
        return { revision: made, collisionCount: count }
      } catch (error) {
        if (!isReason(error, 'AlreadyExists')) throw error
        const existing = await this.#find(keyOf(revision))
        const own = existing !== undefined && controllerOf(existing)?.uid === owner.metadata.uid
        if (own && sameValue(templateOf(existing), owner.spec.template)) {
          return { revision: existing, collisionCount: count }
        }
      }
    }
  }

  async #find(key: string): Promise<Revision | undefined> {
    const [namespace, name] = key.split('/')
    try {
      return await this.#client.get<Revision>(workloads.controllerrevisions, name!, { namespace: namespace! })
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }
}

/** With the keys of all objects in order: clients compare revisions byte by byte with what upstream would write. */
function sorted<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted) as T
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([key, field]) => [key, sorted(field)])) as T
}

/** The template that a revision keeps. */
export function templateOf(revision: Revision): PodTemplate {
  const { $patch: _, ...template } = revision.data.spec.template
  return template
}

/** Revisions beyond the limit, oldest first; those that are in use do not count. */
export function expendable(revisions: readonly Revision[], inUse: ReadonlySet<string>, limit: number): Revision[] {
  const idle = revisions.filter(({ metadata }) => !inUse.has(metadata.name!))
  return idle.slice(0, Math.max(0, idle.length - limit))
}

function byRevision(a: Revision, b: Revision): number {
  if (a.revision !== b.revision) return a.revision - b.revision
  const [one, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (one !== other) return one < other ? -1 : 1
  return a.metadata.name! < b.metadata.name! ? -1 : 1
}
