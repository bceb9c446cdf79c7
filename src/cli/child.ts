/** A `cluster` that a manager started: its leash, and what it asks over the channel of who knows the host. */
import type { Address, ServiceResolver } from '../apiserver/dial/contract.ts'
import type { LogSource } from '../apiserver/connect/logs.ts'
import { errors, StatusError } from '../machinery/status.ts'
import type { LogAnswer, LogRequest, ServiceAnswer, ServiceRequest } from '../manager/engines/dedicated.ts'

/** Ends this process when the manager's does. */
export function followParent(stop: () => void): void {
  process.once('disconnect', stop)
}

/** Lets go of the channel, so that the process can end by itself. */
export function letGo(): void {
  if (process.connected) process.disconnect?.()
}

/** Questions over the channel, and their answers. */
class Channel {
  #last = 0
  readonly #waiting = new Map<number, (answer: LogAnswer & ServiceAnswer) => void>()

  constructor() {
    process.on('message', (message) => {
      const answer = message as LogAnswer & ServiceAnswer
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  ask(question: Omit<LogRequest, 'id'> | Omit<ServiceRequest, 'id'>): Promise<LogAnswer & ServiceAnswer> {
    if (process.send === undefined || !process.connected) {
      throw errors.serviceUnavailable('the manager is not connected')
    }
    const id = ++this.#last
    const answered = new Promise<LogAnswer & ServiceAnswer>((resolve) => this.#waiting.set(id, resolve))
    process.send({ id, ...question })
    return answered
  }
}

/** Logs of pods, and where Services answer. */
export function parent(): { readonly logs: LogSource; readonly services: ServiceResolver } {
  const channel = new Channel()
  return {
    logs: async (pod, query) => {
      const { name, namespace } = pod.metadata
      const metadata = { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) }
      const { text, status } = await channel.ask({ pod: { metadata }, query })
      if (text !== undefined) return text
      throw status === undefined ? errors.internal('the log could not be read') : new StatusError(status)
    },
    services: {
      async resolve(namespace, name, port): Promise<Address> {
        const { address, error } = await channel.ask({ service: { namespace, name, port } })
        if (address !== undefined) return address
        throw new Error(error ?? `service ${JSON.stringify(name)} not found`)
      },
    },
  }
}
