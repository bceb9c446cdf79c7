/** Drives work in steps without keeping others waiting. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Steps } from '../../machinery/schema/index.ts'

/** Milliseconds of one turn. */
const TURN = 8

/** The result at once when the work is short, else a promise: others have their turn in between. */
export function drive<T>(steps: Steps<T>): T | Promise<T> {
  const end = performance.now() + TURN
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() > end) return goOn(steps)
  }
}

async function goOn<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    await nextTurn()
    const end = performance.now() + TURN
    while (performance.now() < end) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
  }
}
