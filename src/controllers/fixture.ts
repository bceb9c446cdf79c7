/** What the whole-loop tests share: a real API over a store in memory, with controllers in this process. */
import { createDiscovery } from '../apiserver/discovery/discovery.ts'
import { bootstrapEntries } from '../apiserver/bootstrap/entries.ts'
import { startCustomResources } from '../apiserver/crd/manager.ts'
import { InProcessClient } from '../apiserver/inprocess/client.ts'
import { createApi } from '../apiserver/registry/api.ts'
import { resources } from '../client/resources.ts'
import type { Client, Resource } from '../client/contract.ts'
import type { KubeObject } from '../machinery/object.ts'
import { errors, isReason } from '../machinery/status.ts'
import { memoryStore } from '../store/memory.ts'
import type { ControllerFactory, Log } from './contract.ts'
import { ControllerEngine } from './engine.ts'

export interface LoopCluster extends AsyncDisposable {
  readonly client: Client
  readonly engine: ControllerEngine
  /** Warnings and errors that controllers logged. */
  readonly complaints: readonly string[]
  create(resource: Resource, object: object, namespace?: string): Promise<KubeObject>
  /** The object, or nothing when there is none. */
  find(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined>
  /** Waits until `check` gives something. @throws Error after ten seconds */
  until<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T>
}

let clusters = 0

/** A cluster with the given controllers, with API and engine in this process. */
export async function loopCluster(controllers: readonly ControllerFactory[]): Promise<LoopCluster> {
  const store = memoryStore()
  const range = await store.open(`test-${clusters++}`, { base: bootstrapEntries() })
  const complaints: string[] = []
  const complain = (msg: string, fields?: Record<string, unknown>): void =>
    void complaints.push(`${msg} ${JSON.stringify(fields)}`)
  const log: Log = { debug: () => {}, info: () => {}, warn: complain, error: complain }
  const authorizer = {
    authorize: () => ({ allowed: true, reason: '' }),
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
  }
  const api = createApi({ range, authorizer })
  const crds = startCustomResources({ range, catalog: api.catalog, api, log, now: Date.now })
  const discovery = createDiscovery(api.catalog)
  const client = new InProcessClient({
    api,
    raw: async (_user, _method, path) => {
      const document = discovery.find(path, new URLSearchParams() as never, { accept: 'application/json' })
      if (document === undefined) throw errors.notFoundPath()
      return Buffer.from(document.body as Buffer).toString()
    },
  })
  const engine = new ControllerEngine({ log, concurrency: 16 })
  const running = engine.add({ id: 'test', client }, controllers)
  const find = async (resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined> => {
    try {
      return await client.get(resource, name, { namespace })
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }
  const pods = client.informer(resources.pods)
  return {
    client,
    engine,
    complaints,
    find,
    create: (resource, object, namespace = 'default') => {
      const where = resource.namespaced ? { namespace } : {}
      return client.create(resource, object as KubeObject, where)
    },
    async until(what, check) {
      const end = Date.now() + 10_000
      for (;;) {
        const found = await check()
        if (found !== undefined && found !== false) return found
        if (Date.now() > end) {
          const phases = pods.list().map((pod) => `${pod.metadata.name!}=${String(pod['status']?.phase)}`)
          throw new Error(`waited too long for ${what}; pods: ${phases.join(' ')}; ${complaints.join('\n')}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async [Symbol.asyncDispose]() {
      running.stop()
      await engine.close()
      await client.close()
      crds.close()
      await store.close()
    },
  }
}
