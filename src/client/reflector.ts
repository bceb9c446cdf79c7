/**
 * Keeps a copy of a resource equal to the server's: WatchList where the server knows it, else a paged list and a watch;
 * bookmarks; a new start after 410; back-off with jitter while the server does not answer.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { KubeList, KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import type { Client, InformerOptions, Resource, WatchEvent } from './contract.ts'
import { ConnectionError } from './failure.ts'

/** Where the state goes. */
export interface Sink<T extends KubeObject> {
  /** The whole state at some moment. */
  replace(objects: readonly T[]): void
  put(object: T): void
  delete(object: T): void
}

export interface ReflectorOptions {
  /** First and greatest pause after a failure, in milliseconds. @default [200, 30000] */
  readonly backoff?: readonly [first: number, most: number]
  /** Numbers in [0, 1), for jitter. @default Math.random */
  readonly random?: () => number
  /** Milliseconds that only grow. @default performance.now */
  readonly now?: () => number
  /** Waits some milliseconds; rejects when the signal fires. @default a timer */
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>
  /** Seconds that a watch is asked to last; up to twice as many by chance. @default 300 */
  readonly watchSeconds?: number
  /** Milliseconds without an event after which an initial state by watch is given up for a list. @default 15000 */
  readonly initialIdle?: number
  /** Objects per page of a list. @default 500 */
  readonly pageSize?: number
  /** Hears of failures, which are tried again, and of handlers that throw. @default a warning of the process */
  readonly onError?: (error: unknown) => void
}

/** A watch that lived so long was no failure, even if nothing happened; in milliseconds. */
const LASTING = 5000
/** Milliseconds that a watch may last longer than it was asked to: then its server is gone without a word. */
const GRACE = 30_000
/** So many rounds in a row of less than a second each may follow each other at once. */
const QUICK_ROUNDS = 10
const INITIAL_END = 'k8s.io/initial-events-end'

/** The default of `onError`. A server that is away is everybody's news; what nobody else hears of is said. */
export function warn(error: unknown): void {
  if (!(error instanceof ConnectionError)) process.emitWarning(error instanceof Error ? error : String(error))
}

/** The server's state is newer than what we asked for: only a fresh start helps. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false
  if (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone') return true
  return error.status.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') === true
}

/** The server does not know `sendInitialEvents`. */
function isUnknownParameter(error: unknown): boolean {
  return error instanceof StatusError && [400, 405, 415, 422].includes(error.code)
}

/** An initial state by watch that does not come: a server which ignores the parameter. */
class NoInitialState extends Error {}

export class Reflector<T extends KubeObject> {
  readonly #client: Pick<Client, 'list' | 'watch'>
  readonly #resource: Resource
  readonly #selection: InformerOptions
  readonly #sink: Sink<T>
  readonly #options: Required<ReflectorOptions>
  /** Where the next watch starts; '' when there is no state yet or it is too old. */
  #version = ''
  #watchList = true
  #failures = 0
  #quick = 0

  constructor(
    client: Pick<Client, 'list' | 'watch'>,
    resource: Resource,
    selection: InformerOptions,
    sink: Sink<T>,
    options: ReflectorOptions = {},
  ) {
    this.#client = client
    this.#resource = resource
    this.#selection = selection
    this.#sink = sink
    this.#options = {
      backoff: [200, 30_000],
      random: Math.random,
      now: () => performance.now(),
      sleep: async (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
      watchSeconds: 300,
      initialIdle: 15_000,
      pageSize: 500,
      onError: warn,
      ...options,
    }
  }

