/** The time of a request that waits for webhooks. */
import type { Call } from '../../contract.ts'

export const TIMED_OUT = 'Timeout: request did not complete within requested timeout'

/** Whether its time is over: nobody waits for what webhooks would still say. */
export function isOver({ deadline, signal }: Call): boolean {
  return signal?.aborted === true || (deadline !== undefined && deadline <= performance.now())
}
