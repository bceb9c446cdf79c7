/** What all embedded clusters of a process share. */
import { DialPools } from '../apiserver/dial/dialler.ts'
import { processMetrics } from './process-metrics.ts'
import { queueMetrics } from './queue-metrics.ts'
import { FairShare } from '../apiserver/fairshare/fairshare.ts'
import { Registry } from '../apiserver/metrics/registry.ts'
import { waitMetrics, type WaitMetrics } from '../apiserver/metrics/waits.ts'
import type { Log } from '../controllers/contract.ts'
import { ControllerEngine } from '../controllers/engine.ts'
import { Rest } from './rest.ts'
import type { Store } from '../store/contract.ts'

export interface RuntimeOptions {
  readonly log: Log
  readonly store: Store
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
  /** A number in [0, 1). @default Math.random */
  readonly random?: () => number
}

/** History older than this is forgotten (milliseconds), as etcd under a kube-apiserver does. */
const HISTORY = 5 * 60_000
const COMPACTION = 60_000

export class Runtime {
  /** One timer for the history of all clusters of the process. */
  readonly #compaction: NodeJS.Timeout
  readonly log: Log
  readonly store: Store
  readonly now: () => number
  readonly random: () => number
  readonly engine: ControllerEngine
  /** Of this process, for its operator. Tenants see their own cluster's requests only. */
  readonly registry: Registry = new Registry()
  /** Waits for the fair share, by cluster. */
  readonly metrics: WaitMetrics = waitMetrics(this.registry)
  readonly fairShare: FairShare
  /** To be told of requests. */
  readonly rest: Rest = new Rest()
  /** Connections to webhooks and aggregated servers. */
  readonly dials: DialPools

  constructor(options: RuntimeOptions) {
    this.log = options.log
    this.store = options.store
    this.now = options.now ?? Date.now
    this.random = options.random ?? Math.random
    const metrics = queueMetrics(this.registry, () => this.engine.backlog())
    this.engine = new ControllerEngine({ log: options.log, metrics })
    this.#compaction = setInterval(() => this.store.compact(HISTORY), COMPACTION).unref()
    processMetrics(this.registry)
    this.dials = new DialPools({ now: this.now })
    this.fairShare = new FairShare({
      onWait: (cluster, seconds) => this.metrics.waited(cluster, seconds),
      onRefuse: (cluster, why) => this.metrics.refused(cluster, why),
    })
  }

  /** Ends the controllers and the store. Clusters must have been stopped. */
  async close(): Promise<void> {
    clearInterval(this.#compaction)
    this.rest.close()
    await this.engine.close()
    await this.store.close()
  }
}
