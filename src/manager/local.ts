/** An embedded host cluster with a manager on it, in this process: what `tenantry up` runs. */
import { join } from 'node:path'
import type { ReachOptions } from '../apiserver/dial/reach.ts'
import { createFairQueue } from '../client/fair-queue.ts'
import type { Client } from '../client/contract.ts'
import type { Connection } from '../client/connection.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import { Streams } from '../client/streams.ts'
import { startCluster, type Cluster } from '../cluster/cluster.ts'
import { Runtime } from '../cluster/runtime.ts'
import { simulatedNodes } from '../cluster/simulated.ts'
import { openStore, type StoreChoice } from '../cluster/store.ts'
import type { Log } from '../controllers/contract.ts'
import { hostControllers, type HostLoops } from '../controllers/sets.ts'
import { DedicatedEngine } from './engines/dedicated.ts'
import { PackedEngine } from './engines/packed.ts'
import { hostConnections } from './connections.ts'
import { hostLogs } from './logs.ts'
import { Manager } from './manager.ts'
import { hostServices, type HostServicesOptions } from './services.ts'
import { syncerMetrics } from './metrics.ts'

export interface LocalHostOptions extends StoreChoice {
  readonly log: Log
  /** Port of the host's API server. @default a free one, and the same again after a restart */
  readonly port?: number
  /** Simulated nodes. @default 3 */
  readonly nodes?: number
  /** Addresses that tenants' API servers may call. @default see PackedOptions */
  readonly reach?: ReachOptions
}

/** An embedded cluster by itself, with scheduler and simulated nodes. */
export async function startHost(
  runtime: Runtime,
  options: {
    readonly name?: string
    readonly port?: number
    readonly nodes?: number
    readonly address?: string
    readonly controllers?: HostLoops
  },
): Promise<Cluster> {
  return startCluster({
    runtime,
    id: 'host',
    name: options.name ?? 'tenantry-host',
    ...(options.address !== undefined && { address: options.address }),
    ...(options.port !== undefined && { port: options.port }),
    controllers: (facts) => hostControllers({ ...facts, nodes: options.nodes ?? 3 }, options.controllers),
    processMetrics: true,
    ...simulatedNodes(runtime.now),
  })
}

export interface ManagerSetup extends StoreChoice {
  readonly host: Client
  /** The same API server, for connections into pods. */
  readonly connection: Connection
  readonly runtime: Runtime
  readonly log: Log
  /** How it gets to Services of the host. @default 'cluster-ip' */
  readonly by?: HostServicesOptions['by']
  /** Addresses that tenants' API servers may call. @default see PackedOptions */
  readonly reach?: ReachOptions
}

/** A manager with both engines, on any host. */
export function createManager({
  host,
  connection,
  runtime,
  log,
  dataDir,
  store,
  reach,
  by = 'cluster-ip',
}: ManagerSetup): Manager {
  const metrics = syncerMetrics(runtime.registry)
  const streams = new Streams(connection, runtime.now)
  const sources = (uid: string) => hostLogs({ streams, syncer: () => manager.syncer, now: runtime.now }, uid)
  const services = (uid: string) =>
    hostServices({ host, syncer: () => manager.syncer, by, random: runtime.random }, uid)
  const connections = (uid: string) => hostConnections({ streams, syncer: () => manager.syncer }, uid, services(uid))
  const manager: Manager = new Manager({
    host,
    engines: {
      packed: new PackedEngine({
        runtime,
        auditDir: join(dataDir, 'audit'),
        logs: sources,
        services,
        connections,
        ...(reach === undefined ? {} : { reach }),
      }),
      dedicated: new DedicatedEngine({
        dataDir: join(dataDir, 'dedicated'),
        auditDir: join(dataDir, 'audit'),
        store,
        logs: sources,
        connections,
        now: runtime.now,
        ...(reach === undefined ? {} : { reach }),
        onExit: (uid, reason) => {
          log.warn('a dedicated control plane ended', { uid, reason })
          manager.revisit(uid)
        },
      }),
    },
    // A tenant whose API does not answer keeps that many workers at most.
    newQueue: () => createFairQueue({ flowConcurrency: 64 }),
    now: runtime.now,
    log,
    onWait: (direction, tenant, milliseconds) => metrics.waited(direction, tenant, milliseconds),
    onRemove: (tenant) => metrics.forget(tenant),
  })
  return manager
}

export class LocalHost implements AsyncDisposable {
  readonly runtime: Runtime
  readonly cluster: Cluster
  readonly manager: Manager

  private constructor(runtime: Runtime, cluster: Cluster, manager: Manager) {
    this.runtime = runtime
    this.cluster = cluster
    this.manager = manager
  }

  static async start(options: LocalHostOptions): Promise<LocalHost> {
    const runtime = new Runtime({ log: options.log, store: await openStore(options) })
    const cluster = await startHost(runtime, options)
    const connection = parseKubeconfig(cluster.kubeconfig)
    const manager = createManager({ ...options, host: cluster.client, connection, runtime, by: 'endpoints' })
    await manager.start()
    return new LocalHost(runtime, cluster, manager)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.stop()
    await this.cluster.stop()
    await this.runtime.close()
  }
}
