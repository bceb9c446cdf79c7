/**
 * Work in steps: a generator that yields where others may have their turn. Pure work knows nothing of clocks; whoever
 * drives it decides when to pause.
 */
export type Steps<T> = Generator<undefined, T, undefined>

/** All steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
