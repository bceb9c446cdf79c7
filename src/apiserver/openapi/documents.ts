/** `/openapi/v3` and `/openapi/v2` of one cluster. */
import { createHash } from 'node:crypto'
import { errors } from '../../machinery/status.ts'
import type { Catalog, ServedResource } from '../contract.ts'
import { groupsOf } from '../discovery/groups.ts'
import type { Document, Documents } from '../http/contract.ts'
import { negotiate } from '../http/negotiation.ts'
import type { Query } from '../http/query.ts'
import type { MoreV2, Rendered } from './rendered.ts'
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

/** Where the version 3 document of `apis/G/V` is, as long as it has this hash. */
export const urlOf = (path: string, hash: string): string => `/openapi/v3/${path}?hash=${hash}`

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

/** A document that can be had in several forms. */
interface Forms {
  readonly hash: string
  readonly json: () => Document['body']
  readonly protobuf?: () => Document['body']
}

function cached(headers: Headers, type: string, forms: Forms, extra: Record<string, string> = {}): Document {
  const common = { etag: `"${forms.hash}"`, vary: 'Accept', ...extra }
  if (headers['if-none-match'] === `"${forms.hash}"`) return { status: 304, headers: common, body: '' }
  const body = type === JSON_TYPE ? forms.json() : forms.protobuf!()
  return { status: 200, headers: { ...common, 'content-type': type }, body }
}

const JSON_TYPE = 'application/json'
/** The name with "@" is from before media types were checked; clients still ask for it. */
const protobufTypes = (version: 2 | 3): readonly [string, string] => [
  `application/com.github.proto-openapi.spec.v${version}.v1.0+protobuf`,
  `application/com.github.proto-openapi.spec.v${version}@v1.0+protobuf`,
]

/** The media type that is answered: protobuf for those who name it first, or name nothing else. @throws StatusError 406 */
function typeOf(headers: Headers, version: 2 | 3): string {
  const types = protobufTypes(version)
  const asked = (headers['accept'] ?? '')
    .toLowerCase()
    .split(',', 32)
    .map((clause) => clause.split(';', 1)[0]!.trim())
  if (types.includes(asked[0]!)) return types[0]
  try {
    if (negotiate(headers['accept']).encoding === 'json') return JSON_TYPE
  } catch {
    if (asked.some((type) => types.includes(type))) return types[0]
  }
  throw errors.notAcceptable([JSON_TYPE, ...types])
}

const FOREVER = 'public, immutable, max-age=31536000'

/** Answers for the version 3 document of `path`, `apis/G/V`. @throws StatusError 406 */
export function answerV3(path: string, query: Query, headers: Headers, document: Rendered): Document {
  const type = typeOf(headers, 3)
  const { hash } = document
  const forms = { hash, json: () => document.body(), protobuf: () => document.protobuf() }
  const asked = query.get('hash')
  if (asked === undefined || asked === '') return cached(headers, type, forms)
  if (asked !== hash) return { status: 301, headers: { location: urlOf(path, hash), vary: 'Accept' }, body: '' }
  return cached(headers, type, forms, { 'cache-control': FOREVER })
}

/** The OpenAPI paths of a cluster, and its version 2 document for those who add to it. */
export interface OpenApiDocuments extends Documents {
  hasDefinition(name: string): boolean
  specV2(more: MoreV2): Iterable<Buffer>
}

/** The OpenAPI paths of a cluster. */
export function createOpenApi(catalog: Catalog): OpenApiDocuments {
  const v2 = (): DocumentV2 => (stateOf(catalog).v2 ??= new DocumentV2(catalog.all()))
  const groupVersion = (path: string, query: Query, headers: Headers): Document | undefined => {
    const resources = stateOf(catalog).groupVersions.get(path)
    if (resources === undefined) return undefined
    return answerV3(path, query, headers, renderV3(resources))
  }
  return {
    find(path, query, headers) {
      if (path === '/openapi/v3' || path === '/openapi/v3/') {
        if (negotiate(headers['accept']).encoding !== 'json') throw errors.notAcceptable([JSON_TYPE])
        const state = stateOf(catalog)
        const body = index(state)
        return cached(headers, JSON_TYPE, { hash: state.indexHash!, json: () => body })
      }
      if (path.startsWith('/openapi/v3/')) return groupVersion(path.slice('/openapi/v3/'.length), query, headers)
      if (path !== '/openapi/v2') return undefined
      const type = typeOf(headers, 2)
      const document = v2()
      return cached(
        headers,
        type,
        {
          hash: document.hash,
          json: () => document.body(),
          protobuf: () => document.protobuf(),
        },
        { vary: 'Accept-Encoding, Accept' },
      )
    },
    hasDefinition: (name) => v2().has(name),
    specV2: (more) => v2().body(more),
  }
}
