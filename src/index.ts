/**
 * Tenantry as a library: a cluster, or a virtual one on it, inside a test.
 *
 * ```ts
 * await using host = await createCluster()
 * await using tenant = await createVirtualCluster({ host, name: 'team-a' })
 * await tenant.client.list(resources.pods, { namespace: 'default' })
 * ```
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReachOptions } from './apiserver/dial/reach.ts'
import type { Client } from './client/contract.ts'
import { parseKubeconfig } from './client/kubeconfig.ts'
import { resources } from './client/resources.ts'
import { startHost, createManager } from './manager/local.ts'
import type { Cluster } from './cluster/cluster.ts'
import { silent } from './cluster/log.ts'
import { Runtime } from './cluster/runtime.ts'
import { openStore } from './cluster/store.ts'
import type { Log } from './controllers/contract.ts'
import type { HostLoops } from './controllers/sets.ts'
import { isReason } from './machinery/status.ts'
import type { Manager } from './manager/manager.ts'
import { KUBECONFIG_KEY, type VirtualCluster, type VirtualClusterSpec } from './manager/virtual-cluster.ts'

export { resources } from './client/resources.ts'
export { StatusError } from './machinery/status.ts'
export type { Client, Informer, InformerEvent, Resource, WatchEvent } from './client/contract.ts'
export type { ReachOptions } from './apiserver/dial/reach.ts'
export type { KubeObject, KubeList, ObjectMeta } from './machinery/object.ts'
export type { VirtualCluster, VirtualClusterSpec } from './manager/virtual-cluster.ts'

export interface CreateClusterOptions {
  /** Simulated nodes. @default 3 */
  readonly nodes?: number
  /**
   * Which control loops run: 'all', 'nodes' (only the simulated nodes, for a kube-controller-manager and kube-scheduler
   * beside it), 'none'. @default 'all'
   */
  readonly controllers?: HostLoops
  /** 'sqlite' is durable, 'memory' ends with the process. @default 'memory' */
  readonly store?: 'sqlite' | 'memory'
  /** Directory for durable state. @default a temporary one, removed at the end */
  readonly dataDir?: string
  /** Port of the API server. @default a free one */
  readonly port?: number
  /**
   * Addresses that API servers of virtual clusters may call: for webhooks that run beside a test, `{ allowed:
   * ['127.0.0.0/8'] }`. @default neither this machine's own nor metadata services
   */
  readonly reach?: ReachOptions
  /** @default none */
  readonly log?: Log
}

/** A cluster in this process. */
export interface TestCluster extends AsyncDisposable {
  /** In-process, as a member of system:masters. */
  readonly client: Client
  /** `https://127.0.0.1:40123` */
  readonly url: string
  /** The admin's, as text. */
  readonly kubeconfig: string
}

/** An embedded cluster with scheduler and simulated nodes, ready when the promise resolves. */
export async function createCluster(options: CreateClusterOptions = {}): Promise<HostCluster> {
  const log = options.log ?? silent
  const store = options.store ?? 'memory'
  const temporary = options.dataDir === undefined
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tenantry-'))
  const runtime = new Runtime({ log, store: await openStore({ store, dataDir }) })
  const cluster = await startHost(runtime, options)
  const { reach } = options
  return new HostCluster({
    cluster,
    runtime,
    log,
    store,
    dataDir,
    temporary,
    ...(reach === undefined ? {} : { reach }),
  })
}

interface HostParts {
  readonly cluster: Cluster
  readonly runtime: Runtime
  readonly log: Log
  readonly store: 'sqlite' | 'memory'
  readonly dataDir: string
  readonly temporary: boolean
  readonly reach?: ReachOptions
}

/** A cluster that can carry virtual ones. The manager starts with the first of them. */
export class HostCluster implements TestCluster {
  readonly client: Client
  readonly url: string
  readonly kubeconfig: string
  readonly #parts: HostParts
  #manager: Promise<Manager> | undefined

  constructor(parts: HostParts) {
    this.#parts = parts
    this.client = parts.cluster.client
    this.url = parts.cluster.url
    this.kubeconfig = parts.cluster.kubeconfig
  }

