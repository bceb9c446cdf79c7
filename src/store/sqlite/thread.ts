import { Worker } from 'node:worker_threads'
import { ownFile } from '../../machinery/own-file.ts'
import { StoreError } from '../error.ts'
import type { DatabaseOptions, Failure, Reply, Request } from './protocol.ts'

type Answer<T extends Request['type']> = Extract<
  Reply,
  { type: T extends 'commit' ? 'committed' : T extends 'close' ? 'closed' : T }
>

/** The worker that owns the file, seen from the event loop. It keeps the process alive only while it owes an answer. */
export class DatabaseThread {
  readonly #file: string
  readonly #worker: Worker
  readonly #owed: PromiseWithResolvers<Reply>[] = []
  readonly #onTrouble: (error: StoreError) => void
  #dead: StoreError | undefined

  private constructor(options: DatabaseOptions, onTrouble: (error: StoreError) => void) {
    this.#file = options.file
    this.#onTrouble = onTrouble
    this.#worker = new Worker(ownFile(import.meta.url, 'store/sqlite/worker'), {
      name: 'store',
      workerData: options,
      execArgv: [],
      // Rows live outside the heap: what is inside are statements and one page of views.
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    })
    this.#worker.on('message', (reply: Reply) => this.#receive(reply))
    this.#worker.on('error', (error) =>
      this.#die(new StoreError('failed', `store ${this.#file} lost its worker`, error)),
    )
    this.#worker.on('exit', () => this.#die(new StoreError('closed', `store ${this.#file} is closed`)))
  }

  /** @throws StoreError */
  static async start(options: DatabaseOptions, onTrouble: (error: StoreError) => void): Promise<DatabaseThread> {
    const thread = new DatabaseThread(options, onTrouble)
    try {
      await thread.#answer()
      return thread
    } catch (error) {
      await thread.#worker.terminate()
      throw error
    }
  }

  /** Rejects with a StoreError. */
  async request<R extends Request>(request: R): Promise<Answer<R['type']>> {
    if (this.#dead !== undefined) throw this.#dead
    this.#worker.postMessage(request)
    return (await this.#answer()) as Answer<R['type']>
  }

  /** Closes the file and ends the worker. */
  async close(): Promise<void> {
    try {
      if (this.#dead === undefined) await this.request({ type: 'close' })
    } finally {
      await this.#worker.terminate()
    }
  }

  #answer(): Promise<Reply> {
    const owed = Promise.withResolvers<Reply>()
    if (this.#owed.push(owed) === 1) this.#worker.ref()
    return owed.promise
  }

  #receive(reply: Reply): void {
    if (reply.type === 'trouble') {
      this.#onTrouble(this.#errorOf(reply.failure))
      return
    }
    const owed = this.#owed.shift()!
    if (this.#owed.length === 0) this.#worker.unref()
    if (reply.type === 'failure') owed.reject(this.#errorOf(reply))
    else owed.resolve(reply)
  }

  #die(error: StoreError): void {
    this.#dead ??= error
    for (const owed of this.#owed.splice(0)) owed.reject(this.#dead)
  }

  #errorOf({ code, message }: Failure): StoreError {
    // The low byte of an extended code is the primary one.
    switch (code === undefined ? undefined : code & 0xff) {
      case 5:
        return new StoreError('locked', `store ${this.#file} is in use by another process`)
      case 13:
        return new StoreError('full', `store ${this.#file} has no room: ${message}`)
      case 11:
      case 26:
        return new StoreError('format', `store ${this.#file} cannot be used: ${message}`)
      default:
        return new StoreError(
          'failed',
          `store ${this.#file} failed: ${message}${code === undefined ? '' : ` (SQLite ${code})`}`,
        )
    }
  }
}
