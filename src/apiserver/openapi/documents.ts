/** `/openapi/v3` and `/openapi/v2` of one cluster. */
import { createHash } from 'node:crypto'
import { errors } from '../../machinery/status.ts'
import type { Catalog, ServedResource } from '../contract.ts'
import { groupsOf } from '../discovery/groups.ts'
import type { Document, Documents } from '../http/contract.ts'
import { negotiate } from '../http/negotiation.ts'
import type { Query } from '../http/query.ts'
import { DocumentV2, renderV3 } from './rendered.ts'

type Headers = Readonly<Record<string, string>>

/** What one state of a catalog publishes. */
interface State {
  /** Resources by `api/v1`, `apis/apps/v1`. */
  readonly groupVersions: ReadonlyMap<string, readonly ServedResource[]>
  index?: Buffer
  indexHash?: string
  v2?: DocumentV2
}

const states = new WeakMap<readonly ServedResource[], State>()

function stateOf(catalog: Catalog): State {
  const all = catalog.all()
  let state = states.get(all)
  if (state === undefined) {
    const groupVersions = new Map<string, readonly ServedResource[]>()
    for (const { group, versions } of groupsOf(all)) {
      for (const { version, resources } of versions) {
        groupVersions.set(group === '' ? `api/${version}` : `apis/${group}/${version}`, resources)
      }
    }
    states.set(all, (state = { groupVersions }))
  }
  return state
}

const urlOf = (path: string, hash: string): string => `/openapi/v3/${path}?hash=${hash}`

function index(state: State): Buffer {
  if (state.index === undefined) {
    const paths: Record<string, { serverRelativeURL: string }> = {}
    for (const [path, resources] of state.groupVersions) {
      paths[path] = { serverRelativeURL: urlOf(path, renderV3(resources).hash) }
    }
    state.index = Buffer.from(JSON.stringify({ paths }))
    state.indexHash = createHash('sha256').update(state.index).digest('hex').toUpperCase()
  }
  return state.index
}

function cached(headers: Headers, hash: string, body: () => Buffer, extra: Record<string, string> = {}): Document {
  const common = { etag: `"${hash}"`, vary: 'Accept', ...extra }
  if (headers['if-none-match'] === `"${hash}"`) return { status: 304, headers: common, body: '' }
  return { status: 200, headers: { ...common, 'content-type': 'application/json' }, body: body() }
}

/** Only JSON is published: those who take nothing else are told. @throws StatusError 406 */
function requireJson(headers: Headers): void {
  if (negotiate(headers['accept']).encoding !== 'json') throw errors.notAcceptable(['application/json'])
}

const FOREVER = 'public, immutable, max-age=31536000'

/** The OpenAPI paths of a cluster, and which definitions version 2 has. */
export interface OpenApiDocuments extends Documents {
  hasDefinition(name: string): boolean
}

/** The OpenAPI paths of a cluster. */
export function createOpenApi(catalog: Catalog): OpenApiDocuments {
  const v2 = (): DocumentV2 => (stateOf(catalog).v2 ??= new DocumentV2(catalog.all()))
  const groupVersion = (path: string, query: Query, headers: Headers): Document | undefined => {
    const resources = stateOf(catalog).groupVersions.get(path)
    if (resources === undefined) return undefined
    requireJson(headers)
    const { hash, body } = renderV3(resources)
    const asked = query.get('hash')
    if (asked === undefined || asked === '') return cached(headers, hash, () => body)
    if (asked !== hash) return { status: 301, headers: { location: urlOf(path, hash), vary: 'Accept' }, body: '' }
    return cached(headers, hash, () => body, { 'cache-control': FOREVER })
  }
  return {
    find(path, query, headers) {
      if (path === '/openapi/v3' || path === '/openapi/v3/') {
        requireJson(headers)
        const state = stateOf(catalog)
        const body = index(state)
        return cached(headers, state.indexHash!, () => body)
      }
      if (path.startsWith('/openapi/v3/')) return groupVersion(path.slice('/openapi/v3/'.length), query, headers)
      if (path !== '/openapi/v2') return undefined
      requireJson(headers)
      const document = v2()
      return cached(headers, document.hash, () => document.body())
    },
    hasDefinition: (name) => v2().has(name),
  }
}
