/** Times what is done again and again: all that waits, and of the rest what is asked to be. */
import type { Distribution } from '../metrics/family.ts'

export class Timer {
  readonly #cell: (rejected: boolean) => Distribution
  #passed: Distribution | undefined
  #rejected: Distribution | undefined
  /** What passed before anything was measured: a cluster at rest has numbers and no distributions. */
  #early = 0

  /** @param cell asked once for each outcome, when there is something to keep */
  constructor(cell: (rejected: boolean) => Distribution) {
    this.#cell = cell
  }

  /** When the work begins; undefined: it is not measured. */
  begin(measured: boolean): number | undefined {
    return measured ? performance.now() : undefined
  }

  passed(from: number | undefined): void {
    if (from !== undefined) this.#settled().observe((performance.now() - from) / 1000)
    else if (this.#passed === undefined) this.#early++
    else this.#passed.repeat()
  }

  /** The work threw. */
  rejected(from: number | undefined): void {
    this.#rejected ??= this.#cell(true)
    if (from === undefined) this.#rejected.repeat()
    else this.#rejected.observe((performance.now() - from) / 1000)
  }

  /** The work waits for something: counts it at its end. */
  async waits(waiting: Promise<void>, from = performance.now()): Promise<void> {
    try {
      await waiting
    } catch (error) {
      this.rejected(from)
      throw error
    }
    this.passed(from)
  }

  /** Shows what was counted. */
  show(): void {
    if (this.#early > 0) this.#settled()
  }

  #settled(): Distribution {
    this.#passed ??= this.#cell(false)
    if (this.#early > 0) this.#passed.observe(0, this.#early)
    this.#early = 0
    return this.#passed
  }
}
