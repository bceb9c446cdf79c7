/** The fair work queue: deficit round robin over flows, one heap and one timer for everything delayed. */
import type { FairQueue, Taken } from './queue.ts'

/** Time as the queue sees it. */
export interface QueueClock {
  /** Milliseconds, from any fixed origin. */
  now(): number
  /** Calls `run` once after `delay` milliseconds; the returned function cancels it. */
  after(delay: number, run: () => void): () => void
}

/** The process's clock. Its timers do not keep the process alive. */
export const systemClock: QueueClock = {
  now: () => Date.now(),
  after: (delay, run) => {
    const timer = setTimeout(run, delay)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

export interface FairQueueOptions {
  /** @default the process's clock */
  readonly clock?: QueueClock
  /** Milliseconds before the first retry of a key. @default 5 */
  readonly baseDelay?: number
  /** Milliseconds at most between two tries of a key, as far as the budget allows. @default 30000 */
  readonly maxDelay?: number
  /** Retries per second that one flow may cause; more are put off. @default 50 */
  readonly retryRate?: number
  /** Retries of a flow that the rate does not slow down. @default 100 */
  readonly retryBurst?: number
  /** Keys of one flow worked on at once. @default no limit */
  readonly flowConcurrency?: number
}

interface Key<K> {
  readonly flow: Flow<K>
  readonly name: string
  item: K
  state: 'idle' | 'delayed' | 'waiting'
  working: boolean
  failures: number
  /** When it became or becomes due. */
  due: number
  /** Where it stands in the heap; -1: not there. */
  place: number
  /** Tie-breaker among equal due times. */
  order: number
}

interface Flow<K> {
  readonly name: string
  readonly keys: Map<string, Key<K>>
  ready: Key<K>[]
  /** First index of `ready` that still waits. */
  head: number
  working: number
  deficit: number
  /** Whether it stands in the ring. */
  active: boolean
  tokens: number
  refilled: number
}

interface Waiter<K> {
  give(taken: Taken<K> | undefined): void
}

/** Weights outside are clamped: the lower bound keeps a take O(1). */
const MIN_WEIGHT = 0.1
const MAX_WEIGHT = 1000
/** Longest delay that a timer takes. */
const MAX_TIMER = 2 ** 31 - 1

/** Makes a fair queue; see the contract in `queue.ts` for its guarantees. */
export function createFairQueue<K>(options: FairQueueOptions = {}): FairQueue<K> {
  return new DeficitQueue(options)
}

class DeficitQueue<K> implements FairQueue<K> {
  readonly #clock: QueueClock
  readonly #baseDelay: number
  readonly #maxDelay: number
  readonly #retryRate: number
  readonly #retryBurst: number
  readonly #flowConcurrency: number
  readonly #flows = new Map<string, Flow<K>>()
  readonly #weights = new Map<string, number>()
  /** Flows with work, the one whose turn it is first. A queue with a moving head. */
  #ring: Flow<K>[] = []
  #ringHead = 0
  readonly #heap: Key<K>[] = []
  #waiters = new Set<Waiter<K>>()
  #cancelTimer: (() => void) | undefined
  #timerDue = Infinity
  #order = 0
  #waiting = 0
  #closed = false

  constructor(options: FairQueueOptions) {
    this.#clock = options.clock ?? systemClock
    this.#baseDelay = options.baseDelay ?? 5
    this.#maxDelay = options.maxDelay ?? 30_000
    this.#retryRate = options.retryRate ?? 50
    this.#retryBurst = options.retryBurst ?? 100
    this.#flowConcurrency = options.flowConcurrency ?? Infinity
  }

  add(flow: string, name: string, item: K): void {
    if (this.#closed) return
    const key = this.#key(flow, name, item)
    if (key.state === 'waiting') return
    if (key.state === 'delayed') this.#removeDelayed(key)
    this.#wait(key)
    this.#serve()
  }

  addAfter(flow: string, name: string, item: K, delay: number): void {
    if (delay <= 0) return this.add(flow, name, item)
    if (this.#closed) return
    const key = this.#key(flow, name, item)
    const due = this.#clock.now() + delay
    if (key.state === 'waiting' || (key.state === 'delayed' && key.due <= due)) return
    if (key.state === 'delayed') this.#removeDelayed(key)
    key.state = 'delayed'
    key.due = due
    key.order = this.#order++
    this.#push(key)
    this.#arm()
  }

  retry(flow: string, name: string, item: K): void {
    if (this.#closed) return
    const key = this.#key(flow, name, item)
    const backOff = Math.min(this.#baseDelay * 2 ** Math.min(key.failures, 40), this.#maxDelay)
    key.failures++
    this.addAfter(flow, name, item, Math.max(backOff, this.#reserve(key.flow)))
  }

  forget(flow: string, name: string): void {
    const key = this.#flows.get(flow)?.keys.get(name)
    if (key === undefined) return
    key.failures = 0
    this.#tidy(key)
  }

  take(signal?: AbortSignal): Promise<Taken<K> | undefined> {
    if (this.#closed || signal?.aborted === true) return Promise.resolve(undefined)
    const taken = this.#next()
    if (taken !== undefined) return Promise.resolve(taken)
    return new Promise((resolve) => {
      const abort = (): void => waiter.give(undefined)
      const waiter: Waiter<K> = {
        give: (given) => {
          this.#waiters.delete(waiter)
          signal?.removeEventListener('abort', abort)
          resolve(given)
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  setWeight(flow: string, weight: number): void {
    if (!(weight > 0)) throw new RangeError(`the weight of a flow must be above 0, not ${weight}`)
    this.#weights.set(flow, Math.min(Math.max(weight, MIN_WEIGHT), MAX_WEIGHT))
  }

  removeFlow(name: string): void {
    this.#weights.delete(name)
    const flow = this.#flows.get(name)
    if (flow === undefined) return
    for (const key of flow.keys.values()) {
      if (key.state === 'delayed') this.#removeDelayed(key)
      if (key.state === 'waiting') this.#waiting--
      key.state = 'idle'
      key.failures = 0
      if (!key.working) flow.keys.delete(key.name)
    }
    // Keys that are worked on stay known, so that the same key of a new flow with this name waits for them.
    flow.ready = []
    flow.head = 0
    this.#arm()
    if (flow.keys.size === 0) this.#flows.delete(name)
  }

  length(name?: string): number {
    if (name === undefined) return this.#waiting + this.#heap.length
    const flow = this.#flows.get(name)
    if (flow === undefined) return 0
    let count = 0
    for (const key of flow.keys.values()) if (key.state !== 'idle') count++
    return count
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#flows.clear()
    this.#ring = []
    this.#ringHead = 0
    this.#heap.length = 0
    this.#waiting = 0
    for (const waiter of this.#waiters) waiter.give(undefined)
  }

  #key(flowName: string, name: string, item: K): Key<K> {
    let flow = this.#flows.get(flowName)
    if (flow === undefined) {
      flow = {
        name: flowName,
        keys: new Map(),
        ready: [],
        head: 0,
        working: 0,
        deficit: 0,
        active: false,
        tokens: this.#retryBurst,
        refilled: this.#clock.now(),
      }
      this.#flows.set(flowName, flow)
    }
    let key = flow.keys.get(name)
    if (key === undefined) {
      key = { flow, name, item, state: 'idle', working: false, failures: 0, due: 0, place: -1, order: 0 }
      flow.keys.set(name, key)
    } else {
      key.item = item
    }
    return key
  }

  /** A key becomes due now. While it is worked on, it stands by until `done`. */
  #wait(key: Key<K>): void {
    key.state = 'waiting'
    key.due = this.#clock.now()
    this.#waiting++
    if (!key.working) this.#enter(key)
  }

  #enter(key: Key<K>): void {
    key.flow.ready.push(key)
    this.#activate(key.flow)
  }

  #activate(flow: Flow<K>): void {
    if (flow.active || flow.head === flow.ready.length || flow.working >= this.#flowConcurrency) return
    flow.active = true
    this.#ring.push(flow)
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      const taken = this.#next()
      if (taken === undefined) return
      waiter.give(taken)
    }
  }

  #next(): Taken<K> | undefined {
    while (this.#ringHead < this.#ring.length) {
      const flow = this.#ring[this.#ringHead]!
      if (flow.head === flow.ready.length || flow.working >= this.#flowConcurrency) {
        this.#advance()
        flow.active = false
        flow.deficit = 0
        continue
      }
      if (flow.deficit < 1) {
        flow.deficit += this.#weights.get(flow.name) ?? 1
        if (flow.deficit < 1) {
          this.#advance()
          this.#ring.push(flow)
          continue
        }
      }
      flow.deficit--
      const key = flow.ready[flow.head++]!
      if (flow.head === flow.ready.length) {
        flow.ready.length = 0
        flow.head = 0
      } else if (flow.head > 1024 && flow.head * 2 > flow.ready.length) {
        flow.ready.splice(0, flow.head)
        flow.head = 0
      }
      if (flow.deficit < 1) {
        this.#advance()
        flow.active = false
      }
      const taken = this.#hand(key)
      this.#activate(flow)
      if (!flow.active) flow.deficit = 0
      return taken
    }
    return undefined
  }

  #advance(): void {
    this.#ringHead++
    if (this.#ringHead === this.#ring.length) {
      this.#ring.length = 0
      this.#ringHead = 0
    } else if (this.#ringHead > 1024 && this.#ringHead * 2 > this.#ring.length) {
      this.#ring.splice(0, this.#ringHead)
      this.#ringHead = 0
    }
  }

  #hand(key: Key<K>): Taken<K> {
    key.state = 'idle'
    key.working = true
    key.flow.working++
    this.#waiting--
    let open = true
    return {
      flow: key.flow.name,
      key: key.name,
      item: key.item,
      waited: Math.max(0, this.#clock.now() - key.due),
      done: () => {
        if (!open) return
        open = false
        this.#finish(key)
      },
    }
  }

  #finish(key: Key<K>): void {
    key.working = false
    key.flow.working--
    if (this.#closed) return
    if (key.state === 'waiting') this.#enter(key)
    else this.#activate(key.flow)
    this.#tidy(key)
    this.#serve()
  }

  /** Drops what has nothing to remember. */
  #tidy(key: Key<K>): void {
    if (key.state !== 'idle' || key.working || key.failures > 0) return
    key.flow.keys.delete(key.name)
    if (key.flow.keys.size === 0 && this.#flows.get(key.flow.name) === key.flow) this.#flows.delete(key.flow.name)
  }

  /** Milliseconds until the flow's budget allows one more retry; takes it. */
  #reserve(flow: Flow<K>): number {
    const now = this.#clock.now()
    flow.tokens = Math.min(this.#retryBurst, flow.tokens + ((now - flow.refilled) / 1000) * this.#retryRate)
    flow.refilled = now
    flow.tokens--
    return flow.tokens >= 0 ? 0 : (-flow.tokens / this.#retryRate) * 1000
  }

  #arm(): void {
    const due = this.#heap[0]?.due ?? Infinity
    if (due === this.#timerDue) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#timerDue = due
    if (due === Infinity) return
    const delay = Math.min(Math.max(0, Math.ceil(due - this.#clock.now())), MAX_TIMER)
    this.#cancelTimer = this.#clock.after(delay, () => {
      this.#cancelTimer = undefined
      this.#timerDue = Infinity
      const now = this.#clock.now()
      for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
        this.#removeDelayed(first)
        this.#wait(first)
      }
      this.#arm()
      this.#serve()
    })
  }

  #removeDelayed(key: Key<K>): void {
    const heap = this.#heap
    const { place } = key
    const last = heap.pop()!
    key.place = -1
    key.state = 'idle'
    if (last === key) return
    heap[place] = last
    last.place = place
    this.#up(place)
    this.#down(last.place)
  }

  #push(key: Key<K>): void {
    key.place = this.#heap.length
    this.#heap.push(key)
    this.#up(key.place)
  }

  #up(from: number): void {
    const heap = this.#heap
    const key = heap[from]!
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!before(key, heap[parent]!)) break
      this.#set(place, heap[parent]!)
      place = parent
    }
    this.#set(place, key)
  }

  #down(from: number): void {
    const heap = this.#heap
    const key = heap[from]!
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, key)) break
      this.#set(place, heap[child]!)
      place = child
    }
    this.#set(place, key)
  }

  #set(place: number, key: Key<K>): void {
    this.#heap[place] = key
    key.place = place
  }
}

function before<K>(a: Key<K>, b: Key<K>): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order)
}
