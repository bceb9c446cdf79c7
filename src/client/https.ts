/** The client contract over HTTPS. */
import { decodeJson } from '../machinery/codec/json.ts'
import type { KubeList, KubeObject } from '../machinery/object.ts'
import type { Connection } from './connection.ts'
import type {
  Client,
  DeleteQuery,
  Informer,
  InformerOptions,
  ListQuery,
  Patch,
  Resource,
  WatchEvent,
  WatchQuery,
  Where,
  WriteQuery,
} from './contract.ts'
import { ConnectionError } from './failure.ts'
import { SharedInformers } from './informer.ts'
import type { ReflectorOptions } from './reflector.ts'
import { queryString, resourcePath } from './path.ts'
import { Transport } from './transport.ts'
import type { TransportOptions, Wire } from './transport.ts'
import { LineSplitter } from './watch-stream.ts'

export interface HttpsClientOptions extends TransportOptions {
  /** For informers: back-off, clock, what to do with errors. */
  readonly reflector?: ReflectorOptions
}

const MEDIA_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const dry = (dryRun: boolean | undefined): string | undefined => (dryRun === true ? 'All' : undefined)

/** A built-in list leaves out what its items are; clients want to know. */
function labelled<T extends KubeObject>(list: KubeList<T>): KubeList<T> {
  // An empty Go slice may come as null.
  list.items ??= []
  const kind = list.kind.endsWith('List') ? list.kind.slice(0, -4) : list.kind
  for (const item of list.items) {
    item.apiVersion ??= list.apiVersion
    item.kind ??= kind
  }
  return list
}

/** See {@link Client}. Beside StatusError, calls throw ConnectionError when the cluster does not answer. */
export class HttpsClient implements Client {
  readonly #transport: Wire
  readonly #informers: SharedInformers
  readonly #closed = new AbortController()

  /** `to`: a server, or the way to one. */
  constructor(to: Connection | Wire, options: HttpsClientOptions = {}) {
    this.#transport = 'call' in to ? to : new Transport(to, options)
    this.#informers = new SharedInformers(this, options.reflector)
  }

  async #json<T>(...args: Parameters<Wire['call']>): Promise<T> {
    return parseJson(await this.#transport.call(...args)) as T
  }

  get<T extends KubeObject = KubeObject>(resource: Resource, name: string, where: Where = {}): Promise<T> {
    const path = resourcePath(resource, where.namespace, name, where.subresource)
    return this.#json<T>({ method: 'GET', path, signal: where.signal })
  }

