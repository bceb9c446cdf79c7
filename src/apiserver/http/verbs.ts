/** Resource requests: from the path to a verb of the Api, from its result to an answer. */
import type { KubeObject } from '../../machinery/object.ts'
import { errors, success } from '../../machinery/status.ts'
import { Unreadable } from '../contract.ts'
import type {
  Attributes,
  Call,
  Listed,
  PatchType,
  ServedResource,
  Stored,
  Target,
  UserInfo,
  Written,
} from '../contract.ts'
import { objectBody, optionsBody, patchBody, patchType } from './body.ts'
import { listPieces, objectBytes } from './bytes.ts'
import { allow } from './allow.ts'
import { connectOptions } from './connect-options.ts'
import type { HandlerOptions } from './contract.ts'
import { resourceRoute, validationOf } from './counting.ts'
import { holdsMany, loaded } from '../large/many.ts'
import { rendered } from './many.ts'
import { jsonPieces, listForm, prettyPieces, yamlPieces } from './form.ts'
import { negotiate, negotiateWatch } from './negotiation.ts'
import type { Negotiated } from './negotiation.ts'
import { isBuiltinGroup, methodNotAllowed } from './nonresource.ts'
import { protobufPieces } from './protobuf.ts'
import { deleteOptions, listOptions, managerOf, watchOptions, writeOptions } from './parameters.ts'
import type { WriteOptions } from './parameters.ts'
import type { Query } from './query.ts'
import type { Reply } from './reply.ts'
import type { RequestInfo, ResourceRequest } from './request.ts'
import { hasTable, includeObject, transformed, transformedForm } from './transform.ts'
import type { TableOptions } from './transform.ts'
import { answerWatch } from './watch.ts'

/** One resource request on its way. */
export interface Request {
  readonly options: HandlerOptions
  readonly info: RequestInfo
  readonly asked: ResourceRequest
  readonly query: Query
  readonly user: UserInfo
  readonly reply: Reply
  /** When its time is over: milliseconds of `performance.now`. @default never */
  readonly deadline: number | undefined
}

const MAX_BODY = 3 * 1024 * 1024
const WATCH_BUFFER = 8 * 1024 * 1024

/** Answers a resource request. @throws StatusError */
export async function answerResource(request: Request): Promise<void> {
  const { asked, options } = request
  const resource = options.api.catalog.find(asked.group, asked.version, asked.resource)
  const known = resource !== undefined && (asked.subresource === '' || served(resource, asked.subresource))
  if (!known || wrongScope(resource, asked)) return unknown(request)
  const target: Target = {
    resource,
    namespace: resource.info.namespaced ? asked.namespace : '',
    name: asked.name,
    ...(asked.subresource === '' ? {} : { subresource: asked.subresource }),
  }
  if (asked.rest.length > 0 && !asked.legacyWatch && asked.subresource !== 'proxy') return unknown(request)
  const connector = options.connectors?.[`${asked.resource}/${asked.subresource}`]
  if (connector !== undefined && asked.group === '') return connect(request, target, connector)
  // HEAD has no route of its own upstream.
  if (!allows(target, asked, request.info.verb) || request.reply.exchange.method === 'HEAD') {
    authorize(request)
    throw methodNotAllowed()
  }
  return verb(request, target)
}

function served(resource: ServedResource, subresource: string): boolean {
  return resource.subresources.has(subresource)
}

/** A namespaced resource has no object outside of namespaces; a cluster-scoped one none inside. */
function wrongScope(resource: ServedResource, asked: ResourceRequest): boolean {
  if (resource.info.namespaced) return asked.namespace === '' && asked.named
  return asked.namespace !== '' && asked.resource !== 'namespaces'
}

/** 404, but only for those who may know it: a Status in what is built in, plain text outside. */
function unknown(request: Request): void {
  authorize(request)
  if (isBuiltinGroup(request.asked.group)) throw errors.notFoundPath()
  request.reply.noSuchPath()
}

/** @throws StatusError 403 */
function authorize({ options, info, asked, user, reply, query }: Request, as = info.verb): void {
  const { group, version, resource, subresource, namespace, name } = asked
  const attributes: Attributes = {
    user,
    verb: as,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    ...(query.has('fieldSelector') && { fieldSelector: query.get('fieldSelector')! }),
  }
  allow(options, attributes, reply)
}

/** From here on the request counts as one of its route. */
function count({ options, info, asked, query, reply }: Request, target: Target, connects = false): void {
  const { metrics } = options
  const deprecated = deprecationOf(target.resource) !== undefined
  if (deprecated) reply.audit?.annotate('k8s.io/deprecated', 'true')
  if (metrics === undefined) return
  const contentType = reply.exchange.headers['content-type']
  reply.route = resourceRoute(metrics, target, { info, asked, query, contentType, connects })
  if (deprecated) metrics.requests.deprecated(reply.route)
  if (query.has('fieldValidation')) metrics.requests.validated(validationOf(query))
}

