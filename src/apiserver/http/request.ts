/**
 * What a request is about, by its method, path and query: Kubernetes' RequestInfo.
 * Authorization, fair sharing and routing all go by this one reading.
 */
import { parseFieldSelector } from '../../machinery/selector/fields.ts'
import { isPathSegmentName } from '../../machinery/names.ts'
import { errors } from '../../machinery/status.ts'
import type { Query } from './query.ts'

export interface RequestInfo {
  /** Decoded, as authorization of non-resource paths sees it. */
  readonly path: string
  /** Kubernetes verb for resources, lower-case method else. */
  readonly verb: string
  /** Absent for non-resource requests. */
  readonly resource?: ResourceRequest
}

export interface ResourceRequest {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  /** From the path, or of a list or watch by `fieldSelector=metadata.name=X`. */
  readonly name: string
  /** Whether the name stands in the path. */
  readonly named: boolean
  /** What follows the subresource: only proxies have it. */
  readonly rest: readonly string[]
  /** `/api/v1/watch/…`: the verb stands in the path. */
  readonly legacyWatch: boolean
}

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Percent-decodes a path as a whole, so that no segment can hold a slash. @throws StatusError 400 */
export function decodePath(path: string): string {
  let decoded = path
  if (path.includes('%')) {
    try {
      decoded = decodeURIComponent(path)
    } catch {
      throw errors.badRequest(`invalid URL escape in path ${JSON.stringify(path.slice(0, 200))}`)
    }
  }
  if (decoded.includes('\0')) throw errors.badRequest('invalid control character in URL')
  return decoded
}

/**
 * Whether a path is in normal form: no empty, `.` or `..` segment inside. Proxied paths may have
 * what they want behind `/proxy/`.
 */
export function isClean(path: string): boolean {
  const proxy = path.indexOf('/proxy/')
  const head = proxy === -1 ? path : path.slice(0, proxy)
  return head.startsWith('/') && !head.includes('//') && !/\/\.\.?(\/|$)/.test(head)
}

/** @throws StatusError 400 for `/api/v1/watch` without a resource */
export function parseRequest(method: string, path: string, query: Query): RequestInfo {
  const other: RequestInfo = { path, verb: method.toLowerCase() }
  let parts = path.split('/').slice(1)
  if (parts.at(-1) === '') parts.pop()
  let group = ''
  if (parts[0] === 'api') parts = parts.slice(1)
  else if (parts[0] === 'apis') {
    group = parts[1] ?? ''
    parts = parts.slice(2)
  } else return other
  const version = parts[0] ?? ''
  if (parts.length < 2) return other
  parts = parts.slice(1)

  let verb = VERBS[method] ?? ''
  const special = parts[0] === 'watch' || parts[0] === 'proxy' ? parts[0] : undefined
  if (special !== undefined) {
    if (parts.length < 2) throw errors.badRequest(`unable to determine kind and namespace from url, ${path}`)
    verb = special
    parts = parts.slice(1)
  }

  let namespace = ''
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1]!
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2]!)) parts = parts.slice(2)
  }
  const resource = parts[0]!
  let name = parts[1] ?? ''
  const named = name !== ''
  const subresource = special === undefined ? (parts[2] ?? '') : ''
  const rest = special === undefined ? parts.slice(3) : parts.slice(2)

  if (!named && verb === 'get') {
    verb = query.flag('watch') === true ? 'watch' : 'list'
  }
  if (!named && verb === 'delete') verb = 'deletecollection'
  if (!named && (verb === 'list' || verb === 'watch' || verb === 'deletecollection')) {
    name = selectedName(query.get('fieldSelector')) ?? ''
  }
  return {
    path,
    verb,
    resource: { group, version, resource, subresource, namespace, name, named, rest, legacyWatch: special === 'watch' },
  }
}

function selectedName(fieldSelector: string | undefined): string | undefined {
  if (fieldSelector === undefined || !fieldSelector.includes('metadata.name')) return undefined
  try {
    const term = parseFieldSelector(fieldSelector).find((t) => t.field === 'metadata.name' && t.operator === '=')
    return term !== undefined && isPathSegmentName(term.value).length === 0 ? term.value : undefined
  } catch {
    return undefined
  }
}

const LONG_SUBRESOURCES = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])

/** Requests that no time-out ends and that do not count as short in fair sharing. */
export function isLongRunning(info: RequestInfo): boolean {
  if (info.resource === undefined) return false
  return info.verb === 'watch' || info.verb === 'proxy' || LONG_SUBRESOURCES.has(info.resource.subresource)
}
