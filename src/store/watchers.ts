import type { StoreEvent } from './contract.ts'
import { bucketOf } from './key.ts'

interface Watcher {
  readonly prefix: string
  /** Events up to this revision are known to the listener already. */
  readonly after: number
  readonly listener: (event: StoreEvent) => void
}

/** The watchers of a range by bucket, so that an event meets only those of its own bucket and those of everything. */
export class Watchers {
  #buckets: Map<string, Set<Watcher>> | undefined
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /**
   * Replays `past` and listens from then on.
   * @throws TypeError for a prefix that is neither '' nor reaches behind the resource
   */
  add(prefix: string, after: number, past: readonly StoreEvent[], listener: (event: StoreEvent) => void): () => void {
    const bucket = prefix === '' ? '' : bucketOf(prefix)
    if (bucket === undefined) throw new TypeError(`watched prefix ${JSON.stringify(prefix)} has no group and resource`)
    const watcher: Watcher = { prefix, after: Math.max(after, past.at(-1)?.revision ?? 0), listener }
    const buckets = (this.#buckets ??= new Map())
    const set = buckets.get(bucket) ?? new Set()
    buckets.set(bucket, set.add(watcher))
    for (const event of past) {
      if (event.revision > after && event.entry.key.startsWith(prefix)) this.#deliver(watcher, event)
    }
    return () => {
      set.delete(watcher)
      if (set.size === 0 && buckets.get(bucket) === set) buckets.delete(bucket)
    }
  }

  notify(event: StoreEvent): void {
    if (this.#buckets === undefined || this.#buckets.size === 0) return
    this.#notifyBucket(bucketOf(event.entry.key)!, event)
    this.#notifyBucket('', event)
  }

  #notifyBucket(bucket: string, event: StoreEvent): void {
    const set = this.#buckets?.get(bucket)
    if (set === undefined) return
    for (const watcher of set) {
      if (event.revision > watcher.after && event.entry.key.startsWith(watcher.prefix)) this.#deliver(watcher, event)
    }
  }

  #deliver(watcher: Watcher, event: StoreEvent): void {
    try {
      watcher.listener(event)
    } catch (error) {
      this.#onError(error)
    }
  }
}
