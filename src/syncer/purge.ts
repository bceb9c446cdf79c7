/** Takes what a virtual cluster has on the host away. */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Host } from './host.ts'
import { labels } from './identity.ts'
import { descriptors, KINDS } from './kinds.ts'

/** Milliseconds between looks at what is left of a cluster that is being purged. */
const LOOK = 2000
const ALL = ['Namespace', ...KINDS] as const

export class Purges {
  readonly #host: Host
  /** Called when something of a cluster has gone from the host. */
  readonly #waiting = new Map<string, () => void>()

  constructor(host: Host) {
    this.#host = host
  }

  /** Deletes everything of a cluster from the host and waits until it is gone. */
  async purge(uid: string, signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      // What was being made when the cluster was removed comes into being yet.
      await this.#host.settled(uid)
      // Most virtual clusters never had a pod here.
      if (!this.#host.wrote(uid) && this.#unseen(uid)) return
      // The host itself is asked, because caches may be behind what this process wrote.
      let left = 0
      const inOwnNamespace = new Set<string>()
      for (const kind of ALL) {
        const resource = kind === 'Namespace' ? resources.namespaces : descriptors[kind].resource
        const objects = await this.#host.left(resource, uid)
        left += objects.length
        if (kind === 'Namespace') for (const { metadata } of objects) inOwnNamespace.add(metadata.name!)
        const doomed = objects.filter(
          (o) => !inOwnNamespace.has(o.metadata.namespace ?? '') && o.metadata.deletionTimestamp === undefined,
        )
        await Promise.all(doomed.map((object) => this.#host.delete(resource, object)))
      }
      if (left === 0) return this.#host.forget(uid)
      await this.#gone(uid, signal)
    }
  }

  /** An object has gone from the host. */
  gone(object: KubeObject): void {
    this.#waiting.get(object.metadata.labels?.[labels.cluster] ?? '')?.()
  }

  /** Resolves when the caches show nothing of a cluster, or after a while in which they may have missed something. */
  async #gone(uid: string, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = (): void => {
      if (this.#unseen(uid)) resolve()
    }
    const timer = setTimeout(resolve, LOOK)
    const aborted = (): void => resolve()
    signal?.addEventListener('abort', aborted)
    this.#waiting.set(uid, check)
    try {
      check()
      await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      this.#waiting.delete(uid)
    }
  }

  /** Whether the caches show nothing of a cluster. */
  #unseen(uid: string): boolean {
    return ALL.every((kind) => this.#host.ofTenant(kind, uid).length === 0)
  }
}