  /** Runs until the signal fires. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = this.#options.now()
      try {
        // Whatever a server does, it is not asked in a loop.
        if (this.#quick > QUICK_ROUNDS) await this.#pause(signal)
        if (this.#version === '' && !this.#watchList) await this.#list(signal)
        const progress = await this.#watch(signal)
        if (signal.aborted) return
        if (progress || this.#options.now() - began > LASTING) this.#failures = 0
        else await this.#pause(signal)
      } catch (error) {
        if (signal.aborted) return
        if (this.#recover(error)) continue
        this.#options.onError(error)
        await this.#pause(signal)
      } finally {
        this.#quick = this.#options.now() - began < 1000 ? this.#quick + 1 : 0
      }
    }
  }

  /** Changes course after an error; false when there is nothing to do but wait. */
  #recover(error: unknown): boolean {
    const starting = this.#version === ''
    if (starting && this.#watchList && (error instanceof NoInitialState || isUnknownParameter(error))) {
      this.#watchList = false
      return true
    }
    if (isExpired(error) && !starting) {
      this.#version = ''
      return true
    }
    return false
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const [first, most] = this.#options.backoff
    const base = Math.min(most, first * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 30)
    // Between half and one and a half, so that many clients do not come back at once.
    try {
      await this.#options.sleep(base * (0.5 + this.#options.random()), signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { pageSize } = this.#options
    let objects: T[] = []
    let page: KubeList<T> | undefined
    let limit = pageSize
    do {
      const next = page?.metadata.continue
      try {
        page = await this.#client.list<T>(this.#resource, {
          ...this.#selection,
          signal,
          ...(limit > 0 ? { limit } : {}),
          ...(next === undefined ? {} : { continue: next }),
        })
      } catch (error) {
        if (next === undefined || !isExpired(error)) throw error
        // Pages went stale while being read: once more, all at once.
        objects = []
        page = undefined
        limit = 0
        continue
      }
      objects = objects.length === 0 ? page.items : objects.concat(page.items)
    } while (page === undefined || (page.metadata.continue ?? '') !== '')
    this.#sink.replace(objects)
    this.#version = page.metadata.resourceVersion
    this.#failures = 0
  }

  /** One watch, until it ends. True when it brought something. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const initial = this.#version === ''
    const { watchSeconds, random, initialIdle } = this.#options
    const timeoutSeconds = Math.ceil(watchSeconds * (1 + random()))
    const idle = new AbortController()
    const limit = setTimeout(() => idle.abort(), timeoutSeconds * 1000 + GRACE).unref()
    const stream = this.#client.watch<T>(this.#resource, {
      ...this.#selection,
      allowWatchBookmarks: true,
      timeoutSeconds,
      signal: AbortSignal.any([signal, idle.signal]),
      ...(initial ? { sendInitialEvents: true } : { resourceVersion: this.#version }),
    })
    let waiting: Map<string, T> | undefined = initial ? new Map() : undefined
    let timer = initial ? setTimeout(() => idle.abort(), initialIdle) : undefined
    let progress = false
    try {
      for await (const event of stream) {
        if (signal.aborted) break
        timer?.refresh()
        if (event.type === 'ERROR') {
          // Unless it is about load, what comes after this version is what the server cannot tell: start over.
          if (event.object.code !== 429 && event.object.code !== 410) this.#version = ''
          throw new StatusError(event.object)
        }
        progress = true
        if (waiting === undefined) {
          this.#apply(event)
        } else if (collect(waiting, event)) {
          clearTimeout(timer)
          timer = undefined
          this.#sink.replace([...waiting.values()])
          waiting = undefined
          this.#version = event.object.metadata.resourceVersion ?? ''
          this.#failures = 0
        }
      }
    } finally {
      clearTimeout(timer)
      clearTimeout(limit)
    }
    if (waiting !== undefined && !signal.aborted && idle.signal.aborted) throw new NoInitialState()
    return progress && waiting === undefined
  }

  #apply(event: Exclude<WatchEvent<T>, { type: 'ERROR' }>): void {
    if (event.type === 'DELETED') this.#sink.delete(event.object)
    else if (event.type !== 'BOOKMARK') this.#sink.put(event.object)
    const version = event.object.metadata.resourceVersion
    if (version !== undefined && version !== '') this.#version = version
  }
}

/** Takes an event of the initial state; true for the bookmark that ends it. */
function collect<T extends KubeObject>(
  state: Map<string, T>,
  event: Exclude<WatchEvent<T>, { type: 'ERROR' }>,
): boolean {
  const { metadata } = event.object
  if (event.type === 'BOOKMARK') {
    // A server that ignores the parameter, on a resource where there is always something new.
    if (metadata.annotations?.[INITIAL_END] !== 'true') throw new NoInitialState()
    return true
  }
  const key = `${metadata.namespace ?? ''}\0${metadata.name ?? ''}`
  if (event.type === 'DELETED') state.delete(key)
  else state.set(key, event.object)
  return false
}
