/** What the tests of this floor share: a cluster in memory with a clock that stands still. */
import type { ApiWatchEvent, Authorizer, Call, Target } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import { memoryStore } from '../../store/memory.ts'
import type { ApiOptions, Registry } from './api.ts'
import { createApi } from './api.ts'

export const allowAll: Authorizer = {
  authorize: () => ({ allowed: true, reason: '' }),
  rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
}

export const call: Call = { user: { name: 'admin', groups: ['system:masters'] } }

export interface TestCluster {
  readonly api: Registry
  /** Moves the clock, in seconds. */
  advance(seconds: number): void
  target(path: string, namespace?: string, name?: string, subresource?: string): Target
  create(path: string, object: KubeObject, asked?: Call): Promise<KubeObject>
}

/** A numbered, therefore repeatable, random source. */
export function sequence(seed = 1): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Resources are named `group/version/plural`; core ones `v1/plural`. Namespaces default and kube-system exist. */
export async function testCluster(options: Partial<ApiOptions> = {}): Promise<TestCluster> {
  const store = memoryStore()
  const range = options.range ?? (await store.open('test'))
  let now = Date.parse('2026-01-01T00:00:00Z')
  const api = createApi({ authorizer: allowAll, now: () => now, random: sequence(), ...options, range })
  const cluster: TestCluster = {
    api,
    advance: (seconds) => void (now += seconds * 1000),
    target(path, namespace = '', name = '', subresource) {
      const parts = path.split('/')
      const [group, version, plural] = parts.length === 2 ? ['', ...parts] : parts
      const resource = api.catalog.find(group!, version!, plural!)
      if (resource === undefined) throw new Error(`no resource ${path}`)
      return { resource, namespace, name, ...(subresource === undefined ? {} : { subresource }) }
    },
    async create(path, object, asked = call) {
      const created = await api.create(asked, cluster.target(path, object.metadata.namespace), structuredClone(object))
      return created.object
    },
  }
  for (const name of ['default', 'kube-system']) {
    await cluster.create('v1/namespaces', { metadata: { name } })
    await cluster.create('v1/serviceaccounts', { metadata: { name: 'default', namespace: name } })
  }
  return cluster
}

/** `404 NotFound: pods "x" not found` of a rejected or thrown API error. */
export async function refusalOf(what: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof what === 'function' ? what() : what)
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.reason}: ${error.message}`
    throw error
  }
  return 'no error'
}

export function pod(name: string, namespace = 'default', extra: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'main', image: 'nginx' }], ...extra },
  }
}

/** `ADDED default/x@7 …` */
export function eventText(event: ApiWatchEvent): string {
  if (event.type === 'BOOKMARK') return `BOOKMARK${event.initialEventsEnd ? ' (end of initial events)' : ''}`
  const { metadata } = objectOf(event.entry)
  return `${event.type} ${metadata.name}`
}
