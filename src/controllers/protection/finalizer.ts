/** Puts a finalizer on objects and takes it off again. */
import type { Client, Resource } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'

/** A finalizer that keeps objects of a resource while they are in use. */
export class Protection {
  readonly #client: Client
  readonly #resource: Resource
  readonly #finalizer: string

  constructor(client: Client, resource: Resource, finalizer: string) {
    this.#client = client
    this.#resource = resource
    this.#finalizer = finalizer
  }

  /** An object that is to go, or one from before the time of the finalizer. */
  needsWork(object: KubeObject): boolean {
    return object.metadata.deletionTimestamp !== undefined || !this.#has(object)
  }

  /** Keeps the object, or lets it go when it is to go and nothing uses it. */
  async settle(object: KubeObject, isUsed: () => boolean): Promise<void> {
    const { deletionTimestamp, finalizers = [] } = object.metadata
    if (deletionTimestamp === undefined) {
      if (!this.#has(object)) await this.#write(object, [...finalizers, this.#finalizer])
    } else if (this.#has(object) && !isUsed()) {
      const kept = finalizers.filter((one) => one !== this.#finalizer)
      await this.#write(object, kept)
    }
  }

  #has({ metadata }: KubeObject): boolean {
    return metadata.finalizers?.includes(this.#finalizer) === true
  }

  async #write(object: KubeObject, finalizers: string[]): Promise<void> {
    const { namespace = '' } = object.metadata
    const changed = { ...object, metadata: { ...object.metadata, finalizers } }
    try {
      await this.#client.update(this.#resource, changed, { namespace })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
}
