/** How much of what is sent and of answers is held in memory, pure: as {@link Lanes} for calls, so for bytes. */

export interface MeterOptions {
  /** Bytes that every cluster may always hold. @default 8 MiB */
  readonly own?: number
  /** Bytes of one cluster at most. @default 64 MiB */
  readonly each?: number
  /** Bytes beyond the own ones, of all clusters together. @default 256 MiB */
  readonly shared?: number
}

const MI = 1024 * 1024

export class Meter {
  readonly #own: number
  readonly #each: number
  readonly #shared: number
  readonly #held = new Map<string, number>()
  #taken = 0

  constructor({ own = 8 * MI, each = 64 * MI, shared = 256 * MI }: MeterOptions = {}) {
    this.#own = own
    this.#each = each
    this.#shared = shared
  }

  /** Whether a cluster may hold so much more; then it is counted. */
  take(id: string, bytes: number): boolean {
    const held = this.#held.get(id) ?? 0
    const more = this.#beyond(held + bytes) - this.#beyond(held)
    if (held + bytes > this.#each || this.#taken + more > this.#shared) return false
    this.#taken += more
    this.#held.set(id, held + bytes)
    return true
  }

  give(id: string, bytes: number): void {
    const held = this.#held.get(id) ?? 0
    const left = held - bytes
    this.#taken -= this.#beyond(held) - this.#beyond(left)
    if (left > 0) this.#held.set(id, left)
    else this.#held.delete(id)
  }

  #beyond(held: number): number {
    return Math.max(0, held - this.#own)
  }
}
