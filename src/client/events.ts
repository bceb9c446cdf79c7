/** Records Kubernetes events on objects: counted when they repeat, limited, and never in the way of the work. */
import { randomSuffix } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import type { Client } from './contract.ts'
import { resources } from './resources.ts'

export interface EventText {
  readonly type: 'Normal' | 'Warning'
  /** One CamelCase word. */
  readonly reason: string
  readonly message: string
}

export interface EventRecorder {
  /** Says something about an object. Returns at once, never throws. */
  record(object: KubeObject, event: EventText): void
  /** Resolves when everything recorded so far is written or dropped. */
  flush(): Promise<void>
}

export interface EventRecorderOptions {
  /** Who speaks: `tenantry-manager`. */
  readonly component: string
  /** Events that wait to be written, at most; more are dropped. @default 1000 */
  readonly pending?: number
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number
  /** Numbers in [0, 1). @default Math.random */
  readonly random?: () => number
  /** Hears of events that could not be written. @default nothing */
  readonly onError?: (error: unknown) => void
}

/** Seen again within this time, an event counts up; in milliseconds. */
const MEMORY = 10 * 60 * 1000
const MAX_REMEMBERED = 4096
const MAX_MESSAGE = 1024
/** Each object may have so many different events at once, and one more each `REFILL` milliseconds. */
const BURST = 25
const REFILL = 5 * 60 * 1000

interface Remembered {
  readonly namespace: string
  readonly name: string
  count: number
  last: number
}

interface Waiting {
  readonly object: KubeObject
  readonly event: EventText
  count: number
}

class Recorder implements EventRecorder {
  readonly #client: Pick<Client, 'create' | 'patch'>
  readonly #options: Required<EventRecorderOptions>
  readonly #waiting = new Map<string, Waiting>()
  readonly #written = new Map<string, Remembered>()
  readonly #budgets = new Map<string, { left: number; at: number }>()
  #work: Promise<void> | undefined

  constructor(client: Pick<Client, 'create' | 'patch'>, options: EventRecorderOptions) {
    this.#client = client
    this.#options = { pending: 1000, now: Date.now, random: Math.random, onError: () => {}, ...options }
  }

  record(object: KubeObject, event: EventText): void {
    const { uid = '', namespace = '', name = '' } = object.metadata
    const key = JSON.stringify([uid, namespace, name, event.type, event.reason, event.message])
    const same = this.#waiting.get(key)
    if (same !== undefined) {
      same.count++
      return
    }
    if (this.#waiting.size >= this.#options.pending || !this.#allowed(`${uid}/${namespace}/${name}`)) return
    this.#waiting.set(key, { object, event, count: 1 })
    this.#work ??= this.#run()
  }

  async flush(): Promise<void> {
    await this.#work
  }

  /** A bucket of events for each object. */
  #allowed(key: string): boolean {
    const now = this.#options.now()
    const { left, at } = this.#budgets.get(key) ?? { left: BURST, at: now }
    const filled = Math.min(BURST, left + (now - at) / REFILL)
    remember(this.#budgets, key, { left: Math.max(0, filled - 1), at: now })
    return filled >= 1
  }

  async #run(): Promise<void> {
    // Give what happens in the same moment the chance to be counted together.
    await Promise.resolve()
    for (;;) {
      const [first] = this.#waiting
      if (first === undefined) break
      const [key, one] = first
      this.#waiting.delete(key)
      try {
        await this.#write(key, one)
      } catch (error) {
        this.#options.onError(error)
      }
    }
    this.#work = undefined
  }

  async #write(key: string, { object, event, count }: Waiting): Promise<void> {
    const now = this.#options.now()
    const before = this.#written.get(key)
    if (before !== undefined && now - before.last < MEMORY) {
      before.count += count
      before.last = now
      const body = { count: before.count, lastTimestamp: stamp(now) }
      try {
        await this.#client.patch(
          resources.events,
          before.name,
          { type: 'merge', body },
          { namespace: before.namespace },
        )
        return
      } catch (error) {
        // It expired: begin again.
        if (!isReason(error, 'NotFound')) throw error
      }
    }
    const made = this.#eventOf(object, event, count, now)
    const { name = '', namespace = '' } = made.metadata
    remember(this.#written, key, { name, namespace, count, last: now })
    try {
      await this.#client.create(resources.events, made, { namespace })
    } catch (error) {
      this.#written.delete(key)
      // The namespace is going away, and with it the object.
      if (!isReason(error, 'NotFound') && !isReason(error, 'Forbidden')) throw error
    }
  }

  #eventOf(object: KubeObject, { type, reason, message }: EventText, count: number, now: number): KubeObject {
    const { name = '', namespace = '', uid, resourceVersion } = object.metadata
    const { component, random } = this.#options
    // Events of cluster-scoped objects live in `default`.
    const home = namespace === '' ? 'default' : namespace
    const suffix = `${now.toString(16)}${randomSuffix(5, random)}`
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 200)}.${suffix}`, namespace: home },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        ...(namespace === '' ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type,
      reason,
      message: message.slice(0, MAX_MESSAGE),
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      firstTimestamp: stamp(now),
      lastTimestamp: stamp(now),
      count,
    }
  }
}

const stamp = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')

/** Sets an entry as the newest, and forgets the oldest when there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value!)
}

export function createEventRecorder(
  client: Pick<Client, 'create' | 'patch'>,
  options: EventRecorderOptions,
): EventRecorder {
  return new Recorder(client, options)
}
