/** The protocol of commands over WebSocket (`v5.channel.k8s.io`): each message begins with the number of its channel. */
import type { Duplex } from 'node:stream'
import { BINARY, ClientFrames, closeFrame, frameHead } from '../http/websocket-frames.ts'

export const PROTOCOL = 'v5.channel.k8s.io'
export const STDIN = 0
export const STDOUT = 1
export const STDERR = 2
export const ERROR = 3
export const RESIZE = 4
/** A message of this channel says which other one has ended. */
const ENDED = 255

export interface ChannelListener {
  /** The piece may be kept. */
  data(channel: number, piece: Buffer): void
  /** The client says no more on a channel. */
  end(channel: number): void
  /** The client is gone. */
  close(): void
}

export class Channels {
  readonly #socket: Duplex
  readonly #listener: ChannelListener
  #channel = -1
  #over = false

  constructor(socket: Duplex, head: string, listener: ChannelListener) {
    this.#socket = socket
    this.#listener = listener
    socket.write(head)
    const frames = new ClientFrames({
      pong: (frame) => void (this.#over || socket.write(frame)),
      close: () => this.close(),
      data: (piece, start) => this.#message(piece, start),
    })
    socket.on('data', (piece: Buffer) => {
      if (!this.#over && !frames.push(piece)) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('end', () => socket.destroy())
    socket.on('close', () => listener.close())
  }

  /** False: wait for `onDrain` before more. */
  write(channel: number, piece: Buffer): boolean {
    if (this.#over || this.#socket.destroyed) return true
    return this.#socket.write(Buffer.concat([frameHead(BINARY, piece.length + 1), Buffer.from([channel]), piece]))
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** A normal end, behind all that was written. */
  close(): void {
    if (this.#over) return
    this.#over = true
    this.#socket.once('finish', () => this.#socket.destroy())
    this.#socket.end(closeFrame())
  }

  #message(piece: Buffer, start: boolean): void {
    let rest = piece
    if (start) this.#channel = -1
    if (this.#channel < 0) {
      const [channel] = rest
      if (channel === undefined) return
      this.#channel = channel
      rest = rest.subarray(1)
    }
    if (rest.length === 0) return
    if (this.#channel === ENDED) this.#listener.end(rest[0]!)
    else this.#listener.data(this.#channel, rest)
  }
}