  async list<T extends KubeObject = KubeObject>(resource: Resource, query: ListQuery = {}): Promise<KubeList<T>> {
    const { namespace, subresource: _, signal, ...parameters } = query
    const path = resourcePath(resource, namespace) + queryString(parameters)
    return labelled(await this.#json<KubeList<T>>({ method: 'GET', path, signal }))
  }

  async *watch<T extends KubeObject = KubeObject>(
    resource: Resource,
    query: WatchQuery = {},
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, subresource: _, signal, ...parameters } = query
    const initial = parameters.sendInitialEvents === true
    const path =
      resourcePath(resource, namespace) +
      queryString({ watch: true, ...parameters, ...(initial ? { resourceVersionMatch: 'NotOlderThan' } : {}) })
    const ended = signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal])
    if (ended.aborted) return
    const lines = new LineSplitter()
    try {
      for await (const chunk of await this.#transport.open({ method: 'GET', path, signal: ended })) {
        for (const line of lines.push(chunk)) {
          yield parseJson(line) as WatchEvent<T>
          if (ended.aborted) return
        }
      }
    } catch (error) {
      if (ended.aborted) return
      const { code } = error as { code?: string }
      // A broken connection while streaming; errors of the API and of decoding stay what they are.
      if (!(error instanceof ConnectionError) && (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET')) {
        throw new ConnectionError(this.#transport.server, error)
      }
      throw error
    }
  }

  create<T extends KubeObject = KubeObject>(
    resource: Resource,
    object: KubeObject,
    query: WriteQuery & { readonly name?: string } = {},
  ): Promise<T> {
    const { dryRun, fieldManager, subresource, signal } = query
    const namespace = query.namespace ?? object.metadata.namespace
    const name = subresource === undefined ? undefined : (query.name ?? object.metadata.name)
    const path =
      resourcePath(resource, namespace, name, subresource) + queryString({ dryRun: dry(dryRun), fieldManager })
    return this.#json<T>({ method: 'POST', path, body: JSON.stringify(typed(resource, object, subresource)), signal })
  }

  update<T extends KubeObject = KubeObject>(
    resource: Resource,
    object: KubeObject,
    query: WriteQuery = {},
  ): Promise<T> {
    const { dryRun, fieldManager, subresource, signal } = query
    const namespace = query.namespace ?? object.metadata.namespace
    const path =
      resourcePath(resource, namespace, object.metadata.name ?? '', subresource) +
      queryString({ dryRun: dry(dryRun), fieldManager })
    return this.#json<T>({ method: 'PUT', path, body: JSON.stringify(typed(resource, object, subresource)), signal })
  }

  patch<T extends KubeObject = KubeObject>(
    resource: Resource,
    name: string,
    patch: Patch,
    query: WriteQuery = {},
  ): Promise<T> {
    const { dryRun, fieldManager, namespace, subresource, signal } = query
    const force = patch.type === 'apply' ? patch.force : undefined
    const path =
      resourcePath(resource, namespace, name, subresource) + queryString({ dryRun: dry(dryRun), fieldManager, force })
    const contentType = MEDIA_TYPES[patch.type]
    return this.#json<T>({ method: 'PATCH', path, body: JSON.stringify(patch.body), contentType, signal })
  }

  async delete(resource: Resource, name: string, query: DeleteQuery = {}): Promise<KubeObject | undefined> {
    const path = resourcePath(resource, query.namespace, name, query.subresource)
    const answer = await this.#json<KubeObject>({
      method: 'DELETE',
      path,
      body: deleteOptions(query),
      signal: query.signal,
    })
    return remains(answer) ? answer : undefined
  }

  async deleteCollection(
    resource: Resource,
    query: DeleteQuery & { readonly labelSelector?: string; readonly fieldSelector?: string } = {},
  ): Promise<void> {
    const { labelSelector, fieldSelector, namespace, signal } = query
    const path = resourcePath(resource, namespace) + queryString({ labelSelector, fieldSelector })
    await this.#transport.call({ method: 'DELETE', path, body: deleteOptions(query), signal })
  }

  raw(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: string, signal?: AbortSignal): Promise<string> {
    return this.#transport.call({ method, path, accept: '*/*', signal, ...(body === undefined ? {} : { body }) })
  }

  informer<T extends KubeObject = KubeObject>(resource: Resource, options: InformerOptions = {}): Informer<T> {
    return this.#informers.get<T>(resource, options)
  }

  async close(): Promise<void> {
    this.#informers.close()
    this.#closed.abort()
    await this.#transport.close()
  }
}

/** Fills in what an object is, which servers insist on. Objects of a subresource are of another kind: left alone. */
function typed(resource: Resource, object: KubeObject, subresource: string | undefined): KubeObject {
  if ((object.apiVersion !== undefined && object.kind !== undefined) || (subresource ?? 'status') !== 'status') {
    return object
  }
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
  return { ...object, apiVersion, kind: resource.kind }
}

function deleteOptions({ gracePeriodSeconds, propagationPolicy, preconditions, dryRun }: DeleteQuery): string {
  return JSON.stringify({
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
    dryRun: dryRun === true ? ['All'] : undefined,
  })
}

/** What may be an integer that a double does not hold. A number inside a string may match as well; that costs time only. */
const LONG_NUMBER = /[:,[\s]-?\d[\d.]{15}/

/** Duplicate keys are no concern here: a server writes none. */
function parseJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? decodeJson(text).value : JSON.parse(text)
}

/**
 * Whether the object that a delete answered still exists. Servers answer the last state of some kinds that are gone;
 * what is only marked has a deletion time, and a grace period or finalizers to wait for.
 */
function remains({ kind, apiVersion, metadata }: KubeObject): boolean {
  if (kind === 'Status' && apiVersion === 'v1') return false
  if (metadata.deletionTimestamp === undefined) return false
  return metadata.deletionGracePeriodSeconds !== 0 || (metadata.finalizers ?? []).length > 0
}
