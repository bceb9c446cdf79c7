/** Times what is done again and again: all that waits, and of the rest what is asked to be. */
import type { Distribution } from '../metrics/family.ts'

export class Timer {
  readonly #cell: (rejected: boolean) => Distribution
  #passed: Distribution | undefined
  #rejected: Distribution | undefined

  /** @param cell asked once for each outcome, when it first happens */
  constructor(cell: (rejected: boolean) => Distribution) {
    this.#cell = cell
  }

  /** When the work begins; undefined: it is not measured. The first is: others count as it. */
  begin(measured: boolean): number | undefined {
    return measured || this.#passed === undefined ? performance.now() : undefined
  }

  passed(from: number | undefined): void {
    this.#passed ??= this.#cell(false)
    if (from === undefined) this.#passed.repeat()
    else this.#passed.observe((performance.now() - from) / 1000)
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
}
