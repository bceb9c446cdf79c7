/** The protobuf wire format: reading with bounds checked, and writing. */
import { DecodeError } from './error.ts'

/** How a field's value is written. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const

const EOF = 'unexpected EOF'
const MAX_VARINT_BYTES = 10
/** Deeper groups and messages are refused. */
const MAX_DEPTH = 1000

/** Reads one message; nested messages are read in place, up to an end that is kept by the caller. */
export class WireReader {
  readonly bytes: Buffer
  at: number
  end: number
  private depth = 0

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  /** A tag: field number × 8 + wire type. */
  tag(): number {
    const tag = this.uint()
    if (tag >>> 3 === 0) throw new DecodeError(`proto: illegal tag ${tag >>> 3} (wire type ${tag & 7})`)
    return tag
  }

  /** A varint's low 32 bits, unsigned. */
  uint(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7, i = 1; i < MAX_VARINT_BYTES; shift += 7, i++) {
      const b = this.byte()
      if (shift < 32) value |= (b & 0x7f) << shift
      if (b < 0x80) return value >>> 0
    }
    throw new DecodeError('proto: integer overflow')
  }

  int32(): number {
    return this.uint() | 0
  }

  bool(): boolean {
    return this.int64() !== 0
  }

  /** A number, or raw JSON where a double cannot hold it. */
  int64(): number | { readonly rawJSON: string } {
    let low = 0
    let high = 0
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const b = this.byte()
      const bits = b & 0x7f
      if (i < 4) low |= bits << (7 * i)
      else if (i === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (7 * i - 32)
      if (b < 0x80) return toInt64(low, high)
    }
    throw new DecodeError('proto: integer overflow')
  }

  double(): number {
    const at = this.at
    this.advance(8)
    return this.bytes.readDoubleLE(at)
  }

  text(): string {
    const length = this.length()
    const at = this.at
    this.at += length
    return this.bytes.toString('utf8', at, this.at)
  }

  /** A view of the bytes, not a copy. */
  data(): Buffer {
    const length = this.length()
    const at = this.at
    this.at += length
    return this.bytes.subarray(at, this.at)
  }

  /** Enters a nested message; the result goes to {@link leave}. */
  enter(): number {
    const length = this.length()
    if (++this.depth > MAX_DEPTH) throw new DecodeError('exceeded max depth')
    const outer = this.end
    this.end = this.at + length
    return outer
  }

  leave(outer: number): void {
    this.depth--
    this.at = this.end
    this.end = outer
  }

  /** Skips the value of an unknown field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WireType.varint:
        this.int64()
        return
      case WireType.fixed64:
        this.advance(8)
        return
      case WireType.bytes: {
        const length = this.length()
        this.at += length
        return
      }
      case WireType.startGroup:
        this.skipGroup()
        return
      case WireType.fixed32:
        this.advance(4)
        return
      default:
        throw new DecodeError(`proto: illegal wireType ${tag & 7}`)
    }
  }

  private skipGroup(): void {
    if (++this.depth > MAX_DEPTH) throw new DecodeError('exceeded max depth')
    for (;;) {
      const tag = this.tag()
      if ((tag & 7) === WireType.endGroup) break
      this.skip(tag)
    }
    this.depth--
  }

  private byte(): number {
    if (this.at >= this.end) throw new DecodeError(EOF)
    return this.bytes[this.at++]!
  }

  private length(): number {
    const length = this.uint()
    if (length > this.end - this.at) throw new DecodeError(EOF)
    return length
  }

  private advance(count: number): void {
    if (count > this.end - this.at) throw new DecodeError(EOF)
    this.at += count
  }
}

function toInt64(low: number, high: number): number | { readonly rawJSON: string } {
  if (high === 0) return low >>> 0
  const value = (high | 0) * 4_294_967_296 + (low >>> 0)
  if (Number.isSafeInteger(value)) return value
  return JSON.rawJSON(String((BigInt(high | 0) << 32n) | BigInt(low >>> 0)))
}

/** Writes messages; nested ones are written to a writer of their own. */
export class WireWriter {
  private readonly parts: Buffer[] = []

  finish(): Buffer {
    return Buffer.concat(this.parts)
  }

  tag(number: number, type: number): void {
    this.varint(BigInt(number * 8 + type))
  }

  /** Negative numbers take ten bytes, as int32 and int64 do. */
  varint(value: bigint): void {
    const out: number[] = []
    let rest = BigInt.asUintN(64, value)
    while (rest >= 0x80n) {
      out.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    out.push(Number(rest))
    this.parts.push(Buffer.from(out))
  }

  double(value: number): void {
    const out = Buffer.alloc(8)
    out.writeDoubleLE(value)
    this.parts.push(out)
  }

  data(bytes: Buffer): void {
    this.varint(BigInt(bytes.length))
    this.parts.push(bytes)
  }
}
