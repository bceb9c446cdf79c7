import type { StoreEvent } from './contract.ts'

export interface HistoryLimits {
  /** Events kept for each range. @default 10,000 */
  readonly events: number
  /** Bytes kept for each range: values, keys and 256 for each event. @default 8 MiB */
  readonly bytes: number
}

export const defaultLimits: HistoryLimits = { events: 10_000, bytes: 8 << 20 }

/** The newest events of a range: one for each revision behind `compacted`. */
export class History {
  readonly #limits: HistoryLimits
  #events: StoreEvent[] = []
  #times: number[] = []
  #head = 0
  #bytes = 0
  #compacted: number

  constructor(compacted: number, limits: HistoryLimits) {
    this.#compacted = compacted
    this.#limits = limits
  }

  get compacted(): number {
    return this.#compacted
  }

  get size(): number {
    return this.#events.length - this.#head
  }

  /** `time` in milliseconds; a clock that goes back stands still here. */
  push(event: StoreEvent, time: number): void {
    this.#events.push(event)
    this.#times.push(Math.max(time, this.#times.at(-1) ?? time))
    this.#bytes += sizeOf(event)
    while (this.size > 0 && (this.size > this.#limits.events || this.#bytes > this.#limits.bytes)) this.#shift()
    this.#trim()
  }

  /** Events behind a revision that is not compacted, oldest first. */
  since(revision: number): readonly StoreEvent[] {
    return this.#events.slice(this.#head + (revision - this.#compacted))
  }

  /** Forgets events up to this revision. */
  compact(revision: number): void {
    while (this.size > 0 && this.#compacted < revision) this.#shift()
    this.#trim()
  }

  /** Forgets events from before this time. */
  compactBefore(time: number): void {
    while (this.size > 0 && this.#times[this.#head]! < time) this.#shift()
    this.#trim()
  }

  #shift(): void {
    const event = this.#events[this.#head++]!
    this.#bytes -= sizeOf(event)
    this.#compacted = event.revision
  }

  /** Frees what was shifted, at most one move of each event on average; an empty history holds nothing. */
  #trim(): void {
    if (this.#head * 2 < this.#events.length || this.#head === 0) return
    this.#events = this.#events.slice(this.#head)
    this.#times = this.#times.slice(this.#head)
    this.#head = 0
  }
}

function sizeOf(event: StoreEvent): number {
  return event.entry.bytes.length + event.entry.key.length + 256
}
