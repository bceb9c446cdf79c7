/**
 * The client's side of SPDY/3.1 as container runtimes speak it: streams that are opened at once, data in both
 * directions, no flow control of its own (neither has upstream's library). Headers of answers are not looked at.
 */
import type { Duplex } from 'node:stream'

const SYN_STREAM = 1
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const FIN = 1
/** Bytes of a control frame that is kept to be read; others are passed over. */
const SHORT = 16

const FLUSH = Buffer.from([0, 0, 0, 255, 255])

export interface SpdyListener {
  /** A piece of what a stream says. */
  data(stream: number, piece: Buffer): void
  /** A stream has said all. `whole`: it was not reset. */
  end(stream: number, whole: boolean): void
  /** Nothing more will come. */
  close(): void
}

export class SpdyClient {
  readonly #socket: Duplex
  readonly #listener: SpdyListener
  #last = -1
  #head: Buffer = Buffer.alloc(0)
  /** What is left of the frame that is being read. */
  #left = 0
  #stream = 0
  #fin = false
  #skip = false
  #begun = false
  #closed = false

  constructor(socket: Duplex, head: Buffer, listener: SpdyListener) {
    this.#socket = socket
    this.#listener = listener
    socket.on('error', () => undefined)
    socket.on('close', () => this.#over())
    socket.on('end', () => this.#over())
    if (head.length > 0) this.#read(head)
    socket.on('data', (piece: Buffer) => this.#read(piece))
  }

  /** Opens a stream. Its number is odd and grows. */
  open(headers: Readonly<Record<string, string>>): number {
    const stream = (this.#last += 2)
    const block = this.#block(headers)
    const body = Buffer.alloc(10)
    body.writeUInt32BE(stream, 0)
    this.#control(SYN_STREAM, Buffer.concat([body, block]))
    return stream
  }

  /** False: wait for the socket's drain before more. */
  write(stream: number, piece: Buffer): boolean {
    return this.#socket.write(Buffer.concat([dataHead(stream, 0, piece.length), piece]))
  }

  /** Says that a stream has nothing more to say. */
  end(stream: number): void {
    this.#socket.write(dataHead(stream, FIN, 0))
  }

  close(): void {
    this.#socket.destroy()
  }

  /** No more is read until `resume`. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener)
  }

  #control(type: number, body: Buffer): void {
    const head = Buffer.alloc(8)
    head.writeUInt16BE(0x80_03, 0)
    head.writeUInt16BE(type, 2)
    head.writeUInt32BE(body.length, 4)
    this.#socket.write(Buffer.concat([head, body]))
  }

  /**
   * Headers as one zlib stream for the whole connection, in stored blocks: what they say is too short to pack, and a
   * stream without the protocol's dictionary needs none to be read. An empty block behind them says: give out what came.
   */
  #block(headers: Readonly<Record<string, string>>): Buffer {
    const parts: Buffer[] = [uint32(Object.keys(headers).length)]
    for (const [name, value] of Object.entries(headers)) {
      for (const text of [name, value]) parts.push(uint32(Buffer.byteLength(text)), Buffer.from(text))
    }
    const plain = Buffer.concat(parts)
    const head = Buffer.from([
      0,
      plain.length & 255,
      plain.length >> 8,
      ~plain.length & 255,
      (~plain.length >> 8) & 255,
    ])
    const start = this.#begun ? [] : [Buffer.from([0x78, 0x01])]
    this.#begun = true
    return Buffer.concat([...start, head, plain, FLUSH])
  }

  #read(piece: Buffer): void {
    let bytes = piece
    while (bytes.length > 0 && !this.#closed) {
      if (this.#left > 0) {
        const part = bytes.subarray(0, this.#left)
        bytes = bytes.subarray(part.length)
        this.#left -= part.length
        if (!this.#skip) this.#listener.data(this.#stream, part)
        if (this.#left === 0 && this.#fin) this.#listener.end(this.#stream, true)
        continue
      }
      this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
      if (this.#head.length < 8) return
      const length = this.#head.readUIntBE(5, 3)
      const control = (this.#head[0]! & 0x80) !== 0
      const type = control ? this.#head.readUInt16BE(2) : 0
      const kept = control && length <= SHORT && (type === RST_STREAM || type === PING || type === GOAWAY)
      if (kept && this.#head.length < 8 + length) return
      const head = this.#head
      this.#head = Buffer.alloc(0)
      if (kept) {
        bytes = head.subarray(8 + length)
        this.#heard(type, head.subarray(8, 8 + length))
        continue
      }
      bytes = head.subarray(8)
      this.#skip = control
      this.#left = length
      this.#fin = (head[4]! & FIN) !== 0
      this.#stream = control ? 0 : head.readUInt32BE(0)
      // The headers of an answer may end its stream, which no server that is called here does.
      if (control) this.#fin = false
      if (length === 0 && this.#fin) this.#listener.end(this.#stream, true)
    }
  }

  #heard(type: number, body: Buffer): void {
    if (type === PING) this.#control(PING, body)
    else if (type === RST_STREAM && body.length >= 4) this.#listener.end(body.readUInt32BE(0), false)
  }

  #over(): void {
    if (this.#closed) return
    this.#closed = true
    this.#listener.close()
  }
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}

function dataHead(stream: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(stream, 0)
  head.writeUInt32BE(length, 4)
  head[4] = flags
  return head
}
