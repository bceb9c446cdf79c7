/** Gathers the pieces of a large answer into chunks of one size, whose memory is used again once they are sent. */

/** Bytes of a chunk: what one write hands to TLS. */
export const CHUNK = 64 * 1024
/** Chunks that are kept for the next answers. */
const KEPT = 64

/** Allocating 64 KiB for each write of each list makes the collector run, and pages be zeroed, for nothing. */
const free: Buffer[] = []

export interface Chunk {
  readonly bytes: Buffer
  /** To be called when nobody reads the bytes any more; not calling it costs memory only. */
  readonly done?: () => void
}

const NONE: readonly Chunk[] = []

export class Chunks {
  #chunk: Buffer | undefined
  #size = 0

  /** What has become ready to be sent with this piece, in order. A piece larger than a chunk goes as it is. */
  add(piece: Buffer): readonly Chunk[] {
    const { length } = piece
    if (this.#size + length <= CHUNK) {
      this.#copy(piece)
      return NONE
    }
    const ready = this.rest()
    if (length > CHUNK) return [...ready, { bytes: piece }]
    this.#copy(piece)
    return ready
  }

  /** What was gathered since. */
  rest(): readonly Chunk[] {
    const chunk = this.#chunk
    if (chunk === undefined) return NONE
    const bytes = chunk.subarray(0, this.#size)
    this.#chunk = undefined
    this.#size = 0
    return [{ bytes, done: () => void (free.length < KEPT && free.push(chunk)) }]
  }

  #copy(piece: Buffer): void {
    const chunk = (this.#chunk ??= free.pop() ?? Buffer.allocUnsafeSlow(CHUNK))
    chunk.set(piece, this.#size)
    this.#size += piece.length
  }
}
