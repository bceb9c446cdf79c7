/** One request with its whole answer, of bounded size: a handler of undici's dispatch. */
import type { Dispatcher } from 'undici'
import type { Answer } from './contract.ts'

export interface GatherOptions {
  readonly signal: AbortSignal
  /** Called with the size of each piece; false: no more is taken. */
  take(bytes: number): boolean
}

/** @throws the error of undici, or the signal's reason; then nothing of the answer is kept */
export function gather(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  options: GatherOptions,
): Promise<Answer> {
  if (options.signal.aborted) return Promise.reject(options.signal.reason as Error)
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new Gatherer(resolve, reject, options))
  })
}

/** The answer is longer than what is taken. */
export class TooMuch extends Error {}

class Gatherer implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (reason: unknown) => void
  readonly #options: GatherOptions
  readonly #abort: () => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  readonly #headers: Record<string, string> = Object.create(null) as Record<string, string>
  readonly #chunks: Buffer[] = []

  constructor(resolve: (answer: Answer) => void, reject: (reason: unknown) => void, options: GatherOptions) {
    this.#resolve = resolve
    this.#reject = reject
    this.#options = options
    const { signal } = options
    this.#abort = () => {
      this.#controller?.abort(new Error('given up', { cause: signal.reason }))
      reject(signal.reason)
    }
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#options.signal.aborted) this.#abort()
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#headers[name] = typeof value === 'string' ? value : value.join(', ')
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#options.take(chunk.length)) {
      this.#chunks.push(chunk)
      return
    }
    this.#chunks.length = 0
    this.#release()
    const error = new TooMuch('too much')
    this.#reject(error)
    controller.abort(error)
  }

  onResponseEnd(): void {
    this.#release()
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#release()
    this.#reject(this.#options.signal.aborted ? this.#options.signal.reason : error)
  }

  #release(): void {
    this.#options.signal.removeEventListener('abort', this.#abort)
  }
}
