/** Work on a tenant's expressions: in the caller's turn while it is quick, in slices with others in between when it is not. */
import { setImmediate } from 'node:timers/promises'
import { errors } from '../../../machinery/status.ts'
import type { Call } from '../../contract.ts'

/** Milliseconds of one turn. A single expression is bounded by its cost. */
const SLICE = 1
/** Milliseconds of work that one request may ask for, whatever its deadline is. */
const LIMIT = 10_000

/** Where work may be interrupted; a promise: where it has to wait. What rejects ends it. */
export type Pause = void | Promise<void>

/** Waits inside of work. */
export function* awaited<T>(wait: Promise<T>): Generator<Pause, T> {
  let value: T | undefined
  yield wait.then((given) => {
    value = given
  })
  return value as T
}

/**
 * Runs `work` to its end; it yields where it may be interrupted.
 * @throws StatusError 504 when it takes too long, or nobody waits for it any more
 */
export function inSlices<T>(work: Generator<Pause, T>, call: Call): T | Promise<T> {
  const start = performance.now()
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    const spent = performance.now() - start
    if (step.value instanceof Promise) return rest(work, call, spent, step.value)
    if (spent > SLICE) return rest(work, call, spent)
  }
}

async function rest<T>(
  work: Generator<Pause, T>,
  { seat, signal, deadline }: Call,
  before: number,
  first?: Promise<void>,
): Promise<T> {
  let spent = before
  let wait = first
  for (;;) {
    await (wait ?? seat?.turn() ?? setImmediate())
    wait = undefined
    signal?.throwIfAborted()
    const start = performance.now()
    if (spent > LIMIT || (deadline !== undefined && start > deadline)) {
      throw errors.timeout('request did not complete within requested timeout - context deadline exceeded')
    }
    for (;;) {
      const step = work.next()
      if (step.done === true) return step.value
      const slice = performance.now() - start
      if (step.value instanceof Promise) wait = step.value
      else if (slice <= SLICE) continue
      spent += slice
      break
    }
  }
}
