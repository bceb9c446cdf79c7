/** What a service says of its addresses and ports. */
import type { KubeObject } from '../../machinery/object.ts'

interface Port {
  name?: string
  protocol?: string
  port: number
  nodePort?: number
}
/** spec of a Service, as far as it is about addresses and ports. */
export interface ServiceSpec {
  type?: string
  clusterIP?: string
  clusterIPs?: string[]
  ipFamilies?: string[]
  ipFamilyPolicy?: string
  selector?: Record<string, string>
  ports?: Port[]
  allocateLoadBalancerNodePorts?: boolean
  externalTrafficPolicy?: string
  healthCheckNodePort?: number
}

export const specOf = (service: KubeObject): ServiceSpec => (service['spec'] ??= {}) as ServiceSpec
export const usesPorts = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer'
export const usesHealthPort = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None'
export const hasIps = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName' && !isHeadless(spec)

/** Addresses of a stored service. */
export const ipsOf = (spec: ServiceSpec): string[] =>
  hasIps(spec)
    ? (spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])).filter((ip) => ip !== '')
    : []

/** Node ports of a service, each once: the same port number may serve TCP and UDP. */
export function nodePortsOf(spec: ServiceSpec): Set<number> {
  const out = new Set<number>()
  for (const { nodePort } of spec.ports ?? []) if (nodePort !== undefined && nodePort !== 0) out.add(nodePort)
  if (spec.healthCheckNodePort !== undefined && spec.healthCheckNodePort !== 0) out.add(spec.healthCheckNodePort)
  return out
}
