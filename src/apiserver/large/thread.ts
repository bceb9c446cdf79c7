/** The helper thread for objects of many members, seen from the event loop. One for the process, made by its first job. */
import { Worker } from 'node:worker_threads'
import { ownFile } from '../../machinery/own-file.ts'
import { StatusError } from '../../machinery/status.ts'
import type { Seat } from '../contract.ts'
import type { JobName, Jobs, Reply, Request } from './contract.ts'

/** MiB of objects that the thread may hold: some dozens of the largest. */
const MAX_HEAP = 1024

class LargeThread {
  readonly #worker: Worker
  readonly #owed = new Map<number, PromiseWithResolvers<never>>()
  readonly #onEnd: () => void
  #last = 0

  /** @param onEnd called when it does no more jobs */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
    this.#worker = new Worker(ownFile(import.meta.url, 'apiserver/large/worker'), {
      name: 'large objects',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP },
    })
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply) => this.#receive(reply))
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('the thread for large objects ended')))
  }

  run<N extends JobName>(job: N, input: Jobs[N]['input']): Promise<Jobs[N]['output']> {
    const owed = Promise.withResolvers<never>()
    const id = ++this.#last
    this.#owed.set(id, owed)
    this.#worker.ref()
    this.#worker.postMessage({ id, job, input } satisfies Request)
    return owed.promise
  }

  #receive(reply: Reply): void {
    const owed = this.#owed.get(reply.id)
    this.#owed.delete(reply.id)
    if (this.#owed.size === 0) this.#worker.unref()
    if ('output' in reply) owed?.resolve(reply.output as never)
    else owed?.reject('status' in reply ? new StatusError(reply.status) : new Error(reply.failure))
  }

  #end(error: unknown): void {
    for (const owed of this.#owed.values()) owed.reject(error)
    this.#owed.clear()
    this.#onEnd()
  }
}

let thread: LargeThread | undefined

/**
 * Does a job on the thread, in the turn of the tenant.
 * @throws StatusError what the job threw; Error when the thread has failed: the next job gets another one
 */
export function onThread<N extends JobName>(
  seat: Seat | undefined,
  job: N,
  input: Jobs[N]['input'],
): Promise<Jobs[N]['output']> {
  const work = (): Promise<Jobs[N]['output']> => {
    if (thread === undefined) {
      const made = new LargeThread(() => {
        if (thread === made) thread = undefined
      })
      thread = made
    }
    return thread.run(job, input)
  }
  return seat === undefined ? work() : seat.pack(work)
}
