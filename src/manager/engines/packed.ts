/** Virtual clusters in this process: each a range of the process's store with a port of its own. */
import { startCluster, SYNCER_USER, type Cluster } from '../../cluster/cluster.ts'
import type { LogSource } from '../../cluster/logs.ts'
import type { Runtime } from '../../cluster/runtime.ts'
import { virtualControllers } from '../../controllers/sets.ts'
import type { ControlPlane, ControlPlaneSpec, Engine } from '../contract.ts'

export interface PackedOptions {
  readonly runtime: Runtime
  /** Where control planes listen. @default '127.0.0.1' */
  readonly address?: string
  /** Logs of a tenant's pods, by the virtual cluster's uid. */
  logs(uid: string): LogSource
}

/** Ranges of virtual clusters, beside that of an embedded host. */
const PREFIX = 'virtual/'

interface Running {
  readonly cluster: Cluster
  readonly plane: ControlPlane
}

export class PackedEngine implements Engine {
  readonly #options: PackedOptions
  readonly #running = new Map<string, Promise<Running>>()

  constructor(options: PackedOptions) {
    this.#options = options
  }

  async ensure(spec: ControlPlaneSpec): Promise<ControlPlane> {
    let running = this.#running.get(spec.uid)
    if (running === undefined) {
      running = this.#start(spec)
      this.#running.set(spec.uid, running)
      running.catch(() => this.#running.delete(spec.uid))
    }
    return (await running).plane
  }

  async remove(uid: string): Promise<void> {
    await this.#stop(uid)
    await this.#options.runtime.store.drop(PREFIX + uid)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((uid) => this.#stop(uid)))
  }

  async #start(spec: ControlPlaneSpec): Promise<Running> {
    const { runtime, address, logs } = this.#options
    const cluster = await startCluster({
      runtime,
      id: PREFIX + spec.uid,
      name: spec.name,
      ...(address !== undefined && { address }),
      controllers: (facts) => virtualControllers(facts),
      logs: logs(spec.uid),
    })
    const client = cluster.clientAs(SYNCER_USER)
    return {
      cluster,
      plane: { endpoint: cluster.endpoint, kubeconfig: cluster.kubeconfig, client, admin: cluster.client },
    }
  }

  async #stop(uid: string): Promise<void> {
    const running = this.#running.get(uid)
    this.#running.delete(uid)
    if (running === undefined) return
    const { cluster, plane } = await running
    await plane.client.close()
    await cluster.stop()
  }
}
