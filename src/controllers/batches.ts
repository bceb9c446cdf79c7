/** Doing many like things at once without storming a server that refuses them. */

export interface BatchResult {
  readonly done: number
  readonly failed: number
  /** The first failure, which ended it. */
  readonly error?: unknown
}

/**
 * Runs `act` `count` times: first once, then in batches that double as long as all goes well, at most `largest` at
 * once. What is left after a failing batch is not tried.
 */
export async function slowStart(count: number, act: () => Promise<void>, largest = 128): Promise<BatchResult> {
  let done = 0
  for (let size = 1; done < count; size = Math.min(size * 2, largest)) {
    const batch = Math.min(size, count - done)
    const results = await Promise.allSettled(Array.from({ length: batch }, act))
    const failed = results.filter((result) => result.status === 'rejected')
    done += batch - failed.length
    if (failed.length > 0) return { done, failed: failed.length, error: failed[0]!.reason }
  }
  return { done, failed: 0 }
}

/** Runs `act` for each item, at most `width` at once; all are tried. The first failure is thrown at the end. */
export async function forEachLimited<T>(
  items: readonly T[],
  act: (item: T) => Promise<void>,
  width = 32,
): Promise<void> {
  let next = 0
  let failure: { error: unknown } | undefined
  const run = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++]!
      try {
        await act(item)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, run))
  if (failure !== undefined) throw failure.error
}
