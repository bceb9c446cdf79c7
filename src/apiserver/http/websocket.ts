/** Watches over WebSocket, for browsers: one text frame an event. Only what a one-way stream needs. */
import type { Duplex } from 'node:stream'
import type { AnswerStream } from '../exchange.ts'
import { ClientFrames, closeFrame, frameHead, TEXT } from './websocket-frames.ts'

const NEWLINE = 10

/** Lines as frames. What the client sends is read for its end alone. */
export class WebSocketStream implements AnswerStream {
  readonly #socket: Duplex
  #over = false

  constructor(socket: Duplex, head: string) {
    this.#socket = socket
    socket.write(head)
    const frames = new ClientFrames({
      pong: (frame) => void (this.#over || socket.write(frame)),
      close: () => this.end(),
    })
    socket.on('data', (piece: Buffer) => {
      if (!frames.push(piece)) this.abort()
    })
  }

  write(piece: Buffer | string): void {
    if (this.#over || this.#socket.destroyed) return
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, at)
      const end = newline < 0 ? bytes.length : newline + 1
      parts.push(frameHead(TEXT, end - at), bytes.subarray(at, end))
      at = end
    }
    this.#socket.write(Buffer.concat(parts))
  }

  get buffered(): number {
    return this.#socket.writableLength
  }

  async drained(): Promise<void> {
    const socket = this.#socket
    if (!socket.writableNeedDrain || socket.destroyed) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done)
        resolve()
      }
      socket.on('drain', done).on('close', done)
    })
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    this.#socket.end(closeFrame())
  }

  abort(): void {
    this.#over = true
    this.#socket.destroy()
  }
}
