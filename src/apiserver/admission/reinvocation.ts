/**
 * The second run of the mutating pass. Policies and webhooks change objects in ways that built-in plug-ins and each
 * other have not seen yet: when one of them has, the pass is run once more, and they say for themselves who of them
 * wants to be asked again.
 */
export class Reinvocation {
  /** Somebody from outside has changed the object in the first run. */
  wanted = false
  /** This is the second run. */
  again = false
  readonly #memories = new Map<string, unknown>()

  /** What a plug-in keeps from the first run to the second. */
  memory<T>(plugin: string, make: () => T): T {
    let memory = this.#memories.get(plugin) as T | undefined
    if (memory === undefined) this.#memories.set(plugin, (memory = make()))
    return memory
  }
}

/** Which of a plug-in's outside callees are asked in the second run: those before whose turn the object changed. */
export class Repeats {
  readonly #invoked = new Set<string>()
  readonly #due = new Set<string>()

  /** One that wants to be asked again when the object changes after it. */
  invoked(key: string): void {
    this.#invoked.add(key)
  }

  /** The object has been changed: those invoked so far are to be asked again. */
  changed(): void {
    for (const key of this.#invoked) this.#due.add(key)
    this.#invoked.clear()
  }

  isDue(key: string): boolean {
    return this.#due.has(key)
  }
}
