/**
 * Discovery of one cluster, aggregated and legacy. Documents belong to a state of the catalog: all
 * clusters without custom resources share one set, and a change of the catalog makes a new one.
 */
import type { Catalog, ServedResource } from '../contract.ts'
import type { Document, Documents } from '../http/contract.ts'
import { accepts } from '../http/negotiation.ts'
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
      if (clean === '/api') {
        const serverAddress = headers[':authority'] ?? headers['host'] ?? ''
        const versions = documents.coreVersions()
        const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }]
        const body = `${JSON.stringify({ kind: 'APIVersions', versions, serverAddressByClientCIDRs })}\n`
        return { status: 200, headers: { 'content-type': 'application/json', vary: 'Accept' }, body }
      }
      const document = documents.legacy(clean)
      if (document === undefined) return undefined
      return { status: 200, headers: { 'content-type': 'application/json', vary: 'Accept' }, body: document.body }
    },
  }
}
