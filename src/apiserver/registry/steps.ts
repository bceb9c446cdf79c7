/** Drives work in steps without keeping others waiting. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Steps } from '../../machinery/schema/index.ts'
import type { Seat } from '../contract.ts'

/** Milliseconds of one turn. */
const TURN = 8
/** Milliseconds of work that is done at once. */
const SHORT = 2

/**
 * The result at once when the work is short, else a promise: others have their turn in between. With a seat the pieces
 * are the tenant's: however many requests it has under way, one of them goes on at a time.
 */
export function drive<T>(steps: Steps<T>, seat?: Pick<Seat, 'turn'>): T | Promise<T> {
  const end = performance.now() + SHORT
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() > end) return seat === undefined ? goOn(steps) : driveFor(seat, steps)
  }
}

/** Milliseconds of a piece of work in a tenant's turn. */
const PIECE = 0.4

/** As {@link drive}, of a tenant's work: in its turns. */
export async function driveFor<T>(seat: Pick<Seat, 'turn'> | undefined, steps: Steps<T>): Promise<T> {
  if (seat === undefined) return drive(steps)
  for (;;) {
    const end = performance.now() + PIECE
    do {
      const step = steps.next()
      if (step.done === true) return step.value
    } while (performance.now() < end)
    const turn = seat.turn()
    if (turn !== undefined) await turn
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
