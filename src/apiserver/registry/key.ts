/** Where objects live in a range: `<group or core>/<resource>/<namespace or empty>/<name>`. */
import type { ServedResource, Target } from '../contract.ts'
import { errors } from '../../machinery/status.ts'
import { isPathSegmentName } from '../../machinery/names.ts'

/** The prefix of a resource's keys. Events have one store under both of their groups. */
export function prefixOf(group: string, resource: string): string {
  if (resource === 'events' && group === 'events.k8s.io') return 'core/events/'
  return `${group === '' ? 'core' : group}/${resource}/`
}

/**
 * The key of one object. No name leaves its resource's prefix: a `/` never gets into a key.
 * @throws StatusError 400 as upstream words it
 */
export function keyOf(served: ServedResource, namespace: string, name: string): string {
  if (served.info.namespaced) {
    if (namespace === '') throw errors.badRequest('Namespace parameter required.')
    if (namespace.includes('/')) throw errors.badRequest(`Namespace parameter invalid: ${JSON.stringify(namespace)}`)
  }
  if (name === '') throw errors.badRequest('Name parameter required.')
  const wrong = isPathSegmentName(name)
  if (wrong.length > 0) {
    throw errors.badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${wrong.join(';')}`)
  }
  return `${served.prefix}${served.info.namespaced ? namespace : ''}/${name}`
}

const RENAMED: Readonly<Record<string, string>> = {
  'core/endpoints/': 'services/endpoints',
  'core/nodes/': 'minions',
  'core/replicationcontrollers/': 'controllers',
  'core/services/': 'services/specs',
  'networking.k8s.io/ingresses/': 'ingress',
}
const GROUPED: ReadonlySet<string> = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])

/** Where upstream has an object in etcd; some of its errors show it. */
export function upstreamKey({ resource: { info, custom, prefix }, namespace, name }: Target): string {
  const grouped = custom !== undefined || GROUPED.has(info.group)
  const place = RENAMED[prefix] ?? (grouped ? `${info.group}/${info.resource}` : info.resource)
  return info.namespaced ? `/${place}/${namespace}/${name}` : `/${place}/${name}`
}

/** The prefix of a list: one namespace, or everything. */
export function listPrefix(served: ServedResource, namespace: string): string {
  if (namespace === '' || !served.info.namespaced) return served.prefix
  if (namespace.includes('/')) throw errors.badRequest(`Namespace parameter invalid: ${JSON.stringify(namespace)}`)
  return `${served.prefix}${namespace}/`
}
