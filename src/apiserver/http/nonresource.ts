/** Paths that are no resources: health, version, metrics, discovery, OpenAPI, the issuer's documents. */
import { StatusError, errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { UserInfo } from '../contract.ts'
import { allow } from './allow.ts'
import type { HandlerOptions } from './contract.ts'
import { pathRoute } from './counting.ts'
import { answerHealth } from './health.ts'
import { answerMetrics } from './metrics.ts'
import type { Query } from './query.ts'
import type { Reply } from './reply.ts'
import type { RequestInfo } from './request.ts'

/** What the root path lists. */
const ROOTS = [
  '/.well-known/openid-configuration',
  '/api',
  '/api/v1',
  '/apis',
  '/healthz',
  '/livez',
  '/openapi/v2',
  '/openapi/v3',
  '/openid/v1/jwks',
  '/readyz',
  '/version',
]

/** Answers a non-resource request. @throws StatusError */
export async function answerPath(
  options: HandlerOptions,
  info: RequestInfo,
  query: Query,
  user: UserInfo,
  reply: Reply,
): Promise<void> {
  allow(options, { user, verb: info.verb, path: info.path }, reply)
  const { path } = info
  if (options.metrics !== undefined) reply.route = pathRoute(options.metrics, path)
  if (answerHealth(path, query, options.checks ?? [], reply)) return
  if (answerMetrics(options, path, reply)) return
  const reads = info.verb === 'get' || info.verb === 'head'
  // Go's router of API paths has no route for HEAD; others take it as GET.
  const routed = info.verb === 'head' && /^\/(?:(?:version|api)(?:\/|$)|apis\/.)/.test(path)
  if (!reads || routed) {
    if (isKnown(options, path, query, reply)) throw methodNotAllowed()
    return reply.noSuchPath()
  }
  switch (path) {
    case '/':
      return reply.object(200, { paths: ROOTS })
    case '/version':
    case '/version/':
      if (info.verb === 'head') throw methodNotAllowed()
      return reply.object(200, options.version)
    case '/.well-known/openid-configuration':
      if (options.issuer === undefined) return reply.noSuchPath()
      return issuer(reply, 'application/json', options.issuer.configuration)
    case '/openid/v1/jwks':
      if (options.issuer === undefined) return reply.noSuchPath()
      return issuer(reply, 'application/jwk-set+json', options.issuer.jwks)
    default:
  }
  const document = find(options, path, query, reply)
  if (document === undefined) {
    return noSuchPath(path, reply)
  }
  const { 'content-type': type = 'application/json', ...headers } = document.headers
  const { body, status } = document
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return reply.pieces(status, body, 'json', document.headers)
  if (type === 'application/json' && status === 200 && body.length > 0)
    return reply.bytes(200, Buffer.isBuffer(body) ? body : Buffer.from(body), headers)
  reply.raw(status, type, body, headers)
}

function find(options: HandlerOptions, path: string, query: Query, reply: Reply) {
  const { headers } = reply.exchange
  return path.startsWith('/openapi/')
    ? options.openapi.find(path, query, headers)
    : options.discovery.find(path, query, headers)
}

function isKnown(options: HandlerOptions, path: string, query: Query, reply: Reply): boolean {
  return ROOTS.includes(path) || path === '/' || path === '/metrics' || find(options, path, query, reply) !== undefined
}

/** Upstream's router answers below the roots that it knows. @throws StatusError 404 there */
export function noSuchPath(path: string, reply: Reply): void {
  const [, root, group = ''] = path.split('/', 3)
  if (root === 'api' || (root === 'apis' && group !== '' && isBuiltinGroup(group))) throw errors.notFoundPath()
  reply.noSuchPath()
}

/** Whether Kubernetes itself has versions of a group, served or not. */
export function isBuiltinGroup(group: string): boolean {
  return typeTable.resources.some((info) => info.group === group)
}

function issuer(reply: Reply, type: string, document: object): void {
  reply.raw(200, type, JSON.stringify(document), { 'cache-control': 'public, max-age=3600' })
}

/** 405 as go-restful's error handler words it. */
export function methodNotAllowed() {
  const { status } = errors.methodNotAllowed({ group: '', resource: '' }, '')
  return new StatusError({ ...status, message: 'the server does not allow this method on the requested resource' })
}
