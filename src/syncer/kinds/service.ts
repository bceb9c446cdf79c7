/** Services: spec down; cluster IP, node ports and load balancer status up. */
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Descriptor, Upward } from '../contract.ts'
import { equal } from '../equal.ts'

/** Fields of the spec that the tenant decides. The rest (cluster IPs, node ports) is the host's. */
const OWNED = [
  'type', 'selector', 'externalName', 'externalIPs', 'sessionAffinity', 'sessionAffinityConfig', 'publishNotReadyAddresses',
  'externalTrafficPolicy', 'internalTrafficPolicy', 'loadBalancerClass', 'loadBalancerSourceRanges', 'allocateLoadBalancerNodePorts',
  'trafficDistribution',
] as const // prettier-ignore

export const services: Descriptor = {
  kind: 'Service',
  resource: resources.services,

  toHost(service, { tenant }) {
    const namespace = service.metadata.namespace!
    const spec: Record<string, unknown> = {}
    for (const field of OWNED) if (service['spec'][field] !== undefined) spec[field] = service['spec'][field]
    // externalIPs would let a tenant take over traffic of any address on the host's nodes (CVE-2020-8554).
    if (service['spec'].externalIPs?.length > 0)
      return { refused: 'spec.externalIPs is not allowed: it could catch traffic of others on the host' }
    delete spec['externalIPs']
    if (service['spec'].clusterIP === 'None') spec['clusterIP'] = 'None'
    if (service['spec'].ports !== undefined) {
      spec['ports'] = service['spec'].ports.map(({ nodePort: _, ...port }: { nodePort?: number }) => port)
    }
    if (spec['selector'] !== undefined)
      spec['selector'] = { ...(spec['selector'] as object), ...tenant.placement.labels(namespace) }
    return {
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          name: tenant.placement.name(namespace, service.metadata.name!),
          namespace: tenant.placement.namespace(namespace),
          ...(service.metadata.labels && { labels: service.metadata.labels }),
          ...(service.metadata.annotations && { annotations: service.metadata.annotations }),
        },
        spec,
      },
    }
  },

  change(desired, host) {
    const spec: Record<string, unknown> = {}
    for (const field of OWNED) {
      if (equal(desired['spec'][field], host['spec'][field])) continue
      // A field that the tenant's API defaulted away is left to the host's defaults.
      if (desired['spec'][field] === undefined && field !== 'selector') continue
      spec[field] =
        field === 'selector' ? mapChange(desired['spec'][field], host['spec'][field]) : desired['spec'][field]
    }
    const ports = mergePorts(desired['spec'].ports, host['spec'].ports)
    if (!equal(ports, host['spec'].ports)) spec['ports'] = ports ?? null
    return Object.keys(spec).length === 0 ? undefined : { type: 'merge', body: { spec } }
  },

  toTenant(service, host): Upward {
    const out: { status?: object; patch?: object } = {}
    if (!equal(host['status'] ?? {}, service['status'] ?? {})) out.status = host['status'] ?? {}
    const spec: Record<string, unknown> = {}
    if (host['spec'].type !== 'ExternalName' && service['spec'].type === host['spec'].type) {
      for (const field of ['clusterIP', 'clusterIPs', 'healthCheckNodePort']) {
        if (host['spec'][field] !== undefined && !equal(host['spec'][field], service['spec'][field]))
          spec[field] = host['spec'][field]
      }
      const ports = tenantPorts(service['spec'].ports, host['spec'].ports)
      if (ports !== undefined) spec['ports'] = ports
    }
    if (Object.keys(spec).length > 0) out.patch = { spec }
    return out
  },
}

type Port = { name?: string; port: number; protocol?: string; nodePort?: number }

const portKey = (port: Port): string => `${port.protocol ?? 'TCP'}/${port.port}`

/** The desired ports with the node ports that the host has given them. */
function mergePorts(desired: Port[] | undefined, host: Port[] | undefined): Port[] | undefined {
  const given = new Map((host ?? []).map((p) => [portKey(p), p.nodePort]))
  return desired?.map((p) => {
    const nodePort = given.get(portKey(p))
    return nodePort === undefined ? p : { ...p, nodePort }
  })
}

/** The tenant's ports with the host's node ports, when one differs. */
function tenantPorts(tenant: Port[] | undefined, host: Port[] | undefined): Port[] | undefined {
  const given = new Map((host ?? []).map((p) => [portKey(p), p.nodePort]))
  let changed = false
  const out = tenant?.map((p) => {
    const nodePort = given.get(portKey(p))
    if (nodePort === undefined || nodePort === p.nodePort) return p
    changed = true
    return { ...p, nodePort }
  })
  return changed ? out : undefined
}

function mapChange(
  desired: KubeObject['selector'],
  actual: KubeObject['selector'],
): Record<string, string | null> | null {
  if (desired === undefined) return null
  const out: Record<string, string | null> = { ...desired }
  for (const key of Object.keys(actual ?? {})) if (!Object.hasOwn(desired, key)) out[key] = null
  return out
}
