/**
 * Discovery of one cluster, aggregated and legacy. Documents belong to a state of the catalog: all
 * clusters without custom resources share one set, and a change of the catalog makes a new one.
 */
import type { Catalog, ServedResource } from '../contract.ts'
import type { Document, Documents } from '../http/contract.ts'
import { writeYaml } from '../../machinery/codec/yaml-write.ts'
import { PROTOBUF, accepts, negotiate, type Encoding } from '../http/negotiation.ts'
import { protobufOf } from '../http/protobuf.ts'
import { DiscoveryDocuments } from './documents.ts'
import type { Tagged } from './documents.ts'

const states = new WeakMap<readonly ServedResource[], DiscoveryDocuments>()

function documentsOf(catalog: Catalog): DiscoveryDocuments {
  const all = catalog.all()
  let documents = states.get(all)
  if (documents === undefined) states.set(all, (documents = new DiscoveryDocuments(all)))
  return documents
}

const AGGREGATED = { g: 'apidiscovery.k8s.io', v: 'v2', as: 'APIGroupDiscoveryList' }
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

function answer(document: Tagged, type: string, headers: Readonly<Record<string, string>>): Document {
  const cache = { etag: document.etag, vary: 'Accept', 'cache-control': 'public' }
  if (headers['if-none-match'] === document.etag) return { status: 304, headers: cache, body: '' }
  return { status: 200, headers: { ...cache, 'content-type': type }, body: document.body }
}

/** The documents are made before upstream's router looks at media types. */
const UNROUTED = { table: false, metadata: false, unrouted: true } as const

/** JSON text as the client takes it. */
export function inForm(body: Buffer | string, encoding: Encoding): Document {
  if (encoding === 'json') return { status: 200, headers: { 'content-type': 'application/json' }, body }
  const object = JSON.parse(body.toString()) as { kind: string }
  return encoding === 'yaml'
    ? { status: 200, headers: { 'content-type': 'application/yaml' }, body: writeYaml(object) }
    : { status: 200, headers: { 'content-type': PROTOBUF }, body: protobufOf(object) }
}

/** The discovery paths of a cluster. */
export function createDiscovery(catalog: Catalog): Documents {
  return {
    find(path, _query, headers) {
      const clean = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
      if (clean !== '/api' && clean !== '/apis' && !/^\/apis?\//.test(clean)) return undefined
      const documents = documentsOf(catalog)
      if ((clean === '/api' || clean === '/apis') && accepts(headers['accept'], 'application/json', AGGREGATED)) {
        return answer(documents.aggregated(clean === '/api' ? 'api' : 'apis'), AGGREGATED_TYPE, headers)
      }
      const { encoding } = negotiate(headers['accept'], UNROUTED)
      if (clean === '/api') {
        const serverAddress = headers['host'] ?? ''
        const versions = documents.coreVersions()
        const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }]
        const body = `${JSON.stringify({ kind: 'APIVersions', versions, serverAddressByClientCIDRs })}\n`
        return inForm(body, encoding)
      }
      const document = documents.legacy(clean)
      return document === undefined ? undefined : inForm(document.body, encoding)
    },
  }
}
