/** The dialler: HTTPS over pools that all clusters of a process share out. */
import type { Duplex } from 'node:stream'
import { isIP, type Socket } from 'node:net'
import type { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import type { Answer, CallOptions, Destination, Dialler, EndpointOptions, ServiceResolver } from './contract.ts'
import { answerFailure, DEADLINE } from './failure.ts'
import { gather, TooMuch } from './gather.ts'
import { Lanes } from './lanes.ts'
import type { LaneOptions, Leave } from './lanes.ts'
import { createLookup } from './lookup.ts'
import type { Lookup } from './lookup.ts'
import { Meter } from './meter.ts'
import type { MeterOptions } from './meter.ts'
import { everywhere } from './reach.ts'
import type { Reach } from './reach.ts'
import { authority, connectPlainly, connectSecurely } from './secure.ts'
import { Trusts } from './trust.ts'
import type { Trust } from './trust.ts'
import { undici } from '../../client/undici.ts'

export interface DialPoolOptions {
  readonly lanes?: LaneOptions
  readonly memory?: MeterOptions
  /** @default the hosts file and DNS */
  readonly lookup?: Lookup
  /** Destinations whose connections are kept. @default 1024 */
  readonly pools?: number
  /** Connections of one cluster that `connect` gave out and that are open. @default 512 */
  readonly streams?: number
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

export interface DiallerOptions {
  /** Bounds are for each. */
  readonly cluster: string
  readonly services: ServiceResolver
  /** @default everywhere: for clusters of the operator only */
  readonly reach?: Reach
}

const MAX_ANSWER = 8 * 1024 * 1024
/** Milliseconds that a connection is kept for the next call. */
const IDLE = 30_000
/** Milliseconds for a connection to be made, which the calls that wait for it may have given up already. */
const CONNECT = 30_000
/** Milliseconds after which a destination nobody calls is forgotten, and after which connections are made anew. */
const UNUSED = 60_000
const OLD = 10 * 60_000
/** After these a call that may be repeated on a kept connection goes again, once: the server had closed it. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS'])
const STALE = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** Where one call goes, resolved. */
interface Way {
  readonly origin: string
  readonly path: string
  readonly serverName: string
  readonly host: string
  readonly port: number
}

interface Kept {
  readonly pool: Pool
  readonly since: number
  used: number
  answered: boolean
}

/** What the clusters of a process share. */
export class DialPools {
  readonly #options: DialPoolOptions
  readonly #lanes: Lanes
  readonly #memory: Meter
  readonly #lookup: Lookup
  readonly #trusts = new Trusts()
  /** By cluster and key, least recently used first. */
  readonly #kept = new Map<string, Kept>()
  readonly #streams = new Map<string, number>()
  readonly #now: () => number

  constructor(options: DialPoolOptions = {}) {
    this.#options = options
    this.#lanes = new Lanes(options.lanes)
    this.#memory = new Meter(options.memory)
    this.#lookup = options.lookup ?? createLookup()
    this.#now = options.now ?? Date.now
  }

  /** Calls under way and waiting, and destinations kept. */
  get load(): { readonly running: number; readonly waiting: number; readonly pools: number } {
    return { ...this.#lanes.load, pools: this.#kept.size }
  }

  dialler({ cluster, services, reach = everywhere }: DiallerOptions): Dialler {
    const closed = new AbortController()
    const prefix = `${cluster}\n`
    return {
      call: (options) => this.#call(prefix, options, services, reach, closed.signal),
      connect: (options) =>
        this.#stream(prefix, options, closed.signal, async (signal) => {
          const way = await wayTo(options.destination, services)
          const { context } = this.#trusts.get(options.caBundle, options.client)
          return this.#secure(way, context, options.insecure === true, reach, signal)
        }),
      dial: (options) =>
        this.#stream(prefix, options, closed.signal, (signal) => this.#endpoint(options, reach, signal)),
      close: async () => {
        closed.abort(new Error('the cluster is stopped'))
        const ended: Promise<void>[] = []
        for (const [key, { pool }] of this.#kept) {
          if (!key.startsWith(prefix)) continue
          this.#kept.delete(key)
          ended.push(pool.destroy())
        }
        await Promise.all(ended)
      },
    }
  }

  async #call(
    cluster: string,
    options: CallOptions,
    services: ServiceResolver,
    reach: Reach,
    closed: AbortSignal,
  ): Promise<Answer> {
    const { timeout, maxAnswer = MAX_ANSWER } = options
    const sent = options.body?.length ?? 0
    if (!this.#memory.take(cluster, sent)) throw new Error('calls of this cluster need too much memory')
    const over = deadline(timeout, options.signal, closed)
    let held = 0
    let leave: Leave | undefined
    try {
      leave = await this.#turn(cluster, over.signal)
      const way = await wayTo(options.destination, services)
      over.signal.throwIfAborted()
      const trust = this.#trusts.get(options.caBundle, options.client)
      const take = (bytes: number) => {
        if (held + bytes > maxAnswer || !this.#memory.take(cluster, bytes)) return false
        held += bytes
        return true
      }
      for (let first = true; ; first = false) {
        const kept = this.#poolFor(cluster, way, trust, options.insecure === true, reach, closed)
        const reused = kept.answered
        try {
          const answer = await gather(kept.pool, requestOf(way, options), { signal: over.signal, take })
          kept.answered = true
          return answer
        } catch (error) {
          over.signal.throwIfAborted()
          if (error instanceof TooMuch) throw new Error(`the answer has more than ${held} bytes`, { cause: error })
          const stale =
            first &&
            reused &&
            REPEATABLE.has(options.method) &&
            held === 0 &&
            STALE.has((error as { code?: string }).code ?? '')
          if (!stale) throw answerFailure(error, maxAnswer)
        }
      }
    } finally {
      over.clear()
      this.#memory.give(cluster, sent + held)
      leave?.()
    }
  }

  /** A connection that its owner ends, counted until then. */
  async #stream(
    cluster: string,
    { timeout, signal }: Pick<EndpointOptions, 'timeout' | 'signal'>,
    closed: AbortSignal,
    make: (signal: AbortSignal) => Promise<Socket>,
  ): Promise<Duplex> {
    closed.throwIfAborted()
    const open = this.#streams.get(cluster) ?? 0
    if (open >= (this.#options.streams ?? 512)) throw new Error('too many connections of this cluster are open')
    this.#streams.set(cluster, open + 1)
    const release = () => {
      const left = this.#streams.get(cluster)! - 1
      if (left === 0) this.#streams.delete(cluster)
      else this.#streams.set(cluster, left)
    }
    const over = deadline(timeout, signal, closed)
    try {
      const socket = await make(over.signal)
      socket.once('close', release)
      const stop = () => socket.destroy()
      closed.addEventListener('abort', stop, { once: true })
      socket.once('close', () => closed.removeEventListener('abort', stop))
      return socket
    } catch (error) {
      release()
      throw error
    } finally {
      over.clear()
    }
  }

  async #endpoint(options: EndpointOptions, reach: Reach, signal: AbortSignal): Promise<Socket> {
    const { host, port, plain = false, insecure = false, client, vet } = options
    const addresses = await this.#reachable(host, port, reach, vet)
    const way = { addresses, port, signal }
    if (plain) return connectPlainly(way)
    const { context } = this.#trusts.get(undefined, client)
    return connectSecurely({ ...way, serverName: host, context, insecure, now: this.#now })
  }

  async #turn(cluster: string, signal: AbortSignal): Promise<Leave> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const leave = this.#lanes.enter(cluster, () => resolve(undefined))
    if (leave === undefined) throw new Error('too many calls of this cluster are waiting')
    const abort = () => {
      leave()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
    return leave
  }

  #poolFor(cluster: string, way: Way, trust: Trust, insecure: boolean, reach: Reach, closed: AbortSignal): Kept {
    const key = `${cluster}${trust.id} ${insecure} ${way.origin} ${authority(way.host, way.port)}`
    const now = this.#now()
    let kept = this.#kept.get(key)
    if (kept !== undefined) {
      this.#kept.delete(key)
      if (now - kept.since > OLD) {
        retire(kept)
        kept = undefined
      }
    }
    if (kept === undefined) {
      this.#sweep(now)
      kept = { pool: this.#makePool(way, trust, insecure, reach, closed), since: now, used: now, answered: false }
    }
    kept.used = now
    this.#kept.set(key, kept)
    return kept
  }

  #sweep(now: number): void {
    const max = this.#options.pools ?? 1024
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size < max && now - kept.used < UNUSED) break
      this.#kept.delete(key)
      retire(kept)
    }
  }

  #makePool(way: Way, trust: Trust, insecure: boolean, reach: Reach, closed: AbortSignal): Pool {
    return new (undici().Pool)(way.origin, {
      allowH2: false,
      pipelining: 1,
      // The calls' own deadlines hold.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE,
      keepAliveMaxTimeout: IDLE,
      connect: (_, done) => {
        // Not the call's signal: the connection may serve another one that waits for it.
        const signal = AbortSignal.any([AbortSignal.timeout(CONNECT), closed])
        this.#secure(way, trust.context, insecure, reach, signal).then(
          (socket) => done(null, socket),
          (error: unknown) => done(error as Error, null),
        )
      },
    })
  }

  async #secure(way: Way, context: Trust['context'], insecure: boolean, reach: Reach, signal: AbortSignal) {
    const { host, port, serverName } = way
    const addresses = await this.#reachable(host, port, reach)
    return connectSecurely({ addresses, port, serverName, context, insecure, signal, now: this.#now })
  }

  async #reachable(host: string, port: number, reach: Reach, vet?: EndpointOptions['vet']): Promise<readonly string[]> {
    const found = isIP(host) === 0 ? await this.#find(host) : [host]
    vet?.(found)
    const addresses = found.filter(reach)
    if (addresses.length > 0) return addresses
    throw new Error(`dial tcp ${authority(found[0] ?? host, port)}: this cluster may not connect to this address`)
  }

  async #find(host: string): Promise<readonly string[]> {
    try {
      return await this.#lookup(host)
    } catch (error) {
      throw new Error(`dial tcp: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** Ends when what is under way has ended. */
function retire({ pool }: Kept): void {
  pool.close().catch(() => undefined)
}

interface Deadline {
  readonly signal: AbortSignal
  clear(): void
}

function deadline(timeout: number, outer: AbortSignal | undefined, closed: AbortSignal): Deadline {
  const own = new AbortController()
  const timer = setTimeout(() => own.abort(new Error(DEADLINE)), Math.max(0, timeout)).unref()
  const follow = (signal: AbortSignal) => () => own.abort(signal.reason)
  const ended = follow(closed)
  const gone = outer === undefined ? undefined : follow(outer)
  if (closed.aborted) ended()
  if (outer?.aborted === true) gone?.()
  closed.addEventListener('abort', ended, { once: true })
  if (gone !== undefined) outer?.addEventListener('abort', gone, { once: true })
  return {
    signal: own.signal,
    clear() {
      clearTimeout(timer)
      closed.removeEventListener('abort', ended)
      if (gone !== undefined) outer?.removeEventListener('abort', gone)
    },
  }
}

function requestOf(way: Way, { method, query, headers, body }: CallOptions): Dispatcher.DispatchOptions {
  const path = query === undefined || query === '' ? way.path : `${way.path}?${query}`
  return { method: method as 'POST', path, headers, body: body ?? null }
}

async function wayTo(destination: Destination, services: ServiceResolver): Promise<Way> {
  if ('url' in destination) {
    const url = new URL(destination.url)
    if (url.protocol !== 'https:')
      throw new Error(`unsupported protocol scheme ${JSON.stringify(url.protocol.slice(0, -1))}`)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = url.port === '' ? 443 : Number(url.port)
    return { origin: url.origin, path: url.pathname, serverName: host.replace(/\.$/, ''), host, port }
  }
  const { namespace, name, port = 443, path = '' } = destination.service
  const { host, port: at } = await services.resolve(namespace, name, port)
  const serverName = `${name}.${namespace}.svc`
  const url = new URL(`https://${serverName}:${port}`)
  url.pathname = path
  return { origin: url.origin, path: url.pathname, serverName, host, port: at }
}

/** The address as errors name it: `https://webhook.system.svc:443/validate?timeout=10s`. */
export function addressOf(destination: Destination, query = ''): string {
  const tail = query === '' ? '' : `?${query}`
  if ('url' in destination) return destination.url + tail
  const { namespace, name, port = 443, path = '' } = destination.service
  const rooted = path === '' || path.startsWith('/') ? path : `/${path}`
  return `https://${name}.${namespace}.svc:${port}${rooted}${tail}`
}
