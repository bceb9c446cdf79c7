/** Keeps a watch in order while a webhook converts what it shows. */
import type { ServedResource } from '../contract.ts'
import { errors } from '../../machinery/status.ts'
import type { Entry } from '../../store/contract.ts'
import { converted } from './custom-views.ts'

/** Events and bytes that may wait for a webhook. A watcher that falls further behind starts again. */
const MAX_WAITING = 10_000
const MAX_BYTES = 32 * 1024 * 1024

interface Waiting {
  readonly entries: readonly (Entry | undefined)[]
  deliver(): void
}

const sizeOf = (entries: readonly (Entry | undefined)[]): number =>
  entries.reduce((sum, entry) => sum + (entry?.bytes.length ?? 0), 0)

export class ConversionLine {
  readonly #resource: ServedResource
  readonly #failed: (error: unknown) => void
  #waiting: Waiting[] = []
  #bytes = 0
  #state: 'idle' | 'busy' | 'broken' = 'idle'

  /** `failed` is called once; nothing is delivered afterwards. */
  constructor(resource: ServedResource, failed: (error: unknown) => void) {
    this.#resource = resource
    this.#failed = failed
  }

  /** Calls `deliver` when the views of `entries` are there: at once if nothing waits before it and all are. */
  add(entries: readonly (Entry | undefined)[], deliver: () => void): void {
    if (this.#state === 'broken') return
    if (this.#state === 'idle') {
      const wait = converted(entries, this.#resource)
      if (wait === undefined) {
        deliver()
        return
      }
      this.#state = 'busy'
      void this.#run(wait, deliver)
      return
    }
    this.#bytes += sizeOf(entries)
    if (this.#waiting.length >= MAX_WAITING || this.#bytes > MAX_BYTES) {
      this.#break(errors.expired('too many events are waiting for the conversion webhook'))
      return
    }
    this.#waiting.push({ entries, deliver })
  }

  async #run(wait: Promise<void>, deliver: () => void): Promise<void> {
    try {
      await wait
      this.#deliver(deliver)
      while (this.#waiting.length > 0) {
        const batch = this.#waiting
        this.#waiting = []
        this.#bytes = 0
        const more = converted(
          batch.flatMap(({ entries }) => entries),
          this.#resource,
        )
        if (more !== undefined) await more
        for (const one of batch) this.#deliver(one.deliver)
      }
      if (this.#state === 'busy') this.#state = 'idle'
    } catch (error) {
      this.#break(error)
    }
  }

  #deliver(deliver: () => void): void {
    if (this.#state !== 'broken') deliver()
  }

  #break(error: unknown): void {
    if (this.#state === 'broken') return
    this.#state = 'broken'
    this.#waiting = []
    this.#failed(error)
  }
}
