/** WebSocket (RFC 6455) at the server's end: the handshake, frames that go out, frames that come in. */
import { createHash } from 'node:crypto'
import { errors } from '../../machinery/status.ts'
import type { Exchange } from '../exchange.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** First bytes of whole frames. */
export const TEXT = 0x81
export const BINARY = 0x82
const CLOSE = 0x88
const PONG = 0x8a
const PING = 0x9
/** Payload of a control frame. */
const MAX_CONTROL = 125

/** Whether a request wants a WebSocket and its connection can become one. */
export function wantsWebSocket({ upgrade, headers }: Exchange): boolean {
  return upgrade !== undefined && headers['upgrade']?.toLowerCase() === 'websocket'
}

/** The head that accepts. @throws StatusError 400 for a handshake of another version, or without a key */
export function handshake({ headers }: Exchange, extra: Readonly<Record<string, string>>): string {
  const key = headers['sec-websocket-key'] ?? ''
  if (headers['sec-websocket-version'] !== '13' || !/^[A-Za-z0-9+/]{22}==$/.test(key))
    throw errors.badRequest('not a WebSocket handshake of version 13')
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  lines.push(`Sec-WebSocket-Accept: ${accept}`)
  for (const [name, value] of Object.entries(extra)) lines.push(`${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The head of a frame that is whole. */
export function frameHead(first: number, length: number): Buffer {
  if (length <= MAX_CONTROL) return Buffer.from([first, length])
  if (length < 65_536) return Buffer.from([first, 126, length >> 8, length & 255])
  const long = Buffer.alloc(10)
  long[0] = first
  long[1] = 127
  long.writeBigUInt64BE(BigInt(length), 2)
  return long
}

/** 1000: a normal end. */
export const closeFrame = (): Buffer => Buffer.concat([frameHead(CLOSE, 2), Buffer.from([0x03, 0xe8])])

export interface FrameListener {
  /** An answer that must go out. */
  pong(frame: Buffer): void
  /** The client ends it. */
  close(): void
  /** A piece of a message; `start`: of a new one. Without it messages are passed over unread. The piece may be kept. */
  data?(piece: Buffer, start: boolean): void
}

/** Reads frames of a client. Nothing but heads and control frames is gathered. */
export class ClientFrames {
  readonly #listener: FrameListener
  #waiting: Buffer = Buffer.alloc(0)
  /** Bytes of the payload that are still to come. */
  #left = 0
  #mask: Buffer = Buffer.alloc(4)
  #turn = 0
  #start = false

  constructor(listener: FrameListener) {
    this.#listener = listener
  }

  /** The piece is unmasked where it is. False: this is no client of the protocol. */
  push(piece: Buffer): boolean {
    let bytes = this.#waiting.length === 0 ? piece : Buffer.concat([this.#waiting, piece])
    this.#waiting = Buffer.alloc(0)
    for (;;) {
      if (this.#left > 0) {
        const part = bytes.subarray(0, this.#left)
        if (part.length === 0) return true
        bytes = bytes.subarray(part.length)
        this.#left -= part.length
        this.#payload(part)
        continue
      }
      if (bytes.length < 2) break
      const opcode = bytes[0]! & 0x0f
      const short = bytes[1]! & 0x7f
      if ((bytes[1]! & 0x80) === 0) return false
      const size = short === 127 ? 14 : short === 126 ? 8 : 6
      if (bytes.length < size) break
      const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
      this.#mask = bytes.subarray(size - 4, size)
      this.#turn = 0
      if (opcode < 8) {
        bytes = bytes.subarray(size)
        this.#left = length
        this.#start = opcode !== 0
        if (length === 0) this.#payload(Buffer.alloc(0))
        continue
      }
      if (length > MAX_CONTROL) return false
      if (bytes.length < size + length) break
      const payload = Buffer.from(bytes.subarray(size, size + length))
      this.#unmask(payload)
      bytes = bytes.subarray(size + length)
      if (opcode === 8) this.#listener.close()
      else if (opcode === PING) this.#listener.pong(Buffer.concat([frameHead(PONG, payload.length), payload]))
    }
    this.#waiting = Buffer.from(bytes)
    return true
  }

  #payload(part: Buffer): void {
    if (this.#listener.data === undefined) return
    this.#unmask(part)
    const start = this.#start
    this.#start = false
    this.#listener.data(part, start)
  }

  #unmask(bytes: Buffer): void {
    const mask = this.#mask
    let turn = this.#turn
    for (let i = 0; i < bytes.length; i++) bytes[i]! ^= mask[turn++ & 3]!
    this.#turn = turn & 3
  }
}
