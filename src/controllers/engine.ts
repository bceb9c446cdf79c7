/** The engine that runs the controllers of all clusters of a process: one fair queue, a few workers. */
import type { Client } from '../client/contract.ts'
import { createFairQueue, systemClock, type QueueClock } from '../client/fair-queue.ts'
import type { FairQueue, Taken } from '../client/queue.ts'
import { StatusError } from '../machinery/status.ts'
import type { Controller, ControllerContext, ControllerFactory, Log } from './contract.ts'

/** What the engine measures. All calls are cheap and synchronous. */
export interface EngineMetrics {
  /** A key was worked on: milliseconds it waited for its turn, and that the work took. */
  worked(cluster: string, controller: string, waited: number, took: number, failed: boolean): void
}

export interface EngineOptions {
  readonly log: Log
  /** Keys worked on at once, over all clusters. @default 64 */
  readonly concurrency?: number
  /** Keys of one cluster worked on at once, so that one that hangs does not stop the others. @default half of concurrency */
  readonly clusterConcurrency?: number
  /** @default the process's clock */
  readonly clock?: QueueClock
  /** A number in [0, 1). @default Math.random */
  readonly random?: () => number
  readonly metrics?: EngineMetrics
  /** Milliseconds between two log lines about the same failing key. @default 60000 */
  readonly logInterval?: number
}

/** A cluster whose controllers run. `id` is unique in the engine. */
export interface EngineCluster {
  readonly id: string
  readonly client: Client
  /** Share of turns. @default 1 */
  readonly weight?: number
}

interface Item {
  readonly controller: Controller
  readonly key: string
}

/** Failing keys whose last log line is remembered; beyond, the oldest is forgotten. */
const REMEMBERED_FAILURES = 10_000

/** Milliseconds in one turn of the event loop in which keys are begun: many are done without waiting for anything. */
const TURN = 4

/** One per process. */
export class ControllerEngine {
  readonly #options: EngineOptions
  readonly #clock: QueueClock
  readonly #queue: FairQueue<Item>
  readonly #stops = new Map<string, AbortController>()
  readonly #logged = new Map<string, number>()
  readonly #workers: Promise<void>[]
  /** When the work of this turn of the event loop must end, and what comes with the next. */
  #until = 0
  #next: Promise<void> | undefined

  constructor(options: EngineOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const concurrency = options.concurrency ?? 64
    const flowConcurrency = options.clusterConcurrency ?? Math.max(1, concurrency >> 1)
    this.#queue = createFairQueue<Item>({ clock: this.#clock, flowConcurrency })
    this.#workers = Array.from({ length: concurrency }, () => this.#work())
  }

  /**
   * Starts a cluster's controllers. The client stays the caller's: stop first, then close it.
   * @throws Error when a cluster with this id runs already
   */
  add(cluster: EngineCluster, factories: readonly ControllerFactory[]): { stop(): void } {
    if (this.#stops.has(cluster.id)) throw new Error(`controllers of cluster ${cluster.id} run already`)
    const stop = new AbortController()
    this.#stops.set(cluster.id, stop)
    if (cluster.weight !== undefined) this.#queue.setWeight(cluster.id, cluster.weight)
    for (const factory of factories) this.#start(cluster, factory, stop.signal)
    return {
      stop: () => {
        if (stop.signal.aborted) return
        stop.abort()
        this.#stops.delete(cluster.id)
        this.#queue.removeFlow(cluster.id)
      },
    }
  }

  /** Changes a running cluster's share of turns. */
  setWeight(id: string, weight: number): void {
    this.#queue.setWeight(id, weight)
  }

  /** Keys waiting, of one cluster or all. */
  backlog(id?: string): number {
    return this.#queue.length(id)
  }

  /** Stops all clusters and waits for the work under way. */
  async close(): Promise<void> {
    for (const stop of this.#stops.values()) stop.abort()
    this.#stops.clear()
    this.#queue.close()
    await Promise.all(this.#workers)
  }

  #start(cluster: EngineCluster, factory: ControllerFactory, signal: AbortSignal): void {
    const context: ControllerContext = {
      client: cluster.client,
      enqueue: (key, delay = 0) => {
        if (signal.aborted) return
        const name = `${controller.name}/${key}`
        if (delay > 0) this.#queue.addAfter(cluster.id, name, { controller, key }, delay)
        else this.#queue.add(cluster.id, name, { controller, key })
      },
      now: () => this.#clock.now(),
      random: this.#options.random ?? Math.random,
      log: withFields(this.#options.log, { cluster: cluster.id }),
      signal,
    }
    const controller = factory(context)
    controller.start()
  }

  async #work(): Promise<void> {
    for (let taken = await this.#queue.take(); taken !== undefined; taken = await this.#queue.take()) {
      for (let turn = this.#turn(); turn !== undefined; turn = this.#turn()) await turn
      await this.#one(taken)
    }
  }

  /** What is to be waited for when keys have been worked on for so long that others must come first. */
  #turn(): Promise<void> | undefined {
    const now = this.#clock.now()
    if (this.#next === undefined) {
      this.#until = now + TURN
      this.#next = new Promise((resolve) => {
        setImmediate(() => {
          this.#next = undefined
          resolve()
        })
      })
    }
    return now < this.#until ? undefined : this.#next
  }

  async #one(taken: Taken<Item>): Promise<void> {
    const { controller, key } = taken.item
    const start = this.#clock.now()
    let failed = false
    try {
      await controller.reconcile(key)
      this.#queue.forget(taken.flow, taken.key)
    } catch (error) {
      if (this.#stops.has(taken.flow)) {
        failed = true
        this.#queue.retry(taken.flow, taken.key, taken.item)
        this.#report(taken, error)
      }
    } finally {
      taken.done()
      this.#options.metrics?.worked(taken.flow, controller.name, taken.waited, this.#clock.now() - start, failed)
    }
  }

  /** A conflict is part of the game and only worth a debug line; anything else is told once per key and interval. */
  #report(taken: Taken<Item>, error: unknown): void {
    const fields = {
      cluster: taken.flow,
      controller: taken.item.controller.name,
      key: taken.item.key,
      error: error instanceof Error ? error.message : String(error),
      // An error of the program, not of the API: where it came from helps.
      ...(error instanceof Error && !(error instanceof StatusError) ? { stack: error.stack } : {}),
    }
    if (error instanceof StatusError && error.code === 409) {
      this.#options.log.debug('reconcile will be repeated', fields)
      return
    }
    const id = `${taken.flow}\n${taken.key}`
    const now = this.#clock.now()
    const last = this.#logged.get(id)
    if (last !== undefined && now - last < (this.#options.logInterval ?? 60_000)) return
    this.#logged.delete(id)
    this.#logged.set(id, now)
    if (this.#logged.size > REMEMBERED_FAILURES) this.#logged.delete(this.#logged.keys().next().value!)
    this.#options.log.warn('reconcile failed', fields)
  }
}

/** The same log with fields on every line. */
function withFields(log: Log, common: Record<string, unknown>): Log {
  return {
    debug: (msg, fields) => log.debug(msg, { ...common, ...fields }),
    info: (msg, fields) => log.info(msg, { ...common, ...fields }),
    warn: (msg, fields) => log.warn(msg, { ...common, ...fields }),
    error: (msg, fields) => log.error(msg, { ...common, ...fields }),
  }
}
