/** Counts who uses what: which objects are referred to by at least one pod. */
export class Usage {
  readonly #byUser = new Map<string, ReadonlySet<string>>()
  readonly #count = new Map<string, number>()

  /** Sets what `user` uses now. Returns the things that became used or unused. */
  set(user: string, things: ReadonlySet<string>): string[] {
    const before = this.#byUser.get(user)
    const changed: string[] = []
    for (const thing of things) {
      if (before?.has(thing)) continue
      const count = (this.#count.get(thing) ?? 0) + 1
      this.#count.set(thing, count)
      if (count === 1) changed.push(thing)
    }
    for (const thing of before ?? []) {
      if (things.has(thing)) continue
      const count = this.#count.get(thing)! - 1
      if (count === 0) {
        this.#count.delete(thing)
        changed.push(thing)
      } else this.#count.set(thing, count)
    }
    if (things.size > 0) this.#byUser.set(user, things)
    else this.#byUser.delete(user)
    return changed
  }

  has(thing: string): boolean {
    return this.#count.has(thing)
  }
}
