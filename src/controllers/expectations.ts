/**
 * What a controller has written and its informer has not shown yet. As long as something is awaited, the controller
 * does not act on counts taken from the cache, so that a slow cache leads to no duplicates.
 */

/** What a lost event may cost, in milliseconds: after this, nothing is awaited any more. */
const TIMEOUT = 5 * 60_000

interface Awaited {
  creations: number
  deletions: Set<string>
  since: number
}

export class Expectations {
  readonly #now: () => number
  readonly #awaited = new Map<string, Awaited>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Before creating: so many additions will be seen. */
  expectCreations(key: string, count: number): void {
    if (count === 0) return
    const awaited = this.#of(key)
    awaited.creations += count
    awaited.since = this.#now()
  }

  /** Before deleting: these objects will be seen as being deleted, or gone. */
  expectDeletions(key: string, uids: readonly string[]): void {
    if (uids.length === 0) return
    const awaited = this.#of(key)
    for (const uid of uids) awaited.deletions.add(uid)
    awaited.since = this.#now()
  }

  /** An addition was seen, or will never be because the write failed. */
  creationObserved(key: string): void {
    const awaited = this.#awaited.get(key)
    if (awaited === undefined) return
    if (awaited.creations > 0) awaited.creations--
    this.#tidy(key, awaited)
  }

  /** A deletion was seen, or will never be. */
  deletionObserved(key: string, uid: string): void {
    const awaited = this.#awaited.get(key)
    if (awaited === undefined) return
    awaited.deletions.delete(uid)
    this.#tidy(key, awaited)
  }

  /** Whether the cache shows all that was written. */
  satisfied(key: string): boolean {
    return this.waitsFor(key) === 0
  }

  /** Milliseconds until what is awaited is given up; 0 when nothing is awaited. */
  waitsFor(key: string): number {
    const awaited = this.#awaited.get(key)
    if (awaited === undefined) return 0
    const left = awaited.since + TIMEOUT - this.#now()
    if (left > 0) return left
    this.#awaited.delete(key)
    return 0
  }

  /** The owner is gone. */
  forget(key: string): void {
    this.#awaited.delete(key)
  }

  #of(key: string): Awaited {
    let awaited = this.#awaited.get(key)
    if (awaited === undefined) {
      awaited = { creations: 0, deletions: new Set(), since: this.#now() }
      this.#awaited.set(key, awaited)
    }
    return awaited
  }

  #tidy(key: string, awaited: Awaited): void {
    if (awaited.creations === 0 && awaited.deletions.size === 0) this.#awaited.delete(key)
  }
}
