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
function tenantText(text: string, host: KubeObject, object: KubeObject, tenant: Tenant): string {
  const hostNamespace = tenant.placement.namespace(object.metadata.namespace!)
  return text
    .replaceAll(`${hostNamespace}/${host.metadata.name!}`, `${object.metadata.namespace!}/${object.metadata.name!}`)
    .replaceAll(host.metadata.name!, object.metadata.name!)
    .replaceAll(hostNamespace, object.metadata.namespace!)
}
