/** Services: spec down; cluster IP, node ports and load balancer status up. */
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { equalJson } from '../../machinery/equality.ts'
import type { Descriptor, Upward } from '../contract.ts'

/** Fields of the spec that the tenant decides. The rest (cluster IPs, node ports) is the host's. */
const OWNED = [
  'type', 'selector', 'externalName', 'sessionAffinity', 'sessionAffinityConfig', 'publishNotReadyAddresses',
  'externalTrafficPolicy', 'internalTrafficPolicy', 'loadBalancerClass', 'loadBalancerSourceRanges', 'allocateLoadBalancerNodePorts',
  'trafficDistribution',
] as const // prettier-ignore

/** Fields of those that the host fills in by itself: absent in the tenant, they are left to it. */
const DEFAULTED: ReadonlySet<string> = new Set([
  'type', 'sessionAffinity', 'externalTrafficPolicy', 'internalTrafficPolicy', 'loadBalancerClass', 'allocateLoadBalancerNodePorts',
]) // prettier-ignore

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
    if (service['spec'].clusterIP === 'None') spec['clusterIP'] = 'None'
    if (service['spec'].ports !== undefined) {
      spec['ports'] = service['spec'].ports.map((port: Port) => without(port, 'nodePort'))
    }
    // An empty selector selects nothing, and must go on doing so.
    if (Object.keys(service['spec'].selector ?? {}).length === 0) delete spec['selector']
    else spec['selector'] = { ...service['spec'].selector, ...tenant.placement.labels(namespace) }
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
      if (equalJson(desired['spec'][field], host['spec'][field])) continue
      if (desired['spec'][field] === undefined && DEFAULTED.has(field)) continue
      spec[field] =
        field === 'selector' ? mapChange(desired['spec'][field], host['spec'][field]) : (desired['spec'][field] ?? null)
    }
    const type = desired['spec'].type ?? 'ClusterIP'
    const kept = type === 'NodePort' || type === 'LoadBalancer' ? host['spec'].ports : undefined
    const ports = mergePorts(desired['spec'].ports, kept)
    if (!equalJson(ports, host['spec'].ports)) spec['ports'] = ports ?? null
    return Object.keys(spec).length === 0 ? undefined : { type: 'merge', body: { spec } }
  },

  toTenant(service, host): Upward {
    const out: { status?: object; patch?: object } = {}
    if (!equalJson(host['status'] ?? {}, service['status'] ?? {})) out.status = host['status'] ?? {}
    const spec: Record<string, unknown> = {}
    if (host['spec'].type !== 'ExternalName' && service['spec'].type === host['spec'].type) {
      for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort']) {
        if (host['spec'][field] !== undefined && !equalJson(host['spec'][field], service['spec'][field]))
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

function without<T extends object, K extends keyof T>(from: T, key: K): Omit<T, K> {
  const { [key]: dropped, ...rest } = from
  return dropped === undefined ? from : rest
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
