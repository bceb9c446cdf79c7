/**
 * Chooses what is measured. Reading the clock is dearer than much of what is timed, so that of many alike one in sixteen
 * is; the others count as the last one that was ({@link Distribution.repeat}).
 */
export class Sampler {
  #count = 0

  /** Whether this one is to be measured: every sixteenth. */
  isDue(): boolean {
    return (++this.#count & 15) === 0
  }
}
