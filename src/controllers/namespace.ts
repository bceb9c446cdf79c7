/** Deletion of namespaces: first the pods, then everything else, then the namespace. */
import type { Informer } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import { apiVersionOf, type KubeList } from '../machinery/object.ts'
import { isReason, StatusError } from '../machinery/status.ts'
import type { Controller, ControllerContext } from './contract.ts'
import { discover, type DiscoveredResource } from './discovery.ts'
import { parseTime } from './meta.ts'
import { type Findings, namespaceConditions } from './namespace-conditions.ts'
import type { Namespace, Pod } from './objects.ts'
import { isTerminal } from './pods.ts'
import { messageOf } from './problems.ts'

const FINALIZER = 'kubernetes'
/** Milliseconds that finalizers of objects are expected to take. */
const FINALIZERS_TAKE = 15_000

/** Keys are namespaces. */
export function namespaceController(context: ControllerContext): Controller {
  const namespaces = context.client.informer<Namespace>(resources.namespaces)
  const pods = context.client.informer<Pod>(resources.pods)
  return {
    name: 'namespace',
    start() {
      namespaces.onEvent(({ type, object }) => {
        if (type !== 'delete' && object.metadata.deletionTimestamp !== undefined) context.enqueue(object.metadata.name!)
      })
      pods.onEvent(({ type, object }) => {
        if (type !== 'delete') return
        const namespace = namespaces.get('', object.metadata.namespace!)
        // Many go at once: look once they have.
        if (namespace?.metadata.deletionTimestamp !== undefined) context.enqueue(namespace.metadata.name!, 50)
      })
    },
    async reconcile(name) {
      const deletion = new Deletion(context, pods, name)
      await deletion.run()
    },
  }
}

/** One pass over a namespace that is being deleted. */
class Deletion {
  readonly #context: ControllerContext
  readonly #pods: Informer<Pod>
  readonly #name: string
  readonly #findings: Findings = { discovery: undefined, failures: [], remaining: new Map(), finalizers: new Map() }
  /** Milliseconds until the rest is expected to be gone. */
  #estimate = 0

  constructor(context: ControllerContext, pods: Informer<Pod>, name: string) {
    this.#context = context
    this.#pods = pods
    this.#name = name
  }