/** Whether there is a route: the verb on this resource, with a name where one belongs and only there. */
function allows({ resource, ...target }: Target, asked: ResourceRequest, verb: string): boolean {
  const named = verb === 'get' || verb === 'update' || verb === 'patch' || verb === 'delete'
  const either = verb === 'watch'
  const nested = target.subresource !== undefined
  // Of all namespaces at once there are lists and watches only.
  const write = verb === 'create' || verb === 'deletecollection'
  if (write && resource.info.namespaced && asked.namespace === '') return false
  if (!either && asked.named !== (named || nested)) return false
  const subresource = target.subresource === undefined ? undefined : resource.subresources.get(target.subresource)
  const verbs = subresource === undefined ? resource.info.verbs : subresource.verbs
  return verbs.includes(verb)
}

async function connect(request: Request, target: Target, connector: NonNullable<HandlerOptions['connectors']>[string]) {
  const { reply, query, asked, info, options } = request
  const { subresource = '' } = target
  const kind = target.resource.subresources.get(subresource)
  // Connections are opened by GET or POST; a proxy takes every method.
  const taken = subresource === 'proxy' || (kind?.verbs ?? []).includes(info.verb)
  if (!taken || (subresource === 'log' && reply.exchange.method !== 'GET')) throw methodNotAllowed()
  authorize(request)
  count(request, target, true)
  // A log is read, not connected to.
  const read = subresource === 'log' || kind === undefined
  if (!read && query.has('dryRun')) throw errors.badRequest('dryRun is not supported')
  const subpath = subresource === 'proxy' ? subpathOf(asked.rest, info.path) : undefined
  const object = read ? { metadata: {} } : connectOptions(kind, query, subpath)
  if (!read) await options.api.admitConnection(call(request), target, object as KubeObject)
  if (!read && subresource !== 'proxy') mayCreate(request)
  await connector({ reply, target, query, options: object as KubeObject, path: info.path })
}

/** What stands behind a proxy, with its slash at the end. */
function subpathOf(rest: readonly string[], path: string): string {
  const joined = rest.join('/')
  const rooted = joined === '' || joined.startsWith('/') ? joined : `/${joined}`
  return path.endsWith('/') && !rooted.endsWith('/') ? `${rooted}/` : rooted
}

/** Connections that are opened by GET (WebSocket) run commands all the same. @throws StatusError 403 */
function mayCreate({ options, info, asked, user }: Request): void {
  if (info.verb === 'create') return
  const { group, version, resource, subresource, namespace, name } = asked
  const attributes = { user, verb: 'create', group, version, resource, subresource, namespace, name }
  const { allowed, reason } = options.api.authorizer.authorize(attributes)
  if (!allowed) throw errors.forbidden({ group, resource }, name, reason)
}

