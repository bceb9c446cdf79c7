/** Events of the host about a tenant's objects, in the tenant's terms. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Tenant } from '../contract.ts'

/**
 * The tenant's event for a host event about `host`, which is the host object of `object`. The name is the host event's,
 * so that a repeated event updates its twin.
 */
export function toTenantEvent(event: KubeObject, host: KubeObject, object: KubeObject, tenant: Tenant): KubeObject {
  const namespace = object.metadata.namespace!
  const out: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: event.metadata.name!.replace(host.metadata.name!, object.metadata.name!), namespace },
    involvedObject: {
      ...event['involvedObject'],
      name: object.metadata.name!,
      namespace,
      uid: object.metadata.uid!,
      resourceVersion: object.metadata.resourceVersion!,
    },
    message: tenantText(event['message'] ?? '', host, object, tenant),
  }
  for (const field of [
    'reason',
    'type',
    'source',
    'count',
    'firstTimestamp',
    'lastTimestamp',
    'eventTime',
    'series',
    'action',
    'reportingComponent',
    'reportingInstance',
  ]) {
    if (event[field] !== undefined) out[field] = event[field]
  }
  return out
}

/** Host names in a message become the tenant's. Plain replacement of known strings, longest first. */
export function tenantText(text: string, host: KubeObject, object: KubeObject, tenant: Tenant): string {
  const namespace = object.metadata.namespace!
  const hostNamespace = tenant.placement.namespace(namespace)
  const named = text
    .replaceAll(`${hostNamespace}/${host.metadata.name!}`, `${namespace}/${object.metadata.name!}`)
    .replaceAll(host.metadata.name!, object.metadata.name!)
  // A shared namespace's name may be any word of the text; one of a tenant's own is no word at all.
  return tenant.placement.mode === 'single' ? named : named.replaceAll(hostNamespace, namespace)
}