  async run(): Promise<void> {
    const namespace = await this.#read()
    if (namespace === undefined || namespace.metadata.deletionTimestamp === undefined) return
    // Whoever else has a finalizer here removes it without our help.
    if (!(namespace.spec?.finalizers ?? []).includes(FINALIZER)) return
    const started = await this.#writeStatus(namespace, namespace.status?.conditions ?? [])
    if (started === undefined) return
    const empty = await this.#deleteContents(started)
    const conditions = namespaceConditions(started.status?.conditions ?? [], this.#findings, this.#context.now())
    const told = await this.#writeStatus(started, conditions)
    if (told === undefined) return
    if (this.#findings.failures.length > 0) throw new Error(this.#findings.failures.join('; '))
    if (this.#findings.discovery !== undefined) throw new Error(this.#findings.discovery)
    if (empty) await this.#finalize(told)
    else this.#context.enqueue(this.#name, this.#estimate / 2 + 1000)
  }

  async #read(): Promise<Namespace | undefined> {
    try {
      return await this.#context.client.get<Namespace>(resources.namespaces, this.#name)
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  /** The namespace as it then is; `undefined` when it is gone. */
  async #writeStatus(namespace: Namespace, conditions: NonNullable<Namespace['status']>['conditions'] & {}) {
    const { status } = namespace
    if (status?.phase === 'Terminating' && (status.conditions ?? []) === conditions) return namespace
    if (status?.phase === 'Terminating' && conditions.length === 0) return namespace
    const changed: Namespace = { ...namespace, status: { ...status, phase: 'Terminating', conditions } }
    try {
      return await this.#context.client.update<Namespace>(resources.namespaces, changed, { subresource: 'status' })
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  async #finalize(namespace: Namespace): Promise<void> {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((one) => one !== FINALIZER)
    const changed: Namespace = { ...namespace, spec: { ...namespace.spec, finalizers } }
    try {
      await this.#context.client.update(resources.namespaces, changed, { subresource: 'finalize' })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  /** Whether nothing is left. */
  async #deleteContents(namespace: Namespace): Promise<boolean> {
    const { resources: served, failures } = await this.#discover()
    if (failures.size > 0) {
      const names = [...failures].map(([version, error]) => `${version}: ${discoveryFailure(version, error)}`)
      const what = `unable to retrieve the complete list of server APIs: ${names.join(', ')}`
      this.#findings.discovery = `Discovery failed for some groups, ${failures.size} failing: ${what}`
    }
    const deletable = served.filter(({ namespaced, verbs }) => namespaced && verbs.includes('delete'))
    const isPods = ({ group, resource }: DiscoveredResource): boolean => group === '' && resource === 'pods'
    for (const resource of deletable.filter(isPods)) await this.#deleteAll(resource, namespace)
    // What pods use (configuration, accounts) stays as long as they do.
    if (this.#findings.remaining.size > 0) return false
    await Promise.all(deletable.filter((one) => !isPods(one)).map((one) => this.#deleteAll(one, namespace)))
    return this.#findings.remaining.size === 0 && this.#findings.failures.length === 0
  }

  async #discover() {
    try {
      return await discover(this.#context.client, this.#context.signal)
    } catch (error) {
      return { resources: [], failures: new Map([['all', error]]) }
    }
  }

  async #deleteAll(resource: DiscoveredResource, namespace: Namespace): Promise<void> {
    try {
      const before = await this.#list(resource)
      if (before.length === 0) return
      const estimate = resource.group === '' && resource.resource === 'pods' ? this.#grace(namespace) : 0
      await this.#deleteEach(resource, before)
      const left = await this.#list(resource)
      if (left.length === 0) return
      this.#findings.remaining.set(`${resource.resource}.${resource.group}`, left.length)
      let held = 0
      for (const { metadata } of left) {
        for (const finalizer of metadata.finalizers ?? []) {
          held++
          this.#findings.finalizers.set(finalizer, (this.#findings.finalizers.get(finalizer) ?? 0) + 1)
        }
      }
      this.#estimate = Math.max(this.#estimate, estimate === 0 && held > 0 ? FINALIZERS_TAKE : estimate)
      if (estimate > 0 || held > 0) return
      const what = `${apiVersionOf(resource)}, Resource=${resource.resource}`
      const path = resource.group === '' ? `/${what}` : what
      throw new Error(`unexpected items still remain in namespace: ${this.#name} for gvr: ${path}`)
    } catch (error) {
      this.#findings.failures.push(messageOf(error))
    }
  }

  async #list(resource: DiscoveredResource): Promise<KubeList['items']> {
    if (!resource.verbs.includes('list')) return []
    try {
      return (await this.#context.client.list(resource, { namespace: this.#name })).items
    } catch (error) {
      if (isGone(error)) return []
      throw error
    }
  }

  async #deleteEach(resource: DiscoveredResource, items: KubeList['items']): Promise<void> {
    const query = { namespace: this.#name, propagationPolicy: 'Background' } as const
    if (resource.verbs.includes('deletecollection')) {
      try {
        return await this.#context.client.deleteCollection(resource, query)
      } catch (error) {
        if (!isGone(error)) throw error
      }
    }
    for (const { metadata } of items) {
      try {
        await this.#context.client.delete(resource, metadata.name!, query)
      } catch (error) {
        if (!isGone(error)) throw error
      }
    }
  }

  /** Milliseconds that the pods may still take to terminate. */
  #grace(namespace: Namespace): number {
    const running = this.#pods.list(this.#name).filter((pod) => !isTerminal(pod))
    const seconds = Math.max(0, ...running.map((pod) => pod.spec.terminationGracePeriodSeconds ?? 0))
    const since = this.#context.now() - parseTime(namespace.metadata.deletionTimestamp)
    return since >= seconds * 1000 ? 0 : seconds * 1000
  }
}

/** Deleted meanwhile, or not to be had: nothing to do. */
function isGone(error: unknown): boolean {
  return error instanceof StatusError && (error.code === 404 || error.code === 405)
}

/** A server that is away, as clients of aggregated discovery word it. */
function discoveryFailure(version: string, error: unknown): string {
  const away = error instanceof StatusError && error.code === 503
  return away ? `stale GroupVersion discovery: ${version}` : messageOf(error)
}
