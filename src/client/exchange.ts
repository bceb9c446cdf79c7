/** One request with its whole answer, without a stream in between: a handler of undici's dispatch. */
import type { Dispatcher } from 'undici'

export interface Answer {
  readonly code: number
  readonly text: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * Sends and collects.
 * @throws the error of undici, or the reason of `signal`; then nothing of the answer is kept
 */
export function exchange(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(options, new Collector(resolve, reject, signal))
  })
}

class Collector implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (reason: unknown) => void
  readonly #signal: AbortSignal | undefined
  readonly #abort: (() => void) | undefined
  #controller: Dispatcher.DispatchController | undefined
  #code = 0
  #headers: Answer['headers'] = {}
  readonly #chunks: Buffer[] = []

  constructor(resolve: (answer: Answer) => void, reject: (reason: unknown) => void, signal: AbortSignal | undefined) {
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    if (signal === undefined) return
    this.#abort = () => {
      // Without a controller it waits for a connection still; its caller does not.
      this.#controller?.abort(new Error('given up', { cause: signal.reason }))
      reject(signal.reason)
    }
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal?.aborted === true) this.#abort?.()
  }

  onResponseStart(_: Dispatcher.DispatchController, code: number, headers: Answer['headers']): void {
    this.#code = code
    this.#headers = headers
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    this.#release()
    const whole = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#resolve({ code: this.#code, text: whole.toString('utf8'), headers: this.#headers })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#release()
    this.#reject(this.#signal?.aborted === true ? this.#signal.reason : error)
  }

  #release(): void {
    if (this.#abort !== undefined) this.#signal?.removeEventListener('abort', this.#abort)
  }
}
