/** The verbs of one cluster over its range: authorization, then admission, then the registry. */
import { randomUUID } from 'node:crypto'
import type { Api, Authorizer, Call, Target } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { ResourceInfo } from '../../machinery/types/table.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { Range } from '../../store/contract.ts'
import { createChain } from '../admission/chain.ts'
import type { AdmissionPlugin } from '../admission/contract.ts'
import { defaultPlugins } from '../admission/plugins.ts'
import { ClusterMetrics } from '../metrics/cluster.ts'
import { bindPod } from '../subresources/binding.ts'
import type { TokenIssuer } from '../subresources/finder.ts'
import { createFinder } from '../subresources/finder.ts'
import { authorize, requireVerb } from './authorize.ts'
import type { BookmarkTicker } from './bookmarks.ts'
import { processBookmarks } from './bookmarks.ts'
import type { LiveCatalog } from './catalog.ts'
import { createCatalog } from './catalog.ts'
import { admitConnection } from './connection.ts'
import type { Core } from './core.ts'
import { createObject, prepareReview } from './create.ts'
import { deleteObjects } from './delete-collection.ts'
import { deleteObject } from './delete.ts'
import { getObject } from './get.ts'
import type { PortPool, ServiceIps } from './ip-pool.ts'
import { ipPool, portPool } from './ip-pool.ts'
import { parseResourceVersion } from './list-options.ts'
import { listObjects } from './list.ts'
import { patchObject } from './patch.ts'
import { createServiceAllocator } from './service-allocator.ts'
import { synthetic } from './stored.ts'
import type { Created } from './subresource.ts'
import { updateObject } from './update.ts'
import { watchObjects } from './watch.ts'

/** Answers a review (TokenReview, SubjectAccessReview …): the request with its status. */
export type Reviewer = (call: Call, review: KubeObject, namespace: string) => Promise<KubeObject> | KubeObject

export interface ApiOptions {
  readonly range: Range
  readonly authorizer: Authorizer
  /** Built-in resources. @default all of the type table */
  readonly resources?: readonly ResourceInfo[]
  /** @default upstream's chain without escalation check: see `defaultPlugins` */
  readonly plugins?: readonly AdmissionPlugin[]
  /** By `group/resource`: `authorization.k8s.io/subjectaccessreviews`. What has none is answered with 404. */
  readonly reviewers?: ReadonlyMap<string, Reviewer>
  /** @default none: serviceaccounts/token is answered with 404 */
  readonly issueToken?: TokenIssuer
  /** IPv4 range of the cluster IPs. @default '10.96.0.0/16' */
  readonly serviceCidr?: string
  /** Another source of cluster IPs than the range, such as the host's. @default a pool over `serviceCidr` */
  readonly serviceIps?: ServiceIps
  /** @default 30000–32767 */
  readonly nodePorts?: PortPool
  /** @default the process's */
  readonly bookmarks?: BookmarkTicker
  /** Milliseconds since the epoch. @default the system's clock */
  readonly now?: () => number
  /** A number in [0, 1). @default Math.random */
  readonly random?: () => number
  /** @default its own, which nobody sees */
  readonly metrics?: ClusterMetrics
  /** @default crypto.randomUUID */
  readonly uuid?: () => string
}

/** The API of a cluster whose catalog can change. */
export interface Registry extends Api {
  readonly catalog: LiveCatalog
  readonly range: Range
}

