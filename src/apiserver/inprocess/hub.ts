/** One subscription to a resource's prefix for all informers of a client. */
import type { Range, StoreEvent } from '../../store/contract.ts'

export class Hub {
  readonly #range: Range
  readonly #prefix: string
  readonly #listeners = new Set<(event: StoreEvent) => void>()
  #stop: (() => void) | undefined

  constructor(range: Range, prefix: string) {
    this.#range = range
    this.#prefix = prefix
  }

  /** Calls `listener` with every event from now on. The subscription exists only while somebody listens. */
  add(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener)
    this.#stop ??= this.#range.watch(this.#prefix, this.#range.revision, (event) => {
      for (const each of Array.from(this.#listeners)) if (this.#listeners.has(each)) each(event)
    })
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#stop?.()
      this.#stop = undefined
    }
  }

  close(): void {
    this.#listeners.clear()
    this.#stop?.()
    this.#stop = undefined
  }
}
