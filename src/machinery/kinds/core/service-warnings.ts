/** Texts for Warning headers on writes of services. */
import { entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { isHeadless } from './service-ips.ts'

const HINTS = 'service.kubernetes.io/topology-aware-hints'
const MODE = 'service.kubernetes.io/topology-mode'

export function serviceWarnings(service: Json): string[] {
  const out: string[] = []
  const spec: Json = service.spec ?? {}
  if (isSet(entry(service.metadata.annotations, HINTS))) {
    out.push(`annotation ${HINTS} is deprecated, please use ${MODE} instead`)
  }
  const external = listOf(spec.externalIPs).length > 0
  const named = spec.type === 'ExternalName'
  if (isHeadless(spec)) {
    if (spec.loadBalancerIP) out.push('spec.loadBalancerIP is ignored for headless services')
    if (external) out.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') out.push('spec.SessionAffinity is ignored for headless services')
  } else if (external && !named) {
    out.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  }
  if (named && external) out.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (!named && spec.externalName) out.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose') {
    out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return out
}