async function verb(request: Request, target: Target): Promise<void> {
  authorize(request)
  count(request, target)
  // A patch of a type that there is not has no route.
  if (request.info.verb === 'patch') patchType(request.reply.exchange.headers['content-type'], target)
  deprecation(request, target)
  switch (request.info.verb) {
    case 'get':
      return get(request, target)
    case 'list':
      return list(request, target)
    case 'watch':
      return watch(request, target)
    case 'create':
      return create(request, target)
    case 'update':
      return update(request, target)
    case 'patch':
      return patch(request, target)
    case 'delete':
      return remove(request, target)
    case 'deletecollection':
      return removeAll(request, target)
    default:
      throw methodNotAllowed()
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function call(request: Request, write?: WriteOptions): Call {
  const { user, reply } = request
  const call: Writable<Call> = {
    user,
    // Made when first asked for: most verbs never do.
    get signal() {
      return reply.exchange.signal
    },
    warnings: reply.warnings,
    latency: reply,
    authorized: true,
  }
  if (reply.audit !== undefined) call.audit = reply.audit
  if (reply.seat !== undefined) call.seat = reply.seat
  if (reply.large) call.large = true
  if (reply.many) call.many = true
  if (reply.emptied !== undefined) call.emptied = reply.emptied
  if (request.deadline !== undefined) call.deadline = request.deadline
  if (write !== undefined) {
    if (write.fieldManager !== undefined) call.fieldManager = write.fieldManager
    call.dryRun = write.dryRun
    call.fieldValidation = write.fieldValidation
    call.options = write.given
  }
  return call
}

function accepted(request: Request, target: Target): Negotiated {
  const { accept } = request.reply.exchange.headers
  if (accept === undefined || accept === 'application/json') return negotiate(accept)
  const list = request.info.verb === 'list' || request.info.verb === 'deletecollection'
  const custom = target.resource.custom !== undefined
  return negotiate(accept, {
    table: hasTable(target.resource, target.subresource ?? ''),
    metadata: true,
    kind: { name: goType(target.resource, list), list },
    custom,
  })
}

/** As upstream's messages name a type: `*core.ConfigMap`. */
function goType({ info, custom }: ServedResource, list: boolean): string {
  if (custom !== undefined) return list ? '*unstructured.UnstructuredList' : '*unstructured.Unstructured'
  return `*${info.group === '' ? 'core' : info.group.split('.', 1)[0]}.${list ? info.listKind : info.kind}`
}

function deprecation(request: Request, target: Target): void {
  const text = deprecationOf(target.resource)
  if (text === undefined) return
  // An answer that nobody can read has no route.
  if (request.info.verb !== 'watch') accepted(request, target)
  request.reply.warnings.push(text)
}

/** What clients of a deprecated resource are told. */
function deprecationOf({ info, custom }: ServedResource): string | undefined {
  if (custom?.deprecationWarning !== undefined) return custom.deprecationWarning
  if (info.group !== '' || (info.resource !== 'endpoints' && info.resource !== 'componentstatuses')) return undefined
  const instead = info.resource === 'endpoints' ? '; use discovery.k8s.io/v1 EndpointSlice' : ''
  const since = info.resource === 'endpoints' ? 'v1.33+' : 'v1.19+'
  return `v1 ${info.kind} is deprecated in ${since}${instead}`
}

async function answer(
  request: Request,
  target: Target,
  as: Negotiated,
  code: number,
  stored: Stored | Written | { object: KubeObject },
) {
  const { reply, query, options } = request
  const entry = 'entry' in stored && stored.entry !== undefined && holdsMany(stored.entry) ? stored.entry : undefined
  if (entry !== undefined && as.as !== undefined) await loaded(entry, reply.seat)
  // What is no object but a Status is shown as it is.
  if (as.as !== undefined && !isStatus(stored.object)) {
    const shown = { version: as.version, include: includeObject(query), now: options.now() }
    const made = transformed(target.resource, stored.object, as, shown)
    return entry === undefined ? reply.object(code, made, as.encoding) : reply.long(code, made, as.encoding)
  }
  if (entry !== undefined && (as.encoding !== 'json' || reply.pretty)) {
    reply.audit?.responseBytes(entry.bytes)
    const bytes = await rendered(entry, as.encoding === 'json' ? 'pretty' : as.encoding, reply.seat)
    return reply.bytes(code, bytes, undefined, as.encoding)
  }
  if (as.encoding !== 'json' || reply.pretty || !('entry' in stored) || stored.entry === undefined)
    return reply.object(code, stored.object, as.encoding)
  return reply.bytes(code, objectBytes(stored.entry))
}

const isStatus = ({ kind, apiVersion }: KubeObject): boolean => kind === 'Status' && apiVersion === 'v1'

async function get(request: Request, target: Target): Promise<void> {
  const as = accepted(request, target)
  const at = request.query.get('resourceVersion')
  await answer(request, target, as, 200, await request.options.api.get(call(request), target, at))
}

async function list(request: Request, target: Target): Promise<void> {
  const { options, query } = request
  const as = accepted(request, target)
  const parameters = listOptions(query)
  const include = as.as === 'Table' ? includeObject(query) : 'Metadata'
  const listed = await options.api.list(call(request), target, parameters)
  await answerList(request, target, as, listed, { version: as.version, include, now: options.now() })
}

/** Whole objects in compact JSON are spliced from what is stored; everything else is made item by item. */
async function answerList(request: Request, target: Target, as: Negotiated, listed: Listed, shown: TableOptions) {
  const { reply } = request
  if (as.as === undefined && as.encoding === 'json' && !reply.pretty)
    return reply.pieces(200, listPieces(target.resource, listed))
  const form =
    as.as === undefined
      ? listForm(target.resource, listed, reply.seat)
      : transformedForm(target.resource, listed, as, shown, reply.seat)
  if (as.encoding === 'yaml') return reply.pieces(200, yamlPieces(form), 'yaml')
  if (as.encoding === 'protobuf') return reply.pieces(200, protobufPieces(form), 'protobuf')
  return reply.pieces(200, reply.pretty ? prettyPieces(form) : jsonPieces(form))
}

async function watch(request: Request, target: Target): Promise<void> {
  const { options, query, reply, asked } = request
  const negotiated = negotiateWatch(reply.exchange.headers['accept'], {
    table: hasTable(target.resource, ''),
    metadata: target.resource.info.verbs.includes('get'),
    custom: target.resource.custom !== undefined,
  })
  const parameters = watchOptions(query)
  // `/watch/…/pods/x` and GET of one object with watch=true watch that object.
  const single = asked.named ? `metadata.name=${asked.name}` : undefined
  const selector = [parameters.fieldSelector, single].filter((s) => s !== undefined).join(',')
  await answerWatch(
    {
      api: options.api,
      call: call(request),
      target,
      options: selector === '' ? parameters : { ...parameters, fieldSelector: selector },
      negotiated,
      include: negotiated.as === 'Table' ? includeObject(query) : 'Metadata',
      limit: options.watchBuffer ?? WATCH_BUFFER,
      seat: reply.seat,
      ...(options.metrics !== undefined && {
        count: options.metrics.watches.of(target.resource.info, reply.route!.where[3]!),
      }),
      now: options.now,
      random: options.random,
    },
    reply,
  )
}

const bodyLimit = (request: Request): number => request.options.maxBody ?? MAX_BODY

async function create(request: Request, target: Target): Promise<void> {
  const { query, reply, options } = request
  const as = accepted(request, target)
  const write = writeOptions(query, 'CreateOptions', reply.exchange.headers['user-agent'])
  const object = await objectBody(request.reply, target, write, bodyLimit(request), options.now())
  reply.audit?.requestObject(object)
  const written = await options.api.create(call(request, write), target, object)
  await answer(request, target, as, written.created ? 201 : 200, written)
}

async function update(request: Request, target: Target): Promise<void> {
  const { query, reply, options } = request
  const as = accepted(request, target)
  const write = writeOptions(query, 'UpdateOptions', reply.exchange.headers['user-agent'])
  const object = await objectBody(request.reply, target, write, bodyLimit(request), options.now())
  reply.audit?.requestObject(object)
  const written = await options.api.update(call(request, write), target, object)
  await answer(request, target, as, written.created ? 201 : 200, written)
}

async function patch(request: Request, target: Target): Promise<void> {
  const { query, reply, options } = request
  const as = accepted(request, target)
  const type: PatchType = patchType(reply.exchange.headers['content-type'], target)
  const write = writeOptions(query, 'PatchOptions', reply.exchange.headers['user-agent'], type === 'apply')
  const body = await patchBody(reply, type, write, bodyLimit(request))
  if (!(body instanceof Unreadable)) reply.audit?.requestPatch(body)
  const written = await options.api.patch(call(request, write), target, type, body, write.force)
  await answer(request, target, as, written.created ? 201 : 200, written)
}

async function deletionBody({ reply, options }: Request): Promise<Record<string, unknown> | undefined> {
  const body = await optionsBody(reply, options.api.catalog, options.maxBody ?? MAX_BODY)
  if (body !== undefined && reply.audit !== undefined) {
    const { metadata: _metadata, ...rest } = body
    reply.audit.requestObject({ ...rest, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/__internal' })
  }
  return body
}

async function remove(request: Request, target: Target): Promise<void> {
  const { query, reply, options } = request
  const as = accepted(request, target)
  const asked = deleteOptions(query, await deletionBody(request))
  const { dryRun, orphanDependents, ...rest } = asked
  const result = await options.api.delete(Object.assign(deleting(request), { dryRun }), target, rest)
  if (result.pending !== undefined)
    return answer(request, target, as, orphanDependents === false ? 202 : 200, result.pending)
  if (result.deleted?.last !== undefined) return answer(request, target, as, 200, result.deleted.last)
  const { group, resource } = target.resource.info
  const details = { name: result.deleted?.name ?? target.name, ...(group === '' ? {} : { group }), kind: resource }
  const uid = result.deleted?.uid
  await reply.object(200, success(uid === undefined ? details : { ...details, uid }), as.encoding)
}

function deleting(request: Request): Call {
  const manager = managerOf(request.reply.exchange.headers['user-agent'])
  return manager === undefined ? call(request) : Object.assign(call(request), { fieldManager: manager })
}

async function removeAll(request: Request, target: Target): Promise<void> {
  const { query, options } = request
  const as = accepted(request, target)
  const parameters = listOptions(query)
  const asked = deleteOptions(query, await deletionBody(request))
  const { dryRun, orphanDependents: _orphan, ...rest } = asked
  const entries = await options.api.deleteCollection(
    Object.assign(deleting(request), { dryRun }),
    target,
    rest,
    parameters,
  )
  const last = entries.reduce((newest, entry) => Math.max(newest, entry.revision), 0)
  const listed = { entries, resourceVersion: last === 0 ? '' : String(last) }
  const shown = { version: as.version, include: includeObject(query), now: options.now() }
  await answerList(request, target, as, listed, shown)
}