export function createApi(options: ApiOptions): Registry {
  const { range, authorizer, now = Date.now, random = Math.random, metrics = new ClusterMetrics() } = options
  const catalog = createCatalog(options.resources ?? typeTable.resources)
  const services = createServiceAllocator(range, () => ({
    ips: options.serviceIps ?? ipPool(options.serviceCidr ?? '10.96.0.0/16', random),
    ports: options.nodePorts ?? portPool(30_000, 32_767, random),
  }))
  const core: Core = {
    range,
    catalog,
    authorizer,
    admission: createChain(options.plugins ?? defaultPlugins({}), metrics),
    metrics,
    services,
    bookmarks: options.bookmarks ?? processBookmarks,
    now,
    random,
    uuid: options.uuid ?? randomUUID,
  }
  const find = createFinder(options.issueToken)
  /** The verb is served, and the user may do it. */
  const enter = (call: Call, verb: string, target: Target, name = target.name, fieldSelector = ''): void => {
    requireVerb(target.resource, verb, target.subresource)
    if (call.authorized !== true) authorize(authorizer, call, verb, target, name, fieldSelector)
  }

  return {
    catalog,
    authorizer,
    range,
    async get(call, target, at) {
      enter(call, 'get', target)
      // Upstream reads events from its store, everything else from a cache, which words what it refuses in its own way.
      const events = target.resource.prefix === 'core/events/'
      const asked = parseResourceVersion(at, events ? undefined : errors.unknown)
      if (asked !== undefined && asked > range.revision)
        throw errors.tooLargeResourceVersion(asked, range.revision, events ? undefined : 1)
      const part = find(target)
      const got = getObject(core, call, target)
      const found = got instanceof Promise ? await got : got
      if (part?.view === undefined) return found
      const { key, revision, created } = found.entry
      return synthetic(part.view(found.object, target), key, revision, created)
    },
    async list(call, target, query) {
      enter(call, 'list', target, nameIn(query.fieldSelector), query.fieldSelector)
      return listObjects(core, call, target, query)
    },
    watch(call, target, query, listener, onEnd) {
      enter(call, 'watch', target, nameIn(query.fieldSelector), query.fieldSelector)
      return watchObjects(core, target, query, listener, onEnd)
    },
    async create(call, target, object) {
      enter(call, 'create', target, (target.subresource ?? '') === '' ? '' : target.name)
      object.metadata ??= {}
      const part = find(target)
      if (part !== undefined) {
        if (part.create === undefined) throw errors.notFoundPath()
        return part.create(core, call, target, object)
      }
      return createVirtual(core, options.reviewers, call, target, object) ?? createObject(core, call, target, object)
    },
    async update(call, target, object) {
      enter(call, 'update', target)
      return updateObject(core, call, target, object, find(target))
    },
    async patch(call, target, type, body, force) {
      enter(call, 'patch', target)
      return patchObject(core, call, target, type, body, find(target), force)
    },
    async delete(call, target, deletion) {
      enter(call, 'delete', target)
      return deleteObject(core, call, target, deletion)
    },
    admitConnection: (call, target, asked) => admitConnection(core, call, target, asked),
    async deleteCollection(call, target, deletion, query) {
      enter(call, 'deletecollection', target)
      return deleteObjects(core, call, target, deletion, query)
    },
  }
}

/** `metadata.name=x` names what a list or watch is about, so that rules with resourceNames can allow it. */
function nameIn(fieldSelector: string | undefined): string {
  const match = fieldSelector === undefined ? null : /(?:^|,)metadata\.name==?([^,=]*)(?:,|$)/.exec(fieldSelector)
  return match?.[1] ?? ''
}

/** Resources that are commands: reviews and bindings. Undefined for those that are stored. */
function createVirtual(
  core: Core,
  reviewers: ReadonlyMap<string, Reviewer> | undefined,
  call: Call,
  target: Target,
  object: KubeObject,
): Promise<Created> | undefined {
  const { info } = target.resource
  if (info.verbs.includes('get') || info.verbs.includes('list')) return undefined
  if (info.group === '' && info.resource === 'bindings') {
    const pods = core.catalog.find('', 'v1', 'pods')!
    return bindPod(
      core,
      call,
      { resource: pods, namespace: target.namespace, name: object.metadata.name ?? '' },
      object,
      target,
    )
  }
  const review = reviewers?.get(`${info.group}/${info.resource}`)
  if (review === undefined) throw errors.notFoundPath()
  return prepareReview(core, call, target, object)
    .then(() => review(call, object, target.namespace))
    .then((answer) => ({ object: answer, created: true }))
}
