/**
 * Gives memory back after a load has passed. V8 keeps the room that a burst of requests took, and collects only when it
 * is asked for more: a process at rest would hold twice what it needs for ever.
 *
 * There is a timer only behind requests, and at most one in the process.
 */
import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { restDecoded } from '../store/decoded.ts'

/** Milliseconds between looks while requests come. */
const PAUSE = 5000
/** A loop that is busy for less than this share is at rest: nobody waits for a collection. */
const BUSY = 0.05
/** Bytes of unused heap that are worth a collection. */
const SLACK = 24 << 20
/** Bytes of heap for each byte of an entry that has its decoded form. */
const DECODED = 3
/** Bytes of used heap up to which a collection is short. */
const LARGEST = 256 << 20

export class Rest {
  #timer: NodeJS.Timeout | undefined
  #before: EventLoopUtilization | undefined
  #collect: ((how: object) => void) | undefined

  /** A request has come. */
  readonly touch = (): void => {
    if (this.#timer !== undefined) return
    this.#before = performance.eventLoopUtilization()
    this.#timer = setTimeout(() => this.#look(), PAUSE).unref()
  }

  #look(): void {
    this.#timer = undefined
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#before)
    if (utilization > BUSY) return this.touch()
    const { total_heap_size: total, used_heap_size: used } = getHeapStatistics()
    const freed = restDecoded() * DECODED
    if (total - used + freed < SLACK || used - freed > LARGEST) return
    this.#collect ??= collector()
    this.#collect({ type: 'major', flavor: 'last-resort' })
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}

function collector(): (how: object) => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as (how: object) => void
}
