/**
 * Writes protobuf from the end to the start: a nested message is there when its length is written, so that nothing is
 * copied. What stands last is written first.
 */
import { WireType } from './wire.ts'

const START = 1 << 16

export class BackWriter {
  #bytes = Buffer.allocUnsafe(START)
  #at = START

  /** Bytes written so far. */
  get size(): number {
    return this.#bytes.length - this.#at
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(this.#at))
  }

  tag(number: number, type: number): void {
    this.varint(number * 8 + type)
  }

  /** A whole number; negative ones take ten bytes, as int64 does. */
  varint(value: number): void {
    if (value < 0) {
      this.#large(BigInt.asUintN(64, BigInt(value)))
      return
    }
    let length = 1
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
    let at = this.#room(length)
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[at++] = (rest % 0x80) | 0x80
    this.#bytes[at] = rest
  }

  double(value: number): void {
    const at = this.#room(8)
    this.#bytes.writeDoubleLE(value, at)
  }

  /** Bytes of a text with their length. */
  text(value: string): void {
    const length = Buffer.byteLength(value)
    const at = this.#room(length)
    this.#bytes.write(value, at, 'utf8')
    this.varint(length)
  }

  /** The tag of a message of all that was written since it had `before` bytes. */
  message(number: number, before: number): void {
    this.varint(this.size - before)
    this.tag(number, WireType.bytes)
  }

  #large(value: bigint): void {
    const out: number[] = []
    for (let rest = value; out.length < 10; rest >>= 7n) out.push(Number(rest & 0x7fn) | (out.length < 9 ? 0x80 : 0))
    const at = this.#room(10)
    for (const [i, byte] of out.entries()) this.#bytes[at + i] = byte
  }

  /** Makes room in front; where it begins. The bytes may be others afterwards. */
  #room(length: number): number {
    if (this.#at < length) {
      const { size } = this
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, size + length))
      this.#bytes.copy(grown, grown.length - size, this.#at)
      this.#bytes = grown
      this.#at = grown.length - size
    }
    return (this.#at -= length)
  }
}
