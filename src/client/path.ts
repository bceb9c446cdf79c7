/** URLs of resources. Every part that anybody chose is escaped. */
import { apiVersionOf } from '../machinery/object.ts'
import type { Resource } from './contract.ts'

/** `/api/v1`, `/apis/apps/v1` */
function root(resource: Resource): string {
  return `${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}`
}

/**
 * The path of a resource's list, or of one object.
 *
 * @throws TypeError when a name is empty or would leave its place in the path
 */
export function resourcePath(resource: Resource, namespace = '', name?: string, subresource?: string): string {
  let path = root(resource)
  if (resource.namespaced && namespace !== '') path += `/namespaces/${segment(namespace, 'namespace')}`
  path += `/${resource.resource}`
  if (name !== undefined) path += `/${segment(name, 'name')}`
  if (subresource !== undefined && subresource !== '') path += `/${subresource}`
  return path
}

function segment(text: string, what: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw new TypeError(`${JSON.stringify(text)} is no ${what} of a resource`)
  }
  return encodeURIComponent(text)
}

/** A query string from what is defined and not empty; `?` included. */
export function queryString(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== '' && value !== false) query.set(key, String(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
