/**
 * The fair work queue under controllers, syncer and manager: contract. Implementations: `fair-queue.ts`.
 *
 * A key belongs to a flow (a tenant). Guarantees:
 *  1. A key waits at most once: adding a waiting key does nothing (except moving a delayed one forward).
 *  2. A key is worked on by at most one worker; added meanwhile, it is handed out again after `done`.
 *  3. Fair: flows with work take turns by deficit round robin according to their weights; a flow without
 *     work costs nothing. The order inside a flow is first in, first out.
 *  4. Failures back off per key (`retry`), and one flow's retries take at most its own retry budget.
 *  5. One timer for all delayed keys of the queue, and none while there are none.
 */
export interface FairQueue<K> {
  /** Adds at once. */
  add(flow: string, key: string, item: K): void
  /** Adds after a delay in milliseconds; an earlier due time wins. */
  addAfter(flow: string, key: string, item: K, delay: number): void
  /** Adds after this key's back-off: 5 ms, doubled for each failure since `forget`, at most 30 s. */
  retry(flow: string, key: string, item: K): void
  /** Resets the back-off of a key. */
  forget(flow: string, key: string): void
  /** The next item to work on, in fair order; `undefined` after `close`. */
  take(signal?: AbortSignal): Promise<Taken<K> | undefined>
  /** Sets a flow's weight (share of turns). @default 1 */
  setWeight(flow: string, weight: number): void
  /** Forgets a flow with everything that waits in it. */
  removeFlow(flow: string): void
  /** Items waiting, of one flow or all. */
  length(flow?: string): number
  /** Ends: `take` gives `undefined` at once. */
  close(): void
}

export interface Taken<K> {
  readonly flow: string
  readonly key: string
  readonly item: K
  /** Milliseconds between becoming due and being handed out. */
  readonly waited: number
  /** Must be called once when the work is over. */
  done(): void
}
