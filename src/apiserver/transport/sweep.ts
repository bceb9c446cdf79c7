/**
 * One coarse timer for all connections of the process. Time-outs of the edge are seconds to minutes; a timer for each
 * connection would cost more than they are worth. It runs only while there is a connection.
 */

/** Something with time-outs. `now` is monotonic, in milliseconds. */
export interface Swept {
  sweep(now: number): void
}

/** Milliseconds between sweeps: how late a time-out may come. */
export const SWEEP_EVERY = 2_000

const all = new Set<Swept>()
let timer: NodeJS.Timeout | undefined

/** Calls `sweep` from now on until the returned function is called. */
export function keepSwept(swept: Swept): () => void {
  all.add(swept)
  timer ??= setInterval(sweepAll, SWEEP_EVERY).unref()
  return () => {
    all.delete(swept)
    if (all.size > 0 || timer === undefined) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Monotonic milliseconds. */
export function monotonic(): number {
  return performance.now()
}

function sweepAll(): void {
  const now = monotonic()
  for (const swept of all) swept.sweep(now)
}
