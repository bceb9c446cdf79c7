/** Fields of a service that follow from others: defaults, what was allocated, what goes with the type. */
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'

/** Types whose traffic inside the cluster has a policy. */
const INTERNAL = ['ClusterIP', 'NodePort', 'LoadBalancer']

/** Reachable from outside: external traffic policy has a meaning. */
export function isExternal(spec: Json): boolean {
  return (
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && listOf(spec.externalIPs).length > 0)
  )
}

/** A load balancer that sends only to nodes with endpoints asks each node for its health. */
export function needsHealthCheck(spec: Json): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
}

/** What the API fills in. */
export function defaultService(service: Json): void {
  const spec: Json = (service.spec ??= {})
  if (!spec.sessionAffinity) spec.sessionAffinity = 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP' && !isSet(spec.sessionAffinityConfig?.clientIP?.timeoutSeconds)) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } }
  }
  if (!spec.type) spec.type = 'ClusterIP'
  for (const port of listOf(spec.ports)) {
    if (!port.protocol) port.protocol = 'TCP'
    if (!port.targetPort) port.targetPort = port.port
  }
  if (isExternal(spec) && !spec.externalTrafficPolicy) spec.externalTrafficPolicy = 'Cluster'
  if (!isSet(spec.internalTrafficPolicy) && INTERNAL.includes(spec.type)) {
    spec.internalTrafficPolicy = 'Cluster'
  }
  if (spec.type !== 'LoadBalancer') return
  if (!isSet(spec.allocateLoadBalancerNodePorts)) spec.allocateLoadBalancerNodePorts = true
  for (const ingress of listOf(service.status?.loadBalancer?.ingress)) {
    if (ingress.ip && !isSet(ingress.ipMode)) ingress.ipMode = 'VIP'
  }
}

/** `clusterIP` and `clusterIPs` are one field under two names: clients may know only one of them. */
export function syncClusterIps(spec: Json, old: Json): void {
  const single: string = spec.clusterIP ?? ''
  const list: readonly string[] = listOf(spec.clusterIPs)
  if (old === undefined) {
    if (single !== '' && list.length === 0) spec.clusterIPs = [single]
    return
  }
  const before: string = old.clusterIP ?? ''
  if (single === before) {
    if (listOf(old.clusterIPs).length > 0 && list.length === 0) spec.clusterIPs = old.clusterIPs
  } else if (same(old.clusterIPs, list)) {
    if (single === '') delete spec.clusterIPs
    else spec.clusterIPs = [single]
  }
}

/** What was allocated stays where a client left it out. */
export function keepAllocated(spec: Json, old: Json): void {
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP
    if (listOf(spec.clusterIPs).length === 0 && listOf(old.clusterIPs).length > 0) spec.clusterIPs = old.clusterIPs
  }
  if (hasNodePorts(old) && hasNodePorts(spec)) {
    const wanted = new Set(listOf(spec.ports).map((port) => port.nodePort))
    const byName = new Map<string, Json>(listOf(old.ports).map((port) => [port.name ?? '', port.nodePort]))
    for (const port of listOf(spec.ports)) {
      const before: Json = byName.get(port.name ?? '')
      if (!port.nodePort && before && !wanted.has(before)) port.nodePort = before
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && !spec.healthCheckNodePort && old.healthCheckNodePort) {
    spec.healthCheckNodePort = old.healthCheckNodePort
  }
}

function hasNodePorts(spec: Json): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer'
}

/** Values that came with a service's type go with it, where the client did not change them. */
export function dropTypeDependent(spec: Json, old: Json): void {
  const clusterIp = (s: Json): boolean => s.type !== 'ExternalName'
  const balancer = (s: Json): boolean => s.type === 'LoadBalancer'
  if (clusterIp(old) && !clusterIp(spec)) {
    if ((old.clusterIP ?? '') === (spec.clusterIP ?? '') && same(old.clusterIPs, spec.clusterIPs)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (same(old.ipFamilies, spec.ipFamilies)) delete spec.ipFamilies
    if (same(old.ipFamilyPolicy, spec.ipFamilyPolicy)) delete spec.ipFamilyPolicy
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    const known = new Set(listOf(old.ports).map((port) => port.nodePort))
    if (listOf(spec.ports).every((port) => !port.nodePort || known.has(port.nodePort))) {
      spec.ports = listOf(spec.ports).map(({ nodePort: _nodePort, ...port }) => port)
    }
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && same(old.healthCheckNodePort, spec.healthCheckNodePort)) {
    delete spec.healthCheckNodePort
  }
  if (balancer(old) && !balancer(spec)) {
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass']) {
      if (same(old[field], spec[field])) delete spec[field]
    }
  }
  if (isExternal(old) && !isExternal(spec) && same(old.externalTrafficPolicy, spec.externalTrafficPolicy)) {
    delete spec.externalTrafficPolicy
  }
}