  /** The manager, started when it is first asked for. */
  manager(): Promise<Manager> {
    return (this.#manager ??= this.#startManager())
  }

  async #startManager(): Promise<Manager> {
    const connection = parseKubeconfig(this.#parts.cluster.kubeconfig)
    const manager = createManager({ ...this.#parts, connection, host: this.client, by: 'endpoints' })
    await manager.start()
    return manager
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#manager)?.stop()
    await this.#parts.cluster.stop()
    await this.#parts.runtime.close()
    if (this.#parts.temporary) rmSync(this.#parts.dataDir, { recursive: true, force: true })
  }
}

export interface CreateVirtualClusterOptions extends Partial<VirtualClusterSpec> {
  /** Unique in its namespace. */
  readonly name: string
  /** Namespace of the VirtualCluster on the host. @default 'tenantry' */
  readonly namespace?: string
  /** The cluster to put it on. @default a new one that ends with it */
  readonly host?: HostCluster
}

export interface TestVirtualCluster extends TestCluster {
  readonly host: HostCluster
  /** The VirtualCluster object as it was when it became ready. */
  readonly object: VirtualCluster
}

/** A virtual cluster; disposing deletes it with all it has on the host. */
export async function createVirtualCluster(options: CreateVirtualClusterOptions): Promise<TestVirtualCluster> {
  const host = options.host ?? (await createCluster())
  const manager = await host.manager()
  const { name, namespace = 'tenantry', engine, placement, nodeView, weight } = options
  await host.client
    .create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    .catch((error: unknown) => {
      if (!isReason(error, 'AlreadyExists')) throw error
    })
  const spec = Object.fromEntries(
    Object.entries({ engine, placement, nodeView, weight }).filter(([, value]) => value !== undefined),
  )
  const made = await host.client.create<VirtualCluster>(
    resources.virtualclusters,
    { apiVersion: 'tenantry.dev/v1alpha1', kind: 'VirtualCluster', metadata: { name, namespace }, spec },
    { namespace },
  )
  const uid = made.metadata.uid!
  const object = await settled(host.client, namespace, name, uid)
  const plane = manager.controlPlane(uid)!
  const secret = await host.client.get(resources.secrets, object.status!.kubeconfigSecret!, { namespace })
  return {
    host,
    object,
    client: plane.admin,
    url: object.status!.endpoint!,
    kubeconfig: Buffer.from(secret['data'][KUBECONFIG_KEY] as string, 'base64').toString(),
    async [Symbol.asyncDispose]() {
      await host.client.delete(resources.virtualclusters, name, { namespace, preconditions: { uid } })
      await gone(host.client, namespace, name)
      if (options.host === undefined) await host[Symbol.asyncDispose]()
    },
  }
}

/** The object once it runs. @throws Error with the reason when it failed */
async function settled(client: Client, namespace: string, name: string, uid: string): Promise<VirtualCluster> {
  return follow(client, namespace, name, (object) => {
    if (object?.metadata.uid !== uid) return undefined
    if (object.status?.phase === 'Failed')
      throw new Error(
        `virtual cluster "${name}" failed: ${object.status.conditions?.find((c) => c.type === 'Ready')?.message ?? ''}`,
      )
    return object.status?.phase === 'Running' ? object : undefined
  })
}

async function gone(client: Client, namespace: string, name: string): Promise<void> {
  await follow(client, namespace, name, (object) => (object === undefined ? true : undefined))
}

function follow<T>(
  client: Client,
  namespace: string,
  name: string,
  look: (object: VirtualCluster | undefined) => T | undefined,
): Promise<T> {
  const informer = client.informer<VirtualCluster>(resources.virtualclusters)
  return new Promise<T>((resolve, reject) => {
    let stop: (() => void) | undefined
    let over = false
    const check = (): void => {
      if (over) return
      try {
        const found = look(informer.get(namespace, name))
        if (found === undefined) return
        over = true
        stop?.()
        resolve(found)
      } catch (error) {
        over = true
        stop?.()
        reject(error as Error)
      }
    }
    stop = informer.onEvent(check)
    informer.ready().then(check, reject)
    if (over) stop()
  })
}
