/** Splits a watch's body into its lines: one JSON document each. */

const NEWLINE = 0x0a
/** One event may be this long, in bytes: above what any API server stores. */
const MAX_LINE = 64 * 1024 * 1024

/** Collects chunks; a line may be spread over many, and a chunk may hold many lines. */
export class LineSplitter {
  #parts: Uint8Array[] = []
  #length = 0

  /**
   * The lines that a chunk completes, without empty ones.
   *
   * @throws RangeError when a line is too long
   */
  push(chunk: Uint8Array): string[] {
    const out: string[] = []
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, at))
      const line = this.end()
      if (line !== '') out.push(line)
      from = at + 1
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
    return out
  }

  /** What stands after the last newline. */
  end(): string {
    const [first] = this.#parts
    const whole = this.#parts.length === 1 ? first! : Buffer.concat(this.#parts, this.#length)
    this.#parts = []
    this.#length = 0
    return Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('utf8')
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length > MAX_LINE) throw new RangeError(`a watch event is longer than ${MAX_LINE} bytes`)
    this.#parts.push(part)
  }
}
