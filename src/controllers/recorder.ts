/**
 * Events about objects, as `kubectl describe` shows them. Bounded in every way: what repeats is counted in one
 * event, an object that is talked about too much is silenced, and a slow server costs events, never work.
 */
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import type { ControllerContext } from './contract.ts'
import { timestamp } from './meta.ts'

/** Same source, object and reason: beyond so many different texts they share one event. */
const SIMILAR = 10
/** Events of one source about one object at once; then one per five minutes. */
const BURST = 25
const REFILL = 5 * 60_000
const REMEMBERED = 2000
const PENDING = 1000
const CONCURRENT = 4

interface Known {
  /** Resolves to the name of the event on the server; undefined when it was not written. */
  written: Promise<string | undefined>
  count: number
}

interface Budget {
  tokens: number
  refilled: number
  /** Texts seen per reason. */
  readonly texts: Map<string, number>
}

export interface EventRecorder {
  /** Never throws and never waits. `apiVersion` and `kind` are those of the object. */
  event(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** Kinds of objects that come from informers and so may lack their own type. */
export interface Regarding {
  readonly apiVersion: string
  readonly kind: string
}

/** A recorder for one component (`replicaset-controller`). */
export function createRecorder(context: ControllerContext, component: string, regarding: Regarding): EventRecorder {
  return new Recorder(context, component, regarding)
}

class Recorder implements EventRecorder {
  readonly #client: Client
  readonly #context: ControllerContext
  readonly #component: string
  readonly #regarding: Regarding
  readonly #known = new Map<string, Known>()
  readonly #budgets = new Map<string, Budget>()
  readonly #pending: (() => Promise<void>)[] = []
  #running = 0
  #sequence = 0

  constructor(context: ControllerContext, component: string, regarding: Regarding) {
    this.#client = context.client
    this.#context = context
    this.#component = component
    this.#regarding = regarding
  }

  event(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#context.signal.aborted || this.#pending.length >= PENDING) return
    const { uid = '', name = '', namespace = '' } = object.metadata
    const budget = this.#budget(`${namespace}/${name}/${uid}`)
    const texts = (budget.texts.get(reason) ?? 0) + 1
    const key = `${namespace}/${name}/${uid}/${type}/${reason}/`
    const similar = texts > SIMILAR && !this.#known.has(key + message)
    const text = similar ? `(combined from similar events): ${message}` : message
    const id = similar ? key : key + message
    const known = this.#known.get(id)
    if (!this.#spend(budget)) return
    if (known === undefined) {
      budget.texts.set(reason, texts)
      this.#create(id, object, type, reason, text.slice(0, 1024))
    } else {
      known.count++
      this.#enqueue(() => this.#repeat(known, namespace === '' ? 'default' : namespace, text.slice(0, 1024)))
    }
  }

  #create(id: string, object: KubeObject, type: string, reason: string, message: string): void {
    const now = this.#context.now()
    const { name = '', namespace = '', uid = '', resourceVersion } = object.metadata
    const suffix = (BigInt(Math.trunc(now)) * 1_000_000n + BigInt(this.#sequence++ % 1_000_000)).toString(16)
    const eventName = `${name.slice(0, 230)}.${suffix}`
    const event: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName, namespace: namespace === '' ? 'default' : namespace },
      involvedObject: {
        apiVersion: this.#regarding.apiVersion,
        kind: this.#regarding.kind,
        name,
        uid,
        ...(namespace === '' ? {} : { namespace }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      reason,
      message,
      type,
      count: 1,
      firstTimestamp: timestamp(now),
      lastTimestamp: timestamp(now),
      source: { component: this.#component },
      reportingComponent: this.#component,
      reportingInstance: '',
    }
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    remember(this.#known, id, { written: promise, count: 1 })
    this.#enqueue(async () => {
      let written: string | undefined
      try {
        await this.#client.create(resources.events, event, { namespace: event.metadata.namespace! })
        written = eventName
      } finally {
        if (written === undefined) this.#known.delete(id)
        resolve(written)
      }
    })
  }

  async #repeat(known: Known, namespace: string, message: string): Promise<void> {
    const name = await known.written
    if (name === undefined) return
    const body = { count: known.count, message, lastTimestamp: timestamp(this.#context.now()) }
    await this.#client.patch(resources.events, name, { type: 'merge', body }, { namespace })
  }

  #enqueue(write: () => Promise<void>): void {
    this.#pending.push(write)
    if (this.#running < CONCURRENT) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#running++
    for (let write = this.#pending.shift(); write !== undefined; write = this.#pending.shift()) {
      try {
        await write()
      } catch (error) {
        // Gone with its namespace, expired, or the cluster is stopping: an event is not worth more.
        if (!(error instanceof StatusError && (error.code === 404 || error.code === 403))) {
          this.#context.log.debug('event not written', { component: this.#component, error: String(error) })
        }
      }
    }
    this.#running--
  }

  #budget(key: string): Budget {
    let budget = this.#budgets.get(key)
    if (budget === undefined) {
      budget = { tokens: BURST, refilled: this.#context.now(), texts: new Map() }
      remember(this.#budgets, key, budget)
    }
    return budget
  }

  #spend(budget: Budget): boolean {
    const now = this.#context.now()
    budget.tokens = Math.min(BURST, budget.tokens + (now - budget.refilled) / REFILL)
    budget.refilled = now
    if (budget.tokens < 1) return false
    budget.tokens--
    return true
  }
}

/** Keeps the newest entries only. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value)
  if (map.size > REMEMBERED) map.delete(map.keys().next().value!)
}
