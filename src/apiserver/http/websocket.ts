/** Watches over WebSocket (RFC 6455), for browsers: one text frame an event. Only what a one-way stream needs. */
import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { errors } from '../../machinery/status.ts'
import type { AnswerStream, Exchange } from '../exchange.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const NEWLINE = 10
const TEXT = 0x81
const CLOSE = 0x88
const PING = 0x9
const PONG = 0x8a
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

function header(opcode: number, length: number): Buffer {
  if (length <= MAX_CONTROL) return Buffer.from([opcode, length])
  if (length < 65_536) return Buffer.from([opcode, 126, length >> 8, length & 255])
  const long = Buffer.alloc(10)
  long[0] = opcode
  long[1] = 127
  long.writeBigUInt64BE(BigInt(length), 2)
  return long
}

/** Lines as frames. What the client sends is read for its end alone. */
export class WebSocketStream implements AnswerStream {
  readonly #socket: Duplex
  #over = false

  constructor(socket: Duplex, head: string) {
    this.#socket = socket
    socket.write(head)
    const frames = new ClientFrames((opcode, payload) => this.#control(opcode, payload))
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
      parts.push(header(TEXT, end - at), bytes.subarray(at, end))
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
    // 1000: a normal end.
    this.#socket.end(Buffer.concat([header(CLOSE, 2), Buffer.from([0x03, 0xe8])]))
  }

  abort(): void {
    this.#over = true
    this.#socket.destroy()
  }

  #control(opcode: number, payload: Buffer): void {
    if (this.#over) return
    if (opcode === PING) this.#socket.write(Buffer.concat([header(PONG, payload.length), payload]))
    else this.end()
  }
}

/** Reads frames of a client: pings and the end are told, everything else is passed over without being kept. */
class ClientFrames {
  readonly #control: (opcode: number, payload: Buffer) => void
  #waiting = Buffer.alloc(0)
  /** Bytes of a payload that are passed over. */
  #skip = 0

  constructor(control: (opcode: number, payload: Buffer) => void) {
    this.#control = control
  }

  /** False: this is no client of the protocol. */
  push(piece: Buffer): boolean {
    let bytes = this.#waiting.length === 0 ? piece : Buffer.concat([this.#waiting, piece])
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length)
      this.#skip -= skipped
      bytes = bytes.subarray(skipped)
      if (bytes.length < 2) break
      const opcode = bytes[0]! & 0x0f
      const short = bytes[1]! & 0x7f
      if ((bytes[1]! & 0x80) === 0) return false
      const size = short === 127 ? 14 : short === 126 ? 8 : 6
      if (bytes.length < size) break
      const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
      if (opcode < 8) {
        bytes = bytes.subarray(size)
        this.#skip = length
        continue
      }
      if (length > MAX_CONTROL) return false
      if (bytes.length < size + length) break
      const mask = bytes.subarray(size - 4, size)
      const payload = Buffer.from(bytes.subarray(size, size + length).map((byte, i) => byte ^ mask[i % 4]!))
      bytes = bytes.subarray(size + length)
      if (opcode === 8 || opcode === PING) this.#control(opcode, payload)
    }
    this.#waiting = Buffer.from(bytes)
    return true
  }
}
