/**
 * How many calls are under way, pure. Every cluster has a few lanes of its own, which nobody else can take; more come
 * from what all share, up to a bound for each. So one cluster whose calls all hang uses up its own share alone.
 */

export interface LaneOptions {
  /** Calls of a cluster that are always let in. @default 4 */
  readonly own?: number
  /** Calls of a cluster at a time, with its own. @default 64 */
  readonly each?: number
  /** Calls beyond the own ones, of all clusters together. @default 1024 */
  readonly shared?: number
  /** Calls of a cluster that may wait. @default 256 */
  readonly queue?: number
}

interface Cluster {
  running: number
  /** Those that wait, by time of arrival. */
  readonly waiting: Set<() => void>
}

/** Ends a call's use of its lane, or its waiting. Calling it again does nothing. */
export type Leave = () => void

export class Lanes {
  readonly #own: number
  readonly #each: number
  readonly #shared: number
  readonly #queue: number
  /** Only clusters with calls. */
  readonly #clusters = new Map<string, Cluster>()
  #taken = 0

  constructor({ own = 4, each = 64, shared = 1024, queue = 256 }: LaneOptions = {}) {
    this.#own = own
    this.#each = each
    this.#shared = shared
    this.#queue = queue
  }

  /** Calls under way and waiting, of all clusters. */
  get load(): { readonly running: number; readonly waiting: number } {
    let running = 0
    let waiting = 0
    for (const cluster of this.#clusters.values()) {
      running += cluster.running
      waiting += cluster.waiting.size
    }
    return { running, waiting }
  }

  /**
   * Calls `start` at once, or when there is room; undefined: too many of this cluster wait already. The answer ends it.
   */
  enter(id: string, start: () => void): Leave | undefined {
    let cluster = this.#clusters.get(id)
    if (cluster === undefined) this.#clusters.set(id, (cluster = { running: 0, waiting: new Set() }))
    let state: 'waiting' | 'running' | 'over' = 'waiting'
    const begin = () => {
      state = 'running'
      start()
    }
    if (this.#fits(cluster)) {
      this.#take(cluster)
      begin()
    } else {
      if (cluster.waiting.size >= this.#queue) return undefined
      cluster.waiting.add(begin)
    }
    return () => {
      if (state === 'over') return
      if (state === 'waiting') cluster.waiting.delete(begin)
      else this.#give(cluster)
      state = 'over'
      if (cluster.running === 0 && cluster.waiting.size === 0) this.#clusters.delete(id)
    }
  }

  #fits({ running }: Cluster): boolean {
    return running < this.#own || (running < this.#each && this.#taken < this.#shared)
  }

  #take(cluster: Cluster): void {
    if (cluster.running++ >= this.#own) this.#taken++
  }

  #give(cluster: Cluster): void {
    const shared = --cluster.running >= this.#own
    if (shared) this.#taken--
    if (!shared) return this.#next(cluster)
    // What becomes free of the shared ones goes to the one with the fewest calls.
    let best: Cluster | undefined
    for (const other of this.#clusters.values()) {
      if (other.waiting.size > 0 && this.#fits(other) && other.running < (best?.running ?? Infinity)) best = other
    }
    if (best !== undefined) this.#next(best)
  }

  #next(cluster: Cluster): void {
    const [begin] = cluster.waiting
    if (begin === undefined || !this.#fits(cluster)) return
    cluster.waiting.delete(begin)
    this.#take(cluster)
    begin()
  }
}
