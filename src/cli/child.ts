/** A `cluster` that a manager started: its leash, and what it asks over the channel of who knows the host. */
import type { Address } from '../apiserver/dial/contract.ts'
import type { Elsewhere } from '../apiserver/connect/elsewhere.ts'
import type { LogSource } from '../apiserver/connect/logs.ts'
import type { Streams } from '../client/streams.ts'
import type { KubeObject } from '../machinery/object.ts'
import { errors } from '../machinery/status.ts'
import type { Answer, Question } from '../manager/engines/dedicated.ts'
import { logQueryText } from '../manager/logs.ts'
import { passLog, passStream, type Passage } from '../manager/passage.ts'
import { refusalText } from '../manager/refusal.ts'

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
  readonly #waiting = new Map<number, (answer: Answer) => void>()

  constructor() {
    process.on('message', (message) => {
      const { id, ...answer } = message as Answer & { readonly id: number }
      this.#waiting.get(id)?.(answer)
      this.#waiting.delete(id)
    })
  }

  ask(question: Question): Promise<Answer> {
    if (process.send === undefined || !process.connected) {
      throw errors.serviceUnavailable('the manager is not connected')
    }
    const id = ++this.#last
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    process.send({ id, ...question })
    return answered
  }
}

/** Logs of pods, connections into them, and where Services answer: all by way of the manager. */
export function parent(): { readonly logs: LogSource; readonly connections: Elsewhere } {
  const channel = new Channel()
  let streams: Streams | undefined
  const passage = async ({ metadata }: KubeObject, rest: string): Promise<Passage> => {
    if (streams === undefined) {
      const { gate, error } = await channel.ask({ gate: true })
      if (gate === undefined) throw errors.serviceUnavailable(error ?? 'the manager opens no way to pods')
      // Most processes never need it.
      const { Streams: Opened } = await import('../client/streams.ts')
      streams ??= new Opened(gate)
    }
    const path = `/api/v1/namespaces/${metadata.namespace!}/pods/${metadata.name!}/${rest}`
    return { streams, path, told: (response) => refusalText(response, metadata, metadata) }
  }
  return {
    logs: async (pod, query, _node, signal) => passLog(await passage(pod, `log?${logQueryText(query)}`), signal),
    connections: {
      stream: async (pod, rest, reply) => passStream(await passage(pod, rest), reply),
      async address({ metadata: { namespace = '', name = '' } }) {
        return (await channel.ask({ pod: { namespace, name } })).ip ?? ''
      },
      services: {
        async resolve(namespace, name, port): Promise<Address> {
          const { address, error } = await channel.ask({ service: { namespace, name, port } })
          if (address !== undefined) return address
          throw new Error(error ?? `service ${JSON.stringify(name)} not found`)
        },
      },
    },
  }
}
