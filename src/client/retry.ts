/** Changing an object that others change as well. */
import { setTimeout as delay } from 'node:timers/promises'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import type { Client, Resource, WriteQuery } from './contract.ts'

export interface RetryOptions {
  /** How often at most. @default 5 */
  readonly attempts?: number
  /** Waits some milliseconds. @default a timer */
  readonly sleep?: (milliseconds: number) => Promise<void>
  /** Numbers in [0, 1). @default Math.random */
  readonly random?: () => number
}

/**
 * Reads an object, changes it and writes it, again while somebody else was faster.
 *
 * @param change gives the new object (a copy of the changed path), or `undefined` when nothing is to do
 * @returns what was written, or what was read when nothing was to do
 * @throws StatusError, also Conflict after the last attempt
 */
export async function updateWithRetry<T extends KubeObject = KubeObject>(
  client: Pick<Client, 'get' | 'update'>,
  resource: Resource,
  name: string,
  query: WriteQuery,
  change: (object: T) => T | undefined,
  options: RetryOptions = {},
): Promise<T> {
  const { attempts = 5, sleep = (milliseconds) => delay(milliseconds), random = Math.random } = options
  const { namespace, signal } = query
  const where = { ...(namespace === undefined ? {} : { namespace }), ...(signal === undefined ? {} : { signal }) }
  for (let attempt = 1; ; attempt++) {
    const object = await client.get<T>(resource, name, where)
    const changed = change(object)
    if (changed === undefined) return object
    try {
      return await client.update<T>(resource, changed, query)
    } catch (error) {
      if (!isReason(error, 'Conflict') || attempt >= attempts) throw error
      await sleep(10 * 2 ** attempt * (0.5 + random()))
    }
  }
}
