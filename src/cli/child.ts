/** A `cluster` that a manager started: its leash, and logs asked over the channel. */
import type { LogSource } from '../cluster/logs.ts'
import { errors, StatusError } from '../machinery/status.ts'
import type { LogAnswer } from '../manager/engines/dedicated.ts'

/** Ends this process when the manager's does. */
export function followParent(stop: () => void): void {
  process.once('disconnect', stop)
}

/** Lets go of the channel, so that the process can end by itself. */
export function letGo(): void {
  if (process.connected) process.disconnect?.()
}

/** Asks the manager, which knows the host. */
export function parentLogs(): LogSource {
  let last = 0
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  process.on('message', (message) => {
    const { id, text, status } = message as LogAnswer
    const waiter = waiting.get(id)
    waiting.delete(id)
    if (text !== undefined) waiter?.resolve(text)
    else waiter?.reject(status === undefined ? errors.internal('the log could not be read') : new StatusError(status))
  })
  return (pod, query) => {
    if (process.send === undefined || !process.connected)
      throw errors.serviceUnavailable('the manager is not connected')
    const waiter = Promise.withResolvers<string>()
    const id = ++last
    waiting.set(id, waiter)
    process.send({ id, pod: { metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace } }, query })
    return waiter.promise
  }
}
