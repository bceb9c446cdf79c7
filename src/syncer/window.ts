import type { KubeObject } from '../machinery/object.ts'

/**
 * How many of a tenant's new pods the host has to look at in one moment. The host's scheduler serves first come, first
 * served: pods of a tenant that makes thousands wait here, where only that tenant waits, and not there, where all do.
 *
 * Invariants: a key is open or parked, never both; `open` holds at most `limit` keys; while a key is parked, `open` is full
 * or about to be filled by the key that `leave` gave out.
 */
export class Window {
  readonly #limit: number
  readonly #open = new Set<string>()
  /** In the order in which they came. */
  readonly #parked = new Set<string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether the key may go to the host now; if not, it is parked. */
  enter(key: string): boolean {
    if (this.#open.has(key)) return true
    if (this.#open.size >= this.#limit) {
      this.#parked.add(key)
      return false
    }
    this.#parked.delete(key)
    this.#open.add(key)
    return true
  }

  /** The host has looked at the key, or the key is gone. Returns a parked key that may try again. */
  leave(key: string): string | undefined {
    this.#parked.delete(key)
    if (!this.#open.delete(key)) return undefined
    for (const next of this.#parked) {
      this.#parked.delete(next)
      return next
    }
    return undefined
  }

  /** Keys that the host has not looked at yet. */
  get open(): readonly string[] {
    return [...this.#open]
  }

  get parked(): number {
    return this.#parked.size
  }
}

/** Whether the host's scheduler has had its turn with a pod, or will not before its gates are open. */
export function lookedAt(pod: KubeObject): boolean {
  const scheduled = (pod['status']?.conditions ?? []).some((c: { type: string }) => c.type === 'PodScheduled')
  return scheduled || pod['spec'].nodeName !== undefined || (pod['spec'].schedulingGates ?? []).length > 0
}
