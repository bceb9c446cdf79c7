/** The answer stream over a Node stream: the same for both protocols, since both count bytes until the kernel has them. */
import type { Writable } from 'node:stream'
import type { AnswerStream } from '../exchange.ts'

export class PieceStream implements AnswerStream {
  readonly #target: Writable
  readonly #abort: () => void
  readonly #ended: () => void
  #over = false

  constructor(target: Writable, abort: () => void, ended: () => void) {
    this.#target = target
    this.#abort = abort
    this.#ended = ended
  }

  write(piece: Buffer | string, done?: () => void): void {
    if (this.#over || this.#target.destroyed) return
    if (done === undefined) this.#target.write(piece)
    // After a failure the stream below may still hold it.
    else this.#target.write(piece, (error) => void (error ?? done()))
  }

  get buffered(): number {
    return this.#target.writableLength
  }

  async drained(): Promise<void> {
    const target = this.#target
    if (!target.writableNeedDrain || target.destroyed) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        target.off('drain', done).off('close', done)
        resolve()
      }
      target.on('drain', done).on('close', done)
    })
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    this.#target.end()
    this.#ended()
  }

  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#abort()
  }
}
