/** Connections of a cluster whose pods run in another one: nothing that its users write names an address. */
import type { KubeObject } from '../../machinery/object.ts'
import { errors, StatusError } from '../../machinery/status.ts'
import type { ServiceResolver } from '../dial/contract.ts'
import type { Reply } from '../http/reply.ts'
import type { Objects, Place } from './place.ts'

export interface Elsewhere {
  /**
   * Answers the exchange as the other cluster answers it for what this pod is there. `rest`: what follows the pod in
   * the path, such as `exec?command=ls`.
   * @throws StatusError
   */
  stream(pod: KubeObject, rest: string, reply: Reply): Promise<void>
  /** The pod's first address there; '' while it has none. */
  address(pod: KubeObject): Promise<string> | string
  readonly services: ServiceResolver
}

interface Port {
  readonly name?: string
  readonly port?: number
}

/** Where a Service is reached, by the name or number of a port. @throws StatusError 404, 503 */
export async function servicePlaceElsewhere(
  { services }: Elsewhere,
  objects: Objects,
  namespace: string,
  { scheme, name, port }: { readonly scheme: Place['scheme']; readonly name: string; readonly port: string },
): Promise<Place> {
  const service = objects.service(namespace, name)
  const numbered = /^[+-]?[0-9]+$/.test(port)
  const quoted = JSON.stringify(name)
  if (service === undefined && numbered) throw errors.notFound({ group: '', resource: 'services' }, name)
  const ports = ((service?.['spec'] ?? {}) as { ports?: Port[] }).ports ?? []
  const found = ports.find((each) => (numbered ? each.port === Number(port) : (each.name ?? '') === port))
  if (found?.port === undefined) {
    if (numbered) throw errors.serviceUnavailable(`no service port ${Number(port)} found for service ${quoted}`)
    throw errors.serviceUnavailable(`no endpoints available for service ${quoted}`)
  }
  try {
    const at = await services.resolve(namespace, name, found.port)
    return { scheme, host: at.host, port: String(at.port), kubelet: false, vetted: true }
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw errors.serviceUnavailable(error instanceof Error ? error.message : String(error))
  }
}

/** What the other cluster's API server is asked, as this one was. */
export function streamRest(asked: KubeObject, subresource: string, container: string | undefined): string {
  const pairs: [string, string][] = container === undefined ? [] : [['container', container]]
  for (const [name, value] of Object.entries(asked)) {
    if (['kind', 'apiVersion', 'metadata', 'container'].includes(name)) continue
    for (const each of Array.isArray(value) ? value : [value]) pairs.push([name, String(each)])
  }
  return `${subresource}?${new URLSearchParams(pairs).toString()}`
}
