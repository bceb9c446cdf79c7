/** Virtual clusters in this process: each a range of the process's store with a port of its own. */
import type { ServiceResolver } from '../../apiserver/dial/contract.ts'
import type { ReachOptions } from '../../apiserver/dial/reach.ts'
import { join } from 'node:path'
import { AuditLog } from '../../apiserver/audit/log.ts'
import { startCluster, SYNCER_USER, type Cluster } from '../../cluster/cluster.ts'
import type { Elsewhere } from '../../apiserver/connect/elsewhere.ts'
import type { LogSource } from '../../apiserver/connect/logs.ts'
import type { Runtime } from '../../cluster/runtime.ts'
import { virtualControllers } from '../../controllers/sets.ts'
import type { ControlPlane, ControlPlaneSpec, Engine } from '../contract.ts'
import { RunningPlanes } from './running.ts'

export interface PackedOptions {
  readonly runtime: Runtime
  /** Directory of the audit logs of clusters that have an audit policy. */
  readonly auditDir: string
  /** Where control planes listen. @default '127.0.0.1' */
  readonly address?: string
  /** Logs of a tenant's pods, by the virtual cluster's uid. */
  logs(uid: string): LogSource
  /** Where Services of a tenant's webhooks and aggregated servers answer, by the virtual cluster's uid. */
  services(uid: string): ServiceResolver
  /** Connections into a tenant's pods, by the virtual cluster's uid. */
  connections(uid: string): Elsewhere
  /**
   * Addresses that tenants' API servers may call: see {@link SENSITIVE} for what is denied else.
   * @default neither this process's own machine nor metadata services
   */
  readonly reach?: ReachOptions
}

/** Ranges of virtual clusters, beside that of an embedded host. */
const PREFIX = 'virtual/'

interface Running {
  readonly cluster: Cluster
  readonly plane: ControlPlane
}

export class PackedEngine implements Engine {
  readonly #options: PackedOptions
  readonly #planes: RunningPlanes<Running>
  readonly #logs = new Map<string, AuditLog>()

  constructor(options: PackedOptions) {
    this.#options = options
    this.#planes = new RunningPlanes((spec) => this.#start(spec), stop)
  }

  ensure(spec: ControlPlaneSpec): Promise<ControlPlane> {
    return this.#planes.ensure(spec)
  }

  async configure(spec: ControlPlaneSpec): Promise<boolean> {
    const running = await this.#planes.find(spec.uid)
    if (running === undefined) return false
    running.cluster.setAuthentication(spec.authentication)
    running.cluster.setAudit(spec.audit === undefined ? undefined : { policy: spec.audit, output: this.#log(spec) })
    return true
  }

  /** One log for each cluster, opened when its first event is written. */
  #log({ uid, namespace, name }: ControlPlaneSpec): AuditLog {
    let log = this.#logs.get(uid)
    if (log === undefined) {
      const path = join(this.#options.auditDir, `${namespace}.${name}.log`)
      const onError = (error: unknown) =>
        this.#options.runtime.log.error('an audit log cannot be written', { path, error: String(error) })
      this.#logs.set(uid, (log = new AuditLog({ path, maxBackup: 10, onError })))
    }
    return log
  }

  async remove(uid: string): Promise<void> {
    await this.#planes.stop(uid)
    await this.#logs.get(uid)?.close()
    this.#logs.delete(uid)
    await this.#options.runtime.store.drop(PREFIX + uid)
  }

  async close(): Promise<void> {
    await this.#planes.stopAll()
    for (const log of this.#logs.values()) await log.close()
  }

  async #start(spec: ControlPlaneSpec): Promise<Running> {
    const { runtime, address, logs, services, connections } = this.#options
    const cluster = await startCluster({
      runtime,
      id: PREFIX + spec.uid,
      name: spec.name,
      ...(address !== undefined && { address }),
      controllers: (facts) => virtualControllers(facts),
      ...(spec.authentication !== undefined && { authentication: spec.authentication }),
      ...(spec.audit !== undefined && { audit: { policy: spec.audit, output: this.#log(spec) } }),
      // What this process reaches is not for tenants.
      reach: this.#options.reach ?? {},
      services: services(spec.uid),
      logs: logs(spec.uid),
      elsewhere: connections(spec.uid),
    })
    const client = cluster.clientAs(SYNCER_USER)
    return {
      cluster,
      plane: { endpoint: cluster.endpoint, kubeconfig: cluster.kubeconfig, client, admin: cluster.client },
    }
  }
}

async function stop({ cluster, plane }: Running): Promise<void> {
  await plane.client.close()
  await cluster.stop()
}
