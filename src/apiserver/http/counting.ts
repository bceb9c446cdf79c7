/** Where a request is counted: by its route, as upstream's handlers are instrumented. */
import type { ServedResource, Target } from '../contract.ts'
import type { ClusterMetrics } from '../metrics/cluster.ts'
import type { Route, RouteMetrics } from '../metrics/requests.ts'
import type { Query } from './query.ts'
import type { RequestInfo, ResourceRequest } from './request.ts'

const VERBS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}

/** Those with bodies, as their sizes are labelled. */
const BODIES: Readonly<Record<string, string>> = {
  create: 'create',
  update: 'update',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete_collection',
}

/** Paths that are counted, by how they begin; upstream counts no others. */
const PATHS: ReadonlyMap<string, string> = new Map([
  ['/healthz', '/healthz'],
  ['/livez', '/livez'],
  ['/readyz', '/readyz'],
  ['/metrics', '/metrics'],
  ['/openapi/v3', 'openapi/v3'],
])

/** What is known of a request where its route is asked for. */
export interface Routed {
  readonly info: RequestInfo
  readonly asked: ResourceRequest
  readonly query: Query
  readonly contentType: string | undefined
  /** Whether it is a connection. */
  readonly connects: boolean
}

/** The route of a resource request. */
export function resourceRoute(metrics: ClusterMetrics, { resource }: Target, routed: Routed): RouteMetrics {
  const { query, asked } = routed
  const dryRun = query.has('dryRun') ? (query.all('dryRun').every((value) => value === 'All') ? 'All' : 'invalid') : ''
  return metrics.requests.route(resource, routeOf(resource, asked, verbOf(routed), routed.info.verb), dryRun)
}

/** As it is labelled. */
function verbOf({ info: { verb }, query, contentType, connects }: Routed): string {
  if (connects) return 'CONNECT'
  if (verb === 'patch' && contentType?.startsWith('application/apply-patch') === true) return 'APPLY'
  // One object is not watched, whatever is asked.
  if (verb === 'get' && query.has('watch') && query.flag('watch') !== false) return 'WATCH'
  return VERBS[verb] ?? 'other'
}

function routeOf({ info }: ServedResource, asked: ResourceRequest, verb: string, kind: string): Route {
  const { subresource } = asked
  return { info, verb, subresource, scope: scopeOf(asked, verb), endless: kind === 'watch' }
}

/** Whether one object is meant, those of a namespace, or all. */
function scopeOf({ named, namespace, resource }: ResourceRequest, verb: string): Route['scope'] {
  if (named || verb === 'POST' || verb === 'CONNECT') return 'resource'
  return namespace === '' || resource === 'namespaces' ? 'cluster' : 'namespace'
}

/** A request whose resource is known here and that no route was found for yet: for what is counted of its end. */
export function plainRoute(
  metrics: ClusterMetrics,
  resource: ServedResource,
  asked: ResourceRequest,
  verb: string,
): RouteMetrics {
  const { subresources } = resource
  const subresource = subresources.has(asked.subresource) ? asked.subresource : ''
  return metrics.requests.route(resource, routeOf(resource, { ...asked, subresource }, VERBS[verb] ?? 'other', verb))
}

/** Undefined: such a path is not counted. */
export function pathRoute(metrics: ClusterMetrics, path: string): RouteMetrics | undefined {
  const subresource = PATHS.get(path) ?? (path.startsWith('/openapi/v3/') ? 'openapi/v3/' : undefined)
  if (subresource === undefined) return undefined
  return metrics.requests.route(PATHS, { info: undefined, verb: 'GET', subresource, scope: '', endless: false })
}

const VALIDATIONS: ReadonlySet<string> = new Set(['Ignore', 'Warn', 'Strict'])

/** The field validation that was asked for, as it is labelled. */
export function validationOf(query: Query): string {
  const asked = query.all('fieldValidation')
  if (asked.length !== 1) return 'invalid'
  return VALIDATIONS.has(asked[0]!) ? asked[0]! : 'invalid'
}

/** How the sizes of a verb's bodies are labelled; undefined: it has none. */
export function bodyVerb(verb: string): string | undefined {
  return BODIES[verb]
}
